-- Elements that a cast fails for are left out by another condition, and rows whose arrays are none are too.
CREATE TABLE cart (id integer PRIMARY KEY, codes text[], items jsonb);
CREATE TABLE product (id integer PRIMARY KEY, name text);
CREATE VIEW v_product AS
SELECT p.id, jsonb_build_object('carts', (
           SELECT jsonb_agg(c.id ORDER BY c.id, e.at) FROM cart c, unnest(c.codes) WITH ORDINALITY AS e(code, at)
            WHERE e.code ~ '^[0-9]{1,6}$' AND p.id = e.code::integer)) AS data
  FROM product p;
CREATE VIEW v_item AS
SELECT p.id, jsonb_build_object('carts', (
           SELECT jsonb_agg(c.id ORDER BY c.id, e.at) FROM cart c, jsonb_array_elements(c.items) WITH ORDINALITY AS e(item, at)
            WHERE jsonb_typeof(c.items) = 'array' AND p.name = e.item ->> 'name')) AS data
  FROM product p;
CREATE VIEW v_number AS
SELECT e.code::integer AS number, jsonb_build_object('n', count(*)) AS data
  FROM cart c, unnest(c.codes) AS e(code)
 WHERE e.code ~ '^[0-9]{1,6}$' AND e.code::integer IS NOT NULL GROUP BY e.code::integer;
-- writes
INSERT INTO product VALUES (1, 'a'), (2, 'b');
INSERT INTO cart VALUES (1, '{1,x,2}', '[{"name": "a"}]'), (2, '{x,""}', '{}'), (3, NULL, '1');
UPDATE cart SET codes = '{y,2}' WHERE id = 2;
UPDATE cart SET items = '[1, {"name": "b"}]' WHERE id = 3;
UPDATE cart SET items = '"b"' WHERE id = 1;
UPDATE cart SET codes = '{}' WHERE id = 1;
UPDATE product SET name = 'b' WHERE id = 1;
DELETE FROM cart WHERE id = 3;
