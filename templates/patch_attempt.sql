WITH {{ relation }}({{ columns }}) AS MATERIALIZED (
{%- for line in changes %}
    {{ line }}
{%- endfor %}
), {{ written }} AS (
{%- for line in update %}
    {{ line }}
{%- endfor %}
    RETURNING 1
)
SELECT {{ aggregates }}, (SELECT count(*) FROM {{ written }})
  INTO {{ patched }}, documents_written
  FROM {{ relation }};
IF documents_written <> cardinality({{ first }})
{%- match way %}
{%- when Some with (way) %}
   OR cardinality({{ first }}) <> (
       SELECT count(*)
         FROM {% for line in way %}{{ line }}{% if !loop.last %}
         {% endif %}{% endfor %}
        WHERE {{ condition }}) THEN
    -- A document was not there{% if by_version %}, or was replaced meanwhile{% endif %}, or a row was moved by someone who had to be waited for.
{%- when None %} THEN
    -- A document was not there{% if by_version %}, or was replaced meanwhile{% endif %}.
{%- endmatch %}
    PERFORM tview.{{ recompute }}({{ again }})
       FROM (SELECT DISTINCT k.* FROM unnest({{ patched }}) AS k({{ keys }})) AS k;
END IF;
