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
