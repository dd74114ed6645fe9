-- The order of the columns of *: each join's merged columns stand where the join stands, the last USING first.
CREATE TABLE z (q integer PRIMARY KEY, zt text);
CREATE TABLE a (x integer PRIMARY KEY, q integer NOT NULL, av text);
CREATE TABLE b (x integer PRIMARY KEY, bv text);
CREATE INDEX ON a (q);
CREATE VIEW j (c1, c2, c3, c4, c5, c6) AS SELECT * FROM z, a JOIN b USING (x) WHERE a.q = z.q;
CREATE VIEW v_j AS SELECT j.c1 AS z, j.c3 AS id, jsonb_build_object('t1', j.c2, 't2', j.c5, 't3', j.c6) AS data FROM j;
CREATE VIEW u (c1, c2, c3, c4, c5) AS SELECT * FROM a JOIN b USING (x) JOIN z USING (q);
CREATE VIEW v_u AS SELECT u.c1 AS z, u.c2 AS id, jsonb_build_object('t1', u.c3, 't2', u.c4, 't3', u.c5) AS data FROM u;
