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
{%- if let Some(function) = array.array %}
-- {{ array.place }} as the view shows it.
CREATE OR REPLACE FUNCTION tview.{{ function.name }}({{ array.parameters }})
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT w.{{ function.value }} FROM tview.{{ function.values }} AS w WHERE {{ array.is_of_array }});
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ function.name }} FROM PUBLIC;
{% endif %}
{%- if let Some(function) = array.element %}
-- An element of {{ array.place }} as the view shows it.
CREATE OR REPLACE FUNCTION tview.{{ function.name }}({{ array.parameters }}, match {{ array.ty }})
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT w.{{ function.element }} FROM tview.{{ array.elements }} AS w
             WHERE {{ array.is_of_array }} AND w.{{ array.matched }} = match);
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ function.name }} FROM PUBLIC;
{% endif %}
{%- if let Some(beside) = array.beside %}
-- The match keys of the elements before and after one in {{ array.place }}.
CREATE OR REPLACE FUNCTION tview.{{ beside.name }}({{ array.parameters }}, match {{ array.ty }})
RETURNS jsonb[]
LANGUAGE plpgsql STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT ARRAY[to_jsonb(o.matches[o.place - 1]), to_jsonb(o.matches[o.place + 1])]
              FROM (SELECT o.matches, array_position(o.matches, match) AS place
                      FROM (SELECT array_agg(w.{{ array.matched }} ORDER BY {{ beside.order }}) AS matches
                              FROM tview.{{ array.elements }} AS w
                             WHERE {{ array.is_of_array }} OFFSET 0) AS o OFFSET 0) AS o);
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ beside.name }} FROM PUBLIC;
{% endif %}
{%- endfor %}
