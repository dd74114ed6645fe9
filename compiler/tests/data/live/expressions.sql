-- Links and keys that are expressions: joins, correlations, GROUP BY, arrays, ranges, casts out of json.
CREATE TABLE person (id integer PRIMARY KEY, email text NOT NULL, data jsonb, tags integer[] NOT NULL DEFAULT '{}', low integer, high integer);
CREATE TABLE login (id integer PRIMARY KEY, email text, person_ref text, at timestamp NOT NULL, amount integer NOT NULL);
CREATE TABLE tag (id integer PRIMARY KEY, label text);
CREATE INDEX ON login (lower(email));
CREATE INDEX ON person (lower(email));

CREATE VIEW v_person AS
SELECT p.id, jsonb_build_object(
    'email', p.email,
    'logins', (SELECT jsonb_agg(l.id ORDER BY l.id) FROM login l WHERE lower(l.email) = lower(p.email)),
    'by_ref', (SELECT count(*) FROM login l WHERE l.person_ref = p.id::text),
    'in_range', (SELECT count(*) FROM login l WHERE l.amount BETWEEN p.low AND p.high),
    'tags', (SELECT jsonb_agg(t.label ORDER BY t.id) FROM tag t WHERE t.id = ANY (p.tags)),
    'either', (SELECT count(*) FROM login l WHERE l.email = p.email OR l.amount = p.low)) AS data
  FROM person p;

CREATE VIEW v_login AS
SELECT l.id, jsonb_build_object('amount', l.amount, 'tag', t.label) AS data
  FROM login l LEFT JOIN tag t ON t.id = (l.amount / 2)::integer;

CREATE VIEW v_month AS
SELECT date_trunc('month', l.at) AS month, lower(l.email) AS email,
       jsonb_build_object('n', count(*), 'sum', sum(l.amount)) AS data
  FROM login l WHERE lower(l.email) IS NOT NULL GROUP BY 1, lower(l.email);

CREATE VIEW v_kind AS
SELECT coalesce(p.data ->> 'kind', 'none') AS kind, jsonb_build_object('ids', jsonb_agg(p.id ORDER BY p.id)) AS data
  FROM person p GROUP BY coalesce(p.data ->> 'kind', 'none');

-- The expression is a view's column, and the group is joined again.
CREATE VIEW keyed AS SELECT l.id, lower(l.email) AS mail, l.amount FROM login l;
CREATE VIEW v_mail AS
SELECT p.id, jsonb_build_object('sum', s.total, 'ids', (SELECT jsonb_agg(k.id ORDER BY k.id) FROM keyed k WHERE k.mail = lower(p.email))) AS data
  FROM person p LEFT JOIN (SELECT k.mail, sum(k.amount) AS total FROM keyed k GROUP BY k.mail) s ON s.mail = lower(p.email);

-- A function of the user's own tells its type.
CREATE FUNCTION initial(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT upper(left(name, 1)) $$;
CREATE VIEW v_initial AS
SELECT initial(p.email) AS letter, jsonb_build_object('n', count(*), 'ids', jsonb_agg(p.id ORDER BY p.id)) AS data
  FROM person p WHERE initial(p.email) IS NOT NULL GROUP BY initial(p.email);

-- One that has an output argument in the place of RETURNS, and makes the only document.
CREATE FUNCTION listed(IN found jsonb, OUT shown jsonb) LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(found, '[]') $$;
CREATE VIEW v_listed AS
SELECT p.id, listed((SELECT jsonb_agg(l.amount ORDER BY l.id) FROM login l WHERE l.email = p.email)) AS logins FROM person p;

-- Several patterns.
CREATE VIEW v_like AS
SELECT p.id, jsonb_build_object(
    'any', p.email ILIKE ANY (ARRAY['a%', '%1%']),
    'none', p.email NOT LIKE ALL (ARRAY['b%', p.data ->> 'kind']),
    'logins', (SELECT jsonb_agg(jsonb_build_object('id', l.id, 'ref', l.person_ref) ORDER BY l.id)
                 FROM login l WHERE l.email = p.email AND l.person_ref NOT LIKE ANY ('{1%,x%}'::text[]))) AS data
  FROM person p WHERE (p.email LIKE ANY (ARRAY['zz%', 'y%'])) IS NOT TRUE;
