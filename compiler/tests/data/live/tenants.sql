-- Composite, uuid and text keys, another schema, quoted names, domains, enums, USING, views on views,
-- joins across types whose texts differ (5 and 5.00), a table without a key.
CREATE SCHEMA app;
SET search_path = app, public;

CREATE TYPE mood AS ENUM ('calm', 'busy', 'Très occupé');
CREATE DOMAIN code AS text CHECK (VALUE <> 'forbidden');

CREATE TABLE tenant (
    id   uuid PRIMARY KEY,
    name text NOT NULL,
    mood mood
);
CREATE TABLE "Project" (
    tenant_id uuid NOT NULL,
    "No"      numeric NOT NULL,
    "Title"   varchar(40),
    owner     code,
    PRIMARY KEY (tenant_id, "No")
);
CREATE TABLE person (
    code  code PRIMARY KEY,
    email text UNIQUE,
    born  date
);
CREATE TABLE task (
    task_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid,
    project_no integer,
    assignee   code,
    title      text,
    weight     real,
    due        timestamptz,
    effort     interval,
    "order"    smallint
);
CREATE INDEX ON task (tenant_id, project_no);
CREATE INDEX ON task (assignee);
CREATE TABLE note (
    task_id integer,
    body    text,
    at      timestamp
);
CREATE INDEX ON note (task_id);

CREATE VIEW person_card AS
SELECT p.code, jsonb_build_object('code', p.code, 'email', p.email, 'born', p.born) AS card
  FROM person p;

CREATE VIEW v_task (task_id, tenant_id, project_no, data, flat) AS
SELECT t.task_id, t.tenant_id, t.project_no,
       jsonb_build_object(
           'title', t.title, 'weight', t.weight, 'due', t.due, 'effort', t.effort, 'order', t."order",
           'assignee', pc.card,
           'notes', (SELECT jsonb_agg(jsonb_build_object('body', n.body, 'at', n.at) ORDER BY n.at, n.body)
                       FROM note n WHERE n.task_id = t.task_id)),
       row_to_json(t)
  FROM task t
  LEFT JOIN person_card pc ON pc.code = t.assignee;

CREATE VIEW v_project AS
SELECT tenant_id, "No", pr."Title" AS "Le Titre",
       jsonb_build_object(
           'title', pr."Title",
           'no', pr."No",
           'tenant', jsonb_build_object('name', tn.name, 'mood', tn.mood),
           'owner', (SELECT pc.card FROM person_card pc WHERE pc.code = pr.owner),
           'tasks', COALESCE((SELECT jsonb_agg(vt.data || jsonb_build_object('id', vt.task_id) ORDER BY vt.task_id)
                                FROM v_task vt
                               WHERE (vt.tenant_id, vt.project_no) = (pr.tenant_id, pr."No")), '[]')
       ) AS "Doc"
  FROM "Project" pr
  JOIN tenant tn ON tn.id = pr.tenant_id;
