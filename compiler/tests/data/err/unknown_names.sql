CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE VIEW v_a AS SELECT p.id, jsonb_build_object('t', p.titel) AS data FROM post p;
CREATE VIEW v_b AS SELECT p.id, jsonb_build_object('t', title, 'id', id) AS data FROM post p JOIN author a ON a.id = p.author_id;
CREATE VIEW v_c AS SELECT p.id, jsonb_build_object('t', q.title) AS data FROM posts p;
CREATE VIEW v_d AS SELECT p.id, jsonb_build_object('t', x.title) AS data FROM post p;
CREATE VIEW v_e AS SELECT p.id, jsonb_build_object('b', c.body) AS data FROM post p, author a JOIN comment c ON c.post_id = p.id WHERE a.id = p.author_id;
