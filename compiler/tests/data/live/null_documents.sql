-- Documents that an outer join makes NULL: an expanded view's object, a whole row.
CREATE TABLE a (id int primary key, b_id int);
CREATE TABLE b (id int primary key, t text);
CREATE VIEW v_b AS SELECT b.id, jsonb_build_object('t', b.t) AS data FROM b;
CREATE VIEW v_a AS SELECT a.id, v.data FROM a LEFT JOIN v_b v ON v.id = a.b_id;
CREATE VIEW v_a2 AS SELECT a.id, to_jsonb(b) AS data FROM a LEFT JOIN b ON b.id = a.b_id;
