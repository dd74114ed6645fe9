-- Keys that VALUES and functions make of constants: the documents are there whatever the tables hold, and no table's rows are theirs.
CREATE TABLE shop (id integer PRIMARY KEY, name text NOT NULL, opens smallint CHECK (opens BETWEEN 0 AND 6));
CREATE TABLE orders (id integer PRIMARY KEY, shop_id integer REFERENCES shop ON DELETE CASCADE,
                     status varchar(10) CHECK (status IN ('draft', 'placed', 'gone')), hour integer CHECK (hour BETWEEN -1 AND 5),
                     at timestamp NOT NULL CHECK (at >= '2026-01-01' AND at < '2026-01-05'), total numeric(6, 2), tax numeric);
CREATE TABLE note (id integer PRIMARY KEY, hour smallint CHECK (hour BETWEEN -1 AND 5), body text);
CREATE INDEX ON orders (status);
CREATE INDEX ON orders (hour);
CREATE INDEX ON orders (shop_id);
CREATE INDEX ON orders ((at::date));
CREATE INDEX ON note (hour);
CREATE INDEX ON shop (opens);

-- A label follows from what tells the rows apart.
CREATE VIEW v_board AS
SELECT s.status, jsonb_build_object('label', s.label, 'orders', count(o.id), 'total', sum(o.total)) AS data
  FROM (VALUES ('draft', 'Draft'), ('placed', 'Placed')) AS s(status, label)
  LEFT JOIN orders AS o ON o.status = s.status
 GROUP BY s.status, s.label;

-- What the rows that are compared lead on to.
CREATE VIEW v_column AS
SELECT s.status, s.label,
       jsonb_build_object(
           'label', s.label,
           'orders', coalesce((SELECT jsonb_agg(jsonb_build_object('id', o.id, 'total', o.total) ORDER BY o.id)
                                 FROM orders AS o WHERE o.status = s.status), '[]'),
           'shops', (SELECT jsonb_agg(h.name ORDER BY h.id, o.id) FROM orders AS o JOIN shop AS h ON h.id = o.shop_id WHERE o.status = s.status)
       ) AS data
  FROM (VALUES ('draft', 'Draft'), ('placed', 'Placed'), ('lost', 'Lost')) AS s(status, label);

CREATE VIEW v_hour AS
SELECT g.n, jsonb_build_object('orders', count(o.id), 'total', coalesce(sum(o.total), 0)) AS data
  FROM generate_series(0, 4) AS g(n)
  LEFT JOIN orders AS o ON o.hour = g.n AND o.status <> 'gone'
 GROUP BY g.n;

-- Documents come and go with the orders.
CREATE VIEW v_busy_hour AS
SELECT g.n, jsonb_build_object('orders', count(o.id)) AS data
  FROM orders AS o RIGHT JOIN generate_series(0, 4) AS g(n) ON o.hour = g.n
 GROUP BY g.n
HAVING count(o.id) > 1;

-- Several tables side by side, one of them narrower than the key, one below a group.
CREATE VIEW v_desk AS
SELECT g.n,
       jsonb_build_object(
           'notes', coalesce((SELECT jsonb_agg(x.body ORDER BY x.id) FROM note AS x WHERE x.hour = g.n), '[]'),
           'orders', o.orders, 'shop', h.names,
           'is_late', EXISTS (SELECT FROM orders AS late WHERE late.hour = g.n AND late.status = 'draft')
       ) AS data
  FROM generate_series(0, 4) AS g(n)
  LEFT JOIN (SELECT i.hour, count(*) AS orders FROM orders AS i GROUP BY i.hour) AS o ON o.hour = g.n
  LEFT JOIN (SELECT h.opens, jsonb_agg(h.name ORDER BY h.id) AS names FROM shop AS h GROUP BY h.opens) AS h ON h.opens = g.n;

-- Constants that have to be converted, beside a table's key.
CREATE VIEW v_text AS
SELECT h.id, s.x::integer AS n, jsonb_build_object('shop', h.name, 'orders', count(o.id)) AS data
  FROM shop AS h CROSS JOIN (VALUES ('1'), ('2')) AS s(x)
  LEFT JOIN orders AS o ON o.shop_id = h.id AND o.hour::text = s.x
 GROUP BY h.id, s.x::integer;

-- What hangs below a use that knows but one of the two.
CREATE VIEW v_below AS
SELECT s.status, g.n, jsonb_build_object('orders', count(o.id),
           'shops', (SELECT jsonb_agg(h.name ORDER BY h.id, x.id) FROM orders AS x JOIN shop AS h ON h.id = x.shop_id WHERE x.hour = g.n)) AS data
  FROM (VALUES ('draft'), ('placed')) AS s(status)
 CROSS JOIN generate_series(0, 2) AS g(n)
  JOIN orders AS o ON o.status = s.status AND o.hour = g.n
 GROUP BY s.status, g.n;

-- Each way to compare narrows a key of several columns.
CREATE VIEW v_grid AS
SELECT h.id, s.status, g.n, jsonb_build_object('shop', h.name, 'orders', count(o.id)) AS data
  FROM shop AS h
 CROSS JOIN (VALUES ('draft'), ('placed')) AS s(status)
 CROSS JOIN generate_series(0, 2) AS g(n)
  LEFT JOIN orders AS o ON o.shop_id = h.id AND o.status = s.status AND o.hour = g.n
 GROUP BY h.id, s.status, g.n;

CREATE VIEW v_pair AS
SELECT s.status, g.n, jsonb_build_object('orders', jsonb_agg(o.id ORDER BY o.id), 'notes', (SELECT count(*) FROM note AS x WHERE x.hour = g.n)) AS data
  FROM (VALUES ('draft'), ('placed')) AS s(status)
 CROSS JOIN generate_series(0, 2) AS g(n)
  JOIN orders AS o ON o.status = s.status AND o.hour = g.n
 GROUP BY s.status, g.n;

CREATE VIEW v_day AS
SELECT d.day, jsonb_build_object('orders', coalesce(jsonb_agg(o.id ORDER BY o.id) FILTER (WHERE o.id IS NOT NULL), '[]')) AS data
  FROM (SELECT t::date AS day FROM generate_series(timestamp '2026-01-01', '2026-01-04', '1 day') AS t) AS d
  LEFT JOIN orders AS o ON o.at::date = d.day
 GROUP BY d.day;

CREATE VIEW v_state AS
WITH s (status) AS (VALUES ('draft'), ('gone'))
SELECT s.status, jsonb_build_object('orders', count(o.id)) AS data FROM s LEFT JOIN orders AS o USING (status) GROUP BY s.status;

-- Rows of VALUES over a row of a table.
CREATE VIEW v_amount AS
SELECT o.id, p.kind, jsonb_build_object('amount', p.amount, 'shop', h.name) AS data
  FROM orders AS o
  LEFT JOIN shop AS h ON h.id = o.shop_id
 CROSS JOIN LATERAL (VALUES ('total', o.total), ('tax', o.tax), ('both', o.total + o.tax)) AS p(kind, amount);

CREATE VIEW v_amounts AS
SELECT p.kind, jsonb_build_object('sum', sum(p.amount), 'orders', count(*)) AS data
  FROM orders AS o CROSS JOIN LATERAL (VALUES ('total', o.total), ('tax', o.tax)) AS p(kind, amount)
 WHERE p.amount > 0
 GROUP BY p.kind;
