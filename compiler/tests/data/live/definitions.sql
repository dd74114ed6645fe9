-- Definitions as other tools write them: a table made by a query, a materialized view.
CREATE TABLE artist (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE album (id integer PRIMARY KEY, artist_id integer REFERENCES artist ON DELETE CASCADE, title text);
CREATE INDEX ON album (artist_id);

CREATE TABLE tv_artist AS
SELECT a.id, jsonb_build_object('name', a.name, 'albums', (SELECT jsonb_agg(b.title ORDER BY b.id) FROM album b WHERE b.artist_id = a.id)) AS data
  FROM artist a;
ALTER TABLE tv_artist ADD PRIMARY KEY (id);
CREATE INDEX artist_albums ON tv_artist ((data -> 'albums'));
COMMENT ON INDEX artist_albums IS 'kept by the table';
COMMENT ON COLUMN tv_artist.data IS 'the document';

CREATE MATERIALIZED VIEW album_doc (id, doc) AS
SELECT b.id, jsonb_build_object('title', b.title, 'artist', a.name)
  FROM album b LEFT JOIN artist a ON a.id = b.artist_id
WITH NO DATA;
CREATE UNIQUE INDEX ON album_doc (id);
-- What stands behind its query is no part of it.
CREATE MATERIALIZED VIEW album_count AS
SELECT a.id, jsonb_build_object('name', a.name, 'albums', n.n) AS data
  FROM artist a LEFT JOIN (SELECT b.artist_id, count(*) AS n FROM album b GROUP BY b.artist_id) n ON n.artist_id = a.id
WITH NO DATA;
GRANT SELECT ON album, album_doc TO PUBLIC;
REFRESH MATERIALIZED VIEW album_doc;

-- What reads a definition comes with it, or not at all.
CREATE VIEW albums_shown AS SELECT d.id FROM album_doc d;
CREATE VIEW albums_counted AS SELECT count(*) AS n FROM public.albums_shown;
COMMENT ON VIEW albums_counted IS 'of album_doc';

-- This one stays what it is, and so does a table of another schema that has the name of a definition.
CREATE MATERIALIZED VIEW artist_names AS SELECT a.id, a.name FROM artist a;
CREATE UNIQUE INDEX ON artist_names (id);
CREATE SCHEMA old;
CREATE TABLE old.album_doc (id integer PRIMARY KEY, title text);
COMMENT ON COLUMN old.album_doc.title IS 'album_doc';
CREATE VIEW old.v_album_doc AS SELECT a.id, jsonb_build_object('title', a.title) AS data FROM old.album_doc a;

CREATE MATERIALIZED VIEW tv_pair AS
SELECT b.id, jsonb_build_object('doc', d.doc, 'artist', v.data) AS data
  FROM album b JOIN album_doc d ON d.id = b.id LEFT JOIN v_artist v ON v.id = b.artist_id;
