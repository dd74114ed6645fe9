-- Outer joins that a condition behind them makes inner ones, and such that only look like it.
CREATE TABLE locale (code text PRIMARY KEY, label text);
CREATE TABLE item (id integer PRIMARY KEY, label text, slug text UNIQUE, kind integer);
CREATE TABLE word (id integer PRIMARY KEY, item_id integer REFERENCES item ON DELETE CASCADE, locale text REFERENCES locale ON DELETE CASCADE, attribute text NOT NULL, value text);
CREATE TABLE mark (id integer PRIMARY KEY, word_id integer REFERENCES word ON DELETE CASCADE, item_id integer REFERENCES item ON DELETE SET NULL, body text);
CREATE INDEX ON word (item_id);
CREATE INDEX ON word (locale);
CREATE INDEX ON mark (word_id);
CREATE INDEX ON mark (item_id);
CREATE INDEX ON item (kind);

-- The key is on the nullable side: IS NOT NULL, a comparison, an inner join behind it.
CREATE VIEW v_translation AS
SELECT l.code, w.item_id, jsonb_object_agg(w.attribute, w.value ORDER BY w.id) AS data
  FROM locale l LEFT JOIN word w ON w.locale = l.code WHERE w.item_id IS NOT NULL GROUP BY l.code, w.item_id;
CREATE VIEW v_word AS
SELECT w.id, jsonb_build_object('label', l.label, 'attribute', w.attribute) AS data
  FROM locale l LEFT JOIN word w ON w.locale = l.code WHERE w.attribute > 'b';
CREATE VIEW v_chain AS
SELECT m.id, jsonb_build_object('label', l.label, 'item', i.label, 'body', m.body) AS data
  FROM locale l LEFT JOIN word w ON w.locale = l.code LEFT JOIN item i ON i.id = w.item_id JOIN mark m ON m.word_id = w.id WHERE i.label IS NOT NULL;
CREATE VIEW v_right AS
SELECT i.id, jsonb_build_object('label', i.label, 'words', jsonb_agg(w.value ORDER BY w.id)) AS data
  FROM item i RIGHT JOIN word w ON w.item_id = i.id WHERE i.id <> 3 GROUP BY i.id;
-- Through a view; a unique column that can be NULL, where it is not.
CREATE VIEW helper AS SELECT i.slug, i.label, w.id AS word_id FROM word w LEFT JOIN item i ON i.id = w.item_id;
CREATE VIEW v_slug AS
SELECT h.slug, jsonb_agg(h.word_id ORDER BY h.word_id) AS words FROM helper h WHERE h.slug IS NOT NULL GROUP BY h.slug;
CREATE VIEW v_by_slug AS
SELECT i.slug, jsonb_build_object('label', i.label) AS data FROM item i WHERE i.slug IS NOT NULL;

-- What is said within the nullable side, or of it in the ON of another join, or would be true of NULL.
CREATE VIEW v_within AS
SELECT i.id, jsonb_build_object('label', i.label, 'words', jsonb_agg(w.value ORDER BY w.id)) AS data
  FROM item i LEFT JOIN (SELECT * FROM word x WHERE x.locale IS NOT NULL AND x.attribute > 'b') w ON w.item_id = i.id GROUP BY i.id;
CREATE VIEW v_lateral AS
SELECT i.id, jsonb_build_object('label', i.label, 'n', s.n, 'value', w.value) AS data
  FROM item i LEFT JOIN word w ON w.id = i.kind
  LEFT JOIN LATERAL (SELECT m.body AS n FROM mark m WHERE m.id = w.id AND w.value IS NOT NULL) s ON true;
CREATE VIEW v_on AS
SELECT i.id, jsonb_build_object('label', i.label, 'value', w.value, 'body', m.body) AS data
  FROM item i LEFT JOIN word w ON w.id = i.kind LEFT JOIN mark m ON m.id = i.kind AND w.locale IS NOT NULL AND w.value > 'b';
CREATE VIEW v_true AS
SELECT i.id, jsonb_build_object('label', i.label, 'value', w.value) AS data
  FROM item i LEFT JOIN word w ON w.id = i.kind WHERE coalesce(w.value, 'z') > 'b' AND w.value IS DISTINCT FROM i.label AND (w.id IS NULL OR w.value > 'c');
CREATE VIEW v_nested AS
SELECT i.id, jsonb_build_object('label', i.label, 'm', jsonb_agg(s.body ORDER BY s.id)) AS data
  FROM item i LEFT JOIN (SELECT m.id, m.body, w.item_id FROM mark m LEFT JOIN word w ON w.id = m.word_id WHERE w.item_id IS NOT NULL) s ON s.item_id = i.id
 GROUP BY i.id;
-- An anti-join.
CREATE VIEW v_anti AS
SELECT i.id, jsonb_build_object('label', i.label) AS data FROM item i LEFT JOIN word w ON w.item_id = i.id WHERE w.id IS NULL;
