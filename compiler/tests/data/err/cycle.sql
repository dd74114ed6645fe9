CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE OR REPLACE VIEW a AS SELECT p.id FROM post p;
CREATE OR REPLACE VIEW b AS SELECT a.id FROM a;
CREATE OR REPLACE VIEW a AS SELECT b.id FROM b;
