-- NULL is a value of keys: of groups, of what DISTINCT selects, of partitions. A row has it, so it is found from the row.
CREATE TYPE shade AS ENUM ('light', 'dark');
CREATE DOMAIN label AS text CHECK (VALUE <> 'x');
CREATE TABLE region (id integer PRIMARY KEY, name text, zone text);
CREATE TABLE sale (id integer PRIMARY KEY, agent text, region_id integer REFERENCES region ON DELETE SET NULL, made_at timestamp,
                   price numeric(8, 2), shade shade, mark label, code character(3), short varchar(8), tags text[], sorted text COLLATE "C");
CREATE INDEX ON sale (agent);
CREATE INDEX ON sale (region_id);
CREATE TABLE visit (id integer PRIMARY KEY, agent text, city text, at date);
CREATE INDEX ON visit (agent);
CREATE INDEX ON region (zone);

-- One column.
CREATE VIEW v_agent AS
SELECT s.agent, jsonb_build_object('sales', count(*), 'sum', sum(s.price), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s GROUP BY s.agent;

-- Subqueries that compare the key: nothing equals NULL.
CREATE VIEW v_agent_visits AS
SELECT s.agent, jsonb_build_object('n', count(*),
         'cities', (SELECT coalesce(jsonb_agg(v.city ORDER BY v.id), '[]') FROM visit v WHERE v.agent = s.agent),
         'same', (SELECT count(*) FROM visit v WHERE v.agent IS NOT DISTINCT FROM s.agent)) AS data
  FROM sale s GROUP BY s.agent;

-- NULL, or of an infinite time.
CREATE VIEW v_month AS
SELECT s.agent, to_char(s.made_at, 'YYYY-MM') AS month, jsonb_build_object('ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s GROUP BY s.agent, to_char(s.made_at, 'YYYY-MM');

-- Types: domains, enums, padded and bounded texts, numbers that are equal and read differently, a collation.
CREATE VIEW v_mark AS
SELECT s.mark, s.shade, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data FROM sale s GROUP BY s.mark, s.shade;
CREATE VIEW v_code AS
SELECT s.code, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data FROM sale s GROUP BY s.code;
CREATE VIEW v_short AS
SELECT s.short, s.id % 2 AS odd, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s GROUP BY s.short, s.id % 2;
CREATE VIEW v_price AS
SELECT round(s.price, 1) AS price, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s GROUP BY round(s.price, 1);
CREATE VIEW v_sorted AS
SELECT s.sorted, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data FROM sale s GROUP BY s.sorted;

-- Three columns.
CREATE VIEW v_three AS
SELECT s.agent, s.shade, lower(s.mark::text) AS mark, jsonb_build_object('n', count(*)) AS data
  FROM sale s GROUP BY s.agent, s.shade, lower(s.mark::text);

-- Elements of arrays.
CREATE VIEW v_tag AS
SELECT t.tag, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s CROSS JOIN LATERAL unnest(s.tags) AS t(tag) GROUP BY t.tag;

-- DISTINCT and DISTINCT ON.
CREATE VIEW v_city AS SELECT DISTINCT v.city, jsonb_build_object('city', v.city) AS data FROM visit v;
CREATE VIEW v_latest AS
SELECT DISTINCT ON (v.agent) v.agent, jsonb_build_object('city', v.city, 'at', v.at) AS data
  FROM visit v ORDER BY v.agent, v.at DESC NULLS LAST, v.id;

-- The first of each partition, and windows over partitions.
CREATE VIEW v_first AS
SELECT f.agent, jsonb_build_object('id', f.id, 'city', f.city) AS data
  FROM (SELECT v.*, row_number() OVER (PARTITION BY v.agent ORDER BY v.id) AS n FROM visit v) AS f WHERE f.n = 1;
CREATE VIEW v_share AS
SELECT s.agent, s.shade, jsonb_build_object('sum', sum(s.price), 'all', sum(sum(s.price)) OVER (PARTITION BY s.agent)) AS data
  FROM sale s GROUP BY s.agent, s.shade;

-- Groups that are joined, in FROM and in a CTE.
CREATE VIEW v_joined AS
WITH m AS (SELECT s.agent, count(*) AS n, max(s.price) AS most FROM sale s GROUP BY s.agent)
SELECT m.agent, jsonb_build_object('n', m.n, 'most', m.most, 'visits', w.n) AS data
  FROM m LEFT JOIN (SELECT v.agent, count(*) AS n FROM visit v GROUP BY v.agent) AS w ON w.agent = m.agent;

-- A key of two tables.
CREATE VIEW v_zone AS
SELECT r.zone, s.agent, jsonb_build_object('n', count(*), 'names', jsonb_agg(r.name ORDER BY s.id)) AS data
  FROM sale s JOIN region r ON r.id = s.region_id GROUP BY r.zone, s.agent;

-- The referring column may be NULL, and the table behind it is outer joined.
CREATE VIEW v_region AS
SELECT s.region_id, jsonb_build_object('n', count(*), 'name', max(r.name)) AS data
  FROM sale s LEFT JOIN region r ON r.id = s.region_id GROUP BY s.region_id;

-- HAVING, and a view that reads another one.
CREATE VIEW v_busy AS
SELECT s.shade, jsonb_build_object('n', count(*)) AS data FROM sale s GROUP BY s.shade HAVING count(*) > 1;
CREATE VIEW v_above AS
SELECT a.agent, jsonb_build_object('of', a.data, 'visits', (SELECT count(*) FROM visit v WHERE v.agent = a.agent)) AS data FROM v_agent a;

-- Four columns: one query for keys without NULL, one for the others.
CREATE VIEW v_four AS
SELECT s.agent, s.shade, s.code, s.short, jsonb_build_object('n', count(*), 'ids', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM sale s GROUP BY s.agent, s.shade, s.code, s.short;

-- Several queries put together within a value, while the groups are those of one.
CREATE VIEW v_united AS
SELECT s.agent, jsonb_build_object('n', count(*),
           'ids', (SELECT jsonb_agg(u.id ORDER BY u.id, u.what)
                     FROM (SELECT v.id, 'visit' AS what FROM visit v WHERE v.agent = s.agent
                           UNION SELECT r.id, 'region' FROM region r WHERE r.zone = s.agent) u),
           'other', EXISTS (SELECT v.city FROM visit v WHERE v.agent = s.agent EXCEPT SELECT r.name FROM region r WHERE r.zone = s.agent)) AS data
  FROM sale s GROUP BY s.agent;
