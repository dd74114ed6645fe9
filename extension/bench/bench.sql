-- Times the patch functions against native SQL and against the portable ones.
--
-- In: a database with schema tview (templates/patch.sql) and the extension, as a superuser; psql variable `rounds`.
-- Out: a table in Markdown. Each case runs its variants in turn, round by round, so that whatever else happens on the
-- machine happens to all of them; a time is the median of the rounds, a ratio the median of the ratios within a round.
-- Where the system tells it, the time is that of the processor, which others cannot take part of.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;

CREATE TABLE document (elements integer PRIMARY KEY, doc jsonb, other jsonb);
INSERT INTO document
SELECT n, d.doc, jsonb_set(d.doc, '{author,mail}', '"z"')
  FROM unnest(ARRAY[3, 10, 50, 100, 500, 1000, 5000, 10000]) AS n,
       LATERAL (SELECT jsonb_build_object(
                    'id', n, 'author', jsonb_build_object('name', 'x', 'mail', 'y'), 'title', repeat('t', 40),
                    'items', jsonb_agg(jsonb_build_object(
                        'id', i, 'name', 'name ' || i, 'price', i * 1.10, 'tags', jsonb_build_array('a', 'b'))))
                  FROM generate_series(1, n) AS i) AS d(doc);

-- `doc`, `other`, `m` (a key), `p` (its path), `u` (an update) and `c` (changes) stand for what a round sets up.
CREATE TABLE scenario (number integer PRIMARY KEY, name text, baseline text, portable text, native text);
INSERT INTO scenario VALUES
(1, 'one element by key, against re-aggregation',
    $$jsonb_set(doc, '{items}', (SELECT jsonb_agg(CASE WHEN e -> 'id' = m THEN e || u ELSE e END ORDER BY o)
                                   FROM jsonb_array_elements(doc -> 'items') WITH ORDINALITY AS x(e, o)))$$,
    $$tview.jsonb_array_update_where(doc, '{items}', 'id', m, u)$$,
    $$tview_native.jsonb_array_update_where(doc, '{items}', 'id', m, u)$$),
(2, 'one element by key, against jsonb_set with the index known',
    $$jsonb_set(doc, p, (doc #> p) || u)$$,
    $$tview.jsonb_array_update_where(doc, '{items}', 'id', m, u)$$,
    $$tview_native.jsonb_array_update_where(doc, '{items}', 'id', m, u)$$),
(3, 'nested merge, against jsonb_set of the merged object',
    $$jsonb_set(doc, '{author}', (doc -> 'author') || u)$$,
    $$tview.jsonb_merge_at_path(doc, u, '{author}')$$,
    $$tview_native.jsonb_merge_at_path(doc, u, '{author}')$$),
(4, 'upsert by key, against re-aggregation',
    $$jsonb_set(doc, '{items}', (SELECT jsonb_agg(CASE WHEN e -> 'id' = m THEN u ELSE e END ORDER BY o)
                                        || CASE WHEN bool_or(e -> 'id' = m) THEN '[]' ELSE jsonb_build_array(u) END
                                   FROM jsonb_array_elements(doc -> 'items') WITH ORDINALITY AS x(e, o)))$$,
    $$tview.jsonb_array_upsert_where(doc, '{items}', 'id', m, u)$$,
    $$tview_native.jsonb_array_upsert_where(doc, '{items}', 'id', m, u)$$),
(5, 'delete by key, against re-aggregation',
    $$jsonb_set(doc, '{items}', (SELECT coalesce(jsonb_agg(e ORDER BY o) FILTER (WHERE e -> 'id' IS DISTINCT FROM m), '[]')
                                   FROM jsonb_array_elements(doc -> 'items') WITH ORDINALITY AS x(e, o)))$$,
    $$tview.jsonb_array_delete_where(doc, '{items}', 'id', m)$$,
    $$tview_native.jsonb_array_delete_where(doc, '{items}', 'id', m)$$),
(6, 'has_path_changed of an array, against #> IS DISTINCT FROM #>',
    $$(doc #> '{items}') IS DISTINCT FROM (other #> '{items}')$$,
    $$tview.jsonb_has_path_changed(doc, other, '{items}')$$,
    $$tview_native.jsonb_has_path_changed(doc, other, '{items}')$$),
(7, 'has_path_changed of a field, against #> IS DISTINCT FROM #>',
    $$(doc #> '{author,mail}') IS DISTINCT FROM (other #> '{author,mail}')$$,
    $$tview.jsonb_has_path_changed(doc, other, '{author,mail}')$$,
    $$tview_native.jsonb_has_path_changed(doc, other, '{author,mail}')$$),
(8, 'three changes in one pass, against jsonb_set three times',
    $$jsonb_set(jsonb_set(jsonb_set(doc, '{author}', (doc -> 'author') || u), p, (doc #> p) || u), '{title}', '"t"')$$,
    $$tview.jsonb_apply(doc, c)$$,
    $$tview_native.jsonb_apply(doc, c)$$);

-- The least ratio of the time of native SQL to that of the native function, from so many elements on.
CREATE TABLE goal (scenario integer, least_elements integer, ratio numeric);
INSERT INTO goal VALUES (1, 100, 30), (1, 10, 10), (2, 100, 4), (2, 0, 1), (3, 100, 3), (3, 0, 0.9), (4, 100, 20),
    (5, 100, 20), (6, 0, 2), (7, 0, 2), (9, 0, 2);

CREATE TABLE timing (scenario integer, elements integer, round integer, variant text, microseconds float8);

CREATE FUNCTION now_in_microseconds() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    -- The system books the time when the process gives the processor up.
    PERFORM pg_sleep(0.0001);
    RETURN split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::float8 / 1000;
EXCEPTION WHEN OTHERS THEN
    RETURN extract(epoch FROM clock_timestamp()) * 1e6;
END $$;

-- Microseconds of some calls of an expression. What it reads is taken out of the table first, so that it is in
-- memory and not toasted.
CREATE FUNCTION microseconds(expression text, elements integer, calls integer) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    began float8 := now_in_microseconds();
BEGIN
    EXECUTE format(
        'WITH d AS MATERIALIZED (
             SELECT doc || ''{}'' AS doc, other || ''{}'' AS other, to_jsonb(elements / 2) AS m,
                    ARRAY[''items'', (elements / 2 - 1)::text] AS p, ''{"price": 7.50}''::jsonb AS u,
                    jsonb_build_array(
                        jsonb_build_object(''op'', ''merge'', ''path'', ''["author"]''::jsonb,
                                           ''value'', ''{"price": 7.50}''::jsonb),
                        jsonb_build_object(''op'', ''update'', ''path'', ''["items"]''::jsonb, ''key'', ''id'',
                                           ''match'', elements / 2, ''value'', ''{"price": 7.50}''::jsonb),
                        jsonb_build_object(''op'', ''merge'', ''path'', ''[]''::jsonb,
                                           ''value'', ''{"title": "t"}''::jsonb)) AS c
               FROM document WHERE elements = %s)
         SELECT count(pg_column_size(%s)) FROM d, generate_series(1, %s) AS n',
        elements, expression, calls);
    RETURN now_in_microseconds() - began;
END $$;

CREATE PROCEDURE run(rounds integer) LANGUAGE plpgsql AS $$
DECLARE
    s        record;
    size     integer;
    variant  integer;
    variants text[];
    names    text[] := '{baseline,portable,native}';
    calls    integer[];
    setup    float8;
    took     float8;
BEGIN
    FOR s IN SELECT * FROM scenario WHERE native IS NOT NULL ORDER BY number LOOP
        variants := ARRAY[s.baseline, s.portable, s.native];
        FOR size IN SELECT elements FROM document ORDER BY elements LOOP
            -- Warms up, and finds how many calls take 30 ms and more than the set-up.
            FOR variant IN 1 .. 3 LOOP
                setup := microseconds(variants[variant], size, 1);
                calls[variant] := greatest(3, least(50000, greatest(30000, 2 * setup) * 30
                    / greatest(microseconds(variants[variant], size, 31) - setup, 1)));
            END LOOP;
            FOR round IN 1 .. rounds LOOP
                FOR variant IN 1 .. 3 LOOP
                    -- Taken off: the set-up, with one call, and the rows that are made for the other calls.
                    took := microseconds(variants[variant], size, calls[variant] + 1)
                        - microseconds(variants[variant], size, 1)
                        - microseconds('n', size, calls[variant] + 1) + microseconds('n', size, 1);
                    INSERT INTO timing
                    VALUES (s.number, size, round, names[variant], greatest(took, 1) / calls[variant]);
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;

-- UPDATE of a stored document: one of 50 elements of 240 bytes.
CREATE TABLE stored (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 50);
DO $$
BEGIN
    ALTER TABLE stored ALTER data SET COMPRESSION lz4;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'without lz4: %', SQLERRM;
END $$;
INSERT INTO scenario (number, name) VALUES (9, 'UPDATE of a 12 KB document, one of 50 elements, against re-aggregation');

CREATE PROCEDURE run_updates(rounds integer) LANGUAGE plpgsql AS $$
DECLARE
    v     record;
    began float8;
BEGIN
    FOR r IN 0 .. rounds LOOP
        FOR v IN SELECT * FROM (VALUES
                ('baseline', $e$jsonb_set(data, '{items}', (SELECT jsonb_agg(
                     CASE WHEN e ->> 'id' = '25' THEN e || u ELSE e END ORDER BY o)
                     FROM jsonb_array_elements(data -> 'items') WITH ORDINALITY AS x(e, o)))$e$),
                ('portable', $e$tview.jsonb_array_update_where(data, '{items}', 'id', '25', u)$e$),
                ('native', $e$tview_native.jsonb_array_update_where(data, '{items}', 'id', '25', u)$e$)) AS x(name, expression)
        LOOP
            TRUNCATE stored;
            INSERT INTO stored
            SELECT n, (SELECT jsonb_build_object('items', jsonb_agg(jsonb_build_object('id', i, 'text', t.text)))
                         FROM generate_series(1, 50) AS i,
                              LATERAL (SELECT string_agg(md5((n * i + k)::text), '') FROM generate_series(1, 6) k) AS t(text))
              FROM generate_series(1, 200) AS n;
            began := now_in_microseconds();
            EXECUTE format('UPDATE stored SET data = %s FROM (SELECT jsonb_build_object(''n'', %s) AS u OFFSET 0) AS x',
                v.expression, r);
            IF r > 0 THEN
                INSERT INTO timing
                VALUES (9, 50, r, v.name, (now_in_microseconds() - began) / 200);
            END IF;
        END LOOP;
    END LOOP;
END $$;

CALL run(:rounds);
CALL run_updates(:rounds);

CREATE FUNCTION shown(value float8) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN value >= 100 THEN round(value)::text WHEN value >= 10 THEN round(value::numeric, 1)::text
                ELSE round(value::numeric, 2)::text END
$$;

\t on
\a
\echo '| case | elements | KB | native SQL µs | portable µs | native µs | native SQL / native | portable / native | goal | |'
\echo '|---|---:|---:|---:|---:|---:|---:|---:|---:|---|'
SELECT format('| %s | %s | %s | %s | %s | %s | %s× | %s× | %s | %s |', name, elements, kilobytes, shown(baseline),
              shown(portable), shown(native), shown(gain), shown(over_portable), coalesce(goal || '×', ''),
              CASE WHEN goal IS NULL THEN '' WHEN gain >= goal THEN 'met' ELSE 'MISSED' END)
  FROM (SELECT s.number, s.name, t.elements,
               (SELECT round((pg_column_size(d.doc || '{}') / 1024.0)::numeric, 1) FROM document AS d
                 WHERE d.elements = t.elements AND s.number <> 9) AS kilobytes,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY t.b) AS baseline,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY t.p) AS portable,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY t.n) AS native,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY t.b / t.n) AS gain,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY t.p / t.n) AS over_portable,
               (SELECT g.ratio FROM goal AS g WHERE g.scenario = s.number AND g.least_elements <= t.elements
                 ORDER BY g.least_elements DESC LIMIT 1) AS goal
          FROM scenario AS s
          JOIN (SELECT scenario, elements, round,
                       max(microseconds) FILTER (WHERE variant = 'baseline') AS b,
                       max(microseconds) FILTER (WHERE variant = 'portable') AS p,
                       max(microseconds) FILTER (WHERE variant = 'native') AS n
                  FROM timing GROUP BY scenario, elements, round) AS t ON t.scenario = s.number
         GROUP BY s.number, s.name, t.elements) AS summary
 ORDER BY number, elements;
