-- Operators that the parser groups as PostgreSQL does, mixed without parentheses.
CREATE TABLE t (id int PRIMARY KEY, a int, b int, s text, j jsonb);
CREATE VIEW v_t AS
SELECT id, jsonb_build_object('x', -a ^ 2 * b + 1, 'y', j -> 'k' ->> 'l' || s, 'z', a::bigint::text || s COLLATE "C",
    'n', NOT a = b, 'm', a + b * 2 > 3 AND s LIKE 'x' || '%', 'c', CASE WHEN a IS NULL OR b IS NOT NULL THEN 1 ELSE - 1 END) AS data
FROM t
WHERE NOT a = b + 1 AND s LIKE 'a' || s AND a IS DISTINCT FROM b AND j ->> 'k' = s OR NOT EXISTS (SELECT 1 FROM t u WHERE u.id = t.a)
    AND a BETWEEN 1 AND 2 + 3 AND b = ANY (ARRAY[1, 2]) AND s ~ ('^' || s) AND a IN (1, 2) AND NOT b IN (3) AND (a = b) = true;
