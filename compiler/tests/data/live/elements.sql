-- Tables joined to what set-returning functions make of columns.
CREATE TABLE product (id integer PRIMARY KEY, code text NOT NULL, name text, price numeric(8,2));
CREATE TABLE basket (id integer PRIMARY KEY, codes text[] NOT NULL, items jsonb NOT NULL, favourite integer);
CREATE TABLE gift (id integer PRIMARY KEY, basket_id integer REFERENCES basket ON DELETE CASCADE, body text);
CREATE INDEX ON gift (basket_id);

CREATE VIEW v_codes AS
SELECT b.id, jsonb_build_object('named', (SELECT jsonb_agg(p.name ORDER BY u.at, p.id)
         FROM unnest(b.codes) WITH ORDINALITY AS u (code, at) JOIN product p ON p.code = u.code)) AS data
  FROM basket b;

-- The element alone, an expression of it, one side outer, an element that need not be there.
CREATE VIEW v_items AS
SELECT b.id, jsonb_build_object('lines', (SELECT jsonb_agg(jsonb_build_object('p', p.name, 'e', e) ORDER BY p.id)
         FROM jsonb_array_elements(CASE jsonb_typeof(b.items) WHEN 'array' THEN b.items ELSE '[]' END) e
         JOIN product p ON p.name = (e #>> '{}') OR p.code = upper(e #>> '{}')),
       'left', (SELECT count(p.id) FROM unnest(b.codes) w LEFT JOIN product p ON lower(p.code) = lower(w)),
       'outer', (SELECT jsonb_agg(p.price ORDER BY p.id) FROM basket o LEFT JOIN LATERAL unnest(o.codes) AS c ON true
                  LEFT JOIN product p ON p.code = c WHERE o.id = b.id)) AS data
  FROM basket b;

-- Functions of functions; through a derived table; a constant beside columns.
CREATE VIEW v_deep AS
SELECT b.id, jsonb_build_object('n', (SELECT count(*)
         FROM (SELECT left(w.part, 3) AS part FROM unnest(b.codes) AS c, regexp_split_to_table(c, '-') AS w (part)) s
         JOIN product p ON left(p.code, 3) = s.part),
       'ids', (SELECT jsonb_agg(p.name ORDER BY p.id) FROM unnest(ARRAY[1, 2, b.favourite]) AS f (id) JOIN product p ON p.id = f.id),
       'gifts', (SELECT jsonb_agg(g.body ORDER BY g.id) FROM gift g WHERE g.basket_id = b.id AND g.body IN (SELECT * FROM unnest(b.codes)))) AS data
  FROM basket b;
