-- What stands for an empty array is an array with elements: they are none of its own.
CREATE TABLE list (id integer PRIMARY KEY);
CREATE TABLE item (id integer PRIMARY KEY, list_id integer);
CREATE VIEW v_list AS
SELECT l.id, jsonb_build_object(
           'a', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.list_id = l.id), '[1]'),
           'b', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id), '[{"id": 0}]'::jsonb) FROM item i WHERE i.list_id = l.id),
           'c', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.list_id = l.id), CAST('[null]' AS jsonb)),
           'd', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.list_id = l.id), NULL, ' [ ] '),
           'e', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.list_id = l.id), ('[' || '2]')::jsonb),
           'f', coalesce((SELECT jsonb_agg(jsonb_build_object('id', i.id) ORDER BY i.id) FROM item i WHERE i.list_id = l.id), E'[\x32]')
       ) AS data
  FROM list l;
-- writes
INSERT INTO list VALUES (1), (2);
INSERT INTO item VALUES (2, 1);
INSERT INTO item VALUES (1, 1);
UPDATE item SET list_id = 2 WHERE id = 1;
UPDATE item SET list_id = 2;
DELETE FROM item;
