-- Grouped queries that are computed for all groups, as warnings say: once for all documents of a statement.
CREATE TABLE author (author_id integer PRIMARY KEY, name text NOT NULL, team integer);
CREATE TABLE post (post_id integer PRIMARY KEY, author_id integer REFERENCES author ON DELETE CASCADE, title text);
CREATE INDEX ON author (team);
CREATE INDEX ON post (author_id);

CREATE VIEW placed AS
SELECT a.author_id, a.name, row_number() OVER (PARTITION BY a.team ORDER BY a.author_id) AS place FROM author a;

-- First, before a view with windows.
CREATE VIEW v_placed AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'place', r.place) AS data
  FROM (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g
  JOIN placed r ON r.author_id = g.author_id JOIN post p ON p.author_id = r.author_id;

CREATE VIEW v_natural AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts) AS data
  FROM post p NATURAL LEFT JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g;

CREATE VIEW v_right AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'name', a.name, 'posts', g.posts) AS data
  FROM author a JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g ON g.author_id = a.author_id
  RIGHT JOIN post p ON p.author_id = a.author_id;

-- In the query of an array.
CREATE VIEW v_author AS
SELECT a.author_id, jsonb_build_object('name', a.name,
         'mates', (SELECT jsonb_agg(jsonb_build_object('name', b.name, 'posts', g.posts) ORDER BY b.author_id)
                     FROM author b NATURAL JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g
                    WHERE b.team = a.team)) AS data
  FROM author a;
