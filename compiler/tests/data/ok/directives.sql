CREATE TABLE post (id int PRIMARY KEY, title text);
-- An ordinary comment above,
-- tviewc: key(id), table("Posts")
--tviewc:skip
-- and one below.
CREATE VIEW v_post AS SELECT id, to_jsonb(title) AS data FROM post;

-- tviewc: skip
CREATE VIEW broken AS SELEC 1;
