-- Keys that are told by more than plain columns of one table: casts, cross products, rows made distinct in FROM, groups of rows from
-- several sides.
CREATE TABLE shelf (id integer PRIMARY KEY, room text NOT NULL, place integer);
CREATE TABLE box (id uuid PRIMARY KEY, shelf_id integer REFERENCES shelf ON DELETE CASCADE, label text, place integer);
CREATE TABLE crate (id bigint PRIMARY KEY, shelf_id integer, label text, place integer NOT NULL);
CREATE TABLE level (id smallint PRIMARY KEY, name text);
CREATE INDEX ON box (shelf_id);
CREATE INDEX ON box (place);
CREATE INDEX ON crate (shelf_id);
CREATE INDEX ON crate (place);
CREATE INDEX ON box ((id::text));

-- A cast that different values survive; rows of both sides have keys of one type by it.
CREATE VIEW v_thing AS
SELECT 'box' AS kind, b.id::text AS id, jsonb_build_object('label', b.label, 'room', s.room) AS data
  FROM box b LEFT JOIN shelf s ON s.id = b.shelf_id
UNION ALL
SELECT 'crate', CAST(c.id AS text), jsonb_build_object('label', c.label, 'place', c.place) FROM crate c;

CREATE VIEW v_level AS
SELECT (l.id)::bigint AS id, jsonb_build_object('name', l.name) AS data FROM level l;

-- Every row with every row.
CREATE VIEW v_slot AS
SELECT s.id AS shelf_id, l.id AS level_id,
       jsonb_build_object('room', s.room, 'level', l.name,
                          'boxes', (SELECT jsonb_agg(b.label ORDER BY b.id) FROM box b WHERE b.shelf_id = s.id AND b.place = l.id)) AS data
  FROM shelf s CROSS JOIN level l;

CREATE VIEW v_slot_with_crates AS
SELECT s.id AS shelf_id, l.id AS level_id, jsonb_build_object('level', l.name, 'n', count(c.id)) AS data
  FROM shelf s, level l LEFT JOIN crate c ON c.place = l.id GROUP BY s.id, l.id;

-- One row per combination of values.
CREATE VIEW v_place AS
SELECT d.place, jsonb_build_object('boxes', (SELECT count(*) FROM box b WHERE b.place = d.place), 'level', l.name) AS data
  FROM (SELECT DISTINCT c.place FROM crate c WHERE c.shelf_id IS NOT NULL) d LEFT JOIN level l ON l.id = d.place;

CREATE VIEW v_unboxed AS
SELECT s.id, jsonb_build_object('room', s.room) AS data
  FROM (SELECT c.shelf_id AS id FROM crate c EXCEPT SELECT b.shelf_id FROM box b) n JOIN shelf s ON s.id = n.id;

CREATE VIEW v_both AS
SELECT n.id, jsonb_build_object('id', n.id, 'kind', n.kind) AS data
  FROM (SELECT 'any' AS kind, c.shelf_id AS id FROM crate c INTERSECT SELECT 'any', b.shelf_id FROM box b WHERE b.shelf_id IS NOT NULL) n
 WHERE n.id IS NOT NULL;

CREATE VIEW v_any AS
SELECT n.kind, n.place, jsonb_build_object('n', n.place) AS data
  FROM (SELECT 'box' AS kind, b.place FROM box b WHERE b.place IS NOT NULL UNION SELECT 'crate', c.place FROM crate c) n;

-- Groups of rows of several sides: what tells the sides apart tells the groups apart, and what follows on one side need not on the other.
CREATE VIEW v_stock AS
SELECT n.kind, n.place, jsonb_build_object('n', count(*), 'labels', jsonb_agg(n.label ORDER BY n.label, n.id)) AS data
  FROM (SELECT 'box' AS kind, b.id::text AS id, b.label, b.place FROM box b WHERE b.place IS NOT NULL
        UNION ALL SELECT 'crate', c.id::text, c.label, c.place FROM crate c) n GROUP BY n.kind, n.place;

CREATE VIEW v_name AS
SELECT n.id, n.label, jsonb_build_object('n', count(*), 'level', l.name) AS data
  FROM (SELECT c.id, c.label FROM crate c WHERE c.label IS NOT NULL
        UNION ALL SELECT l.id, l.name FROM level l WHERE l.name IS NOT NULL) n LEFT JOIN level l ON l.id = n.id GROUP BY n.id, n.label, l.name;

CREATE VIEW v_shelf AS
SELECT s.id, jsonb_build_object('room', s.room, 'n', t.n) AS data
  FROM shelf s LEFT JOIN (SELECT x.shelf_id, count(*) AS n
                            FROM (SELECT b.shelf_id FROM box b UNION ALL SELECT c.shelf_id FROM crate c) x GROUP BY x.shelf_id) t ON t.shelf_id = s.id;
