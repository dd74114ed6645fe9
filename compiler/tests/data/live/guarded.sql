-- Expressions that fail for rows which another condition of the view leaves out: a write of such a row must not fail.
CREATE TABLE post (id integer PRIMARY KEY, title text);
CREATE TABLE vote (id integer PRIMARY KEY, kind text, target text, weight integer, parts integer);
CREATE TABLE person (id integer PRIMARY KEY, born date, items jsonb);

-- A link over a cast: in a subquery, in a join, on the nullable side of an outer join.
CREATE VIEW v_votes AS
SELECT p.id, jsonb_build_object('votes', (SELECT count(*) FROM vote v WHERE v.target ~ '^[0-9]{1,4}$' AND v.target::integer = p.id)) AS data
  FROM post p;
CREATE VIEW v_vote AS
SELECT v.id, jsonb_build_object('title', p.title, 'kind', v.kind) AS data
  FROM vote v JOIN post p ON p.id = v.weight / v.parts WHERE v.parts > 0;
CREATE VIEW v_share AS
SELECT p.id, jsonb_build_object('title', p.title, 'shares', count(v.id), 'kinds', count(v.kind)) AS data
  FROM post p LEFT JOIN vote v ON v.weight <> 0 AND 12 / v.weight = p.id GROUP BY p.id;

-- A group's expression, and the arguments of a function in FROM.
CREATE VIEW v_year AS
SELECT extract(year FROM born)::integer AS year, jsonb_build_object('people', count(*)) AS data
  FROM person WHERE isfinite(born) GROUP BY extract(year FROM born)::integer;
CREATE VIEW v_month AS
SELECT to_char(born, 'YYYY-MM') AS month, extract(month FROM born)::integer AS number, jsonb_build_object('people', count(*)) AS data
  FROM person WHERE isfinite(born) GROUP BY to_char(born, 'YYYY-MM'), extract(month FROM born)::integer;
CREATE VIEW v_item AS
SELECT p.id, i.place, jsonb_build_object('item', i.item) AS data
  FROM person p, jsonb_array_elements(p.items) WITH ORDINALITY AS i (item, place) WHERE jsonb_typeof(p.items) = 'array';
