-- FULL JOIN: USING at the top, below a group, in a subquery, over nullable columns.
CREATE TABLE plan (id integer PRIMARY KEY, region integer NOT NULL, planned integer);
CREATE TABLE actual (id integer PRIMARY KEY, region integer NOT NULL, spent integer);
CREATE TABLE region (region integer PRIMARY KEY, name text);
CREATE TABLE note (note_id integer PRIMARY KEY, ref integer, body text);
CREATE INDEX ON note (ref);
CREATE INDEX ON plan (region);
CREATE INDEX ON actual (region);

CREATE VIEW v_budget AS
SELECT id, jsonb_build_object('planned', p.planned, 'spent', a.spent, 'r', coalesce(p.region, a.region),
                              'notes', (SELECT count(*) FROM note n WHERE n.ref = id)) AS data
  FROM plan p FULL JOIN actual a USING (id);

CREATE VIEW v_both AS
SELECT id, region, jsonb_build_object('p', p.planned, 's', a.spent, 'name', r.name) AS data
  FROM plan p FULL JOIN actual a USING (id, region) LEFT JOIN region r USING (region);

CREATE VIEW v_region AS
SELECT r.region AS id, jsonb_build_object(
    'name', r.name,
    'rows', (SELECT jsonb_agg(jsonb_build_object('id', id, 'p', p.planned, 's', a.spent) ORDER BY id)
               FROM plan p FULL JOIN actual a USING (id, region) WHERE region = r.region)) AS data
  FROM region r;

CREATE VIEW v_total AS
SELECT r.region AS id, jsonb_build_object('n', s.n) AS data
  FROM region r
  LEFT JOIN (SELECT region, count(*) AS n FROM plan FULL JOIN actual USING (id, region) GROUP BY region) s USING (region);

-- The same with ON: two and three tables.
CREATE VIEW v_on AS
SELECT coalesce(p.id, a.id) AS id, jsonb_build_object('planned', p.planned, 'spent', a.spent,
           'notes', (SELECT count(*) FROM note n WHERE n.ref = coalesce(p.id, a.id))) AS data
  FROM plan p FULL JOIN actual a ON a.id = p.id;

CREATE VIEW v_three AS
SELECT coalesce(p.id, a.id, n.note_id) AS id, jsonb_build_object('p', p.planned, 's', a.spent, 'n', n.body) AS data
  FROM plan p FULL JOIN actual a ON p.id = a.id FULL JOIN note n ON n.note_id = coalesce(p.id, a.id);

-- Chains: of groups, with what is joined to them; of four; with rows that have no value; by two columns.
CREATE VIEW v_chain AS
SELECT id, jsonb_build_object('p', p.planned, 's', a.spent, 'n', n.n, 'r', r.name, 'more', (SELECT count(*) FROM note WHERE ref = id)) AS data
  FROM plan p FULL OUTER JOIN actual a USING (id)
  FULL JOIN (SELECT note.ref AS id, count(*) AS n FROM note GROUP BY note.ref) AS n USING (id)
  LEFT JOIN region r ON r.region = p.region
 WHERE p.planned IS DISTINCT FROM 1 AND id IS NOT NULL;

CREATE VIEW v_four (id, data) AS
SELECT coalesce(p.id, a.id, n.note_id, r.region), jsonb_build_object('p', p.planned, 's', a.spent, 'n', n.body, 'r', r.name, 'id', coalesce(r.region, coalesce(p.id, a.id), n.note_id))
  FROM plan p FULL JOIN actual a ON a.id = p.id
  FULL JOIN note AS n ON (coalesce(a.id, p.id) = n.note_id) FULL JOIN region r ON coalesce(p.id, a.id, n.note_id) = r.region;

CREATE VIEW v_wide AS
SELECT region, id, jsonb_build_object('p', p.planned, 's', a.spent, 'n', n.n) AS data
  FROM plan p FULL JOIN actual a USING (id, region)
  FULL JOIN (SELECT plan.id, note_id AS region, count(*) AS n FROM note JOIN plan ON plan.region = note.ref GROUP BY plan.id, note_id) n USING (region, id);
