-- full_refresh: settings that every document shows, a limit at the top, recursion, one row for everything.
CREATE TABLE setting (name text PRIMARY KEY, value text);
CREATE TABLE node (id integer PRIMARY KEY, parent integer, label text NOT NULL, weight integer NOT NULL);
CREATE TABLE leaf (id integer PRIMARY KEY, node_id integer NOT NULL REFERENCES node ON DELETE CASCADE, label text);
CREATE INDEX ON node (parent);
CREATE INDEX ON leaf (node_id);

-- tviewc: full_refresh
CREATE VIEW v_node AS
SELECT n.id, jsonb_build_object('label', n.label, 'currency', (SELECT s.value FROM setting s WHERE s.name = 'a'),
       'leaves', (SELECT jsonb_agg(l.label ORDER BY l.id) FROM leaf l WHERE l.node_id = n.id)) AS data
  FROM node n WHERE n.weight > 3;

-- tviewc: full_refresh
CREATE VIEW v_first AS
SELECT n.id, jsonb_build_object('label', n.label) AS data FROM node n ORDER BY n.weight DESC, n.id LIMIT 3;

-- tviewc: full_refresh
CREATE VIEW v_tree AS
WITH RECURSIVE down AS (
    SELECT n.id AS root, n.id, 1 AS depth FROM node n
    UNION
    SELECT d.root, n.id, d.depth + 1 FROM down d JOIN node n ON n.parent = d.id WHERE d.depth < 6
)
SELECT n.id, jsonb_build_object('below', (SELECT jsonb_agg(DISTINCT d.id ORDER BY d.id) FROM down d WHERE d.root = n.id)) AS data
  FROM node n;

-- tviewc: full_refresh
CREATE VIEW v_stats AS
SELECT 'all' AS id, jsonb_build_object('n', count(*), 'sum', sum(n.weight)) AS data FROM node n;

-- tviewc: full_refresh
CREATE VIEW v_ranked AS
SELECT n.id, jsonb_build_object('rank', rank() OVER (ORDER BY n.weight DESC), 'part', (SELECT count(*) FROM leaf l WHERE l.node_id = n.id)) AS data
  FROM node n;

-- A window over everything beside windows of different partitions.
-- tviewc: full_refresh
CREATE VIEW v_share AS
SELECT n.id, jsonb_build_object('all', count(*) OVER (), 'alike', count(*) OVER (PARTITION BY n.label), 'below', rank() OVER w,
                                'leaves', (SELECT count(*) FROM leaf l WHERE l.node_id = n.id)) AS data
  FROM node n WINDOW p AS (PARTITION BY n.parent), w AS (p ORDER BY n.weight);
