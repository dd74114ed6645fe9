CREATE TABLE post (
	id int PRIMARY KEY,
	title text DEFAULT $x$a
;b$x$
);
-- tviewc: key(id)
CREATE VIEW v_post AS
SELECT id, jsonb_build_object('t', title) AS data FROM post;
