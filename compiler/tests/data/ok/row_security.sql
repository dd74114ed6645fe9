-- Policies that bind the owner of a table, in each way that a schema comes to have them, and tables where they do not.
CREATE TABLE note (id int PRIMARY KEY, tenant text, body text);
ALTER TABLE note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE VIEW v_note AS SELECT id, jsonb_build_object('body', body) AS data FROM note;

CREATE TABLE memo (id int PRIMARY KEY, body text);
ALTER TABLE ONLY memo FORCE ROW LEVEL SECURITY;
ALTER TABLE memo ENABLE ROW LEVEL SECURITY;
-- tviewc: allow(TV0702)
CREATE VIEW v_memo AS SELECT id, jsonb_build_object('body', body) AS data FROM memo;

CREATE TABLE plain (id int PRIMARY KEY, body text);
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
CREATE VIEW v_plain AS SELECT id, jsonb_build_object('body', body) AS data FROM plain;

CREATE TABLE dormant (id int PRIMARY KEY, body text);
ALTER TABLE dormant FORCE ROW LEVEL SECURITY;
CREATE VIEW v_dormant AS SELECT id, jsonb_build_object('body', body) AS data FROM dormant;

CREATE TABLE mended (id int PRIMARY KEY, body text);
ALTER TABLE mended ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE mended NO FORCE ROW LEVEL SECURITY;
CREATE VIEW v_mended AS SELECT id, jsonb_build_object('body', body) AS data FROM mended;
