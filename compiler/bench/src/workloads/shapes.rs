//! One small program per shape, over one schema, with the writes to measure.
//!
//! Every write changes one row, which a number of documents rest on that does not depend on how many rows there are: so must its cost.

/// A view, and the writes that are measured; `$1` is the key of a row.
pub struct Shape {
    pub name: &'static str,
    pub views: &'static str,
    pub writes: &'static [Write],
}

/// A statement, and of which table the key is drawn.
pub struct Write {
    pub table: Table,
    pub sql: &'static str,
}

/// Child rows are ten times as many as parents, and parents ten times as many as groups.
#[derive(Clone, Copy)]
pub enum Table {
    Child,
    Parent,
    Area,
}

/// The schema; `{n}` stands for the number of child rows.
pub const SCHEMA: &str = "
CREATE TABLE area (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE parent (id int PRIMARY KEY, area_id int NOT NULL REFERENCES area, boss_id int, name text NOT NULL, code text NOT NULL,
                     words text[] NOT NULL, tags jsonb NOT NULL);
CREATE TABLE child (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent, rank int NOT NULL, amount int NOT NULL,
                    name text NOT NULL, code text NOT NULL);
CREATE TABLE twin (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE pair (parent_id int REFERENCES parent, twin_id int REFERENCES twin, weight int NOT NULL, PRIMARY KEY (parent_id, twin_id));
CREATE INDEX ON parent (area_id);
CREATE INDEX ON parent (boss_id);
CREATE INDEX ON parent (code);
CREATE INDEX ON parent (lower(code));
CREATE INDEX ON child (parent_id);
CREATE INDEX ON child (code);
CREATE INDEX ON child (lower(code));
CREATE INDEX ON pair (twin_id);
";

pub const ROWS: &str = "
INSERT INTO area SELECT i, 'area ' || i FROM generate_series(1, {n} / 100) i;
INSERT INTO parent SELECT i, 1 + i % ({n} / 100), 1 + (i + 7) % ({n} / 10), 'parent ' || i, 'Code' || i,
       ARRAY['code' || i, 'code' || (i + 1)], jsonb_build_array(i, 'tag') FROM generate_series(1, {n} / 10) i;
INSERT INTO child SELECT i, 1 + i % ({n} / 10), i % 17, i % 1000, 'child ' || i, 'code' || (1 + i % ({n} / 10))
       FROM generate_series(1, {n}) i;
INSERT INTO twin SELECT i * 2, 'twin ' || i FROM generate_series(1, {n} / 10) i;
INSERT INTO pair SELECT i, 2 * (1 + (i * 3 + k) % ({n} / 10)), i FROM generate_series(1, {n} / 10) i, generate_series(0, 1) k;
";

const CHILD: Write =
    Write { table: Table::Child, sql: "UPDATE child SET amount = amount + 1, name = name || '.' WHERE id = $1" };
const PARENT: Write = Write { table: Table::Parent, sql: "UPDATE parent SET name = name || '.' WHERE id = $1" };
const AREA: Write = Write { table: Table::Area, sql: "UPDATE area SET name = name || '.' WHERE id = $1" };
const REPARENT: Write =
    Write { table: Table::Child, sql: "UPDATE child SET parent_id = greatest(1, parent_id - 1) WHERE id = $1" };
const REBOSS: Write =
    Write { table: Table::Parent, sql: "UPDATE parent SET boss_id = greatest(1, boss_id - 1) WHERE id = $1" };

pub const SHAPES: &[Shape] = &[
    Shape {
        name: "inner join",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'area', a.name) AS data
                  FROM parent p JOIN area a ON a.id = p.area_id;",
        writes: &[PARENT, AREA],
    },
    Shape {
        name: "left join, self join",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'boss', b.name) AS data
                  FROM parent p LEFT JOIN parent b ON b.id = p.boss_id;",
        writes: &[PARENT],
    },
    Shape {
        name: "full join",
        views: "CREATE VIEW v_x AS SELECT coalesce(p.id, t.id) AS id, jsonb_build_object('p', p.name, 't', t.name) AS data
                  FROM parent p FULL JOIN twin t ON t.id = p.id;",
        writes: &[PARENT],
    },
    Shape {
        name: "full join USING",
        views: "CREATE VIEW v_x AS SELECT id, jsonb_build_object('p', p.name, 't', t.name, 'n', (SELECT count(*) FROM child c WHERE c.parent_id = p.id)) AS data
                  FROM parent p FULL JOIN twin t USING (id);",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "full join of groups",
        views: "CREATE VIEW v_x AS SELECT coalesce(c.parent_id, b.boss_id) AS id, jsonb_build_object('children', c.n, 'below', b.n) AS data
                  FROM (SELECT c.parent_id, count(*) AS n FROM child c GROUP BY c.parent_id) c
                  FULL JOIN (SELECT p.boss_id, count(*) AS n FROM parent p WHERE p.boss_id IS NOT NULL GROUP BY p.boss_id) b
                    ON b.boss_id = c.parent_id;",
        writes: &[REPARENT, REBOSS],
    },
    Shape {
        name: "full join of three",
        views: "CREATE VIEW v_x AS SELECT coalesce(p.id, t.id, a.id) AS id, jsonb_build_object('p', p.name, 't', t.name, 'a', a.name) AS data
                  FROM parent p FULL JOIN twin t ON t.id = p.id FULL JOIN area a ON a.id = coalesce(p.id, t.id);",
        writes: &[PARENT, AREA],
    },
    Shape {
        name: "full join of three, USING",
        views: "CREATE VIEW v_x AS SELECT id, jsonb_build_object('p', p.name, 't', t.name, 'n', c.n) AS data
                  FROM parent p FULL JOIN twin t USING (id)
                  FULL JOIN (SELECT c.parent_id AS id, count(*) AS n FROM child c GROUP BY c.parent_id) c USING (id);",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "right join, comma join, USING",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'area', a.name, 'twin', t.name, 'boss', b.name) AS data
                  FROM area a, (twin t RIGHT JOIN parent p USING (id)), parent b WHERE a.id = p.area_id AND b.id = p.boss_id;",
        writes: &[PARENT, AREA, REBOSS],
    },
    Shape {
        name: "row comparison",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'first',
                    (SELECT jsonb_agg(c.name ORDER BY c.id) FROM child c WHERE (c.parent_id, c.code) = (p.id, lower(p.code)))) AS data
                  FROM parent p WHERE (p.id, p.name) > (0, '');",
        writes: &[PARENT, CHILD],
    },
    Shape {
        name: "expression join",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'same',
                    (SELECT jsonb_agg(c.name ORDER BY c.id) FROM child c WHERE lower(c.code) = lower(p.code))) AS data FROM parent p;",
        writes: &[PARENT, CHILD],
    },
    Shape {
        name: "array of objects",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'children',
                    (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name) ORDER BY c.id) FROM child c WHERE c.parent_id = p.id)) AS data
                  FROM parent p;",
        writes: &[PARENT, CHILD],
    },
    Shape {
        name: "arrays two deep",
        views: "CREATE VIEW v_x AS SELECT a.id, jsonb_build_object('name', a.name, 'parents',
                    (SELECT jsonb_agg(jsonb_build_object('name', p.name, 'children',
                        (SELECT jsonb_agg(c.name ORDER BY c.id) FROM child c WHERE c.parent_id = p.id)) ORDER BY p.id)
                       FROM parent p WHERE p.area_id = a.id)) AS data FROM area a;",
        writes: &[AREA, PARENT, CHILD],
    },
    Shape {
        name: "aggregates, string_agg, object_agg",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('n', (SELECT count(*) FROM child c WHERE c.parent_id = p.id),
                    'sum', (SELECT sum(c.amount) FILTER (WHERE c.rank > 3) FROM child c WHERE c.parent_id = p.id),
                    'text', (SELECT string_agg(c.name, ',' ORDER BY c.id) FROM child c WHERE c.parent_id = p.id),
                    'map', (SELECT jsonb_object_agg(c.id, c.name ORDER BY c.id) FROM child c WHERE c.parent_id = p.id),
                    'array', ARRAY(SELECT DISTINCT c.name FROM child c WHERE c.parent_id = p.id ORDER BY c.name)) AS data FROM parent p;",
        writes: &[CHILD],
    },
    Shape {
        name: "ORDER BY and LIMIT",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('top',
                    (SELECT c.name FROM child c WHERE c.parent_id = p.id ORDER BY c.amount DESC, c.id LIMIT 1)) AS data FROM parent p;",
        writes: &[CHILD],
    },
    Shape {
        name: "EXISTS, NOT EXISTS, IN",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('a', EXISTS (SELECT 1 FROM child c WHERE c.parent_id = p.id AND c.amount > 500),
                    'b', p.boss_id IN (SELECT c.rank FROM child c WHERE c.parent_id = p.id)) AS data
                  FROM parent p WHERE NOT EXISTS (SELECT 1 FROM child c WHERE c.parent_id = p.id AND c.amount < 0);",
        writes: &[CHILD, REPARENT, REBOSS],
    },
    Shape {
        name: "NOT IN, ANY, ALL",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('a', p.boss_id NOT IN (SELECT c.rank FROM child c WHERE c.parent_id = p.id),
                    'b', 5 < ANY (SELECT c.amount FROM child c WHERE c.parent_id = p.id),
                    'c', p.id > ALL (SELECT c.rank FROM child c WHERE c.parent_id = p.boss_id)) AS data FROM parent p;",
        writes: &[CHILD, REPARENT, REBOSS],
    },
    Shape {
        name: "= ANY(array column)",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'found',
                    (SELECT jsonb_agg(c.name ORDER BY c.id) FROM child c WHERE c.code = ANY(p.words))) AS data FROM parent p;",
        writes: &[PARENT],
    },
    Shape {
        name: "GROUP BY a reference",
        views: "CREATE VIEW v_x AS SELECT c.parent_id, jsonb_build_object('n', count(*), 'sum', sum(c.amount),
                    'list', jsonb_agg(c.name ORDER BY c.id)) AS data FROM child c GROUP BY c.parent_id HAVING count(*) > 1;",
        writes: &[CHILD, REPARENT],
    },
    Shape {
        name: "GROUP BY over a join",
        views: "CREATE VIEW v_x AS SELECT a.id, jsonb_build_object('name', a.name, 'n', count(c.id), 'list', jsonb_agg(c.name ORDER BY c.id)) AS data
                  FROM area a JOIN parent p ON p.area_id = a.id JOIN child c ON c.parent_id = p.id GROUP BY a.id;",
        writes: &[AREA, CHILD],
    },
    Shape {
        name: "GROUP BY an expression",
        views: "CREATE VIEW v_x AS SELECT lower(c.code) AS code, jsonb_build_object('n', count(*), 'list', jsonb_agg(c.name ORDER BY c.id)) AS data
                  FROM child c WHERE lower(c.code) IS NOT NULL GROUP BY lower(c.code);",
        writes: &[CHILD],
    },
    Shape {
        name: "LATERAL",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('n', s.n, 'top', t.name) AS data FROM parent p
                  CROSS JOIN LATERAL (SELECT count(*) AS n FROM child c WHERE c.parent_id = p.id) s
                  LEFT JOIN LATERAL (SELECT c.name FROM child c WHERE c.parent_id = p.id ORDER BY c.amount DESC, c.id LIMIT 1) t ON true;",
        writes: &[CHILD],
    },
    Shape {
        name: "unnest, jsonb_array_elements",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name,
                    'words', (SELECT jsonb_agg(upper(u.w) ORDER BY u.at) FROM unnest(p.words) WITH ORDINALITY AS u (w, at)),
                    'tags', (SELECT jsonb_agg(e.t ORDER BY e.at) FROM jsonb_array_elements(p.tags) WITH ORDINALITY AS e (t, at))) AS data
                  FROM parent p;",
        writes: &[PARENT],
    },
    Shape {
        name: "derived table",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'n', s.n, 'list', s.list) AS data FROM parent p
                  LEFT JOIN (SELECT c.parent_id, count(*) AS n, jsonb_agg(c.name ORDER BY c.id) AS list FROM child c GROUP BY c.parent_id) s
                    ON s.parent_id = p.id;",
        writes: &[PARENT, CHILD],
    },
    Shape {
        name: "WITH, twice",
        views: "CREATE VIEW v_x AS WITH s AS (SELECT c.parent_id, count(*) AS n FROM child c GROUP BY c.parent_id)
                SELECT p.id, jsonb_build_object('name', p.name, 'n', s.n, 'boss', b.n) AS data
                  FROM parent p LEFT JOIN s ON s.parent_id = p.id LEFT JOIN s b ON b.parent_id = p.boss_id;",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "grouped query joined by a reference",
        views: "CREATE VIEW v_x AS SELECT c.id, jsonb_build_object('name', c.name, 'of', s.n, 'by', t.n) AS data FROM child c
                  JOIN (SELECT c.parent_id, count(*) AS n FROM child c GROUP BY c.parent_id) s ON s.parent_id = c.parent_id
                  LEFT JOIN (SELECT p.boss_id, count(*) AS n FROM parent p GROUP BY p.boss_id) t ON t.boss_id = c.parent_id;",
        writes: &[CHILD, REBOSS],
    },
    Shape {
        name: "grouped queries, comma and USING",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'boss', b.name, 'n', s.n, 'last', t.last) AS data
                  FROM parent p, parent b JOIN twin w USING (id)
                  LEFT JOIN (SELECT p.boss_id AS id, max(p.name) AS last FROM parent p GROUP BY p.boss_id) t USING (id),
                       (SELECT c.parent_id, count(*) AS n FROM child c GROUP BY c.parent_id) s
                 WHERE b.id = p.boss_id AND s.parent_id = b.id;",
        writes: &[PARENT, CHILD, REBOSS],
    },
    Shape {
        name: "grouped queries in a view below",
        views: "CREATE VIEW counted AS WITH s AS (SELECT c.parent_id, count(*) AS n, max(c.name) AS last FROM child c GROUP BY c.parent_id)
                SELECT p.id, p.boss_id, own.n, above.last FROM parent p LEFT JOIN s AS own ON own.parent_id = p.id
                  LEFT JOIN s AS above ON above.parent_id = p.boss_id;
                CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'n', b.n, 'last', b.last) AS data
                  FROM parent p JOIN counted b ON b.id = p.boss_id;",
        writes: &[PARENT, CHILD, REBOSS],
    },
    Shape {
        name: "grouped query joined in an array's query",
        views: "CREATE VIEW counted AS SELECT c.id, c.parent_id, c.name, s.n FROM child c
                  JOIN (SELECT t.id, count(*) AS n FROM twin t GROUP BY t.id) s ON s.id = c.parent_id;
                CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name,
                    'list', (SELECT jsonb_agg(jsonb_build_object('name', b.name, 'n', s.n) ORDER BY b.id) FROM parent b
                               JOIN (SELECT c.parent_id, count(*) AS n FROM child c GROUP BY c.parent_id) s ON s.parent_id = b.id WHERE b.boss_id = p.id),
                    'below', (SELECT jsonb_agg(d.n ORDER BY d.id) FROM counted d WHERE d.parent_id = p.id)) AS data FROM parent p;",
        writes: &[PARENT, CHILD, REBOSS],
    },
    Shape {
        name: "UNION ALL",
        views: "CREATE VIEW v_x AS SELECT 'parent' AS kind, p.id, jsonb_build_object('name', p.name, 'area', a.name) AS data
                  FROM parent p JOIN area a ON a.id = p.area_id
                UNION ALL SELECT 'twin', t.id, jsonb_build_object('name', t.name, 'area', NULL) FROM twin t;",
        writes: &[PARENT, AREA],
    },
    Shape {
        name: "UNION in a subquery",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('names', (SELECT jsonb_agg(s.v ORDER BY s.v) FROM
                    (SELECT c.name AS v FROM child c WHERE c.parent_id = p.id UNION SELECT b.name FROM parent b WHERE b.boss_id = p.id) s)) AS data
                  FROM parent p;",
        writes: &[PARENT, CHILD],
    },
    Shape {
        name: "UNION and INTERSECT in FROM",
        views: "CREATE VIEW v_x AS SELECT s.id, jsonb_build_object('id', s.id, 'name', p.name, 'both', b.id) AS data
                  FROM (SELECT c.parent_id AS id FROM child c UNION SELECT p.boss_id FROM parent p WHERE p.boss_id IS NOT NULL) s
                  LEFT JOIN (SELECT c.parent_id AS id FROM child c INTERSECT SELECT t.id FROM twin t) b ON b.id = s.id
                  LEFT JOIN parent p ON p.id = s.id;",
        writes: &[PARENT, REPARENT, REBOSS],
    },
    Shape {
        name: "EXCEPT joined",
        views: "CREATE VIEW v_x AS SELECT p.id, jsonb_build_object('name', p.name, 'alone', s.id IS NOT NULL) AS data
                  FROM parent p LEFT JOIN (SELECT t.id FROM twin t EXCEPT SELECT c.parent_id FROM child c) s ON s.id = p.id;",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "DISTINCT in FROM",
        views: "CREATE VIEW v_x AS SELECT s.parent_id, jsonb_build_object('name', p.name) AS data
                  FROM (SELECT DISTINCT c.parent_id FROM child c WHERE c.amount >= 0) s JOIN parent p ON p.id = s.parent_id;",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "groups of two sides",
        views: "CREATE VIEW v_x AS SELECT s.kind, s.id, jsonb_build_object('n', count(*), 'list', jsonb_agg(s.name ORDER BY s.name)) AS data
                  FROM (SELECT 'child' AS kind, c.parent_id AS id, c.name FROM child c
                        UNION ALL SELECT 'below', p.boss_id, p.name FROM parent p WHERE p.boss_id IS NOT NULL) s GROUP BY s.kind, s.id;",
        writes: &[CHILD, PARENT, REBOSS],
    },
    Shape {
        name: "key that is a cast",
        views: "CREATE INDEX ON parent ((id::text)); CREATE INDEX ON twin ((id::text));
                CREATE VIEW v_x AS SELECT 'parent' AS kind, p.id::text AS id, jsonb_build_object('name', p.name) AS data FROM parent p
                UNION ALL SELECT 'twin', t.id::text, jsonb_build_object('name', t.name) FROM twin t;",
        writes: &[PARENT],
    },
    Shape {
        name: "UNION, EXCEPT, INTERSECT",
        views: "CREATE VIEW v_x AS SELECT s.id, jsonb_build_object('id', s.id, 'name', p.name) AS data
                  FROM (SELECT c.parent_id AS id FROM child c EXCEPT SELECT p.id FROM parent p WHERE p.name = 'none') s
                  JOIN parent p ON p.id = s.id;",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "DISTINCT",
        views: "CREATE VIEW v_x AS SELECT DISTINCT p.id, jsonb_build_object('name', p.name) AS data
                  FROM parent p JOIN child c ON c.parent_id = p.id WHERE c.amount >= 0;",
        writes: &[PARENT, REPARENT],
    },
    Shape {
        name: "DISTINCT ON",
        views: "CREATE VIEW v_x AS SELECT DISTINCT ON (c.parent_id) c.parent_id, jsonb_build_object('name', c.name, 'amount', c.amount) AS data
                  FROM child c ORDER BY c.parent_id, c.amount DESC, c.id;",
        writes: &[CHILD],
    },
    Shape {
        name: "window with a partition",
        views: "CREATE VIEW v_x AS SELECT c.id, jsonb_build_object('name', c.name,
                    'place', row_number() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC, c.id)) AS data FROM child c;",
        writes: &[CHILD],
    },
    Shape {
        name: "windows of several partitions",
        views: "CREATE VIEW v_x AS SELECT c.id, jsonb_build_object('name', c.name,
                    'place', row_number() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC, c.id),
                    'same', count(*) OVER (PARTITION BY c.code)) AS data FROM child c;",
        writes: &[CHILD, REPARENT],
    },
    Shape {
        name: "window in a view below",
        views: "-- tviewc: skip
CREATE VIEW w_parent AS SELECT c.id, c.name, c.parent_id,
                    row_number() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC, c.id) AS place FROM child c;
                CREATE VIEW v_x AS SELECT c.id, jsonb_build_object('name', w.name, 'place', w.place, 'code', c.code) AS data
                  FROM child c JOIN w_parent w ON w.id = c.id;",
        writes: &[CHILD, REPARENT],
    },
    Shape {
        name: "window in a derived table, filtered",
        views: "CREATE VIEW v_x AS SELECT s.id, jsonb_build_object('name', s.name, 'place', s.place) AS data
                  FROM (SELECT c.id, c.name, row_number() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC, c.id) AS place FROM child c) s
                 WHERE s.place <= 3;",
        writes: &[CHILD, REPARENT],
    },
    Shape {
        name: "window in a CTE, outer joined",
        views: "CREATE VIEW v_x AS WITH placed AS (SELECT c.*, rank() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC) AS place,
                                                     count(*) OVER (PARTITION BY c.code) AS same FROM child c)
                SELECT p.id, jsonb_build_object('name', p.name, 'best', w.name, 'place', w.place, 'same', w.same) AS data
                  FROM parent p LEFT JOIN placed w ON w.id = p.boss_id;",
        writes: &[PARENT, CHILD, REBOSS],
    },
    Shape {
        name: "first by number",
        views: "CREATE VIEW v_x AS SELECT s.parent_id, jsonb_build_object('name', s.name) AS data
                  FROM (SELECT c.parent_id, c.name, row_number() OVER (PARTITION BY c.parent_id ORDER BY c.amount DESC, c.id) AS place
                          FROM child c) s WHERE s.place = 1;",
        writes: &[CHILD, REPARENT],
    },
    Shape {
        name: "views on views",
        views: "-- tviewc: skip
CREATE VIEW w_parent AS SELECT p.id, p.area_id, jsonb_build_object('name', p.name, 'children',
                    (SELECT jsonb_agg(c.name ORDER BY c.id) FROM child c WHERE c.parent_id = p.id)) AS doc FROM parent p;
                CREATE VIEW v_x AS SELECT a.id, jsonb_build_object('name', a.name,
                    'parents', (SELECT jsonb_agg(w.doc ORDER BY w.id) FROM w_parent w WHERE w.area_id = a.id)) AS data FROM area a;",
        writes: &[AREA, PARENT, CHILD],
    },
    Shape {
        name: "key of two tables",
        views: "CREATE VIEW v_x AS SELECT p.id AS parent_id, t.id AS twin_id, jsonb_build_object('p', p.name, 't', t.name, 'w', l.weight) AS data
                  FROM parent p JOIN pair l ON l.parent_id = p.id JOIN twin t ON t.id = l.twin_id;",
        writes: &[PARENT],
    },
];
