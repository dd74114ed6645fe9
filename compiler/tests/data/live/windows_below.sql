-- Windows below a view that its key does not pass: in views, derived tables, CTEs and subqueries.
CREATE TABLE club (id integer PRIMARY KEY, name text NOT NULL, best integer);
CREATE TABLE entry (id integer PRIMARY KEY, club_id integer REFERENCES club ON DELETE CASCADE, kind text, points integer NOT NULL, ref integer);
CREATE TABLE remark (entry_id integer NOT NULL REFERENCES entry ON DELETE CASCADE, n integer NOT NULL, body text, PRIMARY KEY (entry_id, n));
CREATE INDEX ON club (best);
CREATE INDEX ON club (name);
CREATE INDEX ON entry (club_id);
CREATE INDEX ON entry (kind);
CREATE INDEX ON entry (lower(kind));
CREATE INDEX ON entry (ref);

-- NULL is a partition of each of them; the two of the first have nothing in common. The second has names of its own, rows without a
-- partner, and a window that is named.
-- tviewc: skip
CREATE VIEW w_entry AS
SELECT e.*, row_number() OVER (PARTITION BY e.club_id ORDER BY e.points DESC, e.id) AS place, count(*) OVER (PARTITION BY e.kind) AS alike
  FROM entry e;
-- tviewc: skip
CREATE VIEW "W remark" (entry, remark, body, "of club", first) AS
SELECT e.id, r.n, r.body, count(r.n) OVER w, min(r.body) OVER (w ROWS UNBOUNDED PRECEDING)
  FROM entry e LEFT JOIN remark r ON r.entry_id = e.id WHERE e.points >= 0
WINDOW w AS (PARTITION BY e.club_id ORDER BY e.id, r.n);
-- tviewc: skip
CREATE VIEW w_both AS SELECT w_entry.id, w_entry.club_id, w_entry.place, r.body, r."of club" FROM w_entry LEFT JOIN "W remark" AS r ON r.entry = w_entry.id AND r.remark = 1;

CREATE VIEW v_entry AS
SELECT e.id, jsonb_build_object('kind', e.kind, 'place', w_entry.place, 'alike', w_entry.alike, 'w', to_jsonb(w_entry)) AS data
  FROM entry e JOIN w_entry ON w_entry.id = e.id;

-- By columns that are no key of anything, in an outer join, with what the window computes in its condition.
CREATE VIEW v_club AS
SELECT c.id, jsonb_build_object('name', c.name, 'best', b.name, 'entry', jsonb_build_object('id', w.id, 'place', w.place, 'alike', w.alike)) AS data
  FROM club c LEFT JOIN club b ON b.id = c.best
  LEFT JOIN w_entry w ON w.id = c.best AND w.place <= 2;
CREATE VIEW v_refs AS
SELECT c.id, jsonb_build_object('refs', (SELECT jsonb_agg(jsonb_build_object('id', w.id, 'place', w.place, 'club', w.club_id) ORDER BY w.id) FROM w_entry w WHERE w.ref = c.id),
                                'far', (SELECT count(*) FROM w_entry AS x WHERE x.kind = c.name AND x.place > 1)) AS data
  FROM club c;

-- The first relation of FROM, by a key that is not the partition; what it computes in WHERE.
CREATE VIEW v_first AS
SELECT x.id, jsonb_build_object('points', x.points, 'n', x.n, 'club', c.name) AS data
  FROM (SELECT entry.id, points, club_id, row_number() OVER (PARTITION BY kind ORDER BY points, id) AS n FROM entry) x
  LEFT JOIN club c ON c.id = x.club_id WHERE x.n <= 2;

-- In a CTE that is read twice, and expressions as its partition.
CREATE VIEW v_pair AS
WITH ranked AS (SELECT e.id, e.ref, e.points, rank() OVER (PARTITION BY e.points % 3, lower(e.kind) ORDER BY e.points) AS r FROM entry e WHERE e.points > 0)
SELECT a.id, jsonb_build_object('r', a.r, 'other', b.r, 'points', b.points) AS data
  FROM ranked a JOIN ranked b ON b.id = a.ref;

CREATE VIEW v_remark AS
SELECT r.entry, r.remark, jsonb_build_object('body', r.body, 'of', r."of club", 'first', r.first, 'place', b.place) AS data
  FROM "W remark" r JOIN w_both b ON b.id = r.entry WHERE r.remark IS NOT NULL;

-- Several sides.
CREATE VIEW v_side AS
SELECT s.side, s.id, jsonb_build_object('n', s.n) AS data
  FROM (SELECT 'entry' AS side, e.id, count(*) OVER (PARTITION BY e.club_id) AS n FROM entry e
        UNION ALL SELECT 'club', c.id, row_number() OVER (PARTITION BY c.best ORDER BY c.id) FROM club c) s;

-- Over several sides, on the nullable side of an outer join.
CREATE VIEW v_last AS
WITH happened AS (SELECT club_id, id, points AS at, 'entry' AS what FROM entry
                  UNION ALL SELECT club_id, id, ref, 'reference' FROM entry WHERE ref IS NOT NULL),
     numbered AS (SELECT h.*, row_number() OVER (PARTITION BY h.club_id ORDER BY h.at DESC, h.what, h.id) AS n FROM happened h)
SELECT c.id, jsonb_build_object('happened', count(n.id), 'last', jsonb_agg(jsonb_build_object('at', n.at, 'what', n.what) ORDER BY n.n) FILTER (WHERE n.n <= 3)) AS data
  FROM club c LEFT JOIN numbered n ON n.club_id = c.id GROUP BY c.id;
