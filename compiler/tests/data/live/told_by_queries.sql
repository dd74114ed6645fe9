-- Keys that follow from what a query computes, texts with a key in them, and rows that a query has to have.
CREATE TABLE page (id integer PRIMARY KEY, title text NOT NULL, owner integer);
CREATE TABLE revision (page_id integer NOT NULL REFERENCES page ON DELETE CASCADE, version integer NOT NULL, body text, good boolean, PRIMARY KEY (page_id, version));
CREATE TABLE note (id integer PRIMARY KEY, page_id integer REFERENCES page ON DELETE CASCADE, word text);
CREATE TABLE member (id integer PRIMARY KEY, name text, favourite integer UNIQUE);
CREATE INDEX ON note (page_id);
CREATE INDEX ON page (owner);

-- The latest of each page: one row, whichever way it is asked for.
CREATE VIEW v_latest AS
SELECT r.page_id, jsonb_build_object('version', r.version, 'body', r.body) AS data
  FROM revision r WHERE r.version = (SELECT max(x.version) FROM revision x WHERE x.page_id = r.page_id);
CREATE VIEW v_latest_good AS
SELECT r.page_id, jsonb_build_object('version', r.version, 'title', p.title) AS data
  FROM page p JOIN revision r ON r.page_id = p.id
 WHERE r.version = (SELECT max(x.version) FROM revision x WHERE x.page_id = p.id AND x.good);
CREATE VIEW v_latest_joined AS
SELECT r.page_id, jsonb_build_object('version', r.version, 'body', r.body) AS data
  FROM revision r JOIN (SELECT x.page_id, max(x.version) AS version FROM revision x GROUP BY x.page_id) m
    ON m.page_id = r.page_id AND m.version = r.version;
CREATE VIEW v_page AS
SELECT p.id, jsonb_build_object('title', p.title, 'latest', r.body) AS data
  FROM page p LEFT JOIN revision r ON r.page_id = p.id AND r.version = (SELECT max(x.version) FROM revision x WHERE x.page_id = p.id);

-- One column that identifies rows of several tables.
CREATE VIEW v_feed AS
SELECT 'page:' || p.id AS id, p.owner, jsonb_build_object('title', p.title) AS data FROM page p
UNION ALL SELECT 'note:' || n.id, p.owner, jsonb_build_object('word', n.word, 'page', p.title) FROM note n JOIN page p ON p.id = n.page_id
UNION ALL SELECT concat('member:', m.id), NULL, jsonb_build_object('name', m.name) FROM member m;
CREATE VIEW v_listing AS
SELECT p.id, true AS is_page, jsonb_build_object('title', p.title) AS data FROM page p
UNION ALL SELECT n.id, false, jsonb_build_object('word', n.word) FROM note n;
CREATE VIEW v_labelled AS SELECT ('p' || p.id) AS key, jsonb_build_object('title', p.title) AS data FROM page p;

-- A row is shown where a query has one with its value.
CREATE VIEW v_member AS
SELECT m.id, jsonb_build_object('name', m.name,
         'favourite', (SELECT p.title FROM page p WHERE p.id = (SELECT f.favourite FROM member f WHERE f.id = m.id)),
         'notes', (SELECT count(*) FROM note n WHERE (SELECT f.favourite FROM member f WHERE f.id = m.id) = n.page_id)) AS data
  FROM member m;
CREATE VIEW v_owned AS
SELECT p.id, jsonb_build_object('title', p.title, 'owner', m.name) AS data
  FROM page p JOIN member m ON m.id = (SELECT x.owner FROM page x WHERE x.id = p.id);
