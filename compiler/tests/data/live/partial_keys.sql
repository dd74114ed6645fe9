-- Unique indexes over some rows, of which the views take only such: keys of documents, of partners, of elements.
CREATE TYPE phase AS ENUM ('draft', 'open', 'paid', 'void');
CREATE TABLE customer (
    id integer PRIMARY KEY,
    name text NOT NULL,
    gone boolean NOT NULL DEFAULT false
);
CREATE TABLE subscription (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE,
    plan integer NOT NULL,
    seats integer,
    ended integer
);
CREATE UNIQUE INDEX one_that_runs ON subscription (customer_id) WHERE ended IS NULL;
CREATE TABLE address (
    id integer PRIMARY KEY,
    customer_id integer REFERENCES customer ON DELETE CASCADE,
    kind varchar(10) NOT NULL,
    city text,
    is_default boolean
);
CREATE UNIQUE INDEX one_default ON address (customer_id) WHERE is_default = true;
CREATE UNIQUE INDEX one_of_a_kind ON address (customer_id, kind) WHERE kind IN ('home', 'work');
CREATE TABLE page (
    id integer PRIMARY KEY,
    customer_id integer REFERENCES customer ON DELETE SET NULL,
    slug text NOT NULL,
    title text,
    deleted integer
);
CREATE UNIQUE INDEX slugs_in_use ON page (slug) WHERE (deleted IS NULL);
CREATE TABLE invoice (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE,
    phase phase NOT NULL DEFAULT 'draft',
    number integer,
    total numeric(8, 2)
);
CREATE UNIQUE INDEX one_draft ON invoice (customer_id) WHERE phase = 'draft';
CREATE UNIQUE INDEX numbers ON invoice (number) WHERE number IS NOT NULL AND phase <> 'void';

CREATE VIEW v_account AS
SELECT c.id, jsonb_build_object('name', c.name, 'plan', s.plan, 'seats', s.seats,
    'city', a.city, 'work', w.city, 'draft', jsonb_build_object('id', i.id, 'total', i.total)) AS doc
FROM customer c
LEFT JOIN subscription s ON s.customer_id = c.id AND s.ended IS NULL
LEFT JOIN address a ON a.customer_id = c.id AND a.is_default
LEFT JOIN address w ON w.customer_id = c.id AND w.kind = 'work'
LEFT JOIN invoice i ON i.phase = 'draft' AND i.customer_id = c.id
WHERE NOT c.gone;

CREATE VIEW v_page AS
SELECT p.slug, jsonb_build_object('title', p.title, 'customer', c.name) AS doc
FROM page p LEFT JOIN customer c ON c.id = p.customer_id
WHERE p.deleted IS NULL;

CREATE VIEW v_running AS
SELECT s.customer_id, jsonb_build_object('plan', s.plan, 'seats', s.seats, 'name', c.name) AS doc
FROM subscription s JOIN customer c ON c.id = s.customer_id
WHERE s.ended IS NULL AND NOT c.gone;

CREATE VIEW v_site AS
SELECT c.id, jsonb_build_object('name', c.name,
    'pages', (SELECT coalesce(jsonb_agg(jsonb_build_object('slug', p.slug, 'title', p.title) ORDER BY p.slug), '[]')
              FROM page p WHERE p.customer_id = c.id AND p.deleted IS NULL),
    'numbers', (SELECT jsonb_agg(jsonb_build_object('number', i.number, 'total', i.total) ORDER BY i.number)
                FROM invoice i WHERE i.customer_id = c.id AND i.number IS NOT NULL AND i.phase <> 'void')) AS doc
FROM customer c;

CREATE VIEW v_number AS
SELECT i.number, jsonb_build_object('total', i.total, 'customer', c.name) AS doc
FROM (SELECT * FROM invoice WHERE phase <> 'void') i JOIN customer c ON c.id = i.customer_id
WHERE i.number > 0;
