-- A query that has to have a row links the rows that it is asked for: `id IN (SELECT …)` and EXISTS, as a join would.
CREATE TABLE usr (id integer PRIMARY KEY, nick text NOT NULL, mate integer);
CREATE TABLE grp (id integer PRIMARY KEY, name text);
CREATE TABLE member (grp_id integer NOT NULL, usr_id integer NOT NULL, role text, PRIMARY KEY (grp_id, usr_id));
CREATE INDEX ON member (usr_id);
CREATE TABLE right_of (role text PRIMARY KEY, level integer);
CREATE VIEW v_grp AS
SELECT g.id, jsonb_build_object('name', g.name,
           'usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'nick', u.nick, 'mate', v.nick) ORDER BY u.nick, u.id)
                      FROM usr u LEFT JOIN usr v ON v.id = u.mate
                     WHERE u.id IN (SELECT m.usr_id FROM member m WHERE m.grp_id = g.id)),
           'mates', (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'nick', u.nick) ORDER BY u.id)
                       FROM usr u JOIN usr v ON v.id = u.mate
                      WHERE EXISTS (SELECT FROM member m WHERE m.grp_id = g.id AND m.usr_id = v.id)),
           'strong', (SELECT count(*) FROM usr u
                       WHERE u.id = ANY (ARRAY(SELECT m.usr_id FROM member m WHERE m.grp_id = g.id
                                           AND m.role IN (SELECT r.role FROM right_of r WHERE r.level > 1)))),
           'both', (SELECT string_agg(u.nick, ',' ORDER BY u.id) FROM usr u
                     WHERE EXISTS (SELECT m.usr_id FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id
                                   UNION SELECT w.mate FROM usr w, member x WHERE x.usr_id = w.id AND x.grp_id = g.id AND w.mate = u.id)),
           'first', (SELECT u.nick FROM usr u WHERE u.id IN (SELECT m.usr_id FROM member m WHERE m.grp_id = g.id GROUP BY m.usr_id)
                      ORDER BY u.nick DESC, u.id LIMIT 1)) AS data
  FROM grp g;
-- writes
INSERT INTO usr VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2), (4, 'd', 4);
INSERT INTO grp VALUES (1, 'x'), (2, 'y');
INSERT INTO right_of VALUES ('admin', 3), ('guest', 0);
INSERT INTO member VALUES (1, 1, 'admin'), (1, 2, 'guest'), (2, 3, 'admin'), (2, 9, 'admin');
UPDATE usr SET nick = 'e' WHERE id = 1;
UPDATE usr SET nick = 'f' WHERE id = 2;
UPDATE usr SET mate = 3 WHERE id = 4;
UPDATE right_of SET level = 2 WHERE role = 'guest';
UPDATE usr SET id = 9 WHERE id = 4;
UPDATE member SET grp_id = 2 WHERE usr_id = 1;
WITH gone AS (DELETE FROM member WHERE grp_id = 2 AND usr_id = 3) UPDATE usr SET nick = 'g' WHERE id = 3;
WITH moved AS (UPDATE member SET usr_id = 3 WHERE usr_id = 9) UPDATE usr SET nick = 'h', mate = 9 WHERE id IN (1, 3);
DELETE FROM usr WHERE id = 3;
DELETE FROM right_of;
