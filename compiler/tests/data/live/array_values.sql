-- Arrays and composite values as what links and keys are made of: their old values are gone from the table and have to be carried.
CREATE TYPE geo AS (lat integer, lon integer);
CREATE TYPE place AS (at geo, label text, extra jsonb);
CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE post (id integer PRIMARY KEY, tags text[], ids integer[], n integer);
CREATE TABLE site (id integer PRIMARY KEY, place place, n integer);

-- Groups by what is computed from an array or is a field of a composite value.
CREATE VIEW v_tags AS
SELECT array_to_string(tags, ',') AS tags, jsonb_build_object('n', sum(n)) AS data
  FROM post WHERE tags IS NOT NULL GROUP BY array_to_string(tags, ',');
CREATE VIEW v_size AS
SELECT cardinality(ids) AS size, jsonb_build_object('posts', count(*), 'n', sum(n)) AS data
  FROM post WHERE ids IS NOT NULL GROUP BY cardinality(ids);
CREATE VIEW v_label AS
SELECT (place).label, jsonb_build_object('sites', count(*), 'n', sum(n)) AS data
  FROM site WHERE (place).label IS NOT NULL GROUP BY (place).label;

-- The row that changes holds the array, and what is in it leads to the key.
CREATE VIEW v_tag AS
SELECT t.id, jsonb_build_object('posts', (SELECT jsonb_agg(p.n ORDER BY p.id) FROM post p WHERE t.name = ANY (p.tags)),
                                'holding', (SELECT count(*) FROM post p WHERE p.ids @> ARRAY[t.id]),
                                'sites', (SELECT sum(s.n) FROM site s WHERE ((s.place).at).lat = t.id)) AS data
  FROM tag t;
CREATE VIEW v_post_tag AS
SELECT t.id AS tag_id, p.id AS post_id, jsonb_build_object('name', t.name, 'n', p.n) AS data
  FROM tag t JOIN post p ON t.id = ANY (p.ids);

-- Fields in documents: of a row, of a field, and of json.
CREATE VIEW v_site AS
SELECT s.id, jsonb_build_object('label', (s.place).label, 'lon', ((s.place).at).lon, 'lat', (place).at.lat, 'n', (s).n,
                                'extra', (place).extra -> 'k') AS data
  FROM site s;
CREATE VIEW v_extra AS SELECT s.id, (s.place).extra AS data FROM site s;
