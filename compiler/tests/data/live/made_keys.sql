-- Keys of what set-returning functions make of a row: each row has several, found by calling the function with its old and new values.
CREATE TABLE usr (id integer PRIMARY KEY, name text);
CREATE TABLE post (id integer PRIMARY KEY, tags text[], attrs jsonb, usr_id integer REFERENCES usr ON DELETE CASCADE ON UPDATE CASCADE, n integer);
CREATE INDEX ON post (usr_id);

-- Groups of elements: of one table, with a column of the row, with one of another table, and only of elements that pass.
CREATE VIEW v_tag AS
SELECT tag, jsonb_build_object('posts', count(*), 'n', sum(n)) AS data
  FROM post, unnest(tags) AS tag WHERE tag IS NOT NULL GROUP BY tag;
CREATE VIEW v_user_tag AS
SELECT t.tag, p.usr_id, jsonb_build_object('posts', count(*), 'name', max(u.name)) AS data
  FROM usr u JOIN post p ON p.usr_id = u.id CROSS JOIN LATERAL unnest(p.tags) AS t (tag) WHERE t.tag <> '' GROUP BY t.tag, p.usr_id;
CREATE VIEW v_name_tag AS
SELECT t.tag, u.name, jsonb_build_object('posts', count(*), 'n', sum(p.n)) AS data
  FROM usr u JOIN post p ON p.usr_id = u.id CROSS JOIN LATERAL unnest(p.tags) AS t (tag)
 WHERE t.tag <> '' AND u.name IS NOT NULL GROUP BY t.tag, u.name;
CREATE VIEW v_facet AS
SELECT a.key, a.value, jsonb_build_object('posts', count(*), 'users', count(DISTINCT p.usr_id)) AS data
  FROM post p, LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(p.attrs) = 'object' THEN p.attrs END) AS a
 WHERE a.value IS NOT NULL GROUP BY a.key, a.value;

-- Rows told apart by ordinality, by a key of json, by a number of a series, and those of functions of what functions make.
CREATE VIEW v_numbered AS
SELECT p.id, t.place, jsonb_build_object('tag', t.tag, 'name', u.name) AS data
  FROM post p LEFT JOIN usr u ON u.id = p.usr_id CROSS JOIN LATERAL unnest(p.tags) WITH ORDINALITY AS t (tag, place);
CREATE VIEW v_placed AS
SELECT p.id, t.place::integer AS no, jsonb_build_object('tag', t.tag, 'others', (SELECT count(*) FROM post o WHERE o.usr_id = p.usr_id AND o.n = t.place)) AS data
  FROM post p CROSS JOIN LATERAL unnest(p.tags) WITH ORDINALITY AS t (tag, place);
CREATE VIEW v_attr AS
SELECT p.id, a.key, jsonb_build_object('value', a.value, 'n', p.n) AS data
  FROM post p, jsonb_each(CASE WHEN jsonb_typeof(p.attrs) = 'object' THEN p.attrs END) AS a;
CREATE VIEW v_letter AS
SELECT l.letter, jsonb_build_object('posts', count(DISTINCT p.id)) AS data
  FROM post p, unnest(p.tags) AS t (tag), regexp_split_to_table(t.tag, '') AS l (letter) GROUP BY l.letter;

-- A series that every row is combined with, and what is joined to it.
CREATE VIEW v_slot AS
SELECT u.id, s.slot, jsonb_build_object('posts', (SELECT count(*) FROM post p WHERE p.usr_id = u.id AND p.n = s.slot)) AS data
  FROM usr u, generate_series(0, 5) AS s (slot);
CREATE VIEW v_filled AS
SELECT u.id, s.slot, jsonb_build_object('n', COALESCE(sum(p.n), 0), 'posts', count(p.id)) AS data
  FROM usr u CROSS JOIN generate_series(1, 4) AS s (slot) LEFT JOIN post p ON p.usr_id = u.id AND p.n = s.slot
 GROUP BY u.id, s.slot;

-- The sides of a set operation, each with its own.
CREATE VIEW v_words AS
SELECT 'tag' AS kind, p.id, t.place, jsonb_build_object('word', t.tag) AS data
  FROM post p, unnest(p.tags) WITH ORDINALITY AS t (tag, place)
UNION ALL
SELECT 'name', u.id, w.place, jsonb_build_object('word', w.word)
  FROM usr u, unnest(string_to_array(u.name, ' ')) WITH ORDINALITY AS w (word, place);
