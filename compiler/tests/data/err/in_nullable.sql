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
