-- A link `= ANY (array column)`. Changed rows are collected column by column into arrays: arrays of different lengths cannot be
-- collected (2202E cannot accumulate arrays of different dimensionality: any write of two such rows failed), and arrays of
-- arrays come apart into their elements where another table stands behind the link (42809 op ANY/ALL (array) requires array on
-- right side).
CREATE TABLE topic (id int PRIMARY KEY, words text[] NOT NULL, numbers int[]);
CREATE TABLE label (id int PRIMARY KEY, name text);
CREATE TABLE word (id int PRIMARY KEY, name text NOT NULL, label_id int REFERENCES label);
CREATE VIEW v_topic AS
SELECT t.id, jsonb_build_object('words', (SELECT jsonb_agg(w.name ORDER BY w.id) FROM word w WHERE w.name = ANY(t.words)),
                                'by id', (SELECT count(*) FROM word w WHERE w.id = ANY(t.numbers))) AS data
  FROM topic t;
CREATE VIEW v_labels AS
SELECT t.id, jsonb_build_object('labels', (SELECT jsonb_agg(l.name ORDER BY w.id)
    FROM word w JOIN label l ON l.id = w.label_id WHERE w.name = ANY(t.words))) AS data
  FROM topic t;
-- writes
INSERT INTO label VALUES (1, 'one'), (2, 'two');
INSERT INTO word VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2), (4, 'a,b', NULL);
INSERT INTO topic VALUES (1, '{a,b}', '{1,2}'), (2, '{}', NULL), (3, '{c,NULL,"a,b"}', '{NULL,4}');
UPDATE topic SET words = '{b,c}' WHERE id = 1;
UPDATE topic SET words = words || '{a}'::text[], numbers = '{1,2,3,4}';
UPDATE word SET name = 'c' WHERE id IN (1, 2);
UPDATE label SET name = 'uno' WHERE id = 1;
INSERT INTO topic VALUES (4, '{{a,b},{c,d}}', '{{1,2},{3,4}}');
DELETE FROM topic WHERE id <> 4;
UPDATE word SET name = 'd' WHERE id = 3;
