-- Groups by values that follow from the others, whole rows, subscripts, ordered-set aggregates.
CREATE TABLE agent (id integer PRIMARY KEY, name text, parent integer REFERENCES agent ON DELETE SET NULL);
CREATE TABLE site (id integer PRIMARY KEY, agent_id integer REFERENCES agent ON DELETE CASCADE, name text, marks integer[], conf jsonb, weight integer);
CREATE TABLE visit (id integer PRIMARY KEY, site_id integer NOT NULL REFERENCES site ON DELETE CASCADE, kind text NOT NULL, cost numeric(8, 2));
CREATE INDEX ON agent (parent);
CREATE INDEX ON site (agent_id);
CREATE INDEX ON visit (site_id);

CREATE VIEW v_agent AS SELECT a.id, jsonb_build_object('name', a.name, 'sites', (SELECT count(*) FROM site s WHERE s.agent_id = a.id)) AS data FROM agent a;

-- A view's document, an object, a whole row, a count of a grouped relation: all follow from the key.
CREATE VIEW v_site AS
SELECT s.id, jsonb_build_object('agent', a.data, 'visits', count(v.id)) AS data
  FROM site s JOIN v_agent a ON a.id = s.agent_id LEFT JOIN visit v ON v.site_id = s.id GROUP BY s.id, a.data;
CREATE VIEW v_parents AS
SELECT a.id, to_jsonb(p) AS parent, jsonb_agg(s.name ORDER BY s.id) AS sites
  FROM agent a LEFT JOIN agent p ON p.id = a.parent LEFT JOIN site s ON s.agent_id = a.id GROUP BY a.id, p.*;
CREATE VIEW v_counted AS
SELECT s.id, b.n, b.kinds, x.total, jsonb_agg(v.kind ORDER BY v.id) AS data
  FROM site s LEFT JOIN (SELECT site_id, count(*) AS n, jsonb_object_agg(kind, cost ORDER BY id) AS kinds FROM visit GROUP BY site_id) b ON b.site_id = s.id
  CROSS JOIN LATERAL (SELECT sum(w.cost) AS total FROM visit w WHERE w.site_id = s.id) x
  LEFT JOIN visit v ON v.site_id = s.id
 GROUP BY s.id, b.n, b.kinds, x.total;
CREATE VIEW v_shown AS
SELECT s.id, a.name, jsonb_agg(v.kind ORDER BY v.id) AS data
  FROM site s LEFT JOIN agent a ON a.id = s.agent_id AND a.name > 'c' AND s.weight > 2 LEFT JOIN visit v ON v.site_id = s.id GROUP BY s.id, a.name;

-- Parentheses are no difference; whole rows as text; the subscripts of a table's column.
CREATE VIEW v_weights AS
SELECT s.weight / 10 AS tens, jsonb_agg(s.id ORDER BY s.id) AS data FROM site s WHERE s.weight IS NOT NULL GROUP BY (s.weight / 10);
CREATE VIEW v_rows AS
SELECT a.id, jsonb_agg(s.* ORDER BY s.id) AS sites, string_agg((s.*)::text, ';' ORDER BY s.id) AS texts FROM agent a JOIN site s ON s.agent_id = a.id GROUP BY a.id;
CREATE VIEW v_marks AS
SELECT s.id, s.marks[1] AS first, jsonb_build_object('few', s.marks[2:3], 'sum', s.marks[1] + s.marks[s.weight]) AS data FROM site s;

-- Ordered-set aggregates.
CREATE VIEW v_median AS
SELECT s.id, jsonb_build_object('median', percentile_cont(0.5) WITHIN GROUP (ORDER BY v.cost), 'most', mode() WITHIN GROUP (ORDER BY v.kind),
       'some', percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY v.cost DESC) FILTER (WHERE v.kind <> 'x')) AS data
  FROM site s LEFT JOIN visit v ON v.site_id = s.id GROUP BY s.id;
