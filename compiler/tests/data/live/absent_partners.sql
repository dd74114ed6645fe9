-- Groups by what an outer join has found, with a group of those that it has found nothing for.
CREATE TABLE cat (id integer PRIMARY KEY, name text NOT NULL, note text, boss integer REFERENCES cat ON DELETE SET NULL);
CREATE INDEX ON cat (boss);
CREATE INDEX ON cat (name);
CREATE TABLE prod (id integer PRIMARY KEY, cat integer, name text NOT NULL, price integer);
CREATE INDEX ON prod (cat);
CREATE TABLE review (id integer PRIMARY KEY, prod integer NOT NULL REFERENCES prod ON DELETE CASCADE ON UPDATE CASCADE, stars integer);
CREATE INDEX ON review (prod);
CREATE TABLE area (country text, town text, size integer, PRIMARY KEY (country, town));
CREATE TABLE shop (id integer PRIMARY KEY, country text, town text, kind text);
CREATE INDEX ON shop (country, town);

CREATE VIEW by_cat AS
SELECT c.id, c.name, jsonb_build_object('n', count(*), 'products', jsonb_agg(p.name ORDER BY p.id), 'note', c.note,
    'below', (SELECT count(*) FROM cat b WHERE b.boss = c.id)) AS data
FROM prod p LEFT JOIN cat c ON c.id = p.cat
GROUP BY c.id;

CREATE VIEW by_name AS
SELECT coalesce(c.name, 'none') AS category, jsonb_build_object('n', count(*), 'stars', sum(r.stars)) AS data
FROM prod p LEFT JOIN cat c ON c.id = p.cat LEFT JOIN review r ON r.prod = p.id
WHERE p.price IS DISTINCT FROM 0
GROUP BY coalesce(c.name, 'none');

-- The same table on both sides.
CREATE VIEW by_boss AS
SELECT b.id AS boss, b.name, jsonb_build_object('n', count(*), 'names', jsonb_agg(c.name ORDER BY c.id)) AS data
FROM cat c LEFT JOIN cat b ON b.id = c.boss
GROUP BY b.id;

-- Several columns are compared.
CREATE VIEW by_area AS
SELECT a.country, a.town, jsonb_build_object('size', a.size, 'shops', jsonb_agg(s.id ORDER BY s.id), 'kinds', count(DISTINCT s.kind)) AS data
FROM shop s LEFT JOIN area a ON a.country = s.country AND a.town = s.town
GROUP BY a.country, a.town;

-- From below the preserved side.
CREATE VIEW stars AS
SELECT upper(c.name) AS name, jsonb_build_object('stars', jsonb_agg(r.stars ORDER BY r.id), 'best', max(r.stars)) AS data
FROM review r JOIN prod p ON p.id = r.prod LEFT JOIN cat c ON c.id = p.cat
GROUP BY upper(c.name);
