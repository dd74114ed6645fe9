-- Tables that share their key, composite keys with one column in common, merged columns of USING, views on views on views with
-- columns that nobody selects, a comma join, the same table name in two schemas.
CREATE SCHEMA s1;
CREATE TABLE public.item (org integer, id integer, name text, PRIMARY KEY (org, id));
CREATE TABLE s1.item (org integer, id integer, note text, PRIMARY KEY (org, id));
CREATE TABLE item_extra (org integer, id integer, extra jsonb, seen timestamptz, PRIMARY KEY (id, org));
CREATE TABLE org (org integer PRIMARY KEY, title text);
CREATE TABLE org_settings (org integer PRIMARY KEY, settings json);
CREATE TABLE line (org integer, id integer, no integer, amount numeric(8, 2), PRIMARY KEY (org, id, no),
    FOREIGN KEY (org, id) REFERENCES public.item ON DELETE CASCADE ON UPDATE CASCADE);

CREATE VIEW deep_1 (o, i, the_name, unused, sum) AS
SELECT t.org, t.id, t.name,
       (SELECT count(*) FROM s1.item x WHERE x.org = t.org),
       (SELECT coalesce(sum(l.amount), 0) FROM line l WHERE l.org = t.org AND l.id = t.id)
  FROM item t;
CREATE VIEW deep_2 AS SELECT d.*, e.extra FROM deep_1 d LEFT JOIN item_extra e ON (e.org, e.id) = (d.o, d.i);
CREATE VIEW deep_3 (org, id, who, all_of_it) AS SELECT d.o, i, upper(the_name), jsonb_build_object('sum', sum, 'extra', extra) FROM deep_2 d;

CREATE VIEW v_item AS
SELECT org, id, org.title, jsonb_build_object('who', d.who, 'all', d.all_of_it, 'note', si.note, 'settings', st.settings) AS data,
       coalesce(row_to_json(si), 'null') AS plain
  FROM deep_3 d
  JOIN org USING (org)
  LEFT JOIN s1.item si USING (org, id)
  LEFT JOIN org_settings st USING (org);

CREATE VIEW v_line AS
SELECT l.org, public.item.id, l.no AS "No.", jsonb_build_object('amount', l.amount, 'name', public.item.name, 'other', s1.item.note) AS doc
  FROM line l, public.item LEFT JOIN s1.item ON (s1.item.org, s1.item.id) = (public.item.org, public.item.id)
 WHERE public.item.org = l.org AND public.item.id = l.id AND l.amount IS DISTINCT FROM 1;

CREATE VIEW v_org AS
SELECT o.org, jsonb_build_object('title', o.title, 'settings', s.settings,
           'items', (SELECT jsonb_agg(v.data || to_jsonb(v.title) ORDER BY v.id) FROM v_item v WHERE v.org = o.org),
           'lines', COALESCE((SELECT json_agg(v.doc ORDER BY v.id, v."No.") FROM v_line v WHERE v.org = o.org), '[]')) AS data
  FROM org o LEFT JOIN org_settings s USING (org);
