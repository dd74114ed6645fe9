-- IN and NOT IN where PostgreSQL reads the whole of what they ask: in the select list, negated, of arrays, with names that both
-- queries know, within one another, in a view below.

CREATE TABLE author (name text PRIMARY KEY, since integer NOT NULL);
CREATE TABLE post (
    id     integer PRIMARY KEY,
    author text NOT NULL,
    kind   integer NOT NULL,
    slot   smallint NOT NULL,
    title  text NOT NULL
);
CREATE INDEX post_author ON post (author);
CREATE INDEX post_kind ON post (kind, slot);
CREATE TABLE hidden (post_id integer NOT NULL, author text NOT NULL, reason text, PRIMARY KEY (post_id, author));
CREATE INDEX hidden_author ON hidden (author);
CREATE TABLE banned (author text PRIMARY KEY, kind integer);
CREATE TABLE pinned (kind bigint NOT NULL, slot integer NOT NULL, id integer NOT NULL, PRIMARY KEY (kind, slot, id));
CREATE TABLE shown (kind integer PRIMARY KEY, until integer);
CREATE TABLE comment (id integer PRIMARY KEY, post_id integer NOT NULL, author text NOT NULL, body text NOT NULL);
CREATE INDEX comment_post ON comment (post_id);
CREATE INDEX comment_author ON comment (author);

CREATE VIEW v_post AS
SELECT p.id,
       p.author,
       jsonb_build_object(
           'id', id,
           'title', p.title,
           'is_pinned', (p.kind, p.slot) IN (SELECT kind, slot FROM pinned WHERE pinned.id > 3),
           'is_loud', p.author IN (SELECT DISTINCT author FROM comment UNION SELECT author FROM hidden WHERE reason IS NULL),
           'comments', coalesce(
               (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'body', c.body) ORDER BY c.id)
                  FROM comment AS c
                 WHERE c.post_id = p.id AND author <> ALL (SELECT author FROM banned)),
               '[]')
       ) AS data
  FROM post AS p
 WHERE id NOT IN (SELECT post_id
                    FROM hidden
                   WHERE reason IS DISTINCT FROM 'old' AND author NOT IN (SELECT b.author FROM banned AS b WHERE b.kind = 1));

CREATE VIEW v_author AS
SELECT a.name,
       jsonb_build_object(
           'name', a.name,
           'is_banned', a.name = ANY (ARRAY(SELECT author FROM banned)),
           'posts', (SELECT jsonb_agg(v.data ORDER BY v.id) FROM v_post AS v WHERE v.author = a.name)
       ) AS data
  FROM author AS a;

CREATE VIEW v_open AS
SELECT post.id, jsonb_build_object('title', title) AS data
  FROM post
 WHERE kind = ANY (ARRAY(SELECT kind FROM shown WHERE until > 5));

-- Columns that can be NULL, where a condition leaves those rows out.
CREATE TABLE editor (id integer PRIMARY KEY, post_id integer, author text);
CREATE INDEX editor_post ON editor (post_id);
CREATE INDEX editor_author ON editor (author);

CREATE VIEW v_edited AS
SELECT p.id,
       jsonb_build_object(
           'is_edited', p.id IN (SELECT e.post_id FROM editor AS e WHERE e.post_id IS NOT NULL AND e.id > 1),
           'is_own', p.author = ANY (SELECT e.author FROM editor AS e WHERE e.author IS NOT NULL AND e.post_id = p.id)) AS data
  FROM post AS p
 WHERE p.author NOT IN (SELECT x.author FROM (SELECT e.author FROM editor AS e WHERE e.author IS NOT NULL AND e.post_id IS NULL) AS x);

CREATE VIEW v_editor AS
SELECT e.id, jsonb_build_object('author', e.author, 'is_missing', e.post_id NOT IN (SELECT p.id FROM post AS p)) AS data
  FROM editor AS e WHERE e.post_id IS NOT NULL;

CREATE VIEW v_until AS
SELECT p.id, jsonb_build_object('until', s.until, 'is_free', s.until NOT IN (SELECT b.kind FROM banned AS b WHERE b.kind IS NOT NULL)) AS data
  FROM post AS p LEFT JOIN shown AS s ON s.kind = p.kind
 WHERE s.until IS NOT NULL;
