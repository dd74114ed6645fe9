-- A column that is an array itself: it becomes empty, and shows elements again.
CREATE TABLE parcel (id integer PRIMARY KEY, weight integer);
CREATE TABLE note (parcel_id integer NOT NULL, n integer NOT NULL, txt text, UNIQUE (parcel_id, n));
CREATE VIEW v_parcel AS
SELECT p.id,
       (SELECT jsonb_agg(jsonb_build_object('n', n.n, 't', n.txt) ORDER BY n.n) FROM note n WHERE n.parcel_id = p.id) AS notes,
       coalesce((SELECT jsonb_agg(jsonb_build_object('n', n.n, 'w', n.n + p.weight) ORDER BY n.txt, n.n)
                   FROM note n WHERE n.parcel_id = p.id), '[]'::jsonb) AS weighed,
       p.weight
  FROM parcel p;
-- writes
INSERT INTO parcel VALUES (1, 10), (2, 20);
INSERT INTO note VALUES (1, 1, 'b'), (2, 1, 'c');
INSERT INTO note VALUES (1, 2, 'a');
DELETE FROM note WHERE parcel_id = 2;
UPDATE note SET parcel_id = 2;
DELETE FROM note;
INSERT INTO note SELECT 1, n, n::text FROM generate_series(1, 40) AS n;
UPDATE note SET txt = 'x' WHERE n > 3;
DELETE FROM note WHERE n > 1;
DELETE FROM note;
