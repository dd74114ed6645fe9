-- Set-returning functions in select lists, and keys of what they and recursions make.
CREATE TABLE media (id integer PRIMARY KEY, label text);
CREATE TABLE message (id integer PRIMARY KEY, room integer NOT NULL, attached integer[], tags jsonb, words text);
CREATE INDEX ON message (room);
CREATE TABLE category (id integer PRIMARY KEY, parent integer, label text NOT NULL);
CREATE INDEX ON category (parent);

-- The elements joined to a table, in a CTE that an outer join reads; NULL arrays have none.
CREATE VIEW v_message AS
WITH piece AS (SELECT m.id, unnest(m.attached) AS media_id FROM message m),
     piece_json AS (SELECT p.id, jsonb_agg(to_jsonb(d) ORDER BY d.id, p.media_id) AS pieces
                      FROM piece p JOIN media d ON d.id = p.media_id GROUP BY p.id)
SELECT m.id, m.room, coalesce(j.pieces, '[]') AS pieces FROM message m LEFT JOIN piece_json j ON j.id = m.id;

-- In ARRAY, beside another one, of a group's value, of a value from around the query, within an expression.
CREATE VIEW v_room AS
SELECT r.room, jsonb_build_object(
         'tags', ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(m.tags) WHEN 'array' THEN m.tags ELSE '[]' END) AS t
                         FROM message m WHERE m.room = r.room ORDER BY t),
         'pairs', (SELECT jsonb_agg(jsonb_build_array(s.x, s.w) ORDER BY s.id, s.x, s.w)
                     FROM (SELECT m.id, unnest(m.attached) AS x, regexp_split_to_table(m.words, ' ') AS w
                             FROM message m WHERE m.room = r.room) s),
         'ids', (SELECT jsonb_agg(u.one ORDER BY u.one) FROM (SELECT unnest(array_agg(m.id)) + 1 AS one FROM message m WHERE m.room = r.room) u),
         'first', (SELECT unnest(r.all_ids) AS e ORDER BY e LIMIT 1)) AS data
  FROM (SELECT m.room, array_agg(m.id ORDER BY m.id) AS all_ids FROM message m GROUP BY m.room) r;

-- Keys that no row tells.
-- tviewc: full_refresh
-- tviewc: key(media_id)
CREATE VIEW v_used AS
SELECT u.media_id, jsonb_agg(m.id ORDER BY m.id) AS messages FROM message m, unnest(m.attached) AS u (media_id) WHERE u.media_id IS NOT NULL
 GROUP BY u.media_id;

-- tviewc: full_refresh
-- tviewc: key(word)
CREATE VIEW v_word AS
SELECT regexp_split_to_table(m.words, ' ') AS word, jsonb_build_object('n', count(*)) AS data FROM message m WHERE m.words IS NOT NULL GROUP BY word;

-- tviewc: full_refresh
-- tviewc: key(id)
CREATE VIEW v_path AS
WITH RECURSIVE below (id, parent, path, depth) AS (
    SELECT c.id, c.parent, jsonb_build_object('label', c.label), 1 FROM category c WHERE c.parent IS NULL
    UNION ALL
    SELECT c.id, c.parent, jsonb_build_object('label', c.label, 'in', b.path), b.depth + 1 FROM category c JOIN below b ON b.id = c.parent WHERE b.depth < 5
)
SELECT id, path FROM below;
