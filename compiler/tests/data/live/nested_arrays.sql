-- Arrays in the elements of arrays, each with a match key: changed by the path of these.

CREATE TABLE shelf (
    id          integer PRIMARY KEY,
    label       text NOT NULL,
    hidden      boolean NOT NULL DEFAULT false
);

CREATE TABLE person (
    id          integer PRIMARY KEY,
    name        text NOT NULL
);

CREATE TABLE book (
    id          integer PRIMARY KEY,
    shelf_id    integer REFERENCES shelf (id) ON DELETE CASCADE,
    author_id   integer REFERENCES person (id) ON DELETE SET NULL,
    title       text NOT NULL,
    lent        boolean NOT NULL DEFAULT false
);

CREATE TABLE chapter (
    book_id     integer NOT NULL REFERENCES book (id) ON DELETE CASCADE,
    number      smallint NOT NULL,
    heading     text,
    "match"     integer NOT NULL DEFAULT 1,
    PRIMARY KEY (book_id, number)
);

CREATE TABLE note (
    code        text PRIMARY KEY,
    book_id     integer NOT NULL,
    number      smallint NOT NULL,
    person_id   integer REFERENCES person (id) ON DELETE SET NULL,
    rank        integer,
    body        text,
    FOREIGN KEY (book_id, number) REFERENCES chapter (book_id, number) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE loan (
    id          bigint PRIMARY KEY,
    book_id     integer NOT NULL REFERENCES book (id) ON DELETE CASCADE,
    person_id   integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    state       text NOT NULL DEFAULT 'out'
);

CREATE INDEX ON book (shelf_id);
CREATE INDEX ON book (author_id);
CREATE INDEX ON note (book_id, number);
CREATE INDEX ON note (person_id);
CREATE INDEX ON loan (book_id);
CREATE INDEX ON loan (person_id);

-- Three deep: by integers in their order, by text between neighbours; NULL and an empty array for none.
CREATE VIEW v_shelf AS
SELECT
    s.id,
    jsonb_build_object(
        'label', s.label,
        'books', (
            SELECT jsonb_agg(jsonb_build_object(
                'id', b.id,
                'title', b.title,
                'by', jsonb_build_object('name', a.name),
                'inside', jsonb_build_object(
                    'chapters', (
                        SELECT coalesce(jsonb_agg(jsonb_build_object(
                            'number', c.number,
                            'heading', c.heading,
                            'notes', (
                                SELECT jsonb_agg(jsonb_build_object('code', n.code, 'by', p.name, 'body', n.body)
                                                 ORDER BY n.rank DESC NULLS LAST, n.code)
                                FROM note n
                                LEFT JOIN person p ON p.id = n.person_id
                                WHERE n.book_id = c.book_id AND n.number = c.number
                            )
                        ) ORDER BY c.number) FILTER (WHERE "match" > 0), '[]')
                        FROM chapter c
                        WHERE c.book_id = b.id
                    )
                ),
                'loans', (
                    SELECT jsonb_agg(jsonb_build_object('id', l.id, 'to', p.name) ORDER BY l.id DESC)
                    FROM loan l
                    JOIN person p ON p.id = l.person_id
                    WHERE l.book_id = b.id AND l.state <> 'back'
                )
            ) ORDER BY b.title, b.id)
            FROM book b
            LEFT JOIN person a ON a.id = b.author_id
            WHERE b.shelf_id = s.id AND NOT b.lent
        )
    ) AS data
FROM shelf s
WHERE NOT s.hidden;

-- The same table twice, in arrays within each other: whom somebody lends to, and what else these have.
CREATE VIEW v_person AS
SELECT
    p.id,
    jsonb_build_object(
        'name', p.name,
        'books', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', b.id,
                'title', b.title,
                'shelf', s.label,
                'loans', (
                    SELECT jsonb_agg(jsonb_build_object('id', l.id, 'state', l.state,
                        'others', (
                            SELECT jsonb_agg(jsonb_build_object('id', o.id, 'title', t.title) ORDER BY o.id)
                            FROM loan o
                            JOIN book t ON t.id = o.book_id
                            WHERE o.person_id = l.person_id
                        )) ORDER BY l.state, l.id)
                    FROM loan l
                    WHERE l.book_id = b.id
                )
            ) ORDER BY b.id DESC), '[]')
            FROM book b
            LEFT JOIN shelf s ON s.id = b.shelf_id
            WHERE b.author_id = p.id
        )
    ) AS data
FROM person p;

-- Elements that rows of other tables decide about, by conditions that show which: IN, EXISTS and LIMIT; not where one row decides about
-- many, as NULL does under NOT IN, or a window.
CREATE TABLE club (id integer PRIMARY KEY, name text);
CREATE TABLE guest (id integer PRIMARY KEY, club integer NOT NULL REFERENCES club ON DELETE CASCADE, nick text NOT NULL);
CREATE TABLE ban (id integer PRIMARY KEY, club integer NOT NULL, guest integer, level integer);
CREATE INDEX ON guest (club);
CREATE INDEX ON ban (club);
CREATE INDEX ON ban (guest);

CREATE VIEW v_club AS
SELECT
    c.id,
    jsonb_build_object(
        'name', c.name,
        'welcome', (SELECT jsonb_agg(jsonb_build_object('id', g.id, 'nick', g.nick) ORDER BY g.nick, g.id)
                    FROM guest g
                    WHERE g.club = c.id AND NOT EXISTS (SELECT FROM ban b WHERE b.club = c.id AND b.guest = g.id)),
        'harmless', (SELECT jsonb_agg(jsonb_build_object('id', g.id) ORDER BY g.id)
                     FROM guest g
                     WHERE g.club = c.id AND g.id NOT IN (SELECT b.guest FROM ban b WHERE b.club = c.id AND b.level > 2)),
        'banned', (SELECT jsonb_agg(jsonb_build_object(
                       'id', g.id,
                       'first', (SELECT b.level FROM ban b WHERE b.guest = g.id AND b.club = c.id ORDER BY b.id LIMIT 1),
                       'bans', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', b.id) ORDER BY b.level, b.id), '[]')
                                FROM ban b WHERE b.guest = g.id AND b.club = c.id),
                       'numbers', (SELECT jsonb_agg(jsonb_build_object('id', w.id, 'n', w.n) ORDER BY w.id)
                                   FROM (SELECT b.id, b.guest, row_number() OVER (PARTITION BY b.club ORDER BY b.id) AS n
                                         FROM ban b WHERE b.club = c.id) w
                                   WHERE w.guest = g.id)
                   ) ORDER BY g.nick DESC, g.id)
                   FROM guest g
                   WHERE g.club = c.id AND g.id IN (SELECT b.guest FROM ban b WHERE b.level > 1))
    ) AS data
FROM club c;
