-- Definitions as other tools write them: a table made by a query, a materialized view.
CREATE TABLE artist (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE album (id integer PRIMARY KEY, artist_id integer REFERENCES artist ON DELETE CASCADE, title text);
CREATE INDEX ON album (artist_id);

CREATE TABLE tv_artist AS
SELECT a.id, jsonb_build_object('name', a.name, 'albums', (SELECT jsonb_agg(b.title ORDER BY b.id) FROM album b WHERE b.artist_id = a.id)) AS data
  FROM artist a;

CREATE MATERIALIZED VIEW album_doc (id, doc) AS
SELECT b.id, jsonb_build_object('title', b.title, 'artist', a.name)
  FROM album b LEFT JOIN artist a ON a.id = b.artist_id
WITH NO DATA;

CREATE MATERIALIZED VIEW tv_pair AS
SELECT b.id, jsonb_build_object('doc', d.doc, 'artist', v.data) AS data
  FROM album b JOIN album_doc d ON d.id = b.id LEFT JOIN v_artist v ON v.id = b.artist_id;
