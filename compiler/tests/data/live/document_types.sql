-- Documents that are neither json nor jsonb: arrays of them, and domains over these.
CREATE DOMAIN payload AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
CREATE DOMAIN payloads AS jsonb[];

CREATE TABLE owner (id integer PRIMARY KEY, name text, settings payload, marks jsonb[]);
CREATE TABLE task (id integer PRIMARY KEY, owner_id integer REFERENCES owner ON DELETE CASCADE, title text, weight numeric(6, 2));
CREATE TABLE step (id integer PRIMARY KEY, task_id integer NOT NULL REFERENCES task ON DELETE CASCADE, body text);
CREATE INDEX ON task (owner_id);
CREATE INDEX ON step (task_id);

-- By groups, json and jsonb, with NULL elements.
CREATE VIEW v_tasks AS
SELECT o.id, array_agg(json_build_object('id', t.id, 'title', t.title) ORDER BY t.id) AS tasks,
       array_agg(to_jsonb(t.weight) ORDER BY t.id) AS weights
  FROM owner o LEFT JOIN task t ON t.owner_id = o.id
 GROUP BY o.id;

-- By subqueries; an element, a slice and a concatenation of arrays.
CREATE VIEW v_steps AS
SELECT t.id, ARRAY(SELECT jsonb_build_object('body', s.body) FROM step s WHERE s.task_id = t.id ORDER BY s.id) AS steps,
       (SELECT array_agg(to_json(s) ORDER BY s.id) FROM step s WHERE s.task_id = t.id) AS rows,
       (ARRAY(SELECT to_jsonb(s.body) FROM step s WHERE s.task_id = t.id ORDER BY s.id))[1] AS first,
       (ARRAY(SELECT to_jsonb(s.body) FROM step s WHERE s.task_id = t.id ORDER BY s.id))[2:3] || ARRAY[to_jsonb(t.title)] AS few
  FROM task t;

-- Stored ones.
CREATE VIEW v_settings AS SELECT o.id, o.settings, o.name FROM owner o;
CREATE VIEW v_marks AS SELECT t.id, o.marks FROM task t JOIN owner o ON o.id = t.owner_id;
CREATE VIEW v_marked AS
SELECT o.id, (SELECT count(*) FROM unnest(o.marks) m WHERE m IS NOT NULL) AS n, array_append(o.marks, to_jsonb(o.name))::payloads AS marks
  FROM owner o;

-- Through a view, with an object that is a domain.
CREATE VIEW v_both AS
SELECT s.id, s.settings, t.tasks, jsonb_build_object('name', s.name)::payload AS named
  FROM v_settings s JOIN v_tasks t ON t.id = s.id;
