-- {{ what }}
{%- if path_differs %}
SET LOCAL search_path = {{ search_path }};
{%- endif %}
CREATE OR REPLACE VIEW tview.{{ name }}{{ columns }} AS
{{ query }};
{%- if let Some(rows) = rows %}

-- In which partitions its rows are, without what is computed over these.
CREATE OR REPLACE VIEW tview.{{ rows.name }}{{ columns }} AS
{{ rows.query }};
{%- endif %}
{%- if path_differs %}
SET LOCAL search_path = {{ script_path }};
{%- endif %}
