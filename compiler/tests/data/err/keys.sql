CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE VIEW v_hidden AS SELECT p.title, jsonb_build_object('id', p.id) AS data FROM post p;
CREATE VIEW v_fan_out AS SELECT p.id, jsonb_build_object('c', c.body) AS data FROM post p LEFT JOIN comment c ON c.post_id = p.id;
CREATE VIEW v_deferrable AS SELECT c.id, jsonb_build_object('c', c.body) AS data FROM comment c;
-- tviewc: key(id, nothing)
CREATE VIEW v_asserted AS SELECT c.id, jsonb_build_object('c', c.body) AS data FROM comment c;
CREATE VIEW v_two AS SELECT p.id, a.id AS author, jsonb_build_object('p', p.title) AS data FROM post p, author a WHERE p.title = a.name;
-- What a subquery says of a column of the query around it holds for the subquery only.
CREATE TABLE line (order_id integer, kind text, qty integer, PRIMARY KEY (order_id, kind));
CREATE TABLE n (id serial PRIMARY KEY, oid integer);
CREATE VIEW v_line AS SELECT l.order_id, jsonb_build_object('q', l.qty,
    'x', (SELECT count(*) FROM n WHERE n.oid = l.order_id AND l.kind = 'main')) AS data FROM line l;
CREATE VIEW v_search AS SELECT a.id, jsonb_build_object('hit', a.name @@ 'cat') AS data FROM author a;

-- A key column that is a function of two tables.
CREATE VIEW v_mixed AS SELECT p.title || a.name AS both_names, jsonb_agg(p.id ORDER BY p.id) AS data
    FROM post p JOIN author a ON a.id = p.author_id GROUP BY p.title || a.name;

-- A unique column that can be NULL, and what does not leave the NULLs out.
CREATE TABLE event (id text UNIQUE, place text);
CREATE VIEW v_event AS SELECT e.id, jsonb_build_object('p', e.place) AS data FROM event e;
CREATE VIEW v_maybe AS SELECT e.id, jsonb_build_object('p', e.place) AS data FROM event e WHERE e.id IS NOT NULL OR e.place = 'x';
CREATE VIEW v_nullable_side AS SELECT e.id, jsonb_build_object('p', p.title) AS data
    FROM post p LEFT JOIN (SELECT x.id FROM event x WHERE x.id IS NOT NULL) e ON e.id = p.title;
-- Without a key and without links: both are said.
CREATE VIEW v_whole AS SELECT jsonb_agg(p.id ORDER BY p.id) AS data FROM post p;

-- Functions make several rows of one.
CREATE TABLE list (id integer PRIMARY KEY, items integer[]);
CREATE VIEW v_items AS SELECT DISTINCT l.id, i.item, to_jsonb(i.item) AS data FROM list l, unnest(l.items) AS i (item);
CREATE VIEW v_values AS SELECT DISTINCT l.id, to_jsonb(x.y) AS data FROM list l, (VALUES (1), (2)) AS x (y);
CREATE VIEW v_behind AS SELECT l.id, to_jsonb(unnest(array_agg(l.items[1]))) AS data FROM list l GROUP BY l.id;
-- tviewc: key(item)
CREATE VIEW v_unlinked_item AS SELECT i.item, jsonb_agg(l.id ORDER BY l.id) AS data FROM list l, unnest(l.items) AS i (item) GROUP BY i.item;

-- What ON says beside the equality decides whether there is a partner.
CREATE TABLE place (id integer PRIMARY KEY, kind text NOT NULL, size integer);
CREATE TABLE kind (kind text PRIMARY KEY, name text);
CREATE VIEW v_kind AS SELECT p.kind, k.name, jsonb_agg(p.id ORDER BY p.id) AS data
    FROM place p LEFT JOIN kind k ON k.kind = p.kind AND p.size > 3 GROUP BY p.kind, k.name;
CREATE VIEW v_kind_rows AS SELECT DISTINCT p.kind, to_jsonb(k.name) AS data FROM place p LEFT JOIN kind k ON k.kind = p.kind AND p.size > 3;
-- The value of a relation that reads more than the other groups.
CREATE VIEW v_of_other AS SELECT k.kind, x.n, jsonb_agg(p.id ORDER BY p.id) AS data
    FROM kind k LEFT JOIN place p ON p.kind = k.kind CROSS JOIN LATERAL (SELECT count(*) AS n FROM list l WHERE l.id = p.size) x GROUP BY k.kind, x.n;

-- One number per partition, but not compared with one, or not in all rows, or not by the partition that is joined.
CREATE VIEW v_some_rows AS SELECT p.kind, to_jsonb(l) AS data FROM kind p JOIN
    (SELECT x.*, row_number() OVER (PARTITION BY x.kind ORDER BY x.id) AS rn FROM place x) l ON l.kind = p.kind AND l.rn < 3;
CREATE VIEW v_in_exists AS SELECT p.kind, to_jsonb(l) AS data FROM kind p JOIN
    (SELECT x.*, row_number() OVER (PARTITION BY x.kind ORDER BY x.id) AS rn FROM place x) l ON l.kind = p.kind
    WHERE EXISTS (SELECT FROM list i WHERE i.id = l.size OR l.rn = 1);
CREATE VIEW v_by_other AS SELECT p.kind, to_jsonb(l) AS data FROM kind p JOIN
    (SELECT x.*, row_number() OVER (PARTITION BY x.size ORDER BY x.id) AS rn FROM place x) l ON l.kind = p.kind AND l.rn = 1;
CREATE VIEW v_by_rank AS SELECT p.kind, to_jsonb(l) AS data FROM kind p JOIN
    (SELECT x.*, rank() OVER (PARTITION BY x.kind ORDER BY x.size) AS rn FROM place x) l ON l.kind = p.kind AND l.rn = 1;

-- Asserted, and every write compares everything: still a row without a key has no place.
-- tviewc: key(place)
-- tviewc: full_refresh
CREATE VIEW v_first_places AS SELECT e.place, jsonb_build_object('id', e.id) AS data FROM event e ORDER BY e.id LIMIT 3;

-- One side of a union has a key, the other one has several rows for it.
CREATE VIEW v_sides AS SELECT p.id, 'place' AS side, jsonb_build_object('kind', p.kind) AS data FROM place p
  UNION ALL SELECT p.id, 'event', jsonb_build_object('event', e.id) FROM place p JOIN event e ON e.place = p.kind;

-- A unique index over some rows, of which a view takes others as well: all, more, one or the other, those of a row of another table.
CREATE TABLE draft (id integer, slug text NOT NULL, state text NOT NULL, gone boolean NOT NULL);
CREATE UNIQUE INDEX ON draft (slug) WHERE state = 'live' AND NOT gone;
CREATE UNIQUE INDEX ON draft (state) WHERE length(slug) > 3;
CREATE VIEW v_drafts AS SELECT d.slug, jsonb_build_object('id', d.id) AS data FROM draft d;
CREATE VIEW v_live AS SELECT d.slug, jsonb_build_object('id', d.id) AS data FROM draft d WHERE d.state IN ('live', 'old') AND d.gone = false;
CREATE VIEW v_either AS SELECT d.slug, jsonb_build_object('id', d.id) AS data FROM draft d WHERE d.state = 'live' AND (NOT d.gone OR d.id = 1);
CREATE VIEW v_with_post AS SELECT d.slug, jsonb_build_object('id', d.id) AS data FROM draft d
    WHERE EXISTS (SELECT FROM post p WHERE p.title = d.slug AND d.state = 'live' AND NOT d.gone);
CREATE VIEW v_live_draft AS SELECT p.id, jsonb_build_object('draft', d.id) AS data
    FROM post p LEFT JOIN draft d ON d.slug = p.title AND d.state = 'live';

-- What the nullable side computes is NULL with it, whatever it would be of NULLs; a domain may have no NULL; and a conversion is not kept from
-- rows that are left out behind the join.
CREATE DOMAIN label AS text NOT NULL;
CREATE TABLE category (id integer PRIMARY KEY, name text, label label);
CREATE VIEW v_named AS SELECT coalesce(c.name, 'none') AS name, jsonb_build_object('n', count(*)) AS data
    FROM post p LEFT JOIN (SELECT id, coalesce(name, 'x') AS name FROM category) c ON c.id = p.author_id GROUP BY coalesce(c.name, 'none');
CREATE VIEW v_label AS SELECT c.label, jsonb_build_object('n', count(*)) AS data
    FROM post p LEFT JOIN category c ON c.id = p.author_id GROUP BY c.label;
CREATE VIEW v_number AS SELECT c.name::integer AS number, jsonb_build_object('n', count(*)) AS data
    FROM post p LEFT JOIN category c ON c.id = p.author_id WHERE (c.name <> 'x') IS NOT FALSE GROUP BY c.name::integer;
-- A row with a field that is NULL is in a NOT NULL column, and not in this index.
CREATE TYPE spot AS (city text, zone integer);
CREATE TABLE stop (id integer, slug text NOT NULL, spot spot NOT NULL);
CREATE UNIQUE INDEX ON stop (slug) WHERE spot IS NOT NULL;
CREATE VIEW v_stop AS SELECT s.slug, jsonb_build_object('id', s.id) AS data FROM stop s;

-- The first groups of all: the view has more rows than one, though it aggregates and every write compares everything.
-- tviewc: full_refresh
CREATE VIEW v_first_groups AS SELECT 1 AS one, jsonb_build_object('kind', p.kind, 'n', count(*)) AS data
    FROM place p GROUP BY p.kind ORDER BY count(*), p.kind LIMIT 3;
CREATE TABLE seller (post_id integer PRIMARY KEY, place text);
CREATE TABLE address (id integer PRIMARY KEY, city text);
-- Only the addresses can be several.
CREATE VIEW v_innocent AS
SELECT p.id, to_jsonb(s) AS seller, to_jsonb(a) AS address FROM post p LEFT JOIN seller s ON s.post_id = p.id LEFT JOIN address a ON a.city = s.place;
