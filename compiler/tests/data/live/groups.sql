-- GROUP BY over fan-out joins, HAVING, derived tables, CTEs, LATERAL, DISTINCT, right and natural joins,
-- set-returning functions over columns.
CREATE TABLE country (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE writer (id integer PRIMARY KEY, name text NOT NULL, country char(2) NOT NULL REFERENCES country, boss integer);
CREATE TABLE book (
    id      integer PRIMARY KEY,
    writer  integer REFERENCES writer ON DELETE CASCADE ON UPDATE CASCADE,
    title   text,
    genre   text,
    price   numeric(8, 2),
    tags    jsonb NOT NULL DEFAULT '[]',
    words   text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE review (id integer PRIMARY KEY, book integer, stars integer, body text);
CREATE INDEX ON writer (country);
CREATE INDEX ON writer (boss);
CREATE INDEX ON book (writer);
CREATE INDEX ON book (genre);
CREATE INDEX ON review (book);

-- One document per writer who has books.
CREATE VIEW v_shelf AS
SELECT w.id, w.name,
       jsonb_build_object(
           'name', w.name,
           'books', jsonb_agg(jsonb_build_object('id', b.id, 'title', b.title) ORDER BY b.price DESC NULLS LAST, b.id),
           'spent', sum(b.price), 'dear', count(*) FILTER (WHERE b.price > 1), 'genres', count(DISTINCT b.genre)) AS data
  FROM writer w JOIN book b ON b.writer = w.id
 GROUP BY w.id
HAVING count(*) > 1;

-- The group is a column of another table than the one that is aggregated.
CREATE VIEW v_country AS
SELECT w.country,
       jsonb_agg(jsonb_build_object('book', b.id, 'writer', w.name, 'country', c.name) ORDER BY b.id) AS data
  FROM book b JOIN writer w ON w.id = b.writer LEFT JOIN country c ON c.code = w.country
 GROUP BY w.country;

-- The group is a plain column, by position.
CREATE VIEW v_genre AS
SELECT b.genre, jsonb_build_object('genre', b.genre, 'titles', jsonb_agg(DISTINCT b.title), 'max', max(r.stars)) AS data
  FROM book b LEFT JOIN review r ON r.book = b.id
 WHERE b.genre IS NOT NULL
 GROUP BY 1;

CREATE VIEW v_stats AS
SELECT b.writer, count(*) AS books, min(b.title) AS first_title FROM book b GROUP BY b.writer;

-- Derived tables, CTEs and views that group, joined from outside.
CREATE VIEW v_writer AS
WITH latest AS (
    SELECT b.writer, max(b.id) AS book FROM book b GROUP BY b.writer
), cheap AS (
    SELECT b.writer, b.id, b.title FROM book b WHERE b.price < 100
)
SELECT w.id,
       jsonb_build_object(
           'name', w.name,
           'books', coalesce(s.books, 0),
           'first', s.first_title,
           'latest', l.book,
           'stars', r.stars,
           'last_review', lr.body,
           'cheap', (SELECT jsonb_agg(c.title ORDER BY c.id) FROM cheap c WHERE c.writer = w.id),
           'top', (SELECT jsonb_agg(x.title ORDER BY x.price, x.id)
                     FROM (SELECT b.id, b.title, b.price FROM book b
                            WHERE b.writer = w.id ORDER BY b.price, b.id LIMIT 2) x)
       ) AS data
  FROM writer w
  LEFT JOIN v_stats s ON s.writer = w.id
  LEFT JOIN latest l ON l.writer = w.id
  LEFT JOIN (SELECT b.writer, jsonb_agg(r.stars ORDER BY r.id) AS stars
               FROM book b JOIN review r ON r.book = b.id GROUP BY b.writer) r ON r.writer = w.id
  LEFT JOIN LATERAL (SELECT r.body FROM review r JOIN book b ON b.id = r.book
                      WHERE b.writer = w.id ORDER BY r.id DESC LIMIT 1) lr ON true;

-- LATERAL as an inner join: it filters.
CREATE VIEW v_reviewed AS
SELECT b.id, jsonb_build_object('title', b.title, 'count', x.n, 'best', y.stars) AS data
  FROM book b
 CROSS JOIN LATERAL (SELECT count(*) AS n FROM review r WHERE r.book = b.id) x
  JOIN LATERAL (SELECT r.stars FROM review r WHERE r.book = b.id ORDER BY r.stars DESC, r.id LIMIT 1) y ON y.stars > 0;

-- Functions over columns.
CREATE VIEW v_tagged AS
SELECT b.id,
       jsonb_build_object(
           'tags', (SELECT jsonb_agg(upper(t) ORDER BY t) FROM jsonb_array_elements_text(b.tags) AS e(t)),
           'words', (SELECT string_agg(u.word, '+' ORDER BY u.at) FROM unnest(b.words) WITH ORDINALITY AS u(word, at))) AS data
  FROM book b;

CREATE VIEW v_distinct AS
SELECT DISTINCT w.id, jsonb_build_object('name', w.name, 'country', c.name) AS data
  FROM country c NATURAL JOIN (SELECT x.country AS code, x.id FROM writer x) y
  JOIN writer w ON w.id = y.id
  JOIN book b ON b.writer = w.id;

-- The preserved side on the right.
CREATE VIEW v_right AS
SELECT w.id, jsonb_build_object('name', w.name, 'boss', b.name, 'bosses', bb.name) AS data
  FROM writer bb RIGHT JOIN writer b ON bb.id = b.boss RIGHT JOIN writer w ON b.id = w.boss;
