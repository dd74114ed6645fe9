-- How many rows there are is decided by values that nobody selects: arguments of functions in FROM, what DISTINCT and
-- INTERSECT ALL compare, the columns that a recursion follows.
CREATE TABLE node (id integer PRIMARY KEY, up integer, tags text[], attrs jsonb, label text);

CREATE VIEW v_node AS
SELECT n.id, jsonb_build_object(
           'tags', (SELECT count(*) FROM unnest(n.tags)),
           'sizes', (SELECT count(*) FROM node x, generate_series(1, cardinality(x.tags)) WHERE x.up = n.id),
           'any', EXISTS (SELECT unnest(n.tags)),
           'attrs', EXISTS (SELECT FROM jsonb_each(n.attrs)),
           'parts', EXISTS (SELECT regexp_matches(n.label, '[a-z]', 'g')),
           'labels', (SELECT count(*) FROM (SELECT DISTINCT jsonb_build_object('l', x.label) FROM node x WHERE x.up = n.id) d),
           'both', (SELECT count(*) FROM (SELECT x.label FROM node x WHERE x.up = n.id
                                          INTERSECT ALL SELECT y.attrs ->> 'l' FROM node y WHERE y.up = n.id) b),
           'mixed', (SELECT count(*) FROM ((SELECT x.label FROM node x WHERE x.up = n.id UNION SELECT 'a')
                                           UNION ALL SELECT 'b') u)
       ) AS data
  FROM node n;

-- tviewc: full_refresh
CREATE VIEW v_above AS
SELECT n.id, jsonb_build_object('above', (
           WITH RECURSIVE above AS (
               SELECT a.id, a.up, 1 AS depth FROM node a WHERE a.id = n.up
               UNION ALL
               SELECT b.id, b.up, above.depth + 1 FROM node b JOIN above ON b.id = above.up WHERE above.depth < 5)
           SELECT jsonb_agg(above.id ORDER BY above.depth, above.id) FROM above)) AS data
  FROM node n;
-- writes
INSERT INTO node VALUES (1, NULL, '{}', '{}', '1'), (2, 1, '{}', '{}', 'x'), (3, 2, NULL, NULL, 'y');
UPDATE node SET tags = '{a}' WHERE id = 1;
UPDATE node SET tags = '{a,b}' WHERE id = 2;
UPDATE node SET attrs = '{"l": "x"}' WHERE id = 2;
UPDATE node SET label = 'a' WHERE id = 1;
INSERT INTO node VALUES (4, 1, NULL, NULL, 'z');
UPDATE node SET label = 'x' WHERE id = 4;
UPDATE node SET up = 4 WHERE id = 2;
UPDATE node SET up = NULL WHERE id = 4;
