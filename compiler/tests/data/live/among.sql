-- Queries that have to have a row, or must not have one, link as joins do: rows that are found through them, values that are compared with
-- theirs. And values that nobody selects decide how many rows there are.
CREATE TABLE person (id integer PRIMARY KEY, nick text NOT NULL, mate integer REFERENCES person ON DELETE SET NULL ON UPDATE CASCADE, tags text[]);
CREATE TABLE club (id integer PRIMARY KEY, name text, chair integer NOT NULL);
CREATE TABLE member (club integer NOT NULL REFERENCES club ON DELETE CASCADE ON UPDATE CASCADE, person integer NOT NULL, role text, PRIMARY KEY (club, person));
CREATE TABLE role (name text PRIMARY KEY, level integer);
CREATE TABLE ban (person integer NOT NULL, level integer);
CREATE INDEX ON member (person); CREATE INDEX ON person (mate); CREATE INDEX ON ban (person); CREATE INDEX ON club (chair); CREATE INDEX ON member (role);

CREATE VIEW v_club AS
SELECT c.id, jsonb_build_object('name', c.name,
           'people', coalesce((SELECT jsonb_agg(jsonb_build_object('id', p.id, 'nick', p.nick, 'mate', m.nick) ORDER BY p.nick, p.id)
                                 FROM person p LEFT JOIN person m ON m.id = p.mate
                                WHERE p.id IN (SELECT b.person FROM member b WHERE b.club = c.id)), '[]'),
           'mates', (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'nick', p.nick) ORDER BY p.id)
                       FROM person p JOIN person m ON m.id = p.mate
                      WHERE EXISTS (SELECT FROM member b WHERE b.club = c.id AND b.person = m.id)),
           'strong', (SELECT count(*) FROM person p
                       WHERE p.id = ANY (ARRAY(SELECT b.person FROM member b WHERE b.club = c.id
                                           AND b.role IN (SELECT r.name FROM role r WHERE r.level > 1)))),
           'chaired', c.chair IN (SELECT n.person FROM ban n WHERE n.level IS NULL)) AS data
  FROM club c
 WHERE c.chair NOT IN (SELECT n.person FROM ban n WHERE n.level > 5);

CREATE VIEW v_person AS
SELECT p.id, jsonb_build_object('nick', p.nick, 'tags', (SELECT count(*) FROM unnest(p.tags)), 'banned', p.id = ANY (SELECT n.person FROM ban n),
           'led', EXISTS (SELECT b.club FROM member b WHERE b.person = p.id INTERSECT SELECT c.id FROM club c WHERE c.chair = p.id)) AS data,
       (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'tags', p.tags) ORDER BY c.name DESC, c.id)
          FROM club c WHERE (c.id, p.id) IN (SELECT b.club, b.person FROM member b)) AS clubs
  FROM person p;

-- Elements are another view's documents, found through a third table.
CREATE VIEW v_role AS
SELECT r.name, jsonb_build_object('clubs', (SELECT jsonb_agg(v.data ORDER BY v.id) FROM v_club v
                                             WHERE v.id IN (SELECT b.club FROM member b WHERE b.role = r.name))) AS data
  FROM role r;
