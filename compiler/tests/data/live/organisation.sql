-- Self joins, a table in several roles, nullable references without foreign keys, three hops.
CREATE TABLE department (
    id    integer PRIMARY KEY,
    name  text,
    site  text
);
CREATE TABLE employee (
    id            integer PRIMARY KEY,
    name          text NOT NULL,
    manager_id    integer,
    mentor_id     integer,
    department_id integer,
    salary        numeric
);
CREATE INDEX ON employee (manager_id);
CREATE INDEX ON employee (mentor_id);
CREATE INDEX ON employee (department_id);

CREATE VIEW v_employee AS
SELECT e.id, e.department_id,
       jsonb_build_object(
           'id', e.id,
           'name', e.name,
           'salary', e.salary,
           'manager', CASE WHEN m.id IS NULL THEN NULL
                           ELSE jsonb_build_object('id', m.id, 'name', m.name, 'department', md.name) END,
           'mentor', mentor.name,
           'department', to_jsonb(d)
       ) AS data
  FROM employee e
  LEFT JOIN employee m ON m.id = e.manager_id
  LEFT JOIN department md ON md.id = m.department_id
  LEFT JOIN employee mentor ON mentor.id = e.mentor_id AND mentor.salary > 1
  LEFT JOIN department d ON d.id = e.department_id;

CREATE VIEW v_department AS
SELECT d.id,
       d.name,
       json_build_object('name', d.name, 'site', d.site) AS plain,
       jsonb_build_object(
           'id', d.id,
           'headcount', (SELECT count(*) FROM employee x WHERE x.department_id = d.id),
           'payroll', (SELECT sum(x.salary) FROM employee x WHERE x.department_id = d.id AND x.salary IS NOT NULL),
           'has_boss', EXISTS (SELECT 1 FROM employee x WHERE x.department_id = d.id AND x.manager_id IS NULL),
           'staff', COALESCE(
               (SELECT jsonb_agg(
                           jsonb_build_object(
                               'id', x.id,
                               'name', x.name,
                               'reports', (SELECT jsonb_agg(r.name ORDER BY r.name DESC NULLS LAST, r.id)
                                             FROM employee r WHERE r.manager_id = x.id))
                           ORDER BY x.name, x.id)
                  FROM employee x
                 WHERE x.department_id = d.id AND x.name <> ''),
               '[]'::jsonb)
       ) AS data
  FROM department d;
