-- Values of several tables, of which the first that is there is compared.
CREATE TABLE tenant (id integer PRIMARY KEY, lang text, currency text);
CREATE TABLE usr (id integer PRIMARY KEY, tenant_id integer, lang text, code integer);
CREATE TABLE label (lang text PRIMARY KEY, label text);
CREATE TABLE word (id integer PRIMARY KEY, lang text, tenant_id integer, said text);
CREATE INDEX ON tenant (lang); CREATE INDEX ON tenant (currency);
CREATE INDEX ON usr (tenant_id); CREATE INDEX ON usr (lang); CREATE INDEX ON usr (code);
CREATE INDEX ON word (lang); CREATE INDEX ON word (tenant_id);

CREATE VIEW v_usr AS
SELECT u.id, jsonb_build_object('label', l.label, 'tenant', t.currency) AS data
  FROM usr AS u
  JOIN tenant AS t ON t.id = u.tenant_id
  LEFT JOIN label AS l ON l.lang = coalesce(u.lang, t.lang);

-- Of the nullable side of an outer join, and in a subquery.
CREATE VIEW v_words AS
SELECT u.id, jsonb_build_object(
           'words', (SELECT jsonb_agg(w.said ORDER BY w.id) FROM word AS w WHERE coalesce(u.lang, t.lang) = w.lang),
           'count', (SELECT count(*) FROM word AS w JOIN label AS l ON l.lang = coalesce(w.lang, t.lang) WHERE w.tenant_id = u.tenant_id)
       ) AS data
  FROM usr AS u
  LEFT JOIN tenant AS t ON t.id = u.tenant_id;
