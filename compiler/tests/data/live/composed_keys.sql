-- Keys that are texts put together of several columns.
CREATE TABLE grp (id integer PRIMARY KEY, name text);
CREATE TABLE usr (id uuid PRIMARY KEY, name text);
CREATE TABLE member (
    grp integer NOT NULL REFERENCES grp ON DELETE CASCADE ON UPDATE CASCADE,
    usr uuid NOT NULL REFERENCES usr ON DELETE CASCADE,
    role text,
    PRIMARY KEY (usr, grp)
);
CREATE TABLE tag (grp integer NOT NULL REFERENCES grp ON DELETE CASCADE ON UPDATE CASCADE, tag text NOT NULL, weight integer, PRIMARY KEY (grp, tag));

-- The key is put together of columns of two tables that are those of a third.
CREATE VIEW membership AS
SELECT g.id || '-' || u.id AS id, jsonb_build_object('group', g.name, 'user', u.name, 'role', m.role) AS data
FROM grp g JOIN member m ON m.grp = g.id JOIN usr u ON u.id = m.usr;

-- A text at the end, which may hold what stands between.
CREATE VIEW tagging AS
SELECT t.grp::text || '#' || t.tag AS id,
       jsonb_build_object('group', (SELECT g.name FROM grp g WHERE g.id = t.grp), 'tag', t.tag, 'weight', t.weight) AS data
FROM tag t;

-- Of groups, by a function.
CREATE VIEW roles AS
SELECT concat_ws('/', m.grp, m.role) AS id, jsonb_build_object('role', m.role, 'users', jsonb_agg(u.name ORDER BY m.usr)) AS data
FROM member m JOIN usr u ON u.id = m.usr
WHERE m.role IS NOT NULL
GROUP BY m.grp, m.role;

-- Sides that their labels tell apart.
CREATE VIEW feed AS
SELECT 'tag-' || t.grp || '-' || t.tag AS id, jsonb_build_object('tag', t.tag, 'group', g.name) AS data
FROM tag t JOIN grp g ON g.id = t.grp
UNION ALL
SELECT concat('member-', m.usr, '-', m.grp), jsonb_build_object('role', m.role, 'user', u.name)
FROM member m LEFT JOIN usr u ON u.id = m.usr;

-- Shown in a view above.
CREATE VIEW group_page AS
SELECT g.id, jsonb_build_object('name', g.name, 'tags',
    coalesce((SELECT jsonb_agg(s.data ORDER BY s.id) FROM tagging s JOIN tag t ON s.id = t.grp::text || '#' || t.tag WHERE t.grp = g.id), '[]')) AS data
FROM grp g;
