-- A row is no column of a view: such an array is computed as a whole.
CREATE TABLE list (id integer PRIMARY KEY);
CREATE TABLE item (id integer PRIMARY KEY, list_id integer, rank integer);
CREATE VIEW v_list AS
SELECT l.id, jsonb_build_object(
           'a', (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'r', i.rank) ORDER BY (i.rank, i.id)) FROM item i WHERE i.list_id = l.id),
           'b', (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'r', i.rank) ORDER BY ROW(i.rank, i.id) DESC) FROM item i WHERE i.list_id = l.id),
           'c', (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'r', i.rank) ORDER BY ((i.rank), i.id)) FROM item i WHERE i.list_id = l.id),
           'd', (SELECT jsonb_agg(jsonb_build_object('id', i.id, 'r', i.rank) ORDER BY (((i.rank, i.id))) DESC NULLS LAST) FROM item i WHERE i.list_id = l.id)
       ) AS data
  FROM list l;
-- writes
INSERT INTO list VALUES (1), (2);
INSERT INTO item VALUES (1, 1, 5), (2, 1, 3), (3, 1, 3), (4, 2, NULL);
UPDATE item SET rank = 9 WHERE id = 2;
UPDATE item SET list_id = 1 WHERE id = 4;
