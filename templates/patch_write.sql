WITH fresh AS MATERIALIZED (
    SELECT {{ document_keys }},
{%- for value in values %}
           {{ value }}{% if !loop.last %},{% endif %}
{%- endfor %}
      FROM unnest({{ arrays }}) AS {{ row }}({{ row_columns }})
      JOIN {{ table }} AS {{ alias }} ON {{ alias_is_row }}
{%- for join in joins %}
      {{ join }}
{%- endfor %}
      JOIN unnest({{ keys }}) AS {{ key }}({{ key_columns }}) ON {{ key_is_end }}
      JOIN {{ name }} AS {{ document }} ON {{ document_is_key }}
     WHERE {{ condition }}
)
UPDATE {{ name }} AS t
   SET {{ assignments }}
  FROM fresh AS f
 WHERE {{ t_is_f }}
   AND record_image_ne(ROW({{ t_columns }}), ROW({{ f_columns }}));
