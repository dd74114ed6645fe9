-- The latest of each: what `row_number() = 1` says of the rows of a partition.
CREATE TABLE room (id integer PRIMARY KEY, name text);
CREATE TABLE message (id integer PRIMARY KEY, room_id integer REFERENCES room ON DELETE CASCADE, author integer, body text, at integer);
CREATE TABLE reader (room_id integer NOT NULL REFERENCES room ON DELETE CASCADE, who integer NOT NULL, at integer, PRIMARY KEY (room_id, who));
CREATE INDEX ON message (room_id);
CREATE INDEX ON message (author);

CREATE VIEW v_latest AS
SELECT r.id, jsonb_build_object('name', r.name) AS data, to_jsonb(l) AS last
  FROM room r LEFT JOIN (SELECT m.*, row_number() OVER (PARTITION BY m.room_id ORDER BY m.at DESC, m.id) AS rn FROM message m WHERE m.body <> 'a') l
    ON l.room_id = r.id AND l.rn = 1;
CREATE VIEW v_first AS
WITH ranked AS (SELECT m.*, row_number() OVER (PARTITION BY m.room_id ORDER BY m.id) AS rn FROM message m)
SELECT r.id, k.author, jsonb_build_object('body', k.body) AS data FROM room r JOIN ranked k ON k.room_id = r.id WHERE k.rn = 1;
-- The partition is the key; several tables in the partition's rows; a number other than 1; in the nullable side as a whole.
CREATE VIEW v_of_author AS
SELECT l.author, jsonb_build_object('body', l.body, 'room', l.name) AS data
  FROM (SELECT m.author, m.body, r.name, row_number() OVER (PARTITION BY m.author ORDER BY m.id DESC) AS rn FROM message m LEFT JOIN room r ON r.id = m.room_id) l
 WHERE l.rn = 1 AND l.author IS NOT NULL;
CREATE VIEW v_second AS
SELECT r.id, x.body, jsonb_build_object('who', w.who, 'body', x.body) AS data
  FROM room r LEFT JOIN reader w ON w.room_id = r.id AND w.who = 1
  LEFT JOIN (SELECT * FROM (SELECT m.room_id, m.body, row_number() OVER (PARTITION BY m.room_id ORDER BY m.id) AS rn FROM message m) y WHERE y.rn = 2) x ON x.room_id = r.id;
-- What the query around leaves out later has been numbered.
CREATE VIEW v_left_out AS
SELECT l.id, jsonb_build_object('body', l.body, 'rn', l.rn) AS data
  FROM (SELECT m.*, row_number() OVER (PARTITION BY m.room_id ORDER BY m.id) AS rn FROM message m) l WHERE l.body > 'b' AND l.rn < 4;
