-- Views that people write, and that cannot be kept: each message has to say how to write them.
CREATE TYPE geo AS (lat numeric, lon numeric);
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE site (id integer PRIMARY KEY, loc geo, region text, country text, opened date NOT NULL, state state, parent integer REFERENCES site);
CREATE TABLE note (id integer PRIMARY KEY, site_id integer REFERENCES site, tags text[]);
CREATE INDEX ON note (site_id);
CREATE FUNCTION far(g geo) RETURNS integer STABLE LANGUAGE sql AS 'SELECT count(*)::integer FROM site';

-- A format, and a field, of a time that may be infinite, as a key that is asserted.
-- tviewc: key(month)
CREATE VIEW v_month AS
SELECT to_char(opened, 'YYYY-MM') AS month, jsonb_build_object('n', count(*)) AS data FROM site GROUP BY to_char(opened, 'YYYY-MM');
-- tviewc: key(week)
CREATE VIEW v_week AS
SELECT extract(week FROM opened)::integer AS week, jsonb_build_object('n', count(*)) AS data FROM site GROUP BY 1;
-- An element that may be NULL.
-- tviewc: key(tag)
CREATE VIEW v_cloud AS
SELECT tag, jsonb_build_object('n', count(*)) AS data FROM note, unnest(tags) AS tag GROUP BY tag;
-- Elements that nothing tells apart.
CREATE VIEW v_note_tag AS
SELECT n.id, t.tag, jsonb_build_object('tag', t.tag) AS data FROM note n, unnest(n.tags) AS t (tag) WHERE t.tag IS NOT NULL;
-- Grouped by one thing, and shown as another one.
CREATE VIEW v_day AS
SELECT date_trunc('week', opened)::date AS week, jsonb_build_object('n', count(*)) AS data FROM site GROUP BY date_trunc('week', opened);
-- Rows of totals.
CREATE VIEW v_rollup AS
SELECT country, region, jsonb_build_object('n', count(*)) AS data FROM site GROUP BY ROLLUP (country, region);
-- A recursion without the directives.
CREATE VIEW v_tree AS
WITH RECURSIVE t AS (SELECT id, 0 AS depth FROM site WHERE parent IS NULL UNION ALL SELECT s.id, t.depth + 1 FROM site s JOIN t ON s.parent = t.id)
SELECT id, jsonb_build_object('depth', depth) AS data FROM t;
-- A field that is a call of a function; the values of an enum.
CREATE VIEW v_far AS SELECT id, jsonb_build_object('far', (loc).far) AS data FROM site;
CREATE VIEW v_states AS
SELECT s.state, jsonb_build_object('n', (SELECT count(*) FROM site x WHERE x.state = s.state)) AS data
  FROM unnest(enum_range(NULL::state)) AS s (state);
-- The table of another view's documents.
CREATE VIEW v_site AS SELECT id, jsonb_build_object('region', region) AS data FROM site;
CREATE VIEW v_note AS SELECT n.id, jsonb_build_object('site', s.data) AS data FROM note n LEFT JOIN tv_site s ON s.id = n.site_id;
-- A constant on the nullable side is NULL where there is no partner: kinds alone do not tell the groups apart.
CREATE VIEW v_found AS
SELECT s.region, d.found, jsonb_build_object('n', count(*)) AS data
  FROM site s LEFT JOIN (SELECT n.site_id, -1 AS found FROM note n) d ON d.site_id = s.id WHERE s.region IS NOT NULL GROUP BY s.region, d.found;
CREATE VIEW v_found_plain AS
SELECT s.region, jsonb_build_object('found', d.found, 'n', count(*)) AS data
  FROM site s LEFT JOIN (SELECT n.site_id, true AS found FROM note n) d ON d.site_id = s.id WHERE s.region IS NOT NULL GROUP BY s.region, d.found;
CREATE VIEW v_found_distinct AS
SELECT DISTINCT s.region, jsonb_build_object('found', d.found) AS data
  FROM site s LEFT JOIN (SELECT n.site_id, true AS found FROM note n) d ON d.site_id = s.id WHERE s.region IS NOT NULL;
