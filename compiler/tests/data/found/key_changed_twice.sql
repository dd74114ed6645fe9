-- A foreign key's action on the table of the statement itself: its rows come into the statement's own transition tables, so that the
-- statement's trigger sees two old and two new rows of one. Old rows: key 3, and key 21 as it was in between; new rows: key 21 twice. Paired
-- by key, nothing but key 3 seems to have changed.
CREATE TABLE node (id bigint PRIMARY KEY, parent bigint REFERENCES node ON UPDATE CASCADE, rank integer NOT NULL);
CREATE VIEW v_node AS SELECT n.id, jsonb_build_object('rank', n.rank) AS data FROM node n;
-- writes
INSERT INTO node VALUES (3, 3, 5);
UPDATE node SET id = 21 WHERE id = 3;
