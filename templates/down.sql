-- Made by tviewc {{ version }} from {{ sources }}.
-- Takes back what program {{ program }} (source hash {{ hash }}) has made, and nothing else.

BEGIN;

SET LOCAL search_path = {{ search_path }};
SET LOCAL client_min_messages = warning;

SELECT pg_advisory_xact_lock(hashtext('tviewc'));

DO $tview$
DECLARE
    installed text;
{%- if partitions %}
    fired record;
{%- endif %}
    we_made text[]; -- schemas
BEGIN
    IF to_regclass('tview.program') IS NULL THEN
        RETURN;
    END IF;
    SELECT p.source_hash INTO installed FROM tview.program AS p WHERE p.name = {{ program_literal }};
    IF installed IS NULL THEN
        RETURN;
    END IF;
    IF installed <> {{ hash_literal }} THEN
        RAISE EXCEPTION 'program % is installed from another source (hash %)', {{ program_literal }}, installed
            USING HINT = 'Apply the --down migration of that source.';
    END IF;
{% for table in tables %}
{%- for trigger in table.triggers %}
    DROP TRIGGER IF EXISTS {{ trigger.name }} ON {{ table.name }};
{%- endfor %}
{%- if table.partitioned %}
    DROP TRIGGER IF EXISTS {{ move_trigger }} ON {{ table.name }};
    FOR fired IN -- those of its partitions, and of tables that were some
        SELECT g.tgname, g.tgrelid::regclass AS relation FROM pg_trigger AS g
         WHERE g.tgfoid = to_regproc({{ table.function_regproc }}) OR g.tgname = {{ begin_literal }} ORDER BY g.tgrelid, g.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', fired.tgname, fired.relation);
    END LOOP;
{%- endif %}
    DROP FUNCTION IF EXISTS tview.{{ table.function }}();
{%- if let Some(write) = table.write %}
    DROP FUNCTION IF EXISTS tview.{{ write }};
{%- endif %}
{%- if let Some(reached) = table.reached %}
    DROP FUNCTION IF EXISTS tview.{{ reached }};
{%- endif %}
{% endfor %}
{#- Later ones may read earlier ones. #}
{%- for tview in tviews.iter().rev() %}
    DROP FUNCTION IF EXISTS tview.{{ tview.recompute }}({{ tview.key_types }});
    DROP FUNCTION IF EXISTS tview.{{ tview.known }}({{ tview.key_types }}, bigint);
    DROP FUNCTION IF EXISTS tview.{{ tview.lock }}({{ tview.key_types }});
    DROP FUNCTION IF EXISTS tview.{{ tview.try_lock }}({{ tview.key_types }});
    DROP FUNCTION IF EXISTS tview.{{ tview.refresh }}();
    DROP FUNCTION IF EXISTS tview.{{ tview.check }}();
    DROP FUNCTION IF EXISTS tview.{{ tview.differ }}(jsonb);
    DROP FUNCTION IF EXISTS tview.{{ tview.repair }}(jsonb);
{%- for function in tview.part_functions %}
    DROP FUNCTION IF EXISTS tview.{{ function }};
{%- endfor %}
{%- for view in tview.narrowed_views %}
    DROP VIEW IF EXISTS tview.{{ view }};
{%- endfor %}
    DELETE FROM tview.pg_tview_meta AS m WHERE m.tview_oid = to_regclass({{ tview.name_literal }});
    DROP TABLE IF EXISTS {{ tview.name }};
{%- for lock in tview.lock_tables %}
    DROP TABLE IF EXISTS tview.{{ lock.name }};
{%- endfor %}
{% endfor %}
    -- Views that were there before stay.
{%- for view in views_reversed %}
    IF EXISTS (SELECT FROM tview.created_object AS c
                WHERE c.program = {{ program_literal }} AND c.kind = 'view' AND c.name = {{ view.name_literal }}) THEN
        DROP VIEW IF EXISTS {{ view.name }};
    END IF;
{%- endfor %}
    DELETE FROM tview.source_table AS s WHERE s.program = {{ program_literal }};
    DELETE FROM tview.created_object AS c WHERE c.program = {{ program_literal }};
    DELETE FROM tview.program AS p WHERE p.name = {{ program_literal }};

    -- The runtime goes with the last program.
    IF NOT EXISTS (SELECT FROM tview.program) THEN
        DROP FUNCTION tview.lock_values_again(regclass, integer[], integer[]);
        DROP FUNCTION tview.lock_values(regclass, integer[], integer[]);
        DROP FUNCTION tview.lock_link(regclass, boolean, boolean);
        DROP FUNCTION tview.require_read_committed();
        DROP FUNCTION tview.seen(text, text, jsonb, jsonb);
        DROP FUNCTION tview.own_differences(text, jsonb);
        DROP FUNCTION tview.require_rows(regclass, bigint);
        DROP FUNCTION tview.require_seen(text, boolean);
        DROP FUNCTION tview.by_latest_snapshot(text, integer);
        DROP FUNCTION tview.unknown_table(text, regclass[]);
        DROP FUNCTION tview.refuse_table(text, regclass);
        DROP FUNCTION tview.expect_table(text, boolean, text[], text[], text[], text[]);
        DROP FUNCTION tview.expect_partial_key(regclass, text[], text);
        DROP FUNCTION tview.bare_condition(text);
        DROP FUNCTION tview.expect_deterministic(regclass, text[]);
        DROP FUNCTION tview.copy_grants(regclass, regclass);
        DROP FUNCTION tview.attach(regclass);
        DROP FUNCTION tview.attach_triggers(text, regclass, text);
        DROP FUNCTION tview.partition_columns(oid, text);
        DROP FUNCTION tview.is_inserting(text, oid, boolean);
        DROP FUNCTION tview.begin_insert();
        DROP FUNCTION tview.take_moves(text, oid);
        DROP FUNCTION tview.count_move();
        DROP FUNCTION tview.status();
        DROP FUNCTION tview.repair(regclass, jsonb);
        DROP FUNCTION tview.check(regclass);
        DROP FUNCTION tview.view_hash(regclass);
        DROP FUNCTION tview.without_order(jsonb);
        -- The patch functions, the last made first.
        DROP VIEW tview_portable.patch_runtime;
        DROP FUNCTION tview_portable.jsonb_put(jsonb, jsonb, text[], jsonb, text[], jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, jsonb, text[], jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, text[], jsonb, text[], jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, text[], jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, text[], jsonb);
        DROP FUNCTION tview_portable.jsonb_put(jsonb, jsonb);
        DROP FUNCTION tview_portable.jsonb_change_elements(
            jsonb, text[], text, jsonb[], jsonb[], boolean[], jsonb[], jsonb[], boolean, integer);
        DROP FUNCTION tview_portable.jsonb_change_sorted_elements(jsonb, text[], text, jsonb[], jsonb[], boolean, integer);
        DROP FUNCTION tview.jsonb_delta_available();
        DROP FUNCTION tview.jsonb_apply(jsonb, jsonb);
        DROP FUNCTION tview.jsonb_change_sorted_elements(jsonb, text[], text, jsonb[], jsonb[], boolean, integer);
        DROP FUNCTION tview.jsonb_change_elements(jsonb, text[], text, jsonb[], jsonb[], boolean[], jsonb[], jsonb[], boolean, integer);
        DROP FUNCTION tview.jsonb_insert_between(jsonb, text[], jsonb, text, jsonb, jsonb, jsonb, boolean);
        DROP FUNCTION tview.jsonb_has_path_changed(jsonb, jsonb, text[]);
        DROP FUNCTION tview.jsonb_array_insert_at(jsonb, text[], integer, jsonb);
        DROP FUNCTION tview.jsonb_array_delete_where(jsonb, text[], text, jsonb);
        DROP FUNCTION tview.jsonb_array_upsert_where(jsonb, text[], text, jsonb, jsonb);
        DROP FUNCTION tview.jsonb_smart_patch_array(jsonb, jsonb, text[], text);
        DROP FUNCTION tview.jsonb_array_update_where(jsonb, text[], text, jsonb, jsonb);
        DROP FUNCTION tview.jsonb_merge_at_path(jsonb, jsonb, text[]);
        DROP FUNCTION tview.jsonb_merge_shallow(jsonb, jsonb);
        DROP FUNCTION tview.jsonb_smart_patch_scalar(jsonb, jsonb);
        DROP FUNCTION tview.jsonb_smart_patch_nested(jsonb, jsonb, text[]);
        DROP FUNCTION tview.jsonb_merge_into(jsonb, jsonb, text[], text);
        DROP FUNCTION tview.jsonb_position(jsonb, text, jsonb);
        DROP FUNCTION tview.jsonb_create(jsonb, text[], integer, jsonb);
        DROP FUNCTION tview.jsonb_walk(jsonb, text[], text, boolean);
        DROP FUNCTION tview.jsonb_check(text[], jsonb, text);
        we_made := ARRAY(SELECT c.name FROM tview.created_object AS c WHERE c.kind = 'schema');
        DROP TABLE tview.check_result, tview.source_table, tview.pg_tview_meta, tview.created_object, tview.program;
        IF 'tview' = ANY (we_made)
           AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = 'tview'::regnamespace)
           AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = 'tview'::regnamespace)
           AND NOT EXISTS (SELECT FROM pg_type AS t WHERE t.typnamespace = 'tview'::regnamespace) THEN
            DROP SCHEMA tview;
        END IF;
        IF 'tview_portable' = ANY (we_made)
           AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('tview_portable'))
           AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('tview_portable')) THEN
            DROP SCHEMA IF EXISTS tview_portable;
        END IF;
        -- With the extension in it, it stays.
        IF 'tview_native' = ANY (we_made)
           AND NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('tview_native'))
           AND NOT EXISTS (SELECT FROM pg_extension AS e WHERE e.extnamespace = to_regnamespace('tview_native')) THEN
            DROP SCHEMA IF EXISTS tview_native;
        END IF;
    END IF;
END
$tview$;

COMMIT;
