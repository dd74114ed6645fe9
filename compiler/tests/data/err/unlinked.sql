CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE VIEW v_total AS SELECT p.id, jsonb_build_object('all', (SELECT count(*) FROM comment)) AS data FROM post p;
CREATE VIEW v_or AS SELECT p.id, jsonb_build_object('n', (SELECT count(*) FROM comment c WHERE c.post_id = p.id OR c.body = p.title)) AS data FROM post p;
CREATE VIEW v_in AS SELECT p.id, jsonb_build_object('t', p.title) AS data FROM post p WHERE p.title NOT IN (SELECT c.body FROM comment c);
