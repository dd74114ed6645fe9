WITH {{ relation }}({{ columns }}) AS MATERIALIZED (
{%- for line in changes %}
    {{ line }}
{%- endfor %}
), {{ written_keys }}({{ written_columns }}) AS (
{%- for line in update %}
    {{ line }}
{%- endfor %}
    RETURNING {{ returned }}
)
SELECT {{ found }}{% for keys in changed %},
       {{ keys }}{% endfor %}
  INTO {{ variables }}
  FROM {{ relation }};
{% match way -%}
{% when Some with (way) -%}
IF cardinality({{ first }}) <> (
       SELECT count(*)
         FROM {% for line in way %}{{ line }}{% if !loop.last %}
         {% endif %}{% endfor %}
        WHERE {{ condition }}) THEN
    -- A row was moved by someone who had to be waited for.
    PERFORM tview.{{ recompute }}({{ again }})
       FROM (SELECT DISTINCT k.* FROM unnest({{ patched }}) AS k({{ keys }})) AS k;
ELSIF {% when None -%}
IF {% endmatch -%}
cardinality({{ first_written }}) IS DISTINCT FROM cardinality({{ first }}) THEN
    -- A document was not there, or was replaced meanwhile.
    PERFORM tview.{{ recompute }}({{ again }})
       FROM (SELECT * FROM unnest({{ patched }}) EXCEPT SELECT * FROM unnest({{ written }})) AS k({{ keys }})
     HAVING count(*) > 0;
END IF;
