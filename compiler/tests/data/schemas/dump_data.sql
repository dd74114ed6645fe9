-- What psql reads beside SQL: meta-commands, variables, COPY data with hostile lines, several on a line.
\set ON_ERROR_STOP 1
\set name 'some value; with semicolon'
\echo "unbalanced ' quote; in here"
\if true
CREATE TABLE item (id int PRIMARY KEY, label text, n numeric); CREATE TABLE other (id int PRIMARY KEY, item_id int REFERENCES item);
\endif
COPY item (id, label, n) FROM stdin;
1	it's; a 'line' -- not a comment	1.5
2	CREATE TABLE nope (id int);	\N
3	$tag$ /* open	0
\.
COPY other FROM stdin WITH (DELIMITER ';');
1;1
2;2
\.
INSERT INTO item VALUES (4, E'back\\slash\'s', 1), (5, $q$dollar; 'quoted'$q$, 2), (6, 'two
lines;', 3);
SELECT 'CREATE TABLE made (id int PRIMARY KEY)' AS sql \gset
SELECT count(*) FROM item \g /dev/null
UPDATE item SET label = U&'\00e4' WHERE id = 1; DELETE FROM other WHERE id = 2;
CREATE TABLE :"name" (id int);
DROP TABLE "some value; with semicolon";
CREATE TABLE tail (id int PRIMARY KEY) /* a /* nested; */ comment; */ ; -- ; at the end
TRUNCATE tail;
ANALYZE item;
BEGIN; LOCK TABLE item; COMMIT;
CREATE VIEW v_item AS SELECT id, jsonb_build_object('label', label, 'n', n) AS data FROM item \;
CREATE MATERIALIZED VIEW counts AS SELECT item_id, count(*) AS n, max(id) AS last FROM other GROUP BY item_id WITH DATA;
CREATE UNIQUE INDEX counts_key ON counts (item_id);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER there FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote (id int OPTIONS (column_name 'x') NOT NULL, v text) SERVER there OPTIONS (table_name 'r;s');
CREATE TEMPORARY TABLE scratch (id int);
CREATE UNLOGGED TABLE fast (id int PRIMARY KEY, x xml, p point, m macaddr, ts tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, 'x')) STORED);
CREATE TYPE row_type AS (id int, label varchar(10));
CREATE TABLE typed OF row_type (PRIMARY KEY (id), label WITH OPTIONS NOT NULL);
REFRESH MATERIALIZED VIEW counts;
CREATE TABLE last_one (id int PRIMARY KEY)
