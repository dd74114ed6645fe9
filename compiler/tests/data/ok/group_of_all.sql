-- Grouped queries that are computed for all groups; not where a form is known, or columns that equal the key join them.
CREATE TABLE author (author_id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE post (post_id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text NOT NULL);
CREATE INDEX ON post (author_id);

CREATE VIEW v_natural AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts) AS data
  FROM post p NATURAL JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g;

CREATE VIEW v_below AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'of', o.posts) AS data
  FROM post p LEFT JOIN (author a JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) o ON o.author_id = a.author_id)
    ON a.author_id = p.author_id;

CREATE VIEW v_joined AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'name', a.name) AS data
  FROM ((post p JOIN author a ON ((a.author_id = p.author_id)))
  JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g ON ((g.author_id = a.author_id)));

CREATE VIEW v_author AS
SELECT a.author_id, jsonb_build_object('name', a.name, 'posts', g.posts) AS data
  FROM author a NATURAL JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g;
