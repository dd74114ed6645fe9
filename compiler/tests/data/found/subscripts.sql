-- Elements of arrays by their place are what links and keys are made of, written with the table's name or in parentheses.
CREATE TABLE tag (name text PRIMARY KEY, label text);
CREATE TABLE post (id integer PRIMARY KEY, tags text[], scores integer[], place integer);
CREATE VIEW v_tag AS
SELECT t.name, jsonb_build_object('posts', (
           SELECT jsonb_agg(p.id ORDER BY p.id) FROM post p WHERE p.tags[1] = t.name), 'others', (
           SELECT jsonb_agg(p.id ORDER BY p.id) FROM post p WHERE (p.tags)[p.place] = t.name)) AS data
  FROM tag t;
CREATE VIEW v_post AS
SELECT p.id, jsonb_build_object('label', t.label, 'rest', p.tags[2:]) AS data FROM post p LEFT JOIN tag t ON t.name = p.tags[p.place];
CREATE VIEW v_score AS
SELECT p.scores[1] AS score, jsonb_build_object('n', count(*), 'max', max(p.scores[2])) AS data
  FROM post p WHERE p.scores[1] IS NOT NULL GROUP BY p.scores[1];
-- writes
INSERT INTO tag VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
INSERT INTO post VALUES (1, '{a,b}', '{1,2}', 2), (2, '{}', NULL, 1), (3, NULL, '{}', NULL),
       (4, '{{a,b},{c,d}}', '{2}', 1), (5, '[0:1]={a,b}', '{NULL,1}', 0);
UPDATE post SET tags = '{c,a}' WHERE id = 1;
UPDATE post SET place = 1 WHERE id = 1;
UPDATE post SET tags = '{b}' WHERE id = 3;
UPDATE post SET place = 1 WHERE id = 3;
UPDATE tag SET label = lower(label);
UPDATE post SET scores[1] = 2;
UPDATE post SET scores = '{1,7}' WHERE id = 4;
UPDATE post SET scores[2] = 9 WHERE id = 4;
DELETE FROM post WHERE id < 3;
