-- DISTINCT in a side of a union and in FROM, of documents too.
CREATE TABLE cat (id integer PRIMARY KEY, name text NOT NULL, tariff numeric, meta jsonb);
CREATE TABLE prod (id integer PRIMARY KEY, cat integer REFERENCES cat ON DELETE SET NULL, name text NOT NULL, price numeric);
CREATE TABLE event (id integer PRIMARY KEY, prod integer NOT NULL REFERENCES prod ON DELETE CASCADE, kind text NOT NULL, note text);

CREATE VIEW found AS
SELECT 'p' AS kind, p.id AS id, jsonb_build_object('name', p.name, 'price', p.price) AS data FROM prod p
UNION ALL
SELECT DISTINCT 'c', c.id, jsonb_build_object('name', c.name, 'tariff', c.tariff, 'meta', c.meta ->> 'size')
FROM cat c JOIN prod p ON p.cat = c.id;

CREATE VIEW word AS
SELECT 'prod' AS kind, p.name AS word, jsonb_build_object('of', 'prod', 'word', p.name) AS data FROM (SELECT DISTINCT name FROM prod) p
UNION ALL
SELECT DISTINCT 'event', e.kind, jsonb_build_object('of', 'event', 'word', upper(e.kind)) FROM event e
UNION ALL
SELECT 'note', n.note, n.data FROM (SELECT DISTINCT e.note, jsonb_build_object('note', e.note) AS data FROM event e WHERE e.note IS NOT NULL) n;

CREATE VIEW page AS
SELECT p.id, jsonb_build_object('name', p.name, 'kinds', coalesce((
    SELECT jsonb_agg(k.data ORDER BY k.kind)
    FROM (SELECT DISTINCT e.kind, jsonb_build_object('kind', e.kind, 'prod', p.name) AS data FROM event e WHERE e.prod = p.id) k), '[]')) AS data
FROM prod p;

-- Rows that look different for equal values are told by their key.
CREATE VIEW priced AS
SELECT DISTINCT c.id, c.tariff::text AS tariff, jsonb_build_object('name', c.name, 'tariff', c.tariff) AS data
FROM cat c JOIN prod p ON p.cat = c.id;
