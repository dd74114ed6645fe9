-- An array that is an output column by itself, sorted by its match key, is all that a write changes:
-- nothing else needs the patch functions' path.
CREATE TABLE post (id integer PRIMARY KEY);
CREATE TABLE comment (id integer PRIMARY KEY, post_id integer NOT NULL, text text);
CREATE VIEW v_post AS
SELECT p.id, (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'text', c.text) ORDER BY c.id DESC)
                FROM comment c WHERE c.post_id = p.id) AS data
  FROM post p;
-- writes
INSERT INTO post VALUES (1), (2);
INSERT INTO comment VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 1, 'c'), (4, 2, 'd');
UPDATE comment SET text = 'x' WHERE id = 2;
UPDATE comment SET post_id = 2 WHERE id = 1;
DELETE FROM comment WHERE id = 2;
INSERT INTO comment VALUES (2, 1, 'e');
