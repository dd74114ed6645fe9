CREATE TABLE post (id int PRIMARY KEY, kind int);
CREATE TABLE editor (id int PRIMARY KEY, post_id int, kind int);
CREATE INDEX ON editor (post_id);
-- A NULL among them would change it for every row.
CREATE VIEW v_post AS
SELECT p.id, jsonb_build_object('is_edited', p.id IN (SELECT e.post_id FROM editor e)) AS data FROM post p;
-- The outer join puts NULLs in the place of what has none below.
CREATE VIEW v_filled AS
SELECT p.id, jsonb_build_object('n', e.kind NOT IN (SELECT q.id FROM post q)) AS data
  FROM post p LEFT JOIN (SELECT e.id, e.post_id, e.kind FROM editor e WHERE e.kind IS NOT NULL) e ON e.id = p.id;
-- What is written in the place of NULLs does not tell that there is none.
CREATE TABLE banned (kind int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE story (id int PRIMARY KEY, name text, tags text[], kind int);
CREATE VIEW v_story AS
SELECT s.id, jsonb_build_object('is_fine', s.name NOT IN (SELECT b.name FROM banned b)) AS data
  FROM story s WHERE array_to_string(s.tags, ',', s.name) <> 'x';
-- Said by an item on the nullable side, of rows before it.
CREATE VIEW v_beside AS
SELECT s.id, p.id AS post_id, jsonb_build_object('is_fine', s.kind NOT IN (SELECT b.kind FROM banned b), 'editor', l.id) AS data
  FROM story s, LATERAL (SELECT e.id FROM editor e WHERE s.kind IS NOT NULL) l RIGHT JOIN post p ON p.id = l.id;
-- Constants of the sides are NULL where the outer join finds none.
CREATE TABLE left_half (id int PRIMARY KEY, post_id int NOT NULL UNIQUE);
CREATE TABLE right_half (id int PRIMARY KEY, post_id int NOT NULL UNIQUE);
CREATE VIEW v_halves AS
SELECT p.id, h.side, jsonb_build_object('half', h.id) AS data
  FROM post p LEFT JOIN (SELECT l.id, l.post_id, 'left' AS side FROM left_half l
                         UNION ALL SELECT r.id, r.post_id, 'right' FROM right_half r) h ON h.post_id = p.id;
-- Of an infinite day it is NULL, whatever stands beside it; and a key that is asserted is never NULL.
CREATE TABLE due (id int PRIMARY KEY, day date NOT NULL, times int NOT NULL);
-- tviewc: key(month)
CREATE VIEW v_month AS
SELECT to_char(d.day, 'YYYY-MM ') || n.n AS month, jsonb_build_object('n', count(*)) AS data
  FROM due d CROSS JOIN LATERAL generate_series(1, d.times) AS n(n) GROUP BY to_char(d.day, 'YYYY-MM ') || n.n;
