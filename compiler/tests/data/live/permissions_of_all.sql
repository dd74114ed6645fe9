-- Conditions of which one part has to hold, in ON, with more than one query in a part, and with an expression that is kept from other rows.
CREATE TABLE person (id integer PRIMARY KEY, team text, name text, boss integer);
CREATE TABLE paper (id integer PRIMARY KEY, owner integer, team text, title text, closed boolean);
CREATE TABLE share (paper integer NOT NULL, person integer NOT NULL, level integer, PRIMARY KEY (paper, person));
CREATE TABLE crew (id integer PRIMARY KEY, paper integer, team text, kind text, ref text);
CREATE INDEX ON person (team); CREATE INDEX ON person (boss);
CREATE INDEX ON paper (owner); CREATE INDEX ON paper (team);
CREATE INDEX ON share (person);
CREATE INDEX ON crew (paper); CREATE INDEX ON crew (team);

-- In ON, of two tables; in a part, an expression that is kept from other rows.
CREATE VIEW v_paper AS
SELECT d.id, jsonb_build_object(
           'bosses', (SELECT count(*)
                        FROM person AS p
                        JOIN person AS b ON b.id = p.boss OR EXISTS (SELECT FROM share AS s WHERE s.person = b.id AND s.paper = d.id)
                       WHERE (d.owner = p.id OR EXISTS (SELECT FROM share AS s WHERE s.person = p.id AND s.paper = d.id)) AND b.name IS NOT NULL),
           'values', (SELECT array_agg(p.id ORDER BY p.id) FROM person AS p
                       WHERE p.id = d.owner OR (p.boss = d.owner AND p.name = (SELECT max(q.name) FROM person AS q WHERE q.id = d.owner)) OR p.id IN (SELECT s.person FROM share AS s WHERE s.paper = d.id))
       ) AS data
  FROM paper AS d;

CREATE VIEW v_person AS
SELECT p.id, jsonb_build_object(
           'crews', (SELECT array_agg(c.id ORDER BY c.id) FROM crew AS c
                      WHERE (c.kind = 'person' AND CASE WHEN c.ref ~ '^[0-9]{1,6}$' THEN c.ref::integer END = p.id)
                         OR EXISTS (SELECT FROM paper AS d WHERE d.id = c.paper AND d.owner = p.id))
       ) AS data
  FROM person AS p;
