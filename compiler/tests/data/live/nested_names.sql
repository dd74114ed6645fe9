-- Arrays in arrays again: names that the generated statements use themselves, fields that a jsonpath has to quote, and one table at several depths.

CREATE TABLE top (outer_1 integer, key_1 text, name text, PRIMARY KEY (outer_1, key_1));
CREATE TABLE element (
    "match" integer PRIMARY KEY, outer_1 integer, key_1 text, sort_1 text, element text,
    FOREIGN KEY (outer_1, key_1) REFERENCES top ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE outer_2 (
    value_1 integer PRIMARY KEY, "match" integer REFERENCES element ON DELETE CASCADE ON UPDATE CASCADE, sort_1 integer, element text
);
CREATE TABLE fresh_1 ("matches" text, moves integer REFERENCES outer_2 ON DELETE CASCADE, "preceding" text, "E" text, PRIMARY KEY (moves, "matches"));
CREATE INDEX ON element (outer_1, key_1);
CREATE INDEX ON outer_2 ("match");

CREATE VIEW v_top AS
SELECT outer_1, key_1, jsonb_build_object('name', name, 'elements', (
           SELECT jsonb_agg(jsonb_build_object('match', "match", 'element', element, 'inner', (
                      SELECT jsonb_agg(jsonb_build_object('sort_1', sort_1, 'v', value_1, 'e', outer_2.element, 'more', (
                                 SELECT jsonb_agg(jsonb_build_object('m', "matches", 'E', "E") ORDER BY "preceding", "matches")
                                 FROM fresh_1 WHERE moves = value_1)) ORDER BY sort_1, value_1)
                      FROM outer_2 WHERE outer_2."match" = element."match")) ORDER BY sort_1, "match")
           FROM element WHERE element.outer_1 = top.outer_1 AND element.key_1 = top.key_1)) AS data
FROM top;

CREATE TABLE shelf (tview_element integer PRIMARY KEY, n text);
CREATE TABLE box (id integer PRIMARY KEY, shelf integer REFERENCES shelf ON DELETE CASCADE, n text);
CREATE TABLE shown (id integer PRIMARY KEY, box integer REFERENCES box ON DELETE CASCADE, n text);
CREATE INDEX ON box (shelf);
CREATE INDEX ON shown (box);

CREATE VIEW v_shelf AS
SELECT tview_element.tview_element AS element, jsonb_build_object('n', tview_element.n, 'boxes', (
           SELECT jsonb_agg(jsonb_build_object('id', tview_element_2.id, 'n', tview_element_2.n, 'shown', (
                      SELECT jsonb_agg(jsonb_build_object('id', before_2.id, 'n', before_2.n) ORDER BY before_2.n, before_2.id)
                      FROM shown AS before_2 WHERE before_2.box = tview_element_2.id)) ORDER BY tview_element_2.n, tview_element_2.id)
           FROM box AS tview_element_2 WHERE tview_element_2.shelf = tview_element.tview_element)) AS data
FROM shelf AS tview_element;

-- Fields with all that jsonpath and SQL have to quote, and match keys of several types.
CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'x"y');
CREATE TABLE doc (id uuid PRIMARY KEY, name text);
CREATE TABLE part (u uuid PRIMARY KEY, doc uuid REFERENCES doc ON DELETE CASCADE, "na.me" text);
CREATE TABLE piece (part uuid NOT NULL REFERENCES part ON DELETE CASCADE ON UPDATE CASCADE, c colour, t text, PRIMARY KEY (part, c));
CREATE TABLE day (
    id integer PRIMARY KEY, part uuid NOT NULL, c colour NOT NULL, day date NOT NULL, v numeric, UNIQUE (part, c, day),
    FOREIGN KEY (part, c) REFERENCES piece ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX ON part (doc);

CREATE VIEW v_doc AS
SELECT doc.id, jsonb_build_object('name', doc.name, 'a''s "q" \ . $', jsonb_build_object('', (
           SELECT jsonb_agg(jsonb_build_object('u $.*"\''é', a.u, 'n', a."na.me", 'in', jsonb_build_object('a.b', jsonb_build_object('ünï''c', (
                      SELECT coalesce(jsonb_agg(jsonb_build_object('', b.c, 't', b.t, '$match', (
                                 SELECT jsonb_agg(jsonb_build_object('day', d.day, 'v', d.v) ORDER BY d.day DESC)
                                 FROM day d WHERE d.part = b.part AND d.c = b.c)) ORDER BY b.t, b.c), '[]')
                      FROM piece b WHERE b.part = a.u)))) ORDER BY a."na.me" NULLS FIRST, a.u)
           FROM part a WHERE a.doc = doc.id))) AS data
FROM doc;

-- One table at three depths, several arrays of one table beside each other, and counts of it beside these.
CREATE TABLE cat (id integer PRIMARY KEY, name text);
CREATE TABLE node (
    id integer PRIMARY KEY, cat integer REFERENCES cat ON DELETE CASCADE, parent integer REFERENCES node ON DELETE SET NULL, rank integer, name text
);
CREATE TABLE tag (id integer PRIMARY KEY, node integer NOT NULL REFERENCES node ON DELETE CASCADE, rank integer, name text);
CREATE INDEX ON node (cat);
CREATE INDEX ON node (parent);
CREATE INDEX ON tag (node);

CREATE VIEW v_cat AS
SELECT c.id, jsonb_build_object(
           'name', c.name,
           'count', (SELECT count(*) FROM tag t JOIN node n ON n.id = t.node WHERE n.cat = c.id),
           'nodes', (
               SELECT jsonb_agg(jsonb_build_object(
                          'id', n.id, 'name', n.name,
                          'tagcount', (SELECT count(*) FROM tag t WHERE t.node = n.id),
                          'kids', (
                              SELECT jsonb_agg(jsonb_build_object(
                                         'id', k.id, 'name', k.name,
                                         'grand', (
                                             SELECT coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name, 'tags', (
                                                        SELECT jsonb_agg(jsonb_build_object('id', t.id, 'n', t.name) ORDER BY t.rank, t.id)
                                                        FROM tag t WHERE t.node = g.id)) ORDER BY g.rank, g.id), '[]')
                                             FROM node g WHERE g.parent = k.id),
                                         'tags', (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'n', t.name) ORDER BY t.id DESC)
                                                  FROM tag t WHERE t.node = k.id)) ORDER BY k.rank DESC, k.id)
                              FROM node k WHERE k.parent = n.id),
                          'tags', (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'n', t.name) ORDER BY t.rank, t.id) FROM tag t WHERE t.node = n.id),
                          'low', (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'n', t.name) ORDER BY t.id)
                                  FROM tag t WHERE t.node = n.id AND t.rank < 3)) ORDER BY n.rank, n.id)
               FROM node n WHERE n.cat = c.id)) AS data
FROM cat c;
