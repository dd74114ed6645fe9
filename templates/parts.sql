{%- if path_differs %}
SET LOCAL search_path = {{ search_path }};
{% endif %}
{%- for view in views %}
-- {{ view.purpose }}
CREATE OR REPLACE VIEW tview.{{ view.name }} AS
{{ view.query }};
{% endfor %}
{%- if path_differs %}
SET LOCAL search_path = {{ script_path }};
{% endif -%}
{%- for array in arrays %}
-- {{ array.place }} as the view shows it.
CREATE OR REPLACE FUNCTION tview.{{ array.array }}({{ array.key_parameters }})
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT w.{{ array.value }} FROM tview.{{ array.values }} AS w WHERE {{ array.is_key }});
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ array.array }} FROM PUBLIC;
{% if let Some(beside) = array.beside %}
-- The match keys of the elements before and after one in {{ array.place }}.
CREATE OR REPLACE FUNCTION tview.{{ beside.name }}({{ array.key_parameters }}, match {{ beside.ty }})
RETURNS jsonb[]
LANGUAGE plpgsql STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT ARRAY[to_jsonb(o.matches[o.place - 1]), to_jsonb(o.matches[o.place + 1])]
              FROM (SELECT o.matches, array_position(o.matches, match) AS place
                      FROM (SELECT array_agg(w.{{ beside.matched }} ORDER BY {{ beside.order }}) AS matches
                              FROM tview.{{ beside.elements }} AS w
                             WHERE {{ array.is_key }} OFFSET 0) AS o OFFSET 0) AS o);
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ beside.name }} FROM PUBLIC;
{% endif %}
{%- endfor %}
