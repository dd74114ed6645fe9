-- Subqueries in every place where an expression may stand, correlated one and two levels up.
CREATE TABLE p (id integer PRIMARY KEY, q_id integer, flag boolean, n integer, t text);
CREATE TABLE q (id integer PRIMARY KEY, p_id integer, flag boolean, n integer, t text);
CREATE TABLE r (id integer PRIMARY KEY, p_id integer, q_id integer, flag boolean, n integer, t text);
CREATE TABLE loose (p_id integer, q_id integer, t text);
CREATE INDEX ON q (p_id); CREATE INDEX ON r (p_id); CREATE INDEX ON r (q_id); CREATE INDEX ON loose (p_id, q_id); CREATE INDEX ON p (q_id);

CREATE VIEW v_p AS
SELECT p.id, p.n,
       jsonb_build_object(
           'case', CASE WHEN EXISTS (SELECT FROM q WHERE q.p_id = p.id AND q.flag) THEN p.t
                        WHEN (SELECT max(r.n) FROM r WHERE r.p_id = p.id) > p.n THEN (SELECT min(r.t) FROM r WHERE r.p_id = p.id)
                        ELSE 'none' END,
           'in', p.n IN (SELECT q.n FROM q WHERE q.p_id = p.id),
           'not in', p.n NOT IN (SELECT r.n FROM r WHERE r.p_id = p.id),
           'any', p.n < ANY (SELECT r.n FROM r WHERE r.p_id = p.id),
           'all', p.n <= ALL (SELECT r.n FROM r WHERE p.id = r.p_id),
           'filter', (SELECT jsonb_agg(q.t ORDER BY (SELECT count(*) FROM r WHERE r.q_id = q.id), q.id)
                              FILTER (WHERE EXISTS (SELECT FROM r WHERE r.q_id = q.id AND r.p_id = p.id))
                        FROM q WHERE q.p_id = p.id),
           'deep', (SELECT jsonb_agg(jsonb_build_object('q', q.id,
                              'r', (SELECT jsonb_agg(r.t || p.t ORDER BY r.id) FROM r WHERE r.q_id = q.id AND r.p_id = p.id AND r.n > p.n)) ORDER BY q.id)
                      FROM q WHERE q.p_id = p.id AND (q.flag OR EXISTS (SELECT FROM r WHERE r.q_id = q.id AND r.flag))),
           'up only', (SELECT jsonb_agg((SELECT count(*) FROM r WHERE r.p_id = p.id AND r.n > q.n) ORDER BY q.id) FROM q WHERE q.p_id = p.id),
           'coalesce', COALESCE((SELECT q.t FROM q WHERE q.p_id = p.id AND q.n IS NOT NULL ORDER BY q.n, q.id LIMIT 1),
                                (SELECT r.t FROM r WHERE r.p_id = p.id ORDER BY r.id DESC LIMIT 1), 'z'),
           'second', (SELECT r.t FROM r WHERE r.p_id = p.id ORDER BY r.n NULLS FIRST, r.id OFFSET 1 LIMIT 1),
           'loose', (SELECT string_agg(l.t, ',' ORDER BY l.t) FROM loose l JOIN q ON q.id = l.q_id WHERE l.p_id = p.id),
           'both', (SELECT count(DISTINCT l.t) FROM loose l WHERE (l.p_id, l.q_id) = (p.id, p.q_id)),
           'join', (SELECT jsonb_object_agg(q.id, r.t ORDER BY q.id, r.id) FROM q, r WHERE r.q_id = q.id AND q.p_id = p.id)
       ) AS data
  FROM p
 WHERE NOT EXISTS (SELECT FROM q WHERE q.p_id = p.id AND q.n = 3 AND NOT EXISTS (SELECT FROM r WHERE r.q_id = q.id))
   AND (p.flag IS NOT FALSE OR (SELECT bool_or(r.flag) FROM r WHERE r.p_id = p.id));

-- The join condition itself asks another table.
CREATE VIEW v_q AS
SELECT q.id, json_build_object('p', p.t, 'r', (SELECT json_agg(r ORDER BY r.id) FROM r WHERE r.q_id = q.id)) AS plain,
       to_jsonb(q) || jsonb_build_object('more', p.n) AS data, q.t || '?' AS asked
  FROM q LEFT JOIN p ON p.id = q.p_id AND EXISTS (SELECT FROM r WHERE r.p_id = p.id AND r.n >= q.n);
