    ), changed AS (
        UPDATE {{ name }} AS t
           SET {{ assignments }}
          FROM fresh AS f
         WHERE {{ t_is_f }}
           AND record_image_ne(
                   ROW({{ t_columns }}),
                   ROW({{ f_columns }}))
    )
    INSERT INTO {{ name }} ({{ columns }})
    SELECT {{ f_columns }}
      FROM fresh AS f
     WHERE NOT EXISTS (SELECT FROM {{ name }} AS t WHERE {{ t_is_f }});
