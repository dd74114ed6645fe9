-- Large documents that many others show, whole and by a join that may find none: each is read once for all that show it. The keys
-- are of several columns, and of types with several spellings of one value.
CREATE TABLE region (tenant uuid NOT NULL, code numeric NOT NULL, name text, PRIMARY KEY (tenant, code));
CREATE TABLE place (
    tenant uuid NOT NULL, id integer NOT NULL, code numeric, name text, open boolean,
    PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, code) REFERENCES region ON UPDATE CASCADE);
CREATE TABLE topic (slug text PRIMARY KEY, title text NOT NULL);
CREATE TABLE note (id integer PRIMARY KEY, slug text, line text);
CREATE TABLE visit (
    tenant uuid NOT NULL, day text NOT NULL, to_id integer, slug text, remark text,
    PRIMARY KEY (tenant, day),
    FOREIGN KEY (tenant, to_id) REFERENCES place ON DELETE CASCADE ON UPDATE CASCADE);
CREATE INDEX ON place (tenant, code);
CREATE INDEX ON note (slug);
CREATE INDEX ON visit (tenant, to_id);
CREATE INDEX ON visit (slug);

CREATE VIEW v_region AS
SELECT r.tenant, r.code, jsonb_build_object('code', r.code, 'name', r.name,
       'places', (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name) ORDER BY p.id)
                    FROM place p WHERE p.tenant = r.tenant AND p.code = r.code AND p.open)) AS data
  FROM region r;

CREATE VIEW v_place AS
SELECT p.tenant, p.id, jsonb_build_object('name', p.name, 'region', r.data,
       'in', coalesce((SELECT jsonb_agg(v.day ORDER BY v.day) FROM visit v WHERE v.tenant = p.tenant AND v.to_id = p.id), '[]')) AS data
  FROM place p LEFT JOIN v_region r ON r.tenant = p.tenant AND r.code = p.code;

CREATE VIEW v_topic AS
SELECT t.slug, jsonb_build_object('title', t.title, 'lines',
       (SELECT jsonb_agg(n.line ORDER BY n.id) FROM note n WHERE n.slug = t.slug)) AS data
  FROM topic t;

CREATE VIEW v_visit AS
SELECT v.tenant, v.day, t.data AS topic,
       jsonb_build_object('remark', v.remark, 'to', jsonb_build_object('place', p.data, 'again', v.to_id)) AS data
  FROM visit v
  JOIN v_place p ON p.tenant = v.tenant AND p.id = v.to_id
  LEFT JOIN v_topic t ON t.slug = v.slug;

-- Columns under other names: what is called `data` here is a text.
CREATE VIEW v_days AS
SELECT p.tenant, p.id,
       jsonb_build_object('days', (SELECT jsonb_agg(v.day ORDER BY v.day) FROM visit v WHERE v.tenant = p.tenant AND v.to_id = p.id)) AS data,
       (SELECT string_agg(v.day, ',' ORDER BY v.day) FROM visit v WHERE v.tenant = p.tenant AND v.to_id = p.id) AS text
  FROM place p;

CREATE VIEW v_trip AS
SELECT v.tenant, v.day, d.data AS text, jsonb_build_object('remark', v.remark, 'days', d.days) AS data
  FROM visit v JOIN v_days AS d(tenant, id, days, data) ON d.tenant = v.tenant AND d.id = v.to_id;
