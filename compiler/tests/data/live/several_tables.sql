-- Keys put together from several tables.
CREATE TABLE customer (id integer PRIMARY KEY, city text NOT NULL, name text);
CREATE TABLE product (id integer PRIMARY KEY, category text NOT NULL, title text);
CREATE TABLE variant (id integer PRIMARY KEY, product_id integer NOT NULL REFERENCES product ON DELETE CASCADE ON UPDATE CASCADE, size text);
CREATE TABLE ord (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE);
CREATE TABLE item (id integer PRIMARY KEY, ord_id integer NOT NULL REFERENCES ord ON DELETE CASCADE, variant_id integer NOT NULL REFERENCES variant ON DELETE CASCADE ON UPDATE CASCADE, qty integer NOT NULL);
CREATE INDEX ON variant (product_id);
CREATE INDEX ON ord (customer_id);
CREATE INDEX ON item (ord_id);
CREATE INDEX ON item (variant_id);

CREATE VIEW v_sales AS
SELECT c.city, p.category, jsonb_build_object('qty', sum(i.qty), 'sizes', jsonb_agg(DISTINCT v.size)) AS data
  FROM item i JOIN ord o ON o.id = i.ord_id JOIN customer c ON c.id = o.customer_id
  JOIN variant v ON v.id = i.variant_id JOIN product p ON p.id = v.product_id
 GROUP BY c.city, p.category;

CREATE VIEW v_pair AS
SELECT c.id AS customer, p.id AS product, jsonb_build_object('c', c.name, 'p', p.title,
       'n', (SELECT count(*) FROM item i JOIN ord o ON o.id = i.ord_id JOIN variant v ON v.id = i.variant_id
              WHERE o.customer_id = c.id AND v.product_id = p.id)) AS data
  FROM customer c JOIN product p ON p.category = c.city;

CREATE VIEW v_bought AS
SELECT DISTINCT o.customer_id, v.product_id, jsonb_build_object('c', o.customer_id) AS data
  FROM item i JOIN ord o ON o.id = i.ord_id JOIN variant v ON v.id = i.variant_id;
