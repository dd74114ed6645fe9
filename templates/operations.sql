
-- ---------------------------------------------------------------------------------------------
-- Operations: what a person or a monitor asks of an installation. See docs/operations.md.
-- ---------------------------------------------------------------------------------------------

-- Base tables, one row per program and table, with the function behind its triggers.
CREATE TABLE IF NOT EXISTS tview.source_table (
    program          text NOT NULL REFERENCES tview.program,
    table_oid        regclass NOT NULL,
    trigger_function text NOT NULL,
    PRIMARY KEY (program, table_oid)
);

-- The last check of each tview.
CREATE TABLE IF NOT EXISTS tview.check_result (
    tview_oid   regclass PRIMARY KEY REFERENCES tview.pg_tview_meta ON DELETE CASCADE,
    checked_at  timestamptz NOT NULL,
    differences bigint NOT NULL
);

-- What a view's rows are a function of, besides the rows of base tables: its query, those of the views below it, the
-- bodies of the functions that they call, and the columns of tables where a query takes whole rows. The server's version
-- is part of it, since it decides how a query prints.
CREATE OR REPLACE FUNCTION tview.view_hash(view regclass)
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off
AS $tview$
    WITH RECURSIVE below(class, object) AS (
        SELECT 'pg_class'::regclass, view_hash.view::oid
        UNION
        SELECT d.refclassid::regclass, d.refobjid
          FROM below AS b
          JOIN pg_rewrite AS w ON w.ev_class = b.object AND b.class = 'pg_class'::regclass
          JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
          LEFT JOIN pg_class AS c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
          LEFT JOIN pg_proc AS p ON p.oid = d.refobjid AND d.refclassid = 'pg_proc'::regclass
         WHERE c.relkind = 'v' OR p.pronamespace <> 'pg_catalog'::regnamespace
            OR (c.relkind IN ('r', 'p') AND pg_get_viewdef(b.object) LIKE '%.*%')
    ), texts AS (
        SELECT CASE c.relkind
                   WHEN 'v' THEN pg_get_viewdef(b.object)
                   ELSE (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ',' ORDER BY a.attname)
                           FROM pg_attribute AS a
                          WHERE a.attrelid = b.object AND a.attnum > 0 AND NOT a.attisdropped)
               END AS text
          FROM below AS b
          JOIN pg_class AS c ON c.oid = b.object
         WHERE b.class = 'pg_class'::regclass
        UNION ALL
        SELECT p.prosrc || coalesce(p.proconfig::text, '')
          FROM below AS b
          JOIN pg_proc AS p ON p.oid = b.object
         WHERE b.class = 'pg_proc'::regclass
    )
    SELECT current_setting('server_version_num')::integer / 10000 || ':' || md5(string_agg(t.text, ';' ORDER BY t.text COLLATE "C"))
      FROM texts AS t
$tview$;

-- A value with the elements of each array in one order: the same for values that differ in nothing but that.
CREATE OR REPLACE FUNCTION tview.without_order(value jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
AS $tview$
    SELECT CASE jsonb_typeof(value)
               WHEN 'array' THEN
                   (SELECT coalesce(jsonb_agg(e.element ORDER BY e.element::text COLLATE "C"), '[]')
                      FROM (SELECT tview.without_order(a.element) FROM jsonb_array_elements(value) AS a(element)) AS e(element))
               WHEN 'object' THEN
                   (SELECT coalesce(jsonb_object_agg(m.key, tview.without_order(m.value)), '{}') FROM jsonb_each(value) AS m)
               ELSE value
           END
$tview$;

-- The keys of the rows in which a tview differs from its view, in the order of the key: missing in the tview, extra in
-- it, different, or duplicate in the view. Arrays without a total order are compared as multisets. The result is noted
-- for tview.status() unless the transaction is read-only.
CREATE OR REPLACE FUNCTION tview.check(tview regclass)
RETURNS TABLE (key jsonb, difference text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    target regclass := tview;
    handler text;
    found_rows bigint;
BEGIN
    SELECT m.check_function INTO handler FROM tview.pg_tview_meta AS m WHERE m.tview_oid = target;
    IF handler IS NULL THEN
        RAISE EXCEPTION '% is not a tview', target;
    END IF;
    RETURN QUERY EXECUTE format('SELECT c.* FROM tview.%I() AS c', handler);
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    IF current_setting('transaction_read_only') = 'off' THEN
        INSERT INTO tview.check_result AS r (tview_oid, checked_at, differences)
        VALUES (target, clock_timestamp(), found_rows)
        ON CONFLICT (tview_oid) DO UPDATE SET checked_at = excluded.checked_at, differences = excluded.differences;
    END IF;
END
$tview$;

-- Writes the rows in which a tview differs from its view, and says how many. With `keys`, a JSON array of objects as
-- tview.check returns them, only those are looked at and locked; otherwise all.
CREATE OR REPLACE FUNCTION tview.repair(tview regclass, keys jsonb DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    target regclass := tview;
    handlers record;
    written bigint;
BEGIN
    SELECT m.refresh_function, m.repair_function INTO handlers FROM tview.pg_tview_meta AS m WHERE m.tview_oid = target;
    IF handlers.refresh_function IS NULL THEN
        RAISE EXCEPTION '% is not a tview', target;
    END IF;
    PERFORM tview.require_read_committed();
    IF keys IS NULL THEN
        EXECUTE format('SELECT tview.%I()', handlers.refresh_function) INTO written;
    ELSE
        EXECUTE format('SELECT tview.%I($1)', handlers.repair_function) INTO written USING keys;
    END IF;
    RETURN written;
END
$tview$;

-- One row per tview. `problems` is empty where nothing is known that could let a write pass unnoticed.
CREATE OR REPLACE FUNCTION tview.status()
RETURNS TABLE (
    tview regclass, view regclass, program text, source_hash text, compiler_version text,
    estimated_rows bigint, problems text[], last_check timestamptz, last_differences bigint)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $tview$
    WITH source AS (
        SELECT DISTINCT m.tview_oid, s.table_oid AS root, to_regproc(format('tview.%I', s.trigger_function))::oid AS handler,
               s.program
          FROM tview.pg_tview_meta AS m
          JOIN tview.source_table AS s ON s.program = m.program AND s.table_oid = ANY (m.source_oids)
    ), relation AS (
        -- A statement fires the triggers of the table that it names: a partition has its own.
        SELECT s.*, s.root AS relation FROM source AS s
        UNION
        SELECT s.*, p.relid FROM source AS s, pg_partition_tree(s.root) AS p
    ), wanted AS (
        SELECT r.*, e.*
          FROM relation AS r
         CROSS JOIN (VALUES ('INSERT', 4), ('DELETE', 8), ('UPDATE', 16), ('TRUNCATE', 32)) AS e(event, bit)
    ), problem AS (
        SELECT w.tview_oid,
               CASE WHEN c.oid IS NULL THEN format('base table %s does not exist', w.relation)
                    WHEN g.oid IS NULL THEN format('%s has no trigger for %s', w.relation, w.event)
                    WHEN g.tgenabled = 'D' THEN format('trigger %I of %s is disabled', g.tgname, w.relation)
                    WHEN g.tgenabled = 'R' THEN format('trigger %I of %s fires on replicas only', g.tgname, w.relation)
               END AS text
          FROM wanted AS w
          LEFT JOIN pg_class AS c ON c.oid = w.relation
          LEFT JOIN pg_trigger AS g ON g.tgrelid = w.relation AND g.tgfoid = w.handler
                                   AND g.tgtype & 1 = 0 AND g.tgtype & w.bit <> 0
        UNION ALL
        SELECT r.tview_oid, format('%s is partitioned and the trigger for rows that MERGE %s is missing or disabled',
                                   r.relation, CASE f.name WHEN 'count_move' THEN 'moves' ELSE 'inserts' END)
          FROM relation AS r
          JOIN pg_partitioned_table AS p ON p.partrelid = r.relation
         CROSS JOIN (VALUES ('count_move'), ('begin_insert')) AS f(name)
         WHERE NOT EXISTS (SELECT FROM pg_trigger AS g
                            WHERE g.tgrelid = r.relation AND g.tgfoid = to_regproc('tview.' || f.name)::oid
                              AND g.tgenabled IN ('O', 'A'))
        UNION ALL
        SELECT s.tview_oid, format('%s was a partition of %s: its rows have left without a write', g.tgrelid::regclass, s.root)
          FROM source AS s
          JOIN pg_trigger AS g ON g.tgfoid = s.handler
         WHERE NOT EXISTS (SELECT FROM relation AS r WHERE r.tview_oid = s.tview_oid AND r.relation = g.tgrelid)
        UNION ALL
        SELECT m.tview_oid,
               CASE WHEN v.oid IS NULL THEN format('view %s does not exist', m.view_oid)
                    WHEN split_part(m.view_hash, ':', 1) <> split_part(h.hash, ':', 1) THEN NULL
                    WHEN m.view_hash <> h.hash
                        THEN format('%s, or a view or function that it uses, is not what was compiled', m.view_oid) END
          FROM tview.pg_tview_meta AS m
          LEFT JOIN pg_class AS v ON v.oid = m.view_oid
          LEFT JOIN LATERAL (SELECT tview.view_hash(m.view_oid) AS hash WHERE v.oid IS NOT NULL) AS h ON true
        UNION ALL
        SELECT m.tview_oid, format('tview %s does not exist', m.tview_oid)
          FROM tview.pg_tview_meta AS m
         WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.tview_oid)
        UNION ALL
        SELECT m.tview_oid, format('%s has no column %I of %s', m.tview_oid, a.attname, m.view_oid)
          FROM tview.pg_tview_meta AS m
          JOIN pg_attribute AS a ON a.attrelid = m.view_oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.tview_oid)
           AND NOT EXISTS (SELECT FROM pg_attribute AS t
                            WHERE t.attrelid = m.tview_oid AND t.attname = a.attname AND NOT t.attisdropped)
        UNION ALL
        SELECT m.tview_oid, format('a table that %s reads is not known any more', m.view_oid)
          FROM tview.pg_tview_meta AS m
         WHERE EXISTS (SELECT FROM unnest(m.source_oids) AS o(table_oid)
                        WHERE NOT EXISTS (SELECT FROM tview.source_table AS s
                                           WHERE s.program = m.program AND s.table_oid = o.table_oid))
    )
    SELECT m.tview_oid, m.view_oid, m.program, p.source_hash, p.compiler_version,
           (SELECT nullif(c.reltuples, -1)::bigint FROM pg_class AS c WHERE c.oid = m.tview_oid),
           ARRAY(SELECT DISTINCT q.text FROM problem AS q WHERE q.tview_oid = m.tview_oid AND q.text IS NOT NULL ORDER BY 1),
           r.checked_at, r.differences
      FROM tview.pg_tview_meta AS m
      JOIN tview.program AS p ON p.name = m.program
      LEFT JOIN tview.check_result AS r ON r.tview_oid = m.tview_oid
     ORDER BY m.tview_oid::text COLLATE "C"
$tview$;

-- ---------------------------------------------------------------------------------------------
-- Partitions. A statement fires the triggers of the table that it names, so that all of them carry ours.
-- ---------------------------------------------------------------------------------------------

-- Before a row's partition key changes: MERGE leaves a row that it moves to another partition out of both sets of
-- rows that the statement's triggers get. They compare this count with what they got. Statements within triggers
-- count for themselves.
CREATE OR REPLACE FUNCTION tview.count_move()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    counter text := format('tview.moves_%s_%s_%s', TG_ARGV[0], pg_partition_root(TG_RELID)::oid, pg_trigger_depth());
BEGIN
    PERFORM set_config(counter, (coalesce(nullif(current_setting(counter, true), ''), '0')::bigint + 1)::text, true);
    RETURN NEW;
END
$tview$;

-- That count for the statement whose trigger asks, back to zero.
CREATE OR REPLACE FUNCTION tview.take_moves(program text, relation oid)
RETURNS bigint
LANGUAGE plpgsql
AS $tview$
DECLARE
    counter text := format('tview.moves_%s_%s_%s', program, pg_partition_root(relation)::oid, pg_trigger_depth());
    moves   bigint := coalesce(nullif(current_setting(counter, true), ''), '0')::bigint;
BEGIN
    IF moves > 0 THEN
        PERFORM set_config(counter, '', true);
    END IF;
    RETURN moves;
END
$tview$;

-- Before a statement that may insert. MERGE into a partitioned table shows the statement's triggers, in place of what an
-- update made of a row, the row that was inserted last; where both events belong to one statement, its
-- new rows are trusted only as far as each has its old one.
CREATE OR REPLACE FUNCTION tview.begin_insert()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
BEGIN
    PERFORM set_config(format('tview.inserts_%s_%s_%s', TG_ARGV[0], TG_RELID, pg_trigger_depth()), 'yes', true);
    RETURN NULL;
END
$tview$;

-- Whether the statement whose trigger asks may insert as well; its own trigger for that, which comes last, ends it.
CREATE OR REPLACE FUNCTION tview.is_inserting(program text, relation oid, ends boolean)
RETURNS boolean
LANGUAGE plpgsql
AS $tview$
DECLARE
    flag      text := format('tview.inserts_%s_%s_%s', program, relation, pg_trigger_depth());
    inserting boolean := coalesce(current_setting(flag, true), '') = 'yes';
BEGIN
    IF inserting AND ends THEN
        PERFORM set_config(flag, '', true);
    END IF;
    RETURN inserting;
END
$tview$;

-- The columns that decide in which partition a row is, on any level, as a list for SQL.
CREATE OR REPLACE FUNCTION tview.partition_columns(relation oid, prefix text)
RETURNS text
LANGUAGE sql
STABLE
AS $tview$
    SELECT string_agg(prefix || c.name, ', ' ORDER BY c.name COLLATE "C")
      FROM (SELECT DISTINCT quote_ident(a.attname) AS name
              FROM pg_partition_tree(pg_partition_root(relation)) AS t
              JOIN pg_partitioned_table AS p ON p.partrelid = t.relid
              JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = t.relid AND d.objsubid > 0
                                 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = 0
                                 AND d.deptype = 'i'
              JOIN pg_attribute AS a ON a.attrelid = t.relid AND a.attnum = d.objsubid) AS c
$tview$;

-- Gives the partitions the statement triggers that their root has, and takes them from tables that were partitions.
CREATE OR REPLACE FUNCTION tview.attach_triggers(program text, root regclass, handler text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    handler_oid oid := to_regproc(format('tview.%I', handler));
    wrong       text;
    one         record;
    moved       name := 'zzz_tview_' || program || '__move';
    begun       name := 'zzz_tview_' || program || '__begin';
    known       text;
    columns     text := tview.partition_columns(root, '');
BEGIN
    SELECT format('%s, a partition of %s, %s', c.oid::regclass, root,
                  CASE WHEN c.relkind = 'f' THEN 'is a foreign table: writes on the other server fire no trigger here'
                       ELSE 'has rules' END)
      INTO wrong
      FROM pg_partition_tree(root) AS p
      JOIN pg_class AS c ON c.oid = p.relid
     WHERE c.relkind = 'f' OR EXISTS (SELECT FROM pg_rewrite AS w WHERE w.ev_class = c.oid)
     LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong;
    END IF;

    FOR one IN
        SELECT g.tgrelid::regclass AS relation, g.tgname
          FROM pg_trigger AS g
         WHERE g.tgfoid = handler_oid
           AND g.tgrelid NOT IN (SELECT p.relid FROM pg_partition_tree(root) AS p)
         UNION ALL
        SELECT b.tgrelid::regclass, b.tgname
          FROM pg_trigger AS b
         WHERE b.tgname = begun
           AND b.tgrelid NOT IN (SELECT p.relid FROM pg_partition_tree(root) AS p)
           AND EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = b.tgrelid AND g.tgfoid = handler_oid)
         ORDER BY relation, tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, one.relation);
    END LOOP;

    FOR one IN
        SELECT p.relid AS relation, g.tgname, e.event,
               CASE WHEN g.tgoldtable IS NULL AND g.tgnewtable IS NULL THEN ''
                    ELSE concat_ws(' ', 'REFERENCING', 'OLD TABLE AS ' || quote_ident(g.tgoldtable),
                                   'NEW TABLE AS ' || quote_ident(g.tgnewtable)) END AS referencing
          FROM pg_trigger AS g
          JOIN (VALUES ('INSERT', 4), ('DELETE', 8), ('UPDATE', 16), ('TRUNCATE', 32)) AS e(event, bit)
            ON g.tgtype & e.bit <> 0
         CROSS JOIN pg_partition_tree(root) AS p
         WHERE g.tgrelid = root AND g.tgfoid = handler_oid AND g.tgtype & 1 = 0
           AND NOT EXISTS (SELECT FROM pg_trigger AS h
                            WHERE h.tgrelid = p.relid AND h.tgname = g.tgname AND h.tgfoid = handler_oid)
         ORDER BY p.relid, g.tgname
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION tview.%I()',
                       one.tgname, one.event, one.relation, one.referencing, handler);
    END LOOP;

    FOR one IN
        SELECT c.oid::regclass AS relation
          FROM pg_partition_tree(root) AS p
          JOIN pg_class AS c ON c.oid = p.relid AND c.relkind = 'p'
         WHERE NOT EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND g.tgname = begun)
         ORDER BY c.oid
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION tview.begin_insert(%L)',
                       begun, one.relation, program);
    END LOOP;

    -- PostgreSQL gives this one to partitions by itself, to later ones too. It is made again only where a level with
    -- another key has come.
    SELECT coalesce(obj_description(g.oid, 'pg_trigger'), '') INTO known
      FROM pg_trigger AS g
     WHERE g.tgrelid = root AND g.tgname = moved;
    IF known IS DISTINCT FROM columns THEN
        IF known IS NOT NULL THEN
            EXECUTE format('DROP TRIGGER %I ON %s', moved, root);
        END IF;
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW WHEN (ROW(%s) IS DISTINCT FROM ROW(%s))'
                       ' EXECUTE FUNCTION tview.count_move(%L)',
                       moved, root, tview.partition_columns(root, 'OLD.'), tview.partition_columns(root, 'NEW.'), program);
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', moved, root, columns);
    END IF;
END
$tview$;

-- After a partition was created, attached or detached: triggers for those that have none, and documents of the rows
-- that came or went with it. Says how many rows of tviews were written.
CREATE OR REPLACE FUNCTION tview.attach(root regclass)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    one     record;
    written bigint := 0;
BEGIN
    PERFORM tview.require_read_committed();
    IF NOT EXISTS (SELECT FROM tview.source_table AS s WHERE s.table_oid = root)
       OR NOT EXISTS (SELECT FROM pg_partitioned_table AS p WHERE p.partrelid = root) THEN
        RAISE EXCEPTION '% is not a partitioned table that a tview reads', root;
    END IF;
    -- The rows that came were not written, so that no writer of another table has looked for them.
    FOR one IN
        SELECT DISTINCT o.table_oid::text AS relation
          FROM tview.pg_tview_meta AS m, unnest(m.source_oids) AS o(table_oid)
         WHERE root = ANY (m.source_oids)
         ORDER BY 1
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', one.relation);
    END LOOP;
    FOR one IN SELECT s.program, s.trigger_function FROM tview.source_table AS s WHERE s.table_oid = root ORDER BY 1 LOOP
        PERFORM tview.attach_triggers(one.program, root, one.trigger_function);
    END LOOP;
    FOR one IN
        SELECT m.tview_oid FROM tview.pg_tview_meta AS m WHERE root = ANY (m.source_oids) ORDER BY m.tview_oid::text
    LOOP
        written := written + tview.repair(one.tview_oid);
    END LOOP;
    RETURN written;
END
$tview$;

REVOKE EXECUTE ON FUNCTION
    tview.view_hash(regclass),
    tview.without_order(jsonb),
    tview.check(regclass),
    tview.repair(regclass, jsonb),
    tview.status(),
    tview.count_move(),
    tview.take_moves(text, oid),
    tview.begin_insert(),
    tview.is_inserting(text, oid, boolean),
    tview.partition_columns(oid, text),
    tview.attach_triggers(text, regclass, text),
    tview.attach(regclass)
    FROM PUBLIC;
