-- Keys and links as people write them, in reports and in older schemas.
CREATE TYPE money_amount AS (amount numeric(12, 2), currency char(3));
CREATE TABLE store (store_key serial PRIMARY KEY, code varchar(10) NOT NULL UNIQUE, opened date, zone text NOT NULL);
CREATE TABLE sale (id bigint PRIMARY KEY, store_key integer NOT NULL REFERENCES store, at timestamptz NOT NULL, price money_amount);
CREATE INDEX ON sale (store_key);
CREATE TABLE material (client char(3) NOT NULL, no varchar(18) NOT NULL, PRIMARY KEY (client, no));
CREATE TABLE material_text (client char(3) NOT NULL, no varchar(18) NOT NULL, lang char(1) NOT NULL, body varchar(40), PRIMARY KEY (client, no, lang));
CREATE TABLE device (serial text PRIMARY KEY, ip inet NOT NULL, tags text[] NOT NULL);
CREATE TABLE part (id integer PRIMARY KEY, parent varchar(18) NOT NULL, child varchar(18) NOT NULL);

-- Two keys of one group, of which the view shows one.
CREATE VIEW v_store_sales AS
SELECT s.store_key, jsonb_build_object('code', s.code, 'n', count(*)) AS data
  FROM sale f JOIN store s ON s.store_key = f.store_key GROUP BY s.store_key, s.code;
-- Times in a zone, fields that only grow, and others of finite times.
CREATE VIEW v_hour AS
SELECT date_trunc('hour', at AT TIME ZONE 'UTC') AS hour, jsonb_build_object('n', count(*)) AS data FROM sale GROUP BY 1;
CREATE VIEW v_year AS
SELECT store_key, extract(year FROM at)::integer AS year, jsonb_build_object('n', count(*)) AS data FROM sale GROUP BY 1, 2;
CREATE VIEW v_month AS
SELECT to_char(opened, 'YYYY-MM') AS month, jsonb_build_object('n', count(*)) AS data FROM store WHERE isfinite(opened) GROUP BY 1;
-- Networks.
CREATE VIEW v_net AS SELECT set_masklen(ip, 24)::cidr AS net, jsonb_build_object('n', count(*)) AS data FROM device GROUP BY 1;
-- A literal in ON is of the type of what it is compared with.
CREATE VIEW v_material AS
SELECT m.client, m.no, jsonb_build_object('text', COALESCE(e.body, d.body)) AS data
  FROM material m
  LEFT JOIN material_text e ON e.client = m.client AND e.no = m.no AND e.lang = 'E'
  LEFT JOIN material_text d ON d.client = m.client AND d.no = m.no AND d.lang = 'D';
-- Fields of composite values.
CREATE VIEW v_currency AS
SELECT (price).currency, jsonb_build_object('total', sum((price).amount)) AS data FROM sale WHERE (price).currency IS NOT NULL GROUP BY (price).currency;
-- A recursion's columns have the types that it begins with.
-- tviewc: full_refresh
-- tviewc: key(root, child)
CREATE VIEW v_parts AS
WITH RECURSIVE b (root, child, level) AS (
    SELECT parent, child, 1 FROM part UNION SELECT b.root, p.child, b.level + 1 FROM b JOIN part p ON p.parent = b.child WHERE b.level < 5)
SELECT root, child, jsonb_build_object('level', min(level)) AS data FROM b GROUP BY root, child;
