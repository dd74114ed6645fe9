-- Values of joined rows at known paths: own columns, two uses of one table, an outer join, two hops, plain output columns
-- beside the document, two documents, odd field names; and, of the same tables, what decides whether a row is shown.

CREATE TABLE person (
    id    integer PRIMARY KEY,
    name  text,
    tag   text,
    score numeric
);

CREATE TABLE place (
    id    integer PRIMARY KEY,
    name  text NOT NULL,
    owner integer
);

CREATE TABLE article (
    id     integer PRIMARY KEY,
    author integer,
    editor integer,
    place  integer,
    title  text,
    shown  boolean NOT NULL DEFAULT true
);

CREATE INDEX article_author ON article (author);
CREATE INDEX article_editor ON article (editor);
CREATE INDEX article_place ON article (place);
CREATE INDEX place_owner ON place (owner);

CREATE VIEW v_article AS
SELECT
    r.id,
    r.title AS heading,
    e.name AS editor_name,
    jsonb_build_object(
        'id', r.id,
        'title', r.title,
        'author', jsonb_build_object('id', t.id, 'name', t.name, 'upper', upper(t.tag)),
        'editor', jsonb_build_object('id', e.id, 'name', e.name),
        'a "quoted", field', jsonb_build_object('null', jsonb_build_object('', t.score))
    ) AS data,
    jsonb_build_object('by', t.name, 'title', r.title) AS summary
FROM article r
JOIN person t ON t.id = r.author
LEFT JOIN person e ON e.id = r.editor
WHERE r.shown AND coalesce(e.tag, '') <> 'hidden';

CREATE VIEW v_place AS
SELECT
    k.id,
    jsonb_build_object(
        'name', k.name,
        'owner', to_jsonb(f),
        'articles', (SELECT count(*) FROM article WHERE article.place = k.id AND article.shown)
    ) AS data
FROM place k
LEFT JOIN person f ON f.id = k.owner;
