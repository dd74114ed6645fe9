CREATE TABLE post (id int PRIMARY KEY, title text);
CREATE VIEW v_post AS
SELECT id,
       jsonb_build_object('title', title,) AS data
FROM post;
CREATE VIEW v_short AS SELECT id FROM post WHERE;
CREATE VIEW v_rest AS SELECT id FROM post ORDER BY id id;
CREATE VIEW v_head (a, b AS SELECT 1, 2;
CREATE VIEW v_none AS;
