CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, score real, UNIQUE (id) DEFERRABLE);

-- Warnings and notes only.
CREATE TABLE tagged (id citext PRIMARY KEY, author_code name);
CREATE TABLE coder (code text PRIMARY KEY, label text);
CREATE VIEW v_post AS
SELECT p.id, jsonb_build_object('t', p.title, 't', p.id,
    'comments', (SELECT jsonb_agg(c.body) FROM comment c WHERE c.post_id = p.id),
    'tied', (SELECT jsonb_agg(c.body ORDER BY c.score) FROM comment c WHERE c.post_id = p.id),
    'text', (SELECT string_agg(c.body, ',') FROM comment c WHERE c.post_id = p.id),
    'sum', (SELECT sum(c.score) FROM comment c WHERE c.post_id = p.id),
    'n', row_number() OVER (PARTITION BY p.author_id ORDER BY p.title),
    'last', (SELECT c.body FROM comment c WHERE c.post_id = p.id ORDER BY c.body LIMIT 1)) AS data
  FROM post p;
CREATE VIEW v_tagged AS SELECT t.id, jsonb_build_object('l', c.label) AS data FROM tagged t JOIN coder c ON c.code = t.author_code;
CREATE VIEW helper AS SELECT p.author_id FROM post p WHERE p.id > pg_backend_pid();
CREATE VIEW ranked AS SELECT p.id, p.title, rank() OVER (PARTITION BY p.author_id ORDER BY a.n, p.id) AS place
  FROM post p JOIN (SELECT o.title, count(*) AS n FROM post o GROUP BY o.title) a ON a.title = p.title;
CREATE VIEW v_ranked AS SELECT r.id, jsonb_build_object('title', r.title, 'place', r.place) AS data FROM ranked r;
CREATE TABLE vote (id integer PRIMARY KEY, kind text, target text, weight integer);
CREATE VIEW v_voted AS
SELECT p.id, jsonb_build_object(
    'votes', (SELECT count(*) FROM vote v WHERE v.kind = 'post' AND v.target::integer = p.id),
    'shares', (SELECT count(*) FROM vote v WHERE 100 / v.weight = p.id),
    'guarded', (SELECT count(*) FROM vote v WHERE CASE WHEN v.kind = 'post' THEN v.target::integer END = p.id),
    'text', (SELECT count(*) FROM vote v WHERE v.target = p.id::text AND v.weight::bigint = p.id)) AS data
  FROM post p;
CREATE VIEW v_chain AS
SELECT s.id, jsonb_build_object('a', s.a, 'b', s.b, 'c', s.c) AS data
  FROM (SELECT id, a.title AS a, b.kind AS b, c.kind AS c FROM post a FULL JOIN vote b USING (id) FULL JOIN vote c USING (id)) s;
CREATE TABLE article (id integer PRIMARY KEY, section text NOT NULL, title text NOT NULL, tags text[] NOT NULL, written timestamp NOT NULL);
CREATE VIEW v_section AS SELECT a.section, jsonb_build_object('n', count(*)) AS data FROM article a GROUP BY a.section;
CREATE VIEW v_initial AS SELECT left(a.title, 1) AS initial, jsonb_build_object('n', count(*)) AS data FROM article a GROUP BY 1;
CREATE VIEW v_tag AS SELECT t.tag, jsonb_build_object('n', count(*)) AS data
  FROM article a, unnest(a.tags) AS t (tag) WHERE t.tag IS NOT NULL GROUP BY t.tag;
CREATE TABLE sale (id integer PRIMARY KEY, at timestamp NOT NULL, place text NOT NULL);
CREATE INDEX ON sale (date_trunc('day', at));
CREATE INDEX ON sale (place, at);
CREATE VIEW v_day AS SELECT date_trunc('day', s.at) AS day, jsonb_build_object('n', count(*)) AS data FROM sale s GROUP BY 1;
CREATE VIEW v_place AS SELECT s.place, jsonb_build_object('n', count(*)) AS data FROM sale s GROUP BY s.place;
CREATE TABLE price (id integer PRIMARY KEY, amount numeric NOT NULL, code character(4) NOT NULL UNIQUE, place bigint NOT NULL UNIQUE);
CREATE INDEX ON price (amount);
CREATE TABLE unit (number integer PRIMARY KEY, code text NOT NULL UNIQUE, place smallint NOT NULL UNIQUE);
CREATE VIEW v_unit AS
SELECT p.id, jsonb_build_object('by_number', a.place, 'by_place', c.place, 'by_code', (SELECT count(*) FROM unit b WHERE b.code = p.code)) AS data
  FROM price p
  LEFT JOIN unit a ON a.number = p.amount
  LEFT JOIN unit c ON c.place = p.place;
CREATE TABLE property (id integer PRIMARY KEY, target integer NOT NULL, name text, value text NOT NULL, kind integer NOT NULL);
CREATE INDEX ON property (target);
CREATE INDEX ON property (kind);
CREATE VIEW v_properties AS
SELECT p.id, jsonb_build_object(
    'own', (SELECT jsonb_object_agg(x.name, x.value ORDER BY x.id) FROM property x WHERE x.target = p.id),
    'joined', (SELECT json_object_agg(r.title, x.value ORDER BY x.id) FROM property x LEFT JOIN article r ON r.id = x.kind WHERE x.target = p.id),
    'filtered', (SELECT jsonb_object_agg(x.name, x.value ORDER BY x.id) FILTER (WHERE x.name IS NOT NULL) FROM property x WHERE x.target = p.id),
    'there', (SELECT jsonb_object_agg(x.name, x.value ORDER BY x.id) FROM property x WHERE x.target = p.id AND x.name IS NOT NULL),
    'declared', (SELECT jsonb_object_agg(x.kind, x.value ORDER BY x.id) FROM property x WHERE x.target = p.id)) AS data
  FROM post p;

-- Not of these: an index leads to the rows behind a column that is compared with a constant.
CREATE TABLE reaction (id integer PRIMARY KEY, kind text NOT NULL, target integer NOT NULL, emoji text);
CREATE INDEX ON reaction (kind, target);
CREATE TABLE poll (id integer PRIMARY KEY);
CREATE VIEW v_poll AS
SELECT p.id, jsonb_build_object('reactions', (SELECT count(*) FROM reaction r WHERE r.kind = 'poll' AND r.target = p.id)) AS data FROM poll p;
