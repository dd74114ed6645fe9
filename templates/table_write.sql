{%- if !named_tables.is_empty() %}
    stranger := tview.unknown_table({{ program_literal }}, {{ named_tables }});
    IF stranger IS NOT NULL THEN
        PERFORM tview.refuse_table({{ program_literal }}, stranger);
    END IF;
{%- endif %}
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
{%- match reached %}
{%- when Some with (reached) %}
        look_again := tview.by_latest_snapshot({{ reached.literal }}, {{ reached.count }});
{%- when None %}
        PERFORM tview.require_read_committed();
{%- endmatch %}
    END IF;
    IF cardinality({{ first_old }}) > {{ many }} OR cardinality({{ first_new }}) > {{ many }} THEN
        -- Many rows are worth plans of their own; until the function ends.
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true);
    END IF;
{%- for step in steps %}

{{ step }}
{%- endfor %}
{%- if let Some(reached) = reached %}

    IF look_again IS NOT NULL THEN
{%- if reached.hops > 0 %}
        -- Each time may show more rows to lock, behind those that are locked then.
        EXECUTE look_again USING {{ reached.hops }}, NULL::jsonb, {{ reached.arguments }};
{%- endif %}
        EXECUTE look_again
          USING 1, tview.{{ reached.function }}(NULL, {{ reached.arguments }}), {{ reached.arguments }};
    END IF;
{%- endif %}
