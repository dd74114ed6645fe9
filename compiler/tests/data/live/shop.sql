-- Order lines identified by their own key, products embedded through lines, filters that switch
-- documents and elements on and off, a many-to-many table, foreign-key actions.
CREATE TABLE customer (
    id     serial PRIMARY KEY,
    name   text NOT NULL,
    vip    boolean NOT NULL DEFAULT false
);
CREATE TABLE product (
    id     serial PRIMARY KEY,
    sku    text NOT NULL UNIQUE,
    name   text,
    price  numeric(10, 2),
    active boolean DEFAULT true
);
CREATE TABLE sale (
    id          serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE ON UPDATE CASCADE,
    status      text NOT NULL DEFAULT 'open',
    placed      timestamptz DEFAULT '2026-01-01 00:00+00'
);
CREATE TABLE sale_line (
    sale_id    integer NOT NULL REFERENCES sale ON DELETE CASCADE,
    line_no    integer NOT NULL,
    product_id integer REFERENCES product ON DELETE SET NULL ON UPDATE CASCADE,
    quantity   integer NOT NULL DEFAULT 1,
    PRIMARY KEY (sale_id, line_no)
);
CREATE INDEX ON sale (customer_id);
CREATE INDEX ON sale_line (product_id);
CREATE TABLE tag (
    id    serial PRIMARY KEY,
    label text UNIQUE
);
CREATE TABLE product_tag (
    product_id integer REFERENCES product ON DELETE CASCADE ON UPDATE CASCADE,
    tag_id     integer REFERENCES tag ON DELETE CASCADE,
    PRIMARY KEY (product_id, tag_id)
);
CREATE INDEX ON product_tag (tag_id);

CREATE VIEW v_product AS
SELECT p.id,
       p.sku,
       jsonb_build_object(
           'sku', p.sku, 'name', coalesce(p.name, upper(p.sku)), 'price', p.price,
           'tags', COALESCE((SELECT jsonb_agg(t.label ORDER BY t.label, t.id)
                               FROM product_tag pt JOIN tag t ON t.id = pt.tag_id
                              WHERE pt.product_id = p.id), '[]'::jsonb)) AS data
  FROM product p
 WHERE p.active;

CREATE VIEW v_sale AS
SELECT s.id,
       s.customer_id,
       s.status,
       jsonb_build_object(
           'id', s.id, 'status', s.status, 'placed', s.placed,
           'customer', jsonb_build_object('id', c.id, 'name', c.name),
           'total', (SELECT coalesce(sum(l.quantity * pr.price), 0)
                       FROM sale_line l JOIN product pr ON pr.id = l.product_id WHERE l.sale_id = s.id),
           'lines', (SELECT jsonb_agg(jsonb_build_object(
                                'line', l.line_no, 'quantity', l.quantity, 'product', vp.data)
                                ORDER BY l.line_no)
                       FROM sale_line l LEFT JOIN v_product vp ON vp.id = l.product_id
                      WHERE l.sale_id = s.id AND l.quantity > 0)) AS data
  FROM sale s JOIN customer c ON c.id = s.customer_id
 WHERE s.status IN ('open', 'paid') OR c.vip;

-- One document per line: the key is that of the lines, and sale.id is the same as sale_line.sale_id.
CREATE VIEW v_line AS
SELECT s.id AS sale_id, l.line_no, l.product_id,
       jsonb_build_object('sale', s.id, 'line', l.line_no, 'customer', c.name, 'sku', p.sku,
                          'also', (SELECT count(*) FROM sale_line o WHERE o.sale_id = l.sale_id)) AS data
  FROM sale_line l
  JOIN sale s ON s.id = l.sale_id
  JOIN customer c ON c.id = s.customer_id
  LEFT JOIN product p ON p.id = l.product_id;
