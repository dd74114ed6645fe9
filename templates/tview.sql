-- ---------------------------------------------------------------------------------------------
-- {{ name }}: the rows of {{ view }} ({{ place }})
-- key ({{ key_list }}): {{ proof }}{% if null_safe.is_some() %}; NULL is one of its values{% endif %}
{%- for dependency in dependencies %}
-- {{ dependency }}
{%- endfor %}
-- ---------------------------------------------------------------------------------------------

DO $tview$
BEGIN
    IF to_regclass({{ name_literal }}) IS NULL THEN
        -- fillfactor: room on the page for the next version of a document, so that an update that
        -- changes no key stays off the indexes.
        CREATE TABLE {{ name }} WITH (fillfactor = 85) AS SELECT v.* FROM {{ view }} AS v WITH NO DATA;
        PERFORM tview.expect_deterministic({{ name_literal }}, ARRAY[{{ meta.key_columns }}]);
{%- match null_safe %}
{%- when None %}
        ALTER TABLE {{ name }} ADD PRIMARY KEY ({{ key_list }});
{%- when Some with (columns) %}
        -- NULL is a value of the key, of one document: equal to itself in arrays, and in no primary key.
        CREATE UNIQUE INDEX ON {{ name }} ({{ columns }});
        CREATE INDEX ON {{ name }} ({{ key_list }}); -- for those who read it
        ALTER TABLE {{ name }} REPLICA IDENTITY FULL; -- a publication needs one
{%- endmatch %}
{%- for column in not_null %}
        ALTER TABLE {{ name }} ALTER COLUMN {{ column }} SET NOT NULL;
{%- endfor %}
{%- for index in lookup_indexes %}
        -- Old keys are found by a part of them where the rest is gone.
        CREATE INDEX ON {{ name }} ({{ index }});
{%- endfor %}
        -- lz4 costs less time than pglz; not every server is built with it, and 13 does not know it.
        IF current_setting('server_version_num')::integer >= 140000
           AND EXISTS (SELECT FROM pg_settings AS s
                        WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
{%- for column in documents %}
            EXECUTE {{ column.set_lz4 }};
{%- endfor %}
        END IF;
        PERFORM tview.copy_grants({{ view_literal }}, {{ name_literal }});
    END IF;
END
$tview$;

-- Empty tables that stand for locks; see tview.lock_values.
{%- for lock in lock_tables %}
CREATE TABLE IF NOT EXISTS tview.{{ lock.name }} ();
{%- if !lock.comment.is_empty() %}
COMMENT ON TABLE tview.{{ lock.name }} IS {{ lock.comment }};
{%- endif %}
{%- endfor %}

INSERT INTO tview.pg_tview_meta (
    tview_oid, view_oid, program, key_columns, source_table_names, fk_columns,
    dependency_types, dependency_paths, array_match_keys, document_columns, strategies,
    source_oids, refresh_function, check_function, repair_function, view_hash, unordered_arrays)
VALUES (
    {{ name_literal }}::regclass, {{ view_literal }}::regclass, {{ program_literal }},
    ARRAY[{{ meta.key_columns }}]::text[],
    ARRAY[{{ meta.sources }}]::text[],
    ARRAY[{{ meta.fk_columns }}]::text[],
    ARRAY[{{ meta.types }}]::text[],
    ARRAY[{{ meta.paths }}]::text[],
    ARRAY[{{ meta.match_keys }}]::text[],
    ARRAY[{{ meta.columns }}]::text[],
    ARRAY[{{ meta.strategies }}]::text[],
    ARRAY[{{ meta.source_oids }}]::regclass[],
    {{ refresh_literal }}, {{ check_literal }}, {{ repair_literal }}, tview.view_hash({{ view_literal }}), {{ unordered_arrays }})
ON CONFLICT (tview_oid) DO UPDATE SET view_hash = excluded.view_hash
 WHERE pg_tview_meta.view_hash <> excluded.view_hash;

-- Locks these keys: those without a document by the key, which whoever may create one locks as well, then the
-- documents in key order. False where a document went away while it was waited for: it is locked neither way.
CREATE OR REPLACE FUNCTION tview.{{ try_lock }}({{ key_parameters }})
RETURNS boolean
LANGUAGE plpgsql
AS $tview$
#variable_conflict use_variable
DECLARE
{%- for key in keys %}
    {{ key.absent }} {{ key.array_type }};
{%- endfor %}
    locked integer;
BEGIN
    SELECT {{ absent_aggregates }}
      INTO {{ absent_variables }}
      FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
     WHERE NOT EXISTS (SELECT FROM {{ name }} AS t WHERE {{ t_is_k }});
    {{ lock_absent }}
    SELECT count(*)
      INTO locked
      FROM (SELECT {{ t_keys }}
              FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
              JOIN {{ name }} AS t ON {{ t_is_k }}
             ORDER BY {{ t_keys }}
               FOR UPDATE OF t) AS d({{ key_aliases }})
     WHERE NOT EXISTS (SELECT FROM unnest({{ absent_variables }}) AS k({{ key_aliases }}) WHERE {{ k_is_d }});
    RETURN locked = cardinality({{ first_key }}) - coalesce(cardinality({{ first_absent }}), 0);
END
$tview$;

-- Locks these keys (distinct{% if null_safe.is_none() %}, none NULL{% endif %}; the arrays run in parallel) before their documents are written. In statements of
-- their own, so that what follows sees what others have committed. Where all have documents, as in most calls, those are
-- all there is to lock. A try that has to be repeated gives back what it locked: absent keys come before documents in all transactions.
CREATE OR REPLACE FUNCTION tview.{{ lock }}({{ key_parameters }})
RETURNS void
LANGUAGE plpgsql
AS $tview$
#variable_conflict use_variable
DECLARE
    locked integer;
BEGIN
    IF cardinality({{ first_key }}) = 1 THEN
        PERFORM FROM {{ name }} AS t WHERE {{ t_is_first }} FOR UPDATE OF t;
        IF FOUND THEN
            RETURN;
        END IF;
        {{ lock_first }}
        PERFORM FROM {{ name }} AS t WHERE {{ t_is_first }} FOR UPDATE OF t;
    ELSE
        BEGIN
            SELECT count(*)
              INTO locked
              FROM (SELECT
                      {% for line in of_keys %}{{ line }}{% if !loop.last %}
                     {% endif %}{% endfor %}
                     ORDER BY {{ t_keys }}
                       FOR UPDATE OF t) AS d;
            IF locked = cardinality({{ first_key }}) THEN
                RETURN;
            ELSIF locked > 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'TV001', MESSAGE = 'some keys have no document';
            END IF;
        EXCEPTION
            WHEN SQLSTATE 'TV001' THEN NULL;
        END;
        LOOP
            BEGIN
                EXIT WHEN tview.{{ try_lock }}({{ key_variables }});
                RAISE EXCEPTION USING ERRCODE = 'TV001', MESSAGE = 'a document went away while it was waited for';
            EXCEPTION
                WHEN SQLSTATE 'TV001' THEN NULL;
            END;
        END LOOP;
    END IF;
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        -- Whoever writes a document that this snapshot does not show locks its row, not its key.
        EXECUTE tview.by_latest_snapshot({{ known_literal }}, {{ keys.len() + 1 }})
          USING 1, {{ key_variables }},
                (SELECT count(*) FROM unnest({{ key_variables }}) AS k({{ key_aliases }}) JOIN {{ name }} AS t ON {{ t_is_k }});
    END IF;
END
$tview$;
{% if !narrowed.is_empty() %}
{{ narrowed }}
{% endif %}
{%- if !part_views.is_empty() %}
{{ part_views }}
{% endif %}
-- For transactions under snapshot isolation: ends them if documents of these keys are newer than their snapshot; they see so many.
CREATE OR REPLACE FUNCTION tview.{{ known }}({{ key_parameters }}, documents bigint)
RETURNS void
LANGUAGE plpgsql
STABLE
AS $tview$
#variable_conflict use_variable
BEGIN
    PERFORM tview.require_seen({{ name_literal }}, documents = (
        SELECT count(*) FROM unnest({{ key_variables }}) AS k({{ key_aliases }}) JOIN {{ name }} AS t ON {{ t_is_k }}));
END
$tview$;

-- Locks these keys and recomputes their documents: those that the view no longer shows are deleted, the others
-- written where they differ.
CREATE OR REPLACE FUNCTION tview.{{ recompute }}({{ key_parameters }})
RETURNS void
LANGUAGE plpgsql
AS $tview$
#variable_conflict use_variable
BEGIN
    PERFORM tview.{{ lock }}({{ key_variables }});
{%- if asserted %}

    -- The key was asserted, not proved.
    IF EXISTS (SELECT FROM unnest({{ key_variables }}) AS k({{ key_aliases }})
                CROSS JOIN LATERAL (SELECT FROM {{ view_of_rows }} AS w WHERE {{ w_is_k }} OFFSET 0) AS v
                GROUP BY {{ k_keys }} HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'several rows of % have the same key', {{ view_name_literal }}
            USING ERRCODE = 'unique_violation',
                  HINT = 'The directive key({{ key_hint }}) says that these columns identify a row.';
    END IF;
{%- endif %}

    WITH fresh AS MATERIALIZED (
{{- fresh }}
    ), gone AS (
        DELETE FROM {{ name }} AS t
         USING unnest({{ key_variables }}) AS k({{ key_aliases }})
         WHERE {{ t_is_k }}
           AND NOT EXISTS (SELECT FROM fresh AS f WHERE {{ t_is_f }})
{{- write }}
END
$tview$;

-- Compares every row with the view and writes those that differ; says how many.
CREATE OR REPLACE FUNCTION tview.{{ refresh }}()
RETURNS bigint
LANGUAGE plpgsql
{{ settings }}
SET enable_seqscan = on
AS $tview$
DECLARE
    written bigint;
BEGIN
    PERFORM tview.lock_link({{ key_lock }}, true, false);
    PERFORM FROM (SELECT FROM {{ name }} AS t ORDER BY {{ t_keys }} FOR UPDATE) AS d;
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        EXECUTE tview.by_latest_snapshot('require_rows', 2) USING 1, {{ name_literal }}::regclass, (SELECT count(*) FROM {{ name }});
    END IF;
{%- if !k_is_null.is_empty() %}
    IF EXISTS (SELECT FROM {{ view }} AS k WHERE {{ k_is_null }}) THEN
        RAISE EXCEPTION 'a row of % has NULL in its key', {{ view_name_literal }}
            USING ERRCODE = 'not_null_violation',
                  HINT = 'The directive key({{ key_hint }}) says that these columns identify a row; leave out rows without them.';
    END IF;
{%- endif %}
{%- if asserted %}
    IF EXISTS (SELECT FROM {{ view }} AS k GROUP BY {{ k_keys }} HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'several rows of % have the same key', {{ view_name_literal }}
            USING ERRCODE = 'unique_violation',
                  HINT = 'The directive key({{ key_hint }}) says that these columns identify a row.';
    END IF;
{%- endif %}

    WITH fresh AS MATERIALIZED (
        SELECT v.* FROM {{ view }} AS v
    ), gone AS (
        DELETE FROM {{ name }} AS t
         WHERE NOT EXISTS (SELECT FROM fresh AS f WHERE {{ t_is_f }})
{{- write_counted }}
    RETURN written;
END
$tview$;

{{ operations }}

REVOKE EXECUTE ON FUNCTION
    tview.{{ try_lock }}({{ key_types }}),
    tview.{{ lock }}({{ key_types }}),
    tview.{{ known }}({{ key_types }}, bigint),
    tview.{{ recompute }}({{ key_types }}),
    tview.{{ refresh }}(),
    tview.{{ check }}(),
    tview.{{ differ }}(jsonb),
    tview.{{ repair }}(jsonb)
    FROM PUBLIC;
