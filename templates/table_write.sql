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
        -- Many rows are worth plans of their own; until the function ends.
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true);
    END IF;
{%- for step in steps %}

{{ step }}
{%- endfor %}
