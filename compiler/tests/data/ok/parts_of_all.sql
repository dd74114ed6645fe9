-- Conditions of which one part has to hold are asked of all rows; not where the parts are queries of their own.
CREATE TABLE usr (id integer PRIMARY KEY, team integer, name text NOT NULL);
CREATE TABLE doc (id integer PRIMARY KEY, owner integer, team integer, title text NOT NULL, ref text);
CREATE TABLE share (doc integer NOT NULL, usr integer NOT NULL, PRIMARY KEY (doc, usr));
CREATE INDEX ON usr (team);
CREATE INDEX ON doc (owner);
CREATE INDEX ON share (usr);

CREATE VIEW v_usr AS
SELECT u.id, jsonb_build_object('name', u.name, 'docs', (
           SELECT jsonb_agg(d.title ORDER BY d.id) FROM doc d
            WHERE d.owner = u.id OR EXISTS (SELECT FROM share s WHERE s.doc = d.id AND s.usr = u.id))) AS data
  FROM usr u;

CREATE VIEW v_reads AS
SELECT u.id, jsonb_build_object('docs', (
           SELECT count(*) FROM doc d
            WHERE d.id IN (SELECT o.id FROM doc o WHERE o.owner = u.id UNION ALL SELECT s.doc FROM share s WHERE s.usr = u.id))) AS data
  FROM usr u;

CREATE VIEW v_doc AS
SELECT d.id, jsonb_build_object('teams', (
           SELECT count(*) FROM usr u
             JOIN usr mate ON mate.team = u.team AND (mate.id = d.owner OR EXISTS (SELECT FROM share s WHERE s.usr = mate.id AND s.doc = d.id)))) AS data
  FROM doc d;
