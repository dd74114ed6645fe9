-- A subquery that compares a column of the query around it with a constant fixes nothing there: the key needs both columns.
CREATE TABLE orders (id integer PRIMARY KEY, t text);
CREATE TABLE line (order_id integer, main boolean, qty integer, PRIMARY KEY (order_id, main));
CREATE TABLE n (id serial PRIMARY KEY, oid integer);
CREATE INDEX ON n (oid);
CREATE VIEW v_line AS
SELECT o.id, l.main,
       jsonb_build_object('t', o.t, 'q', l.qty, 'x', (SELECT count(*) FROM n WHERE n.oid = o.id AND l.main = true)) AS data
  FROM orders o JOIN line l ON l.order_id = o.id;
