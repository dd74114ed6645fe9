-- What is said around a DISTINCT, a UNION or groups of a column that they show keeps rows below from casts;
-- so does WHERE of a view that is outer joined.
CREATE TABLE item (id integer PRIMARY KEY, code text, price integer);
CREATE TABLE shelf (id integer PRIMARY KEY, size integer);
CREATE TABLE place (id integer PRIMARY KEY, item_id integer);
CREATE VIEW v_code AS
SELECT d.code, jsonb_build_object('shelf', s.size) AS data
  FROM (SELECT DISTINCT i.code FROM item i WHERE i.code IS NOT NULL) d JOIN shelf s ON s.id = d.code::integer
 WHERE d.code ~ '^[0-9]{1,6}$';
CREATE VIEW v_sum AS
SELECT d.code, jsonb_build_object('shelf', s.size, 'price', d.price) AS data
  FROM (SELECT i.code, sum(i.price) AS price FROM item i WHERE i.code IS NOT NULL GROUP BY i.code) d JOIN shelf s ON s.id = d.code::integer
 WHERE d.code ~ '^[0-9]{1,6}$';
CREATE VIEW v_union AS
SELECT d.code, jsonb_build_object('shelf', s.size) AS data
  FROM (SELECT i.code FROM item i WHERE i.code IS NOT NULL EXCEPT SELECT i.code FROM item i WHERE i.price > 5) d
  JOIN shelf s ON s.id = d.code::integer
 WHERE d.code ~ '^[0-9]{1,6}$';
CREATE VIEW v_item AS
SELECT i.id, jsonb_build_object('size', s.size) AS data FROM item i JOIN shelf s ON s.id = i.code::integer WHERE i.code ~ '^[0-9]{1,6}$';
CREATE VIEW v_place AS
SELECT p.id, jsonb_build_object('item', v.data) AS data FROM place p LEFT JOIN v_item v ON v.id = p.item_id;
-- writes
INSERT INTO shelf VALUES (1, 20), (2, 12), (3, 60);
INSERT INTO item VALUES (1, '1', 1), (2, 'x', 2), (3, '', 3), (4, '1', 4), (5, '2', 6);
INSERT INTO place VALUES (1, 1), (2, 2), (3, NULL), (4, 5);
UPDATE shelf SET size = size + 1;
UPDATE item SET code = 'y' WHERE id IN (1, 3);
UPDATE item SET code = '3' WHERE id IN (2, 4);
UPDATE place SET item_id = id + 1;
DELETE FROM shelf WHERE id = 3;
DELETE FROM item WHERE id = 1;
