-- A view with ORDER BY below a LIMIT: the first row is decided by a column that nobody selects.
CREATE TABLE p (id integer PRIMARY KEY, t text);
CREATE TABLE c (id integer PRIMARY KEY, p_id integer, rank integer, t text);
CREATE INDEX ON c (p_id);
CREATE VIEW c_sorted AS SELECT c.id, c.p_id, c.t FROM c ORDER BY c.rank, c.id;
CREATE VIEW v_p AS
SELECT p.id, jsonb_build_object('first', (SELECT s.t FROM c_sorted s WHERE s.p_id = p.id LIMIT 1)) AS data FROM p;
