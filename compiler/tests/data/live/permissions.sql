-- Who may see what: conditions of which one part has to hold, each with another way from the row to the document.
CREATE TABLE person (id integer PRIMARY KEY, team text, name text, boss integer);
CREATE TABLE paper (id integer PRIMARY KEY, owner integer, team text, title text, closed boolean);
CREATE TABLE share (paper integer NOT NULL, person integer NOT NULL, level integer, PRIMARY KEY (paper, person));
CREATE TABLE crew (id integer PRIMARY KEY, paper integer, team text, kind text, ref text);
CREATE INDEX ON person (team); CREATE INDEX ON person (boss);
CREATE INDEX ON paper (owner); CREATE INDEX ON paper (team);
CREATE INDEX ON share (person);
CREATE INDEX ON crew (paper); CREATE INDEX ON crew (team);

-- By an own column, by a row of another table, by two tables; within one of the parts something more.
CREATE VIEW v_reader AS
SELECT p.id, jsonb_build_object('name', p.name, 'papers', coalesce(
           (SELECT jsonb_agg(jsonb_build_object('id', d.id, 'title', d.title) ORDER BY d.id)
              FROM paper AS d
             WHERE d.owner = p.id
                OR EXISTS (SELECT FROM share AS s WHERE s.paper = d.id AND s.person = p.id)
                OR (NOT d.closed AND d.id IN (SELECT c.paper FROM crew AS c WHERE c.team = p.team))), '[]')) AS data
  FROM person AS p;

-- The other way round, and two such conditions in one query.
CREATE VIEW v_paper AS
SELECT d.id, jsonb_build_object(
           'readers', (SELECT jsonb_agg(p.name ORDER BY p.id)
                         FROM person AS p
                        WHERE p.id = d.owner OR p.id IN (SELECT s.person FROM share AS s WHERE s.paper = d.id AND s.level > 1)),
           'owners', (SELECT count(*)
                        FROM person AS p
                        LEFT JOIN person AS b ON b.id = p.boss
                       WHERE (d.owner = p.id OR EXISTS (SELECT FROM share AS s WHERE s.person = p.id AND s.paper = d.id)) AND b.name IS NOT NULL)
       ) AS data
  FROM paper AS d;

-- Groups, the greatest, and a condition on all.
CREATE VIEW v_team AS
SELECT p.team, jsonb_build_object('members', count(*), 'shared', sum((SELECT count(*) FROM share AS s WHERE s.person = p.id))) AS data
  FROM person AS p
 WHERE p.boss IS NULL OR EXISTS (SELECT FROM paper AS d WHERE d.owner = p.id AND NOT d.closed)
 GROUP BY p.team;

CREATE VIEW v_person AS
SELECT p.id, jsonb_build_object(
           'last', (SELECT d.title FROM paper AS d
                     WHERE d.owner = p.id OR d.owner IN (SELECT b.id FROM person AS b WHERE b.id = p.boss)
                     ORDER BY d.id DESC LIMIT 1),
           'any', EXISTS (SELECT FROM crew AS c WHERE c.team = p.team OR c.paper = ANY (SELECT s.paper FROM share AS s WHERE s.person = p.id)),
           'none', NOT EXISTS (SELECT FROM paper AS d WHERE d.team = p.team AND (d.closed OR EXISTS (SELECT FROM share AS s WHERE s.paper = d.id)))
       ) AS data
  FROM person AS p;

-- A row per pair.
CREATE VIEW v_access AS
SELECT p.id AS person, d.id AS paper, jsonb_build_object('name', p.name, 'title', d.title) AS data
  FROM person AS p
  JOIN paper AS d ON d.owner = p.id OR EXISTS (SELECT FROM share AS s WHERE s.paper = d.id AND s.person = p.id);
