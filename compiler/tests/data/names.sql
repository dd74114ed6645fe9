-- How names resolve, with PostgreSQL as the judge: tests/differential/names.rs creates each view on a server and
-- resolves it here; both must accept it with the same output names, or both refuse it.
CREATE SCHEMA app;
CREATE TABLE author (id int PRIMARY KEY, name text, data jsonb, org_id int);
CREATE TABLE post (id int PRIMARY KEY, author_id int, title text, meta jsonb, org_id int);
CREATE TABLE tag (post_id int, id int, label text, PRIMARY KEY (post_id, id));
CREATE TABLE app.author (id int PRIMARY KEY, nick text, "Name" text);
CREATE TABLE app.extra (id int PRIMARY KEY, author_id int, d jsonb);
CREATE TABLE "Case" ("Id" int PRIMARY KEY, id int, "select" text, UPPER text);
CREATE TABLE a_name_of_sixty_three_bytes_which_is_what_postgresql_cuts_at_xy (id int PRIMARY KEY, a_column_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut_too int);
CREATE VIEW simple AS SELECT id, name AS label FROM author;
CREATE VIEW doc AS SELECT id, jsonb_build_object('n', name) AS data FROM author;

-- cases
-- Folding and quoting.
SELECT ID, jsonb_build_object('n', NAME) AS Data FROM AUTHOR
SELECT "id", jsonb_build_object('n', name) AS "Data" FROM "author"
SELECT id, jsonb_build_object('n', name) AS data FROM "Author"
SELECT "ID", jsonb_build_object('n', name) AS data FROM author
SELECT "Id", jsonb_build_object('n', "select", 'u', upper) AS data FROM "Case"
SELECT "Id", jsonb_build_object('n', "UPPER") AS data FROM "Case"
SELECT Id, jsonb_build_object('n', id) AS data FROM "Case" AS "case"
SELECT "case".id, '{}'::jsonb AS data FROM "Case"
SELECT c.id, '{}'::jsonb AS data FROM "Case" C
SELECT "C".id, '{}'::jsonb AS data FROM "Case" C
-- Cut at 63 bytes.
SELECT id, jsonb_build_object('x', a_column_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut_too) AS data FROM a_name_of_sixty_three_bytes_which_is_what_postgresql_cuts_at_xy
SELECT id, '{}'::jsonb AS data FROM a_name_of_sixty_three_bytes_which_is_what_postgresql_cuts_at_xyz
-- known: SELECT id, jsonb_build_object('x', "a_column_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut_off") AS data FROM a_name_of_sixty_three_bytes_which_is_what_postgresql_cuts_at_xy
SELECT id, '{}'::jsonb AS an_output_name_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut FROM author
-- known: SELECT id, '{}'::jsonb AS "an_output_name_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut" FROM author
SELECT an_alias_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut_one.id, '{}'::jsonb AS d FROM author an_alias_that_is_longer_than_sixty_three_bytes_so_that_it_is_cut_two
SELECT id, '{}'::jsonb AS data FROM a_name_of_sixty_three_bytes_which_is_what_postgresql_cuts_at_x
-- search_path and qualified names.
/* app */ SELECT id, jsonb_build_object('n', nick) AS data FROM author
/* app */ SELECT id, jsonb_build_object('n', name) AS data FROM author
/* app */ SELECT id, jsonb_build_object('n', name) AS data FROM public.author
/* app, public */ SELECT p.id, jsonb_build_object('n', author.nick) AS data FROM post p JOIN author ON author.id = p.author_id
/* app */ SELECT id, jsonb_build_object('t', title) AS data FROM post
SELECT app.author.id, jsonb_build_object('n', app.author.nick) AS data FROM app.author
SELECT public.author.id, '{}'::jsonb AS data FROM app.author
SELECT author.id, jsonb_build_object('n', author.nick) AS data FROM app.author
SELECT app.a.id, '{}'::jsonb AS data FROM app.author a
SELECT a.id, jsonb_build_object('n', b."Name") AS data FROM author a JOIN app.author b ON a.id = b.id
SELECT public.author.id, jsonb_build_object('n', app.author.nick) AS data FROM author JOIN app.author ON public.author.id = app.author.id
-- known: SELECT author.id, '{}'::jsonb AS data FROM author JOIN app.author ON public.author.id = app.author.id
SELECT id, '{}'::jsonb AS data FROM nowhere.author
SELECT id, '{}'::jsonb AS data FROM pg_catalog.author
-- Aliases hide names.
SELECT author.id, '{}'::jsonb AS data FROM author a
SELECT public.author.id, '{}'::jsonb AS data FROM author a
SELECT post.id, jsonb_build_object('n', post.name) AS data FROM author post
SELECT post.title, '{}'::jsonb AS data FROM author post JOIN post author ON author.author_id = post.id
SELECT a.x, jsonb_build_object('y', a.y) AS data FROM author a (x, y)
SELECT a.id, '{}'::jsonb AS data FROM author a (x, y)
SELECT a.org_id, jsonb_build_object('x', x) AS data FROM author AS a (x)
-- known: SELECT a.x, '{}'::jsonb AS data FROM author a (x, y, z, w, v)
SELECT a.id, '{}'::jsonb AS data FROM author a, post a
SELECT author.id, '{}'::jsonb AS data FROM author, author
-- known: SELECT author.id, '{}'::jsonb AS data FROM author, app.author
SELECT a.id, '{}'::jsonb AS data FROM author a JOIN post b ON a.id = b.author_id JOIN tag a ON true
-- Ambiguity.
SELECT id, '{}'::jsonb AS data FROM author a JOIN post p ON p.author_id = a.id
SELECT a.id, jsonb_build_object('t', title) AS data FROM author a JOIN post p ON p.author_id = a.id
SELECT a.id, jsonb_build_object('t', org_id) AS data FROM author a JOIN post p ON p.author_id = a.id
SELECT p.id, jsonb_build_object('n', (SELECT org_id FROM author a WHERE a.id = p.author_id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT name FROM author WHERE id = author_id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT name FROM author a JOIN app.author b ON a.id = b.id WHERE id = author_id)) AS data FROM post p
SELECT a.id, '{}'::jsonb AS data FROM author a JOIN post p ON author_id = id
-- Correlation scopes.
SELECT p.id, jsonb_build_object('n', (SELECT p.title FROM author p WHERE p.id = 1)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT p.name FROM author p WHERE p.id = 1)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT post.title FROM author WHERE author.id = p.author_id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT p.title FROM author WHERE author.id = p.author_id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT jsonb_agg(title ORDER BY t.id) FROM tag t WHERE t.post_id = p.id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT jsonb_agg(label ORDER BY id) FROM tag t WHERE post_id = p.id)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT (SELECT p.title || t.label) FROM tag t WHERE t.post_id = p.id LIMIT 1)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', (SELECT t.label FROM tag t WHERE t.post_id = q.id LIMIT 1)) AS data FROM post p
SELECT p.id, jsonb_build_object('n', t.label) AS data FROM post p WHERE EXISTS (SELECT 1 FROM tag t WHERE t.post_id = p.id)
SELECT a.id, '{}'::jsonb AS data FROM author a JOIN post p ON p.author_id = a.id AND t.post_id = p.id JOIN tag t ON true
SELECT a.id, '{}'::jsonb AS data FROM author a, post p JOIN tag t ON t.post_id = a.id WHERE p.author_id = a.id
SELECT a.id, '{}'::jsonb AS data FROM author a, post p JOIN tag t ON t.post_id = p.id WHERE p.author_id = a.id
SELECT p.id, jsonb_build_object('n', s.name) AS data FROM post p JOIN (SELECT id AS aid, name FROM author) s ON s.aid = p.author_id
SELECT p.id, jsonb_build_object('n', s.id) AS data FROM post p JOIN (SELECT id AS aid, name FROM author) s ON s.aid = p.author_id
SELECT p.id, jsonb_build_object('n', s.name) AS data FROM post p JOIN (SELECT name FROM author WHERE author.id = p.author_id) s ON true
SELECT p.id, jsonb_build_object('n', s.name) AS data FROM post p JOIN LATERAL (SELECT name FROM author WHERE author.id = p.author_id) s ON true
-- USING and NATURAL.
SELECT org_id, p.id, jsonb_build_object('t', p.title) AS data FROM author a JOIN post p USING (org_id)
SELECT a.org_id, p.org_id AS o2, p.id, jsonb_build_object('t', p.title) AS data FROM author a JOIN post p USING (org_id)
SELECT *, '{}'::jsonb AS doc FROM tag JOIN app.extra USING (id)
SELECT *, '{}'::jsonb AS doc FROM app.extra e JOIN tag t USING (id)
SELECT t.*, '{}'::jsonb AS doc FROM app.extra e JOIN tag t USING (id)
SELECT *, '{}'::jsonb AS doc FROM author a JOIN post p USING (org_id)
SELECT id, '{}'::jsonb AS data FROM author JOIN post USING (title)
SELECT id, '{}'::jsonb AS doc FROM simple JOIN doc USING (id)
SELECT *, '{}'::jsonb AS doc FROM simple JOIN doc USING (id)
SELECT *, '{}'::jsonb AS doc FROM simple LEFT JOIN doc USING (id)
SELECT id, label, '{}'::jsonb AS doc FROM simple JOIN doc USING (id) JOIN app.extra USING (id)
SELECT id, '{}'::jsonb AS doc FROM simple JOIN doc USING (id) JOIN tag ON tag.post_id = simple.id
SELECT *, '{}'::jsonb AS doc FROM simple a JOIN simple b USING (id, label)
SELECT *, '{}'::jsonb AS doc FROM simple a JOIN simple b USING (label, id)
SELECT id, '{}'::jsonb AS doc FROM simple a JOIN doc b ON a.id = b.id JOIN app.extra c USING (id)
SELECT *, '{}'::jsonb AS doc FROM simple NATURAL JOIN doc
SELECT *, '{}'::jsonb AS doc FROM simple NATURAL LEFT JOIN app.extra
SELECT id, '{}'::jsonb AS doc FROM author NATURAL JOIN post
SELECT j.id, '{}'::jsonb AS doc FROM simple JOIN doc USING (id) AS j
SELECT a.id, '{}'::jsonb AS doc FROM (simple a JOIN doc USING (id))
SELECT a.id, '{}'::jsonb AS doc FROM (simple a JOIN doc USING (id)) AS j
SELECT j.id, '{}'::jsonb AS doc FROM (simple a JOIN doc USING (id)) AS j
-- Stars and whole rows.
SELECT * FROM doc
SELECT * FROM author
SELECT doc.* FROM doc JOIN post ON post.author_id = doc.id
SELECT public.doc.* FROM doc
SELECT x.* FROM doc
SELECT doc.*, id FROM doc
SELECT doc.*, post.title FROM doc JOIN post ON post.author_id = doc.id
SELECT id, to_jsonb(author) AS doc FROM author
SELECT id, to_jsonb(a) AS doc FROM author a
SELECT id, to_jsonb(author) AS doc FROM author a
SELECT id, to_jsonb(a.*) AS doc FROM author a
SELECT id, row_to_json(p) AS doc FROM post p
SELECT id, to_jsonb(data) AS doc FROM doc data
SELECT e.id, to_jsonb(d) AS doc FROM app.extra e JOIN doc d ON d.id = e.author_id
SELECT p.id, (SELECT jsonb_agg(t ORDER BY t.id) FROM tag t WHERE t.post_id = p.id) AS doc FROM post p
-- Output names.
SELECT a.id, a.data FROM author a
SELECT a.id, (a.data) FROM author a
SELECT a.id, a.data -> 'x' FROM author a
SELECT a.id, a.data::jsonb FROM author a
SELECT a.id, a.name::text, a.data FROM author a
SELECT a.id, '{}'::jsonb FROM author a
SELECT a.id, CAST('{}' AS jsonb) FROM author a
SELECT a.id, jsonb_build_object('n', name) FROM author a
SELECT a.id, pg_catalog.jsonb_build_object('n', name) FROM author a
SELECT a.id, coalesce(a.data, '{}') FROM author a
SELECT a.id, CASE WHEN a.id > 1 THEN a.data END FROM author a
SELECT a.id, CASE WHEN a.id > 1 THEN a.data ELSE a.data END FROM author a
SELECT a.id, (SELECT p.meta FROM post p WHERE p.id = a.id) FROM author a
SELECT a.id, (SELECT jsonb_agg(p.id ORDER BY p.id) FROM post p WHERE p.author_id = a.id) FROM author a
SELECT a.id, (SELECT p.meta AS m FROM post p WHERE p.id = a.id) FROM author a
SELECT a.id, EXISTS (SELECT 1 FROM post p WHERE p.author_id = a.id), a.data FROM author a
SELECT a.id, nullif(a.data, '{}') FROM author a
SELECT a.id, greatest(a.id, 1), a.data FROM author a
SELECT a.id, ARRAY[a.id], a.data FROM author a
SELECT a.id, extract(year FROM timestamp '2020-01-01'), a.data FROM author a
SELECT a.id, substring(a.name FROM 1 FOR 2), a.data FROM author a
SELECT a.id, trim(a.name), a.data FROM author a
SELECT a.id, position('x' IN a.name), a.data FROM author a
SELECT a.id, a.name || 'x', a.data FROM author a
SELECT a.id, a.name IS NULL, a.data FROM author a
SELECT a.id, 1, a.data FROM author a
SELECT a.id, 'x', a.data FROM author a
SELECT a.id, true, a.data FROM author a
-- known: SELECT a.id, ROW(a.id), a.data FROM author a
SELECT a.id, a.id::text::int, a.data FROM author a
SELECT a.id, '1'::int4, a.data FROM author a
SELECT a.id, a.name COLLATE "C", a.data FROM author a
SELECT a.id, -a.id, a.data FROM author a
SELECT a.id, NULL, a.data FROM author a
SELECT a.id AS x, a.name AS x, a.data FROM author a
SELECT a.id, a.id, a.data FROM author a
SELECT a.id "Quoted Out", a.data d FROM author a
SELECT a.id AS select, a.data FROM author a
SELECT a.id AS value, a.data AS key FROM author a
-- ORDER BY and GROUP BY by name and by position.
SELECT a.id, a.data FROM author a ORDER BY id
SELECT a.id, a.name AS label, a.data FROM author a ORDER BY label
SELECT a.id, a.name AS label, a.data FROM author a ORDER BY label || 'x'
SELECT a.id, a.name AS label, a.data FROM author a ORDER BY 2, 1
-- known: SELECT a.id, a.data FROM author a ORDER BY 3
-- known: SELECT a.id, a.data FROM author a ORDER BY 0
SELECT a.id, a.data FROM author a ORDER BY nothing
SELECT a.id AS name, a.data FROM author a ORDER BY name
SELECT a.org_id AS id, a.id AS org_id, a.data FROM author a ORDER BY id
SELECT a.id AS k, a.org_id AS k2, a.data FROM author a WHERE k > 1
SELECT a.id, a.name AS x, a.org_id AS y, a.data FROM author a ORDER BY x, a.y
SELECT a.id AS g, jsonb_agg(p.id ORDER BY p.id) AS data FROM author a JOIN post p ON p.author_id = a.id GROUP BY g
SELECT a.id AS g, jsonb_agg(p.id ORDER BY p.id) AS data FROM author a JOIN post p ON p.author_id = a.id GROUP BY 1
-- known: SELECT a.id AS g, jsonb_agg(p.id ORDER BY p.id) AS data FROM author a JOIN post p ON p.author_id = a.id GROUP BY 3
SELECT a.org_id AS id, jsonb_agg(p.id ORDER BY p.id) AS data FROM author a JOIN post p ON p.author_id = a.id GROUP BY id
-- known: SELECT a.org_id AS name, jsonb_agg(p.id ORDER BY p.id) AS data FROM author a JOIN post p ON p.author_id = a.id GROUP BY name
-- WITH.
WITH x AS (SELECT id, name FROM author) SELECT x.id, jsonb_build_object('n', x.name) AS data FROM x
WITH author AS (SELECT id AS aid FROM post) SELECT author.aid, '{}'::jsonb AS data FROM author
WITH x (k, l) AS (SELECT id, name FROM author) SELECT x.k, jsonb_build_object('n', x.name) AS data FROM x
WITH x AS (SELECT id FROM y), y AS (SELECT id FROM author) SELECT x.id, '{}'::jsonb AS data FROM x
-- Unknown names.
SELECT a.id, jsonb_build_object('n', a.nmae) AS data FROM author a
SELECT a.id, jsonb_build_object('n', nmae) AS data FROM author a
SELECT a.id, jsonb_build_object('n', b.name) AS data FROM author a
SELECT id, '{}'::jsonb AS data FROM autor
SELECT a.id, '{}'::jsonb AS data FROM author a WHERE nothing = 1
SELECT a.id, jsonb_build_object('n', a.name.x) AS data FROM author a
-- known: SELECT a.id, jsonb_build_object('n', a.ctid) AS data FROM author a
-- known: SELECT a.id, jsonb_build_object('n', a.tableoid) AS data FROM author a
SELECT a.id, jsonb_build_object('n', user) AS data FROM author a
SELECT a.id, jsonb_build_object('n', "user") AS data FROM author a
SELECT a.id, jsonb_build_object('n', name(a)) AS data FROM author a
SELECT a.id, jsonb_build_object('n', (a).name) AS data FROM author a
SELECT a.id, jsonb_build_object('n', a.name) AS data FROM author AS a WHERE a.* IS NOT NULL
SELECT a.id, jsonb_build_object('n', date '2020-01-01') AS data FROM author a
