-- LIMIT and OFFSET that are columns of the query around.
CREATE TABLE p (id integer PRIMARY KEY, t text, lim integer CHECK (lim >= 0), skip integer CHECK (skip >= 0));
CREATE TABLE c (id integer PRIMARY KEY, p_id integer, rank integer, t text);
CREATE INDEX ON c (p_id);
CREATE VIEW v_p AS
SELECT p.id,
       jsonb_build_object(
           'nth', (SELECT c.t FROM c WHERE c.p_id = p.id ORDER BY c.rank, c.id OFFSET p.skip LIMIT 1),
           'any', EXISTS (SELECT FROM c WHERE c.p_id = p.id LIMIT p.lim)) AS data
  FROM p;
