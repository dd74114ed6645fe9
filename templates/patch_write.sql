UPDATE {{ name }} AS {{ document }}
   SET {% for assignment in assignments %}{{ assignment }}{% if !loop.last %},
       {% endif %}{% endfor %}
  FROM {% if let Some(runtime) = runtime %}patch_runtime AS {{ runtime }}, -- before the functions that it tells of
       {% endif %}{% for line in from %}{{ line }}{% if !loop.last %}
       {% endif %}{% endfor %}
 WHERE {{ document_is_key }}{% if !differs.is_empty() %}
   AND ({% for part in differs %}{{ part }}{% if !loop.last %}
        OR {% endif %}{% endfor %}){% endif %}
