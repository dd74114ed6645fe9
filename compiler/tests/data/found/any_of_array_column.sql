-- A link `= ANY (array column)`, where the table of the array is written. The changed rows were collected column by column, and
-- arrays of arrays came apart into their elements: 42809 op ANY/ALL (array) requires array on right side.
CREATE TABLE topic (id int PRIMARY KEY, words text[] NOT NULL, numbers int[]);
CREATE TABLE word (id int PRIMARY KEY, name text NOT NULL, boss int);
CREATE VIEW v_word AS
SELECT w.id, jsonb_build_object('topics', (SELECT jsonb_agg(t.id ORDER BY t.id) FROM topic t WHERE w.name = ANY(t.words))) AS data
  FROM word w;
CREATE VIEW v_topic AS
SELECT t.id, jsonb_build_object('words', (SELECT jsonb_agg(w.name ORDER BY w.id) FROM word w WHERE w.name = ANY(t.words)),
                                'by id', (SELECT count(*) FROM word w WHERE w.id = ANY(t.numbers))) AS data
  FROM topic t;
CREATE VIEW v_boss AS
SELECT b.id, jsonb_build_object('topics', (SELECT jsonb_agg(t.id ORDER BY t.id, w.id)
    FROM word w JOIN topic t ON w.name = ANY(t.words) WHERE w.boss = b.id)) AS data
  FROM word b;
-- writes
INSERT INTO word VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 1), (4, 'a,b', 2);
INSERT INTO topic VALUES (1, '{a,b}', '{1,2}'), (2, '{}', NULL), (3, '{c,NULL,"a,b"}', '{NULL,4}');
UPDATE topic SET words = '{b,c}' WHERE id = 1;
UPDATE topic SET words = words || '{a}'::text[], numbers = '{1,2,3,4}';
UPDATE word SET name = 'c' WHERE id IN (1, 2);
INSERT INTO topic VALUES (4, '{{a,b},{c,d}}', '{{1,2},{3,4}}');
DELETE FROM topic WHERE id <> 4;
UPDATE word SET name = 'd' WHERE id = 3;
