UPDATE {{ name }} AS document
   SET {% for column in columns %}{{ column.name }} = written.column_{{ loop.index }}{% if !loop.last %},
       {% endif %}{% endfor %}
  FROM {% if let Some(runtime) = runtime %}patch_runtime AS {{ runtime }}, -- before the functions that it tells of
       {% endif %}
{%- if differs.is_empty() %}(SELECT compared.place, {% for column in columns %}compared.column_{{ loop.index }}{% if !loop.last %}, {% endif %}{% endfor %}
          FROM (SELECT {{ shown }}.ctid AS place,
                       {% for column in columns %}{{ column.old }} AS old_{{ loop.index }}{% if !loop.last %}, {% endif %}{% endfor %},
                       {% for column in columns %}{{ column.value }} AS column_{{ loop.index }}{% if !loop.last %},
                       {% endif %}{% endfor %}
                  FROM {% for line in from %}{{ line }}{% if !loop.last %}
                  {% endif %}{% endfor %}
                OFFSET 0) AS compared
         WHERE {% for column in columns %}record_image_ne(ROW(compared.old_{{ loop.index }}), ROW(compared.column_{{ loop.index }})){% if !loop.last %}
            OR {% endif %}{% endfor %}
        OFFSET 0) AS written
 WHERE document.ctid = written.place
{%- else %}(SELECT {{ shown }}.ctid AS place,
               {{ shown }}.xmin AS version,
               {% for column in columns %}{{ column.value }} AS column_{{ loop.index }}{% if !loop.last %},
               {% endif %}{% endfor %}
          FROM {% for line in from %}{{ line }}{% if !loop.last %}
          {% endif %}{% endfor %}
         WHERE {% for part in differs %}{{ part }}{% if !loop.last %}
            OR {% endif %}{% endfor %}
        OFFSET 0) AS written
 WHERE document.ctid = written.place
   AND document.xmin = written.version
{%- endif %}
