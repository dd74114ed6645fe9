-- A function of the user's own that calls another one, with a name that the runtime has as well, without its schema.
CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL, meta jsonb NOT NULL);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer NOT NULL REFERENCES parent, title text NOT NULL, meta jsonb NOT NULL);
CREATE INDEX ON child (parent_id);
CREATE FUNCTION jsonb_put(target jsonb, path text[], value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_build_object('mine', value) $$;
CREATE FUNCTION jsonb_merge_shallow(target jsonb, source jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_build_object('my', source) $$;
CREATE FUNCTION shown(meta jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN jsonb_merge_shallow(meta, jsonb_put(meta, '{a}'::text[], '1'::jsonb)); END $$;
CREATE VIEW v_parent AS
SELECT p.id, jsonb_build_object('name', p.name, 'meta', shown(p.meta), 'children', COALESCE((
           SELECT jsonb_agg(jsonb_build_object('id', c.id, 'title', c.title, 'meta', shown(c.meta)) ORDER BY c.title, c.id)
             FROM child c WHERE c.parent_id = p.id), '[]'::jsonb)) AS data
  FROM parent p;
-- writes
INSERT INTO parent VALUES (1, 'one', '{}'), (2, 'two', '{"x": 1}');
INSERT INTO child VALUES (1, 1, 'b', '{}'), (2, 1, 'a', '{"y": 2}');
UPDATE parent SET name = 'new';
UPDATE child SET title = 'c', meta = '{"z": 3}' WHERE id = 2;
UPDATE child SET parent_id = 2 WHERE id = 1;
DELETE FROM child WHERE id = 2;
