{%- if !named_tables.is_empty() %}
    stranger := tview.unknown_table({{ program_literal }}, {{ named_tables }});
    IF stranger IS NOT NULL THEN
        PERFORM tview.refuse_table({{ program_literal }}, stranger);
    END IF;
{%- endif %}
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        PERFORM tview.require_read_committed();
    END IF;
    IF cardinality({{ first_old }}) > {{ many }} OR cardinality({{ first_new }}) > {{ many }} THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true); -- many rows are worth it; until the function ends
    END IF;
{%- for step in steps %}

{{ step }}
{%- endfor %}
