{%- if counted %} RETURNING 1{% endif %}
    ), changed AS (
        UPDATE {{ name }} AS t
           SET {{ assignments }}
          FROM fresh AS f
{%- if counted %}
         WHERE {{ t_is_f }}
{%- else %}
         CROSS JOIN LATERAL (SELECT d.ctid AS place FROM {{ name }} AS d WHERE {{ d_is_f }} OFFSET 0) AS d
         WHERE t.ctid = d.place
{%- endif %}
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
     WHERE NOT EXISTS (SELECT FROM {{ name }} AS t WHERE {{ t_is_f }} OFFSET 0);
{%- endif %}
