-- What a view below divides by, and leaves rows out by, is guarded for links of views above too.
CREATE TABLE item (id integer PRIMARY KEY, pieces integer, code text, price integer);
CREATE TABLE shelf (id integer PRIMARY KEY, size integer);
CREATE VIEW v_share AS
SELECT (60 / i.pieces) AS share, jsonb_build_object('n', count(*), 'price', sum(i.price)) AS data
  FROM item i WHERE i.pieces > 0 GROUP BY (60 / i.pieces);
CREATE VIEW v_number AS
SELECT i.id, i.code::integer AS number, jsonb_build_object('price', i.price) AS data FROM item i WHERE i.code ~ '^[0-9]{1,6}$';
CREATE VIEW v_shelf AS
SELECT s.id, jsonb_build_object(
           'shares', (SELECT jsonb_agg(v.data ORDER BY v.share) FROM v_share v WHERE v.share::numeric = s.size::numeric),
           'numbers', (SELECT jsonb_agg(v.data ORDER BY v.id) FROM v_number v WHERE v.number = s.size),
           'next', (SELECT jsonb_agg(d.id ORDER BY d.id)
                      FROM (SELECT i.id, i.code::integer + 1 AS next FROM item i WHERE i.code ~ '^[0-9]{1,6}$') d
                     WHERE d.next = s.size)) AS data
  FROM shelf s;
-- writes
INSERT INTO shelf VALUES (1, 20), (2, 12), (3, 60);
INSERT INTO item VALUES (1, 3, '12', 1), (2, 0, 'x', 2), (3, NULL, '', 3), (4, 5, '59', 4), (5, -1, '11', 5);
UPDATE item SET pieces = pieces + 1;
UPDATE item SET pieces = 0, code = 'y' WHERE id = 4;
UPDATE item SET price = price + 1;
UPDATE item SET pieces = 3, code = '19' WHERE id IN (2, 4);
DELETE FROM item WHERE id < 3;
UPDATE shelf SET size = 19;
