-- Outer joins of every kind that the slice has: extra conditions, inner joins over the nullable side, anti-joins,
-- nested and chained ones, views on the nullable side.
CREATE TABLE a (id integer PRIMARY KEY, b_id integer, c_id integer, kind text, x integer);
CREATE TABLE b (id integer PRIMARY KEY, c_id integer, kind text, x integer, t text);
CREATE TABLE c (id integer PRIMARY KEY, b_id integer, kind text, x integer, t text);
CREATE INDEX ON a (b_id); CREATE INDEX ON a (c_id); CREATE INDEX ON b (c_id); CREATE INDEX ON c (b_id);

CREATE VIEW bc AS
SELECT b.id, b.x, b.t, c.t AS ct, c.x AS cx, 'known' AS word, coalesce(b.t, 'none') AS shown,
       (SELECT count(*) FROM a aa WHERE aa.b_id = b.id) AS used, (SELECT count(*) FROM c cc) AS never
  FROM b JOIN c ON c.id = b.c_id
 WHERE b.kind = c.kind OR c.kind IS NULL;

CREATE VIEW v_plain AS
SELECT a.id, jsonb_build_object('x', a.x, 'b', b.t, 'c', jsonb_build_object('t', c.t, 'x', c.x)) AS data
  FROM a LEFT JOIN b ON b.id = a.b_id AND a.kind = 'left' AND b.x > 0
  LEFT JOIN c ON c.id = b.c_id AND c.x = a.x;

CREATE VIEW v_inner_over AS
SELECT a.id, jsonb_build_object('b', b.t, 'c', c.t) AS data
  FROM a LEFT JOIN b ON b.id = a.b_id JOIN c ON c.id = b.c_id;

CREATE VIEW v_nested AS
SELECT a.id, jsonb_build_object('b', b.t, 'c', c.t, 'ct', d.t) AS data
  FROM a LEFT JOIN (b JOIN c ON c.id = b.c_id LEFT JOIN c d ON d.id = c.b_id AND d.kind = b.kind) ON b.id = a.b_id AND c.x = a.x;

CREATE VIEW v_anti AS
SELECT a.id, jsonb_build_object('x', a.x, 'c', c.t) AS data
  FROM a LEFT JOIN b ON b.id = a.b_id AND b.x > 1 LEFT JOIN c ON a.c_id = c.id
 WHERE b.id IS NULL AND NOT EXISTS (SELECT FROM c z WHERE z.b_id = a.id AND z.x > 1);

CREATE VIEW v_view AS
SELECT a.id, jsonb_build_object('w', bc.word, 's', bc.shown, 'ct', bc.ct, 'used', bc.used, 'x', bc.x IS NULL) AS data
  FROM a LEFT JOIN bc ON bc.id = a.b_id AND bc.cx >= a.x;

CREATE VIEW v_twice AS
SELECT a.id, jsonb_build_object('one', one.shown, 'two', two.shown, 'used', two.used) AS data
  FROM a LEFT JOIN bc one ON one.id = a.b_id, bc two
 WHERE two.id = a.c_id;
