CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE VIEW v_post AS SELECT p.id, to_jsonb(p) AS data FROM post p;
CREATE VIEW post_again AS SELECT p.id, to_jsonb(p) AS data FROM post p;
-- tviewc: table(tv_post)
CREATE VIEW other AS SELECT p.id, to_jsonb(p) AS data FROM post p;
