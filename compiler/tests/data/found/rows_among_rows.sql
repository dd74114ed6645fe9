-- `(a, b) IN (SELECT …)` links by all of its pairs; a row is not compared with the first column alone.
CREATE TABLE member (room integer, nick text, role text, PRIMARY KEY (room, nick));
CREATE TABLE msg (id integer PRIMARY KEY, room integer, nick text);
CREATE VIEW v_msg AS
SELECT m.id, jsonb_build_object('nick', m.nick) AS data FROM msg m
 WHERE (m.room, m.nick) IN (SELECT b.room, b.nick FROM member b WHERE b.role = 'a');
CREATE VIEW v_any AS
SELECT m.id, jsonb_build_object('nick', m.nick) AS data FROM msg m
 WHERE (m.room + 0, m.nick) = ANY (SELECT b.room, b.nick FROM member b UNION SELECT b.room + 1, b.role FROM member b);
-- writes
INSERT INTO member VALUES (1, 'x', 'a'), (2, 'x', 'b');
INSERT INTO msg VALUES (1, 1, 'x'), (2, 2, 'x'), (3, 3, 'x');
UPDATE member SET role = 'a' WHERE room = 2;
UPDATE member SET role = 'x' WHERE room = 2;
UPDATE member SET room = 3 WHERE room = 1;
UPDATE msg SET nick = 'X' WHERE id = 3;
DELETE FROM member WHERE room = 3;
