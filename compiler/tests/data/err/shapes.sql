CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE VIEW v_group AS SELECT a.id AS author_id, jsonb_agg(p.title) AS data FROM post p LEFT JOIN author a ON a.id = p.author_id AND a.id > 0 GROUP BY a.id;
CREATE VIEW v_all AS SELECT jsonb_agg(p.title ORDER BY p.id) AS data FROM post p;
CREATE VIEW v_distinct AS SELECT DISTINCT p.id, jsonb_build_object('t', p.title) AS data FROM post p;
CREATE VIEW v_union AS SELECT p.id, to_jsonb(p) AS data FROM post p UNION ALL SELECT a.id, to_jsonb(a) FROM author a;
CREATE VIEW v_with AS WITH x AS (SELECT * FROM post) SELECT x.id, to_jsonb(x) AS data FROM x;
CREATE VIEW v_lateral AS SELECT p.id, to_jsonb(l) AS data FROM post p, LATERAL (SELECT 1 AS one) l;
CREATE VIEW v_right AS SELECT a.id, to_jsonb(a) AS data FROM post p RIGHT JOIN author a ON a.id = p.author_id;
CREATE VIEW v_window AS SELECT p.id, jsonb_build_object('n', row_number() OVER (ORDER BY p.id)) AS data FROM post p;
CREATE VIEW v_limit AS SELECT p.id, to_jsonb(p) AS data FROM post p ORDER BY p.id LIMIT 3;
CREATE VIEW v_set AS SELECT p.id, jsonb_build_object('n', generate_series(1, 3)) AS data FROM post p;
CREATE VIEW v_unnamed AS SELECT p.id, jsonb_build_object('n', 1) || '{}' FROM post p;
