{%- match partition %}
{%- when None %}
{%- if at_once %}
        -- What is computed for all rows of the view is computed once, and not for each key.
        SELECT v.*
          FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
          JOIN {{ view }} AS v ON {{ v_is_k }}
{%- else %}
        SELECT {% if together.is_some() %}{{ v_columns }}{% else %}v.*{% endif %}
          FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
         CROSS JOIN LATERAL ({% for is_k in w_is_k %}SELECT w.* FROM {{ view }} AS w WHERE {{ is_k }}{% if !loop.last %}
                             UNION ALL
                             {% endif %}{% endfor %} OFFSET 0) AS v
{%- if let Some(together) = together %}
         WHERE {{ together.are_few }}
{%- endif %}
{%- endif %}
{%- when Some with (partition) %}
        -- Partition by partition: what is computed over one is a function of all its rows.
        SELECT {{ v_columns }}
          FROM (SELECT DISTINCT {{ partition.r_columns }}
                  FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
                 CROSS JOIN LATERAL (
                     {% for is_k in w_is_k %}SELECT {{ partition.w_columns }}
                       FROM {{ partition.rows }} AS w
                      WHERE {{ is_k }}{% if !loop.last %}
                     UNION ALL
                     {% endif %}{% endfor %} OFFSET 0) AS r) AS p
         CROSS JOIN LATERAL (
             SELECT w.* FROM {{ view }} AS w
              WHERE {{ partition.w_is_p }} OFFSET 0) AS v
         WHERE EXISTS (SELECT FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
                        WHERE {{ v_is_k }})
{%- if let Some(together) = together %}
           AND {{ together.are_few }}
{%- endif %}
{%- endmatch %}
{%- if let Some(together) = together %}
        UNION ALL
        -- Each row is computed over its partitions: so many that all rows are computed sooner, once.
        SELECT {{ v_columns }}
          FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
          JOIN {{ together.view }} AS v ON {{ v_is_k }}
         WHERE NOT ({{ together.are_few }})
{%- endif %}
