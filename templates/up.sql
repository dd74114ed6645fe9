-- Made by tviewc {{ version }} from {{ sources }}.
-- Program {{ program }}, source hash {{ hash }}.
--
-- {{ summary }}
-- Apply with: psql -v ON_ERROR_STOP=1 -f THIS_FILE (or through a migration tool), as the owner of the tables.
-- Applied again it changes nothing.

BEGIN;
-- What is built once writers have been waited for has to see what they wrote.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

SET LOCAL search_path = {{ search_path }};
SET LOCAL client_min_messages = warning;
SET LOCAL check_function_bodies = on;

-- One application at a time.
SELECT pg_advisory_xact_lock(hashtext('tviewc'));

{{ runtime }}
-- ---------------------------------------------------------------------------------------------
-- Is this the database that the migration was made for?
-- ---------------------------------------------------------------------------------------------

DO $tview$
DECLARE
    installed text;
BEGIN
    IF current_setting('default_transaction_isolation') <> 'read committed'
       AND to_regprocedure('tview_native.under_latest_snapshot(text,integer,"any")') IS NULL
       AND coalesce(current_setting('tview.accept_isolation', true), '') <> 'on' THEN
        RAISE EXCEPTION 'default_transaction_isolation is %: writes that change documents would fail',
                current_setting('default_transaction_isolation')
            USING HINT = 'Make it READ COMMITTED, or create the extension tview_native; or SET tview.accept_isolation = on to install all the same.';
    END IF;

    SELECT p.source_hash INTO installed FROM tview.program AS p WHERE p.name = {{ program_literal }};
    IF installed <> {{ hash_literal }} THEN
        RAISE EXCEPTION 'program % is installed from another source (hash %)', {{ program_literal }}, installed
            USING HINT = 'Apply the --down migration of that source first, or compile with another --program name.';
    END IF;
{% for tview in tviews %}
    IF to_regclass({{ tview.name_literal }}) IS NOT NULL
       AND NOT EXISTS (SELECT FROM tview.pg_tview_meta AS m
                        WHERE m.tview_oid = to_regclass({{ tview.name_literal }})
                          AND m.program = {{ program_literal }}) THEN
        RAISE EXCEPTION '% exists already and is not of program %', {{ tview.name_literal }}, {{ program_literal }}
            USING HINT = 'Drop or rename it; this migration makes the table itself.';
    END IF;
{%- endfor %}
{%- for view in views %}{% if view.is_definition %}
    IF to_regclass({{ view.name_literal }}) IS NOT NULL
       AND NOT EXISTS (SELECT FROM tview.created_object AS c
                        WHERE c.program = {{ program_literal }} AND c.kind = 'view'
                          AND c.name = {{ view.name_literal }}) THEN
        RAISE EXCEPTION '% exists already and is not of program %', {{ view.name_literal }}, {{ program_literal }}
            USING HINT = 'The source defines a table or a materialized view; this migration makes a view of that name.';
    END IF;
{%- endif %}{% endfor %}
{% for table in tables %}
    PERFORM tview.expect_table({{ table.name_literal }},
        partitioned  => {{ table.partitioned }},
        column_names => ARRAY[{{ table.column_names }}]::text[],
        column_types => ARRAY[{{ table.column_types }}]::text[],
        not_null     => ARRAY[{{ table.not_null }}]::text[],
        unique_keys  => ARRAY[{{ table.unique_keys }}]::text[]);
{%- for key in table.partial_keys %}
    PERFORM tview.expect_partial_key({{ table.name_literal }}, ARRAY[{{ key.column_names }}], {{ key.condition }});
{%- endfor %}
{%- endfor %}
END
$tview$;

INSERT INTO tview.program (name, source_names, source_hash, compiler_version)
VALUES ({{ program_literal }}, ARRAY[{{ source_literals }}], {{ hash_literal }}, {{ version_literal }})
ON CONFLICT (name) DO UPDATE SET compiler_version = excluded.compiler_version
 WHERE program.compiler_version <> excluded.compiler_version;

{% for table in tables -%}
INSERT INTO tview.source_table (program, table_oid, trigger_function)
VALUES ({{ program_literal }}, {{ table.name_literal }}, {{ table.function_literal }}) ON CONFLICT DO NOTHING;
{% endfor %}
-- Nobody writes while the documents are built; readers are not held up.
{% if !tables.is_empty() -%}
LOCK TABLE {{ lock_list }} IN SHARE ROW EXCLUSIVE MODE;
{%- endif %}

-- ---------------------------------------------------------------------------------------------
-- The views, as written
-- ---------------------------------------------------------------------------------------------
{% for view in views %}
-- {{ view.place }}
INSERT INTO tview.created_object (program, kind, name)
SELECT {{ program_literal }}, 'view', {{ view.name_literal }} WHERE to_regclass({{ view.name_literal }}) IS NULL
ON CONFLICT DO NOTHING;

{% if view.path_differs -%}
SET LOCAL search_path = {{ view.search_path }};
{% endif -%}
{{ view.text }};
{% if view.path_differs -%}
SET LOCAL search_path = {{ search_path }};
{% endif -%}
{% endfor %}
