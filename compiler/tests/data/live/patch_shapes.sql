-- Patched values beside what is not patched: windows, groups and latest rows of the same tables, a partitioned table, a whole
-- row at a path, an object of which only some fields are patched with another object in it, an object on the nullable side
-- of an outer join, values of types that cannot be collected.

CREATE TYPE extent AS (low integer, high integer);

CREATE TABLE team (
    id     integer PRIMARY KEY,
    name   text,
    motto  text,
    colour text,
    tags   text[],
    extent extent,
    extra  jsonb,
    raw    json
);

CREATE TABLE runner (
    id     integer,
    year   integer,
    team   integer REFERENCES team (id) ON UPDATE CASCADE ON DELETE SET NULL,
    name   character(8),
    time   numeric,
    seen   timestamptz,
    PRIMARY KEY (year, id)
) PARTITION BY LIST (year);
CREATE TABLE runner_1 PARTITION OF runner FOR VALUES IN (1, 2, 3);
CREATE TABLE runner_rest PARTITION OF runner DEFAULT;

CREATE INDEX runner_team ON runner (team);

CREATE VIEW v_runner AS
SELECT
    r.year,
    r.id,
    r.seen,
    t.tags AS team_tags,
    jsonb_build_object(
        'name', r.name,
        'seen', r.seen,
        'place', rank() OVER (PARTITION BY r.year ORDER BY r.time, r.id),
        'team', jsonb_build_object(
            'name', t.name, 'tags', t.tags, 'extent', t.extent, 'loud', upper(t.motto),
            'inner', jsonb_build_object('colour', t.colour, 'extra', t.extra, 'time', r.time, 'raw', t.raw)),
        'row', to_jsonb(t),
        'object', o.object
    ) AS data
FROM runner r
LEFT JOIN team t ON t.id = r.team
LEFT JOIN (SELECT x.id, jsonb_build_object('name', x.name, 'extra', x.extra, 'one', 1) AS object FROM team x) o ON o.id = r.team;

CREATE VIEW v_team AS
SELECT
    t.id,
    t.colour,
    jsonb_build_object('name', t.name, 'motto', t.motto, 'runners', g.n, 'best', b.name) AS data,
    json_build_object('name', t.name) AS plain
FROM team t
LEFT JOIN (SELECT r.team, count(*) AS n, min(r.time) AS time FROM runner r GROUP BY r.team) g ON g.team = t.id
LEFT JOIN LATERAL (SELECT r.name FROM runner r WHERE r.team = t.id ORDER BY r.time, r.year, r.id LIMIT 1) b ON true;
