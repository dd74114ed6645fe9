-- NOT IN, IN in an expression, and ANY of an array of rows: of values that are never NULL they link as EXISTS does.
CREATE TABLE usr (id integer PRIMARY KEY, nick text NOT NULL, boss integer);
CREATE TABLE ban (usr_id integer NOT NULL, nick text NOT NULL, level integer);
CREATE TABLE grp (id integer PRIMARY KEY);
CREATE TABLE member (grp_id integer NOT NULL, usr_id integer NOT NULL, PRIMARY KEY (grp_id, usr_id));
CREATE VIEW v_usr AS
SELECT u.id, jsonb_build_object('nick', u.nick,
           'banned', u.id IN (SELECT b.usr_id FROM ban b WHERE b.level > 1),
           'pair', (u.nick, u.boss) IN (SELECT b.nick, b.level FROM ban b),
           'often', u.id = ANY (SELECT b.usr_id FROM ban b GROUP BY b.usr_id HAVING count(*) > 1),
           'kind', CASE WHEN u.nick <> ALL (ARRAY(SELECT b.nick FROM ban b)) THEN 'good' ELSE 'bad' END) AS data
  FROM usr u
 WHERE u.id NOT IN (SELECT b.usr_id FROM ban b WHERE b.level > 5);
CREATE VIEW v_grp AS
SELECT g.id, jsonb_build_object('usrs', (
           SELECT jsonb_agg(jsonb_build_object('id', u.id, 'nick', u.nick, 'bad', u.nick IN (SELECT b.nick FROM ban b)) ORDER BY u.id)
             FROM usr u WHERE u.id = ANY (ARRAY(SELECT m.usr_id FROM member m WHERE m.grp_id = g.id ORDER BY m.usr_id)))) AS data
  FROM grp g;
-- writes
INSERT INTO usr VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 9);
INSERT INTO grp VALUES (1), (2);
INSERT INTO member VALUES (1, 1), (1, 2), (2, 2);
INSERT INTO ban VALUES (1, 'x', 9);
UPDATE ban SET level = 2;
INSERT INTO ban VALUES (1, 'b', 2);
UPDATE ban SET usr_id = 3 WHERE nick = 'x';
UPDATE ban SET nick = 'a', level = NULL WHERE nick = 'b';
UPDATE ban SET level = 1 WHERE nick = 'a';
UPDATE usr SET nick = 'q' WHERE id = 2;
UPDATE member SET usr_id = 3 WHERE grp_id = 2;
UPDATE usr SET id = 7 WHERE id = 3;
DELETE FROM ban;
