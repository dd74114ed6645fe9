-- A join on `id::text` finds one row as a join on the id does; a group by an expression is one for what the expression is compared with.
CREATE TABLE note (id integer PRIMARY KEY, target text, city text);
CREATE TABLE place (id integer PRIMARY KEY, token uuid NOT NULL UNIQUE, name text);
CREATE VIEW v_note AS
SELECT n.id, jsonb_build_object('place', p.name, 'by_token', t.name) AS data
  FROM note n LEFT JOIN place p ON p.id::text = n.target LEFT JOIN place t ON n.target = t.token::text;
CREATE VIEW v_only AS
SELECT n.id, jsonb_build_object('place', p.name) AS data FROM note n JOIN place p ON CAST(p.id AS text) = n.target;
CREATE VIEW v_city AS
SELECT n.id, jsonb_build_object('n', q.n, 'names', q.names) AS data
  FROM note n LEFT JOIN (SELECT lower(p.name) AS city, count(*) AS n, jsonb_agg(p.name ORDER BY p.id) AS names
                           FROM place p GROUP BY lower(p.name)) q ON q.city = n.city;
-- writes
INSERT INTO place VALUES (1, '00000000-0000-4000-8000-000000000001', 'Rom'),
       (2, '00000000-0000-4000-8000-000000000002', 'ROM'),
       (-3, '00000000-0000-4000-8000-000000000003', NULL);
INSERT INTO note VALUES (1, '1', 'rom'), (2, '01', 'Rom'), (3, '-3', NULL),
       (4, '00000000-0000-4000-8000-000000000002', 'x'), (5, NULL, 'rom');
UPDATE place SET name = 'Oslo' WHERE id = 1;
UPDATE note SET target = '2' WHERE id IN (1, 2);
UPDATE place SET id = 5 WHERE id = 2;
UPDATE place SET token = '00000000-0000-4000-8000-000000000004' WHERE id = 5;
UPDATE note SET target = '5', city = 'oslo' WHERE id > 3;
DELETE FROM place WHERE id = 5;
UPDATE place SET name = 'OSLO';
