-- Links by columns of composite types and of domains over arrays.
CREATE TYPE pos AS (x int, y int);
CREATE DOMAIN ints AS int[];
CREATE TABLE a (id int primary key, p pos, d ints);
CREATE TABLE b (id int primary key, p pos, d ints);
CREATE VIEW v_a AS SELECT a.id, jsonb_build_object('n', (SELECT count(*) FROM b WHERE b.p = a.p)) AS data FROM a;
CREATE VIEW v_b AS SELECT b.id, jsonb_build_object('n', (SELECT count(*) FROM a WHERE a.d = b.d)) AS data FROM b;
