-- Grouped queries beside other relations, by a comma, CROSS JOIN, USING and parentheses: they are computed for the groups that the
-- document's rows lead to.
CREATE TABLE author (author_id integer PRIMARY KEY, name text NOT NULL, team integer);
CREATE TABLE post (post_id integer PRIMARY KEY, author_id integer REFERENCES author ON DELETE CASCADE, title text);
CREATE TABLE vote (post_id integer NOT NULL, voter integer NOT NULL, worth numeric, PRIMARY KEY (post_id, voter));
CREATE INDEX ON author (team);
CREATE INDEX ON post (author_id);

CREATE VIEW v_comma AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'author', a.name, 'posts', g.posts, 'worth', w.worth) AS data
  FROM post p, author a, (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g,
       (SELECT q.author_id AS "By Whom", sum(v.worth) AS worth FROM post q JOIN vote v ON v.post_id = q.post_id GROUP BY 1) AS w
 WHERE a.author_id = p.author_id AND (g.author_id = a.author_id AND w."By Whom" = g.author_id) AND a.name <> '';

CREATE VIEW v_using AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'author', a.name, 'posts', g.posts, 'voters', v.voters, 'best', b.best) AS data
  FROM post p LEFT JOIN author a USING (author_id)
  LEFT JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g USING (author_id)
  LEFT JOIN (SELECT post_id, count(*) AS voters FROM vote GROUP BY post_id) v USING (post_id)
  JOIN (SELECT author_id, max(title) AS best FROM post GROUP BY author_id) AS b(author_id, best) USING (author_id);

CREATE VIEW v_mixed AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'mates', t.mates) AS data
  FROM (post AS p CROSS JOIN author) CROSS JOIN (SELECT author_id AS id, count(*) AS posts FROM post GROUP BY author_id) AS g
  LEFT JOIN (SELECT team, count(*) AS mates FROM author GROUP BY team) t ON t.team = author.team
 WHERE author.author_id = p.author_id AND g.id = author.author_id;

CREATE VIEW v_first AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'author', a.name, 'posts', g.posts) AS data
  FROM author a
  JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g ON g.author_id = a.author_id
  JOIN post p ON p.author_id = a.author_id;

CREATE VIEW counted AS
SELECT a.author_id, a.name, g.posts, a.team FROM author a LEFT JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g USING (author_id);

CREATE VIEW twice AS
WITH c AS (SELECT author_id, count(*) AS posts, max(title) AS best FROM post GROUP BY author_id)
SELECT a.author_id, mine.posts, boss.best
  FROM author a LEFT JOIN c AS mine ON mine.author_id = a.author_id LEFT JOIN c AS boss ON boss.author_id = a.team;

CREATE VIEW v_below AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'author', l.name, 'posts', l.posts) AS data
  FROM post p LEFT JOIN counted l ON l.author_id = p.author_id;

CREATE VIEW v_twice AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', t.posts, 'best', t.best) AS data
  FROM post p JOIN twice t ON t.author_id = p.author_id;

CREATE VIEW v_turned AS
WITH counts AS (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id)
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', counts.posts, 'best', b.best) AS data
  FROM counts JOIN author a ON a.author_id = counts.author_id JOIN post p ON p.author_id = a.author_id
  LEFT JOIN (SELECT author_id, max(title) AS best FROM post GROUP BY author_id) b ON b.author_id = a.author_id;

CREATE VIEW v_turned_comma AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'name', a.name) AS data
  FROM (SELECT author_id AS a, count(*) AS posts FROM post GROUP BY author_id) g, post AS p, author a
 WHERE p.author_id = g.a AND a.author_id = p.author_id;

CREATE VIEW v_right AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'mates', t.mates) AS data
  FROM (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g RIGHT JOIN post p USING (author_id)
  LEFT JOIN author a USING (author_id) LEFT JOIN (SELECT team, count(*) AS mates FROM author GROUP BY team) t ON t.team = a.team;

CREATE VIEW v_beside AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', l.posts, 'team', a.team, 'mates', t.mates) AS data
  FROM counted AS l, post p JOIN author a ON true LEFT JOIN (SELECT team, count(*) AS mates FROM author GROUP BY team) t ON t.team = a.team
 WHERE l.author_id = p.author_id AND a.author_id = p.author_id;

-- In the queries of arrays, by inner joins, which lead from the rows around.
CREATE VIEW v_in_array AS
SELECT a.author_id, jsonb_build_object('name', a.name,
         'posts', (SELECT jsonb_agg(jsonb_build_object('title', q.title, 'voters', v.voters) ORDER BY q.post_id)
                     FROM post q JOIN (SELECT post_id, count(*) AS voters FROM vote GROUP BY post_id) v ON v.post_id = q.post_id
                    WHERE q.author_id = a.author_id),
         'best', (SELECT max(w.worth) FROM (SELECT post_id, sum(worth) AS worth FROM vote GROUP BY post_id) w, post q
                   WHERE w.post_id = q.post_id AND q.author_id = a.author_id),
         'mates', (SELECT sum(g.posts) FROM author b JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g USING (author_id)
                    WHERE b.team = a.team)) AS data
  FROM author a;

-- In views below, by inner joins, and groups of groups.
CREATE VIEW voted AS
SELECT q.post_id, q.author_id, q.title, v.voters
  FROM post q JOIN (SELECT post_id, count(*) AS voters FROM vote GROUP BY post_id) v ON v.post_id = q.post_id;

CREATE VIEW v_voted AS
SELECT w.post_id, w.voter, jsonb_build_object('worth', w.worth, 'voters', d.voters, 'posts', g.posts) AS data
  FROM vote w JOIN voted d ON d.post_id = w.post_id
  JOIN (SELECT d.author_id, count(*) AS posts FROM voted d GROUP BY d.author_id) g ON g.author_id = d.author_id;

CREATE VIEW v_deep AS
SELECT a.author_id, jsonb_build_object('name', a.name, 'voters', s.voters) AS data
  FROM author a JOIN (SELECT q.author_id, sum(v.voters) AS voters
                        FROM post q JOIN (SELECT post_id, count(*) AS voters FROM vote GROUP BY post_id) v ON v.post_id = q.post_id
                       GROUP BY q.author_id) s ON s.author_id = a.author_id;

-- Functions of the user's that are given values, and the row of a table.
CREATE FUNCTION shouted(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper($1) || '!';

CREATE VIEW v_shouted AS
SELECT p.post_id, jsonb_build_object('title', shouted(p.title), 'post', shouted(p::text), 'posts', g.posts, 'voters', d.voters) AS data
  FROM post p JOIN (SELECT author_id, count(*) AS posts FROM post GROUP BY author_id) g ON g.author_id = p.author_id
  LEFT JOIN voted d ON d.post_id = p.post_id;

-- As pg_dump writes them.
CREATE VIEW v_parens AS
SELECT p.post_id, jsonb_build_object('title', p.title, 'posts', g.posts, 'name', a.name, 'mates', t.mates) AS data
  FROM (((SELECT post.author_id, count(*) AS posts FROM post GROUP BY post.author_id) g
   JOIN post p ON ((p.author_id = g.author_id)))
   LEFT JOIN author a ON ((a.author_id = g.author_id)))
   LEFT JOIN (SELECT author.team, count(*) AS mates FROM author GROUP BY author.team) t ON ((t.team = a.team));
