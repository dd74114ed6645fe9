-- ---------------------------------------------------------------------------------------------
-- Runtime: schema tview. The same for every program; later applications replace it with itself.
-- ---------------------------------------------------------------------------------------------

{% include "trusted.sql" %}

DO $tview$
BEGIN
    IF to_regnamespace('tview') IS NULL THEN
        CREATE SCHEMA tview;
        PERFORM set_config('tview.schema_is_new', 'yes', true);
    END IF;
END
$tview$;

-- What is installed, one row per program.
CREATE TABLE IF NOT EXISTS tview.program (
    name             text PRIMARY KEY,
    source_names     text[] NOT NULL,
    source_hash      text NOT NULL,
    compiler_version text NOT NULL
);

-- What a program found missing and made beside its tviews, so that it removes no more than that.
CREATE TABLE IF NOT EXISTS tview.created_object (
    program text NOT NULL,
    kind    text NOT NULL,
    name    text NOT NULL,
    PRIMARY KEY (program, kind, name)
);

INSERT INTO tview.created_object (program, kind, name)
SELECT '', 'schema', 'tview' WHERE current_setting('tview.schema_is_new', true) = 'yes'
ON CONFLICT DO NOTHING;

-- One row per tview; the arrays run in parallel, one element per dependency on a base table.
CREATE TABLE IF NOT EXISTS tview.pg_tview_meta (
    tview_oid          regclass PRIMARY KEY,
    view_oid           regclass NOT NULL,
    program            text NOT NULL REFERENCES tview.program,
    key_columns        text[] NOT NULL,
    source_table_names text[] NOT NULL,
    fk_columns         text[] NOT NULL,
    dependency_types   text[] NOT NULL,
    dependency_paths   text[] NOT NULL,
    array_match_keys   text[] NOT NULL,
    document_columns   text[] NOT NULL,
    strategies         text[] NOT NULL,
    source_oids        regclass[] NOT NULL,
    refresh_function   text NOT NULL,
    check_function     text NOT NULL,
    repair_function    text NOT NULL,
    view_hash          text NOT NULL,
    -- Whether the view has arrays whose elements come in no total order: any order of theirs is right.
    unordered_arrays   boolean NOT NULL
);

-- Locks on values that lead to documents, until the end of the transaction. `link` is an empty table
-- that stands for one join of one tview; a value is its hash. More than 64 values of a link in one
-- transaction become one lock of the link: ROW SHARE and ROW EXCLUSIVE announce single values, SHARE
-- and EXCLUSIVE are the whole. The count is a transaction-local setting: a savepoint's rollback,
-- which frees the locks, takes it back as well.
CREATE OR REPLACE FUNCTION tview.lock_values(link regclass, exclusive integer[], shared integer[])
RETURNS void
LANGUAGE plpgsql
AS $tview$
DECLARE
    counter  text := 'tview.values_' || link::oid;
    held     integer := coalesce(nullif(current_setting(counter, true), ''), '0')::integer;
    wanted   integer := coalesce(cardinality(exclusive), 0) + coalesce(cardinality(shared), 0);
    writes   boolean := coalesce(cardinality(exclusive), 0) > 0;
    at_once  boolean := held + wanted > 64;
    value    record;
BEGIN
    IF wanted = 0 THEN
        RETURN;
    END IF;
    EXECUTE 'LOCK TABLE ' || link || ' IN '
        || CASE WHEN at_once AND writes THEN 'EXCLUSIVE'
                WHEN at_once THEN 'SHARE'
                WHEN writes THEN 'ROW EXCLUSIVE'
                ELSE 'ROW SHARE' END
        || ' MODE';
    counter := set_config(counter, (held + wanted)::text, true);
    IF at_once THEN
        RETURN;
    ELSIF wanted = 1 AND writes THEN
        PERFORM pg_advisory_xact_lock(link::oid::integer, exclusive[1]);
        RETURN;
    ELSIF wanted = 1 THEN
        PERFORM pg_advisory_xact_lock_shared(link::oid::integer, shared[1]);
        RETURN;
    END IF;
    -- The strongest mode first, in one order for all writers: no upgrades, no deadlocks.
    FOR value IN
        SELECT h.hash, bool_or(h.is_exclusive) AS is_exclusive
          FROM (SELECT unnest(exclusive) AS hash, true AS is_exclusive
                UNION ALL
                SELECT unnest(shared), false) AS h
         GROUP BY h.hash
         ORDER BY h.hash
    LOOP
        IF value.is_exclusive THEN
            PERFORM pg_advisory_xact_lock(link::oid::integer, value.hash);
        ELSE
            PERFORM pg_advisory_xact_lock_shared(link::oid::integer, value.hash);
        END IF;
    END LOOP;
END
$tview$;

-- The same once more for values that this transaction mostly holds: they are counted once.
CREATE OR REPLACE FUNCTION tview.lock_values_again(link regclass, exclusive integer[], shared integer[])
RETURNS void
LANGUAGE plpgsql
AS $tview$
DECLARE
    counter text := 'tview.values_' || link::oid;
    held    integer := coalesce(nullif(current_setting(counter, true), ''), '0')::integer;
    wanted  integer := coalesce(cardinality(exclusive), 0) + coalesce(cardinality(shared), 0);
BEGIN
    IF wanted > 0 THEN
        counter := set_config(counter, greatest(held - wanted, 0)::text, true);
        PERFORM tview.lock_values(link, exclusive, shared);
    END IF;
END
$tview$;

-- The lock of a whole link: for TRUNCATE, and for joins whose values have no hash.
CREATE OR REPLACE FUNCTION tview.lock_link(link regclass, exclusive boolean, shared boolean)
RETURNS void
LANGUAGE plpgsql
AS $tview$
BEGIN
    IF exclusive OR shared THEN
        EXECUTE 'LOCK TABLE ' || link || ' IN '
            || CASE WHEN exclusive THEN 'EXCLUSIVE' ELSE 'SHARE' END || ' MODE';
    END IF;
END
$tview$;

-- Under REPEATABLE READ and SERIALIZABLE the snapshot is older than the locks, so that a change
-- committed in between would be missed. Such a write is refused: a document is never stale.
CREATE OR REPLACE FUNCTION tview.require_read_committed()
RETURNS void
LANGUAGE plpgsql
AS $tview$
BEGIN
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'a write that changes documents needs READ COMMITTED, not %',
                upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Run the transaction with BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$tview$;

-- Under REPEATABLE READ and SERIALIZABLE the snapshot is older than the locks. The extension can look with a newer one: this gives the
-- statement that has it call a function ($1: how often; $2 and so on: its arguments). Without the extension such writes end here.
CREATE OR REPLACE FUNCTION tview.by_latest_snapshot(function text, arguments integer)
RETURNS text
LANGUAGE plpgsql
AS $tview$
DECLARE
    parameters text := (SELECT string_agg('$' || n, ', ' ORDER BY n) FROM generate_series(1, arguments) AS n);
    given      text := (SELECT string_agg('$' || n + 1, ', ' ORDER BY n) FROM generate_series(1, arguments) AS n);
BEGIN
    IF to_regprocedure('tview_native.under_latest_snapshot(text,integer,"any")') IS NULL THEN
        RAISE EXCEPTION 'a write that changes documents needs READ COMMITTED, not %',
                upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Run the transaction with BEGIN ISOLATION LEVEL READ COMMITTED, or create the extension tview_native.';
    END IF;
    RETURN format('SELECT tview_native.under_latest_snapshot(%L, $1, %s)', format('SELECT tview.%I(%s)', function, parameters), given);
END
$tview$;

-- Ends a transaction whose snapshot is too old.
CREATE OR REPLACE FUNCTION tview.require_seen(tview text, is_seen boolean)
RETURNS void
LANGUAGE plpgsql
AS $tview$
BEGIN
    IF NOT is_seen THEN
        RAISE EXCEPTION 'could not serialize access: the snapshot is older than changes that documents of % need', tview
            USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again.';
    END IF;
END
$tview$;

-- Ends it if the tview has other than so many rows, for who sees them.
CREATE OR REPLACE FUNCTION tview.require_rows(tview regclass, expected bigint)
RETURNS void
LANGUAGE plpgsql
STABLE
AS $tview$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', tview) INTO found;
    PERFORM tview.require_seen(tview::text, found = expected);
END
$tview$;

-- How many documents differ from the view as the transaction's own snapshot shows both: VOLATILE, so that it looks with that one whatever
-- the snapshot of who asks is.
CREATE OR REPLACE FUNCTION tview.own_differences(differ text, documents jsonb)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
AS $tview$
DECLARE
    wrong jsonb;
BEGIN
    EXECUTE format('SELECT tview.%I($1)', differ) INTO wrong USING documents;
    RETURN jsonb_array_length(wrong);
END
$tview$;

-- The documents of a tview that a write reaches, as keys, for who sees them. Where an older snapshot saw others `before`, or what they
-- have become since is not what the write made of them, the transaction ends. What differs for the older snapshot as well is for
-- other triggers of the statement to write; these look again when they have.
CREATE OR REPLACE FUNCTION tview.seen(tview text, differ text, before jsonb, now jsonb)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
AS $tview$
DECLARE
    known jsonb := before -> tview;
    wrong jsonb;
BEGIN
    IF before IS NOT NULL THEN
        PERFORM tview.require_seen(tview, NOT EXISTS (
            SELECT n.key FROM jsonb_array_elements(now) AS n(key)
            EXCEPT SELECT k.key FROM jsonb_array_elements(known) AS k(key)));
        EXECUTE format('SELECT tview.%I($1)', differ) INTO wrong USING known;
        IF wrong <> '[]' THEN
            PERFORM tview.require_seen(tview, tview.own_differences(differ, wrong) = jsonb_array_length(wrong));
        END IF;
    END IF;
    RETURN jsonb_build_object(tview, coalesce(now, '[]'));
END
$tview$;

-- The first of these tables that is not one that a program was installed for: it has taken the name of one that was renamed.
-- Declared immutable so that it is computed when a plan is made: with names as arguments that is again after any of these
-- tables, under the old name or the new one, was changed, and so a write pays nothing for it.
CREATE OR REPLACE FUNCTION tview.unknown_table(program text, VARIADIC tables regclass[])
RETURNS regclass
LANGUAGE plpgsql
IMMUTABLE
AS $tview$
BEGIN
    RETURN (SELECT t.relation
              FROM unnest(tables) WITH ORDINALITY AS t(relation, number)
             WHERE NOT EXISTS (SELECT FROM tview.source_table AS s
                                WHERE s.program = unknown_table.program AND s.table_oid = t.relation)
             ORDER BY t.number
             LIMIT 1);
END
$tview$;

-- Stops a write whose documents would be looked for in such a table: the views read the one that was renamed.
CREATE OR REPLACE FUNCTION tview.refuse_table(program text, relation regclass)
RETURNS void
LANGUAGE plpgsql
AS $tview$
BEGIN
    RAISE EXCEPTION 'table % is not the one that program % was installed for', relation, program
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'That one was renamed, or moved to another schema, and the views still read it.',
              HINT = 'Give it its name back; or apply the migration again, for the views to read the table that has the name now.';
END
$tview$;

-- Columns of tables that are read, and keys, are not compared under collations that may take different texts for equal.
CREATE OR REPLACE FUNCTION tview.expect_deterministic(relation regclass, column_names text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attname)
      INTO wrong
      FROM pg_attribute AS a
      JOIN pg_collation AS l ON l.oid = a.attcollation
     WHERE a.attrelid = relation
       AND a.attname = ANY (column_names)
       AND NOT a.attisdropped
       AND NOT l.collisdeterministic;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'columns of table % have a nondeterministic collation: %', relation, wrong
            USING HINT = 'It takes texts for equal that documents tell apart. Give them a deterministic one, and compare lower() of them.';
    END IF;
END
$tview$;

-- A condition of an index without what PostgreSQL adds when it shows it: casts, parentheses, quotes.
CREATE OR REPLACE FUNCTION tview.bare_condition(condition text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $tview$
    SELECT translate(
        regexp_replace(
            regexp_replace(
                translate(
                    regexp_replace(condition,
                        '::("[^"]+"|\w+)(\.("[^"]+"|\w+))?( varying| precision| with(out)? time zone)?(\(\d+(, *\d+)?\))?(\[\])*', '', 'g'),
                    '()', ''),
                '("[^"]+"|\S+) (= true|<> false|IS TRUE)', '\1', 'g'),
            '("[^"]+"|\S+) (= false|<> true|IS FALSE)', 'NOT \1', 'g'),
        '"''', '')
$tview$;

-- Stops an installation over a table without the unique index, over the rows that fulfil a condition, that a proof rests on.
CREATE OR REPLACE FUNCTION tview.expect_partial_key(relation regclass, column_names text[], condition text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
BEGIN
    IF NOT EXISTS (
        SELECT
          FROM pg_index AS i
         WHERE i.indrelid = relation
           AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indexprs IS NULL
           AND tview.bare_condition(pg_get_expr(i.indpred, i.indrelid)) = tview.bare_condition(condition)
           AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
                  FROM pg_attribute AS a
                 WHERE a.attrelid = relation
                   AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
               = (SELECT array_agg(n ORDER BY n) FROM unnest(column_names) AS n)) THEN
        RAISE EXCEPTION 'table % has no valid unique index on (%) WHERE %', relation, array_to_string(column_names, ', '), condition
            USING HINT = 'The documents'' keys are proved from it.';
    END IF;
END
$tview$;

-- Stops an installation over a table that is not what the compiler read: another kind of table, columns of
-- other types, or a key that a proof rests on and that is missing, deferrable, partial or nullable.
CREATE OR REPLACE FUNCTION tview.expect_table(
    relation text, partitioned boolean, column_names text[], column_types text[], not_null text[], unique_keys text[])
RETURNS void
LANGUAGE plpgsql
AS $tview$
DECLARE
    base  oid := to_regclass(relation);
    wrong text;
BEGIN
    IF base IS NULL THEN
        RAISE EXCEPTION 'table % does not exist', relation
            USING HINT = 'Apply the statements that create it first.';
    END IF;
    SELECT CASE
               WHEN partitioned AND c.relkind <> 'p' THEN 'is not a partitioned table'
               WHEN NOT partitioned AND c.relkind <> 'r' THEN 'is not an ordinary table'
               WHEN c.relpersistence = 't' THEN 'is temporary'
               WHEN c.relispartition THEN 'is a partition'
               WHEN NOT partitioned AND EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))
                   THEN 'takes part in inheritance'
               WHEN EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid) THEN 'has rules'
           END
      INTO wrong
      FROM pg_class AS c
     WHERE c.oid = base;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'table % %, unlike in the source of this migration', relation, wrong;
    END IF;
    SELECT string_agg(format('%I should be %s%s', e.name, e.type, CASE WHEN e.name = ANY (not_null) THEN ' NOT NULL' END), ', ' ORDER BY e.name)
      INTO wrong
      FROM unnest(column_names, column_types) AS e(name, type)
     WHERE NOT EXISTS (
               SELECT
                 FROM pg_attribute AS a
                WHERE a.attrelid = base
                  AND a.attname = e.name
                  AND NOT a.attisdropped
                  AND (e.type IS NULL OR a.atttypid = to_regtype(e.type))
                  AND (a.attnotnull OR e.name <> ALL (not_null)));
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'table % is not what the source of this migration says: %', relation, wrong;
    END IF;
    PERFORM tview.expect_deterministic(base, column_names);
    SELECT string_agg(k.columns, ' and ')
      INTO wrong
      FROM unnest(unique_keys) AS k(columns)
     WHERE NOT EXISTS (
               SELECT
                 FROM pg_index AS i
                WHERE i.indrelid = base
                  AND i.indisunique AND i.indimmediate AND i.indisvalid
                  AND i.indpred IS NULL AND i.indexprs IS NULL
                  AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
                         FROM pg_attribute AS a
                        WHERE a.attrelid = base
                          AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
                      = (SELECT array_agg(n ORDER BY n) FROM unnest(k.columns::text[]) AS n));
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'table % has no valid unique key on %', relation, wrong
            USING HINT = 'The documents'' keys are proved from it.';
    END IF;
END
$tview$;

-- Lets whoever may read a view read its tview, when that is made. A view that shows each reader what their own rights
-- and policies allow is another matter: its tview holds all rows.
CREATE OR REPLACE FUNCTION tview.copy_grants(view regclass, tview regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT a.grantee, a.is_grantable, s.name AS of_column,
               EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o
                        WHERE o.option_name = 'security_invoker' AND o.option_value::boolean) AS by_reader
          FROM pg_class AS c
         CROSS JOIN LATERAL (SELECT NULL::name AS name, c.relacl AS acl
                             UNION ALL
                             SELECT b.attname, b.attacl FROM pg_attribute AS b
                              WHERE b.attrelid = c.oid AND b.attnum > 0 AND NOT b.attisdropped) AS s
         CROSS JOIN LATERAL aclexplode(s.acl) AS a
         WHERE c.oid = view AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
         ORDER BY a.grantee, s.name
    LOOP
        IF one.by_reader THEN
            RAISE WARNING 'the grants of % are not carried over to %', view, tview
                USING DETAIL = 'The view has security_invoker: it shows readers what they may see, its tview holds all rows.',
                      HINT = 'Grant SELECT on the tview yourself, perhaps with policies of its own.';
            RETURN;
        END IF;
        EXECUTE format('GRANT SELECT%s ON %s TO %s%s',
                       ' (' || quote_ident(one.of_column) || ')', tview,
                       CASE WHEN one.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END,
                       CASE WHEN one.is_grantable THEN ' WITH GRANT OPTION' END);
    END LOOP;
END
$tview$;

REVOKE EXECUTE ON FUNCTION
    tview.copy_grants(regclass, regclass),
    tview.lock_values(regclass, integer[], integer[]),
    tview.lock_values_again(regclass, integer[], integer[]),
    tview.lock_link(regclass, boolean, boolean),
    tview.require_read_committed(),
    tview.by_latest_snapshot(text, integer),
    tview.require_seen(text, boolean),
    tview.require_rows(regclass, bigint),
    tview.own_differences(text, jsonb),
    tview.seen(text, text, jsonb, jsonb),
    tview.unknown_table(text, regclass[]),
    tview.refuse_table(text, regclass),
    tview.expect_deterministic(regclass, text[]),
    tview.bare_condition(text),
    tview.expect_partial_key(regclass, text[], text),
    tview.expect_table(text, boolean, text[], text[], text[], text[])
    FROM PUBLIC;
{% include "operations.sql" %}

{% include "patch.sql" %}
