UPDATE {{ name }} AS {{ document }}
   SET {% for assignment in assignments %}{{ assignment }}{% if !loop.last %},
       {% endif %}{% endfor %}
  {% for line in from %}{{ line }}{% if !loop.last %}
  {% endif %}{% endfor %}
 WHERE {{ document_is_key }}
   AND ({% for part in differs %}{{ part }}{% if !loop.last %}
        OR {% endif %}{% endfor %});
