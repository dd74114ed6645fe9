-- Views that are read by key in another form than they are written in: CTEs read twice, grouped queries in joins, windows.
CREATE TABLE "Owner" (id integer PRIMARY KEY, boss integer, name text NOT NULL, team text);
CREATE TABLE item (id integer PRIMARY KEY, "Owner id" integer REFERENCES "Owner" ON DELETE CASCADE, kind text, price numeric(8,2) NOT NULL);
CREATE INDEX ON "Owner" (boss);
CREATE INDEX ON "Owner" (team);
CREATE INDEX ON item ("Owner id");

-- tviewc: skip
CREATE VIEW per_owner AS
SELECT i."Owner id" AS o, count(*) AS n, jsonb_agg(i.price ORDER BY i.id) AS prices FROM item i GROUP BY i."Owner id";

CREATE VIEW v_owner AS
WITH sums AS (SELECT i."Owner id" AS o, sum(i.price) AS total FROM item i GROUP BY 1),
     kinds AS MATERIALIZED (SELECT DISTINCT i."Owner id" AS o, i.kind FROM item i WHERE i.kind IS NOT NULL)
SELECT o.id, jsonb_build_object('own', s.total, 'boss', b.total, 'prices', p.prices, 'few', q.n,
       'kinds', (SELECT jsonb_agg(k.kind ORDER BY k.kind) FROM kinds k WHERE k.o = o.id)) AS data
  FROM "Owner" o
  LEFT JOIN sums s ON s.o = o.id
  LEFT JOIN sums AS b ON b.o = o.boss AND left(o.name, 1) <> 'x'
  LEFT JOIN per_owner p ON p.o = o.boss
  LEFT JOIN (SELECT per_owner.o, per_owner.n FROM per_owner) AS q (who, n) ON q.who = o.boss AND q.n < 3;

CREATE VIEW v_led AS
SELECT o.id, jsonb_build_object('name', o.name, 'n', d.n, 'kinds', e.kinds) AS data
  FROM "Owner" o
  JOIN (SELECT i."Owner id" AS boss, count(*) AS n FROM item i GROUP BY i."Owner id") d ON d.boss = o.boss
  LEFT JOIN LATERAL (SELECT jsonb_agg(i.kind ORDER BY i.id) AS kinds FROM item i WHERE i."Owner id" = o.boss) e ON true
 WHERE o.name IS DISTINCT FROM 'nobody';

-- NULL is a partition; an expression is one; what all windows share is not the whole of any.
CREATE VIEW v_place AS
SELECT o.id, o.team AS partition_1, jsonb_build_object('place', rank() OVER w, 'of', count(*) OVER (PARTITION BY o.team),
       'before', lag(o.name) OVER (w ROWS UNBOUNDED PRECEDING), 'items', (SELECT count(*) FROM item i WHERE i."Owner id" = o.id)) AS data
  FROM "Owner" o
WINDOW w AS (PARTITION BY O.TEAM /* folded */, o.boss % 2 ORDER BY o.name, o.id);

CREATE VIEW v_dear (k, "the data") AS
SELECT i.id, jsonb_build_object('n', row_number() OVER (PARTITION BY lower(i.kind) ORDER BY i.price DESC, i.id),
       'owner', w.name, 'sum', sum(i.price) OVER (PARTITION BY lower(i.kind)))
  FROM item i LEFT JOIN "Owner" w ON w.id = i."Owner id";

CREATE VIEW v_total AS
SELECT i.kind, jsonb_build_object('sum', sum(i.price), 'rank', rank() OVER (PARTITION BY length(i.kind) ORDER BY sum(i.price) DESC)) AS data
  FROM item i WHERE i.kind IS NOT NULL GROUP BY i.kind;

-- Written without blanks.
CREATE VIEW v_tight AS
SELECT(o.id),jsonb_build_object('n',b.n)AS data,(rank()OVER(PARTITION BY(o.team)ORDER BY(o.id)))AS place
  FROM "Owner" o LEFT JOIN(SELECT(i."Owner id")AS o,count(*)AS n FROM item i GROUP BY(i."Owner id"))"b"ON(b.o=o.boss);
