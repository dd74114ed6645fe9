-- Arrays of which elements are changed by themselves, in every order and empty form, and values that are computed by themselves.
CREATE TYPE grade AS ENUM ('low', 'middle', 'high');
CREATE TABLE maker (id integer PRIMARY KEY, name text NOT NULL, rating integer, shown boolean NOT NULL DEFAULT true);
CREATE TABLE shelf (code text PRIMARY KEY, title text NOT NULL, note text, maker_id integer REFERENCES maker);
CREATE TABLE thing (
    id integer PRIMARY KEY,
    shelf_code text NOT NULL REFERENCES shelf ON UPDATE CASCADE ON DELETE CASCADE,
    maker_id integer REFERENCES maker,
    name text, weight numeric, level grade, made date, place integer NOT NULL DEFAULT 0, kept boolean NOT NULL DEFAULT true);
CREATE TABLE mark (thing_id integer NOT NULL REFERENCES thing ON DELETE CASCADE, label text NOT NULL, strength integer, PRIMARY KEY (thing_id, label));
CREATE TABLE stock (shelf_code text NOT NULL REFERENCES shelf ON UPDATE CASCADE ON DELETE CASCADE, thing_id integer NOT NULL REFERENCES thing ON DELETE CASCADE, amount integer NOT NULL, PRIMARY KEY (shelf_code, thing_id));
CREATE INDEX ON shelf (maker_id);
CREATE INDEX ON thing (shelf_code);
CREATE INDEX ON thing (maker_id);
CREATE INDEX ON stock (thing_id);

-- By the match key itself; an empty array where there is none.
CREATE VIEW v_shelf AS
SELECT s.code, jsonb_build_object(
    'title', s.title,
    'loud', upper(s.title),
    'maker', (SELECT m.name FROM maker m WHERE m.id = s.maker_id),
    'things', COALESCE((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'weight', t.weight) ORDER BY t.id)
                          FROM thing t WHERE t.shelf_code = s.code), '[]'::jsonb),
    'count', (SELECT count(*) FROM thing t WHERE t.shelf_code = s.code AND t.kept),
    'heavy', EXISTS (SELECT FROM thing t WHERE t.shelf_code = s.code AND t.weight > 5)) AS data
  FROM shelf s;

-- Descending, with NULLs in both places; NULL where there is none; conditions on own and joined columns.
CREATE VIEW v_rank AS
SELECT s.code AS shelf, jsonb_build_object(
    'by_weight', (SELECT jsonb_agg(jsonb_build_object('thing', t.id, 'weight', t.weight) ORDER BY t.weight DESC NULLS LAST, t.id)
                    FROM thing t WHERE t.shelf_code = s.code AND t.kept),
    'by_level', (SELECT jsonb_agg(jsonb_build_object('thing', t.id, 'level', t.level, 'name', t.name) ORDER BY t.level NULLS FIRST, t.made DESC, t.id DESC)
                   FROM thing t WHERE t.shelf_code = s.code),
    'shown', (SELECT coalesce(jsonb_agg(jsonb_build_object('thing', t.id, 'maker', m.name) ORDER BY m.name DESC, t.id DESC) FILTER (WHERE m.shown), '[]')
                FROM thing t JOIN maker m ON m.id = t.maker_id WHERE t.shelf_code = s.code)) AS data
  FROM shelf s WHERE s.note IS DISTINCT FROM 'hidden';

-- Elements of several tables, arrays in arrays, an outer join inside, a match key that another table holds as well.
CREATE VIEW v_store AS
SELECT s.code, s.title || '!' AS title, jsonb_build_object(
    'stock', COALESCE((SELECT jsonb_agg(jsonb_build_object(
                'thing', t.id, 'amount', k.amount, 'name', t.name,
                'maker', jsonb_build_object('name', m.name, 'rating', m.rating),
                'marks', (SELECT jsonb_agg(jsonb_build_object('label', l.label, 'strength', l.strength) ORDER BY l.strength, l.label)
                            FROM mark l WHERE l.thing_id = t.id)) ORDER BY t.place, t.id)
             FROM stock k JOIN thing t ON t.id = k.thing_id LEFT JOIN maker m ON m.id = t.maker_id
            WHERE k.shelf_code = s.code AND k.amount > 0), '[]')) AS data
  FROM shelf s;

-- A collation of its own; conditions that read other tables; the first of several.
CREATE VIEW v_bag AS
SELECT m.id, m.name, jsonb_build_object(
    'marked', (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY t.name COLLATE "C", t.id)
                 FROM thing t WHERE t.maker_id = m.id AND EXISTS (SELECT FROM mark l WHERE l.thing_id = t.id AND l.strength > 2)),
    'best', (SELECT t.name FROM thing t WHERE t.maker_id = m.id ORDER BY t.weight DESC NULLS LAST, t.id LIMIT 1)) AS data,
    -- A column of its own.
    (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'made', t.made) ORDER BY t.place, t.id) FROM thing t WHERE t.maker_id = m.id) AS things
  FROM maker m;

-- Elements that are another view's documents.
CREATE VIEW v_thing AS
SELECT t.id, t.shelf_code, t.place, jsonb_build_object('id', t.id, 'name', t.name, 'maker', jsonb_build_object('id', m.id, 'name', m.name),
       'marks', (SELECT count(*) FROM mark l WHERE l.thing_id = t.id)) AS data
  FROM thing t LEFT JOIN maker m ON m.id = t.maker_id;

CREATE VIEW v_room AS
SELECT s.code, jsonb_build_object('title', s.title,
       'things', COALESCE((SELECT jsonb_agg(v.data ORDER BY v.place DESC, v.id) FROM v_thing v WHERE v.shelf_code = s.code), '[]'::jsonb)) AS data
  FROM shelf s;
