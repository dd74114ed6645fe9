{%- if counted %} RETURNING 1{% endif %}
    ), changed AS (
        UPDATE {{ name }} AS t
           SET {{ assignments }}
          FROM {% if !counted %}unnest({{ key_variables }}) AS k({{ key_aliases }}), {% endif %}fresh AS f
         WHERE {{ t_is_f }}{% if !counted %} AND {{ t_is_k }}{% endif %}
           AND record_image_ne(
                   ROW({{ t_columns }}),
                   ROW({{ f_columns }}))
{%- if counted %} RETURNING 1
    ), added AS (
        INSERT INTO {{ name }} ({{ columns }})
        SELECT {{ f_columns }}
          FROM fresh AS f
         WHERE NOT EXISTS (SELECT FROM {{ name }} AS t WHERE {{ t_is_f }}) RETURNING 1
    )
    SELECT count(*) INTO written FROM (TABLE gone UNION ALL TABLE changed UNION ALL TABLE added) AS w;
{%- else %}
    )
    INSERT INTO {{ name }} ({{ columns }})
    SELECT {{ f_columns }}
      FROM fresh AS f
     WHERE NOT EXISTS (SELECT FROM unnest({{ key_variables }}) AS k({{ key_aliases }}) JOIN {{ name }} AS t ON {{ t_is_k }}
                        WHERE {{ t_is_f }});
{%- endif %}
