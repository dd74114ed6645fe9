{%- macro each(prefix, names) -%}
{%- for name in names -%}{{ prefix }}.{{ name }}{% if !loop.last %}, {% endif %}{%- endfor -%}
{%- endmacro -%}
{%- macro variables(prefix) -%}
{%- for key in keys -%}{{ prefix }}{{ key.variable }}{% if !loop.last %}, {% endif %}{%- endfor -%}
{%- endmacro -%}
{%- macro key_names(prefix) -%}
{%- for key in keys -%}{{ prefix }}{{ key.name }}{% if !loop.last %}, {% endif %}{%- endfor -%}
{%- endmacro -%}
{#- Where a row that is not there looks like one of NULLs. -#}
{%- macro is_there(of) -%}
{%- if let Some(there) = there %}, {{ of }}.{{ there }}{% endif -%}
{%- endmacro -%}
{%- macro absent(of) -%}
{{ of }}.{% if let Some(there) = there %}{{ there }}{% else %}{{ first }}{% endif %} IS NULL
{%- endmacro -%}
{%- macro differ() -%}
record_image_ne(
                             ROW({% call each("v", columns) %}{% endcall %}{% call is_there("v") %}{% endcall %}),
                             ROW({% call each("t", columns) %}{% endcall %}{% call is_there("t") %}{% endcall %}))
{%- if unordered_arrays %}
                         -- Elements of arrays come in any order.
                         AND tview.without_order(to_jsonb(ROW({% call each("v", columns) %}{% endcall %})))::text
                              <> tview.without_order(to_jsonb(ROW({% call each("t", columns) %}{% endcall %})))::text
{%- endif %}
{%- endmacro -%}
{%- macro read_keys() -%}
    SELECT {% for key in keys %}array_agg(k.{{ key.name }}){% if !loop.last %}, {% endif %}{% endfor %}
      INTO {% call variables("") %}{% endcall %}
      FROM (SELECT DISTINCT {% call key_names("r.") %}{% endcall %}
              FROM jsonb_to_recordset(documents) AS r({% for key in keys %}{{ key.name }} {{ key.element_type }}{% if !loop.last %}, {% endif %}{% endfor %})) AS k
{%- if !present.is_empty() %}
     WHERE {{ present }}
{%- endif %};
{%- endmacro -%}
-- For tview.check: the keys of the rows that differ.
CREATE OR REPLACE FUNCTION tview.{{ check }}()
RETURNS TABLE (key jsonb, difference text)
LANGUAGE sql
STABLE
{{ settings }}
AS $tview$
    WITH compared AS MATERIALIZED (
        SELECT {% for key in keys %}coalesce(v.{{ key.name }}, t.{{ key.name }}) AS {{ key.variable }},{% if !loop.last %} {% endif %}{% endfor %}
               CASE WHEN {% call absent("t") %}{% endcall %} THEN 'missing'
                    WHEN {% call absent("v") %}{% endcall %} THEN 'extra'
                    WHEN {% call differ() %}{% endcall %} THEN 'different'
               END AS difference
{%- match there %}
{%- when None %}
          FROM {{ view }} AS v
          FULL JOIN {{ name }} AS t ON {{ t_is_v }}
{%- when Some with (there) %}
          FROM (SELECT v.*, true AS {{ there }} FROM {{ view }} AS v) AS v
          FULL JOIN (SELECT t.*, true AS {{ there }} FROM {{ name }} AS t) AS t ON {{ t_is_v }}
{%- endmatch %}
    )
    SELECT jsonb_build_object({% for key in keys %}{{ key.literal }}, c.{{ key.variable }}{% if !loop.last %}, {% endif %}{% endfor %}),
           CASE WHEN count(*) > 1 THEN 'duplicate' ELSE min(c.difference) END
      FROM compared AS c
     GROUP BY {% call variables("c.") %}{% endcall %}
    HAVING count(*) > 1 OR min(c.difference) IS NOT NULL
     ORDER BY {% call variables("c.") %}{% endcall %}
$tview$;

-- The rows of these keys that differ from the view; both are JSON arrays of objects.
CREATE OR REPLACE FUNCTION tview.{{ differ }}(documents jsonb)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
{{ settings }}
AS $tview$
#variable_conflict use_variable
DECLARE
{%- for key in keys %}
    {{ key.variable }} {{ key.array_type }};
{%- endfor %}
BEGIN
    {% call read_keys() %}{% endcall %}
    RETURN (
        WITH fresh AS MATERIALIZED (
{{- fresh }}
        )
        SELECT coalesce(jsonb_agg(jsonb_build_object({% for key in keys %}{{ key.literal }}, coalesce(v.{{ key.name }}, t.{{ key.name }}){% if !loop.last %}, {% endif %}{% endfor %})), '[]')
          FROM {% if let Some(there) = there %}(SELECT f.*, true AS {{ there }} FROM fresh AS f) AS v{% else %}fresh AS v{% endif %}
          FULL JOIN (SELECT t.*{% if let Some(there) = there %}, true AS {{ there }}{% endif %}
                       FROM unnest({% call variables("") %}{% endcall %}) AS k({% call key_names("") %}{% endcall %})
                       JOIN {{ name }} AS t ON {{ t_is_k }}) AS t ON {{ t_is_v }}
         WHERE {% call differ() %}{% endcall %});
END
$tview$;

-- For tview.repair: recomputes the rows of these keys, a JSON array of objects; says how many differed.
CREATE OR REPLACE FUNCTION tview.{{ repair }}(documents jsonb)
RETURNS bigint
LANGUAGE plpgsql
{{ settings }}
AS $tview$
DECLARE
{%- for key in keys %}
    {{ key.variable }} {{ key.array_type }};
{%- endfor %}
    wrong bigint;
BEGIN
    {% call read_keys() %}{% endcall %}
    IF {{ keys[0].variable }} IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM tview.{{ lock }}({% call variables("") %}{% endcall %});
    wrong := jsonb_array_length(tview.{{ differ }}(documents));
    PERFORM tview.{{ recompute }}({% call variables("") %}{% endcall %});
    RETURN wrong;
END
$tview$;
