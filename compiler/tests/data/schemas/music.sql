-- Music: table inheritance, many-to-many, arrays, ranges, ALTER … INHERIT, USING joins.
BEGIN;
CREATE TABLE entity (id integer NOT NULL, created timestamp DEFAULT now(), PRIMARY KEY (id));
CREATE TABLE artist (name text NOT NULL, aliases text[] DEFAULT ARRAY[]::text[]) INHERITS (entity);
ALTER TABLE artist ADD PRIMARY KEY (id);
CREATE TABLE band (founded daterange, CONSTRAINT band_pk PRIMARY KEY (id)) INHERITS (artist);
CREATE TABLE person (id integer PRIMARY KEY, created timestamp, name text NOT NULL, aliases text[], born date);
ALTER TABLE person INHERIT entity;
CREATE TABLE label (id integer PRIMARY KEY, name text);
CREATE TABLE nothing ();
CREATE TABLE IF NOT EXISTS label (id integer);
CREATE TABLE album (
    album_id integer PRIMARY KEY,
    label_id integer REFERENCES label,
    title text NOT NULL,
    year smallint CHECK (year BETWEEN 1900 AND 2100),
    tracks integer DEFAULT 0 NOT NULL
);
CREATE TABLE track (
    album_id integer REFERENCES album ON DELETE CASCADE,
    no smallint,
    title text NOT NULL,
    length interval minute to second,
    PRIMARY KEY (album_id, no)
);
CREATE TABLE played_by (
    album_id integer NOT NULL, no smallint NOT NULL, person_id integer NOT NULL REFERENCES person,
    role text DEFAULT 'guest'::character varying,
    CONSTRAINT played_track FOREIGN KEY (album_id, no) REFERENCES track,
    CONSTRAINT played_pk UNIQUE (album_id, no, person_id, role)
);
ALTER TABLE entity ADD COLUMN note text;
ALTER TABLE entity ALTER COLUMN note SET NOT NULL;
ALTER TABLE ONLY entity ADD CONSTRAINT only_here UNIQUE (note);
ALTER TABLE person NO INHERIT entity;
ALTER TABLE entity RENAME COLUMN note TO remark;
CREATE VIEW v_album AS
SELECT album_id AS id, jsonb_build_object('title', album.title, 'label', label.name) AS data
FROM album LEFT JOIN label ON label.id = album.label_id;
COMMIT;
