CREATE TABLE post (id int PRIMARY KEY, title text);
CREATE VIEW v_post AS
SELECT id, post.*, jsonb_build_object('id', id) AS data FROM post;
CREATE VIEW v_named (id, id) AS
SELECT id, jsonb_build_object('id', id) AS data FROM post;
-- The second name gives way.
CREATE VIEW v_right (id, other, title, data) AS
SELECT id, post.*, jsonb_build_object('id', id) AS data FROM post;
