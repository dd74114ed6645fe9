-- Elements that nothing tells apart: without a key, with a key that they do not show, and with one that is not theirs alone.
CREATE TABLE cart (id integer PRIMARY KEY);
CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE line (cart_id integer NOT NULL REFERENCES cart, product_id integer NOT NULL REFERENCES product, amount integer);
CREATE TABLE note (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, body text);
CREATE INDEX ON line (cart_id);
CREATE INDEX ON line (product_id);
CREATE INDEX ON note (cart_id);

CREATE VIEW v_cart AS
SELECT c.id, jsonb_build_object(
    'lines', (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'amount', l.amount) ORDER BY p.id, l.amount)
                FROM line l JOIN product p ON p.id = l.product_id WHERE l.cart_id = c.id),
    'bare', (SELECT jsonb_agg(jsonb_build_object('product', l.product_id) ORDER BY l.product_id) FROM line l WHERE l.cart_id = c.id),
    'notes', (SELECT jsonb_agg(jsonb_build_object('body', n.body) ORDER BY n.id) FROM note n WHERE n.cart_id = c.id)) AS data
  FROM cart c;
