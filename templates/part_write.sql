UPDATE {{ name }} AS document
   SET {% for column in columns %}{{ column.name }} = written.column_{{ loop.index }}{% if !loop.last %},
       {% endif %}{% endfor %}
  FROM {% if let Some(runtime) = runtime %}patch_runtime AS {{ runtime }}, -- before the functions that it tells of
       {% endif %}(SELECT {{ place }} AS place,
               {% for column in columns %}{{ column.value }} AS column_{{ loop.index }}{% if !loop.last %},
               {% endif %}{% endfor %}
          FROM {% for line in from %}{{ line }}{% if !loop.last %}
          {% endif %}{% endfor %}
        OFFSET 0) AS written
 WHERE document.ctid = written.place
   AND ({% for column in columns %}record_image_ne(ROW(document.{{ column.name }}), ROW(written.column_{{ loop.index }})){% if !loop.last %}
        OR {% endif %}{% endfor %});
