-- Keys of two tables, of which a group, or rows that are picked or taken away, may show no document: one appears when rows go with their parents.
CREATE TABLE ord (id integer PRIMARY KEY, m integer);
CREATE TABLE prod (id integer PRIMARY KEY, seller integer);
CREATE TABLE line (ord integer NOT NULL REFERENCES ord ON DELETE CASCADE, n integer NOT NULL, prod integer REFERENCES prod ON DELETE CASCADE,
                   qty integer, PRIMARY KEY (ord, n));
CREATE TABLE plan (seller integer NOT NULL, m integer NOT NULL, PRIMARY KEY (seller, m));
CREATE INDEX ON line (prod); CREATE INDEX ON ord (m); CREATE INDEX ON prod (seller);

CREATE VIEW v_having AS
SELECT p.seller, o.m, jsonb_build_object('n', count(*), 'q', sum(l.qty)) AS data
  FROM ord AS o JOIN line AS l ON l.ord = o.id JOIN prod AS p ON p.id = l.prod
 WHERE p.seller IS NOT NULL AND o.m IS NOT NULL
 GROUP BY p.seller, o.m
HAVING count(*) % 2 = 1;

CREATE VIEW v_filtered AS
SELECT g.prod, g.m, jsonb_build_object('q', g.q) AS data
  FROM (SELECT l.prod, o.m, count(*) AS n, sum(l.qty) AS q FROM line AS l JOIN ord AS o ON o.id = l.ord
         WHERE l.prod IS NOT NULL AND o.m IS NOT NULL GROUP BY l.prod, o.m) AS g
 WHERE g.n < 2;

CREATE VIEW v_open AS
SELECT t.seller, t.m, jsonb_build_object('seller', t.seller) AS data
  FROM (SELECT seller, m FROM plan
        EXCEPT
        SELECT p.seller, o.m FROM line AS l JOIN ord AS o ON o.id = l.ord JOIN prod AS p ON p.id = l.prod) AS t;

CREATE VIEW v_first AS
SELECT t.prod, t.m, jsonb_build_object('q', t.qty) AS data
  FROM (SELECT DISTINCT ON (l.prod, o.m) l.prod, o.m, l.qty FROM line AS l JOIN ord AS o ON o.id = l.ord
         WHERE l.prod IS NOT NULL AND o.m IS NOT NULL ORDER BY l.prod, o.m, l.ord, l.n) AS t
 WHERE t.qty % 2 = 0;
