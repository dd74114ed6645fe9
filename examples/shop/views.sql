-- A shop: products come in variants, variants lie in warehouses, customers write reviews. The product page needs the
-- price range, what is in stock and the ratings; all of that is grouped before it is joined.

CREATE TABLE category (
    id          integer PRIMARY KEY,
    name        text NOT NULL,
    parent_id   integer REFERENCES category (id)
);

CREATE TABLE product (
    id          integer PRIMARY KEY,
    category_id integer NOT NULL REFERENCES category (id),
    title       text NOT NULL,
    description text,
    published   boolean NOT NULL DEFAULT false
);

CREATE TABLE variant (
    sku         text PRIMARY KEY,
    product_id  integer NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    options     jsonb NOT NULL DEFAULT '{}',
    price       numeric(10, 2) NOT NULL
);

CREATE TABLE stock (
    sku         text NOT NULL REFERENCES variant (sku) ON UPDATE CASCADE ON DELETE CASCADE,
    warehouse   text NOT NULL,
    quantity    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (sku, warehouse)
);

CREATE TABLE review (
    id          bigint PRIMARY KEY,
    product_id  integer NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    author      text NOT NULL,
    stars       smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body        text,
    approved    boolean NOT NULL DEFAULT true,
    written_at  timestamptz NOT NULL DEFAULT '2026-01-01 00:00+00'
);

CREATE INDEX ON category (parent_id);
CREATE INDEX ON product (category_id);
CREATE INDEX ON variant (product_id);
CREATE INDEX ON review (product_id);

-- What is left of each variant over all warehouses. It has no document, so it stays a view; those below read it.
CREATE VIEW variant_stock AS
SELECT s.sku, sum(s.quantity) AS available, count(*) FILTER (WHERE s.quantity > 0) AS warehouses
FROM stock s
GROUP BY s.sku;

-- The product page.
CREATE VIEW v_product AS
WITH rating AS (
    SELECT
        r.product_id,
        count(*) AS reviews,
        round(avg(r.stars), 1) AS average,
        jsonb_agg(jsonb_build_object('author', r.author, 'stars', r.stars, 'body', r.body)
                  ORDER BY r.written_at DESC, r.id DESC) FILTER (WHERE r.body IS NOT NULL) AS texts
    FROM review r
    WHERE r.approved
    GROUP BY r.product_id
)
SELECT
    p.id,
    p.title,
    jsonb_build_object(
        'id', p.id,
        'title', p.title,
        'description', p.description,
        'category', jsonb_build_object('id', c.id, 'name', c.name, 'parent', parent.name),
        'price', jsonb_build_object('from', offers.lowest, 'to', offers.highest),
        'variants', coalesce(offers.variants, '[]'::jsonb),
        'rating', rating.average,
        'reviews', coalesce(rating.reviews, 0),
        'texts', coalesce(rating.texts, '[]'::jsonb)
    ) AS data
FROM product p
JOIN category c ON c.id = p.category_id
LEFT JOIN category parent ON parent.id = c.parent_id
LEFT JOIN (
    SELECT
        v.product_id,
        min(v.price) AS lowest,
        max(v.price) AS highest,
        jsonb_agg(jsonb_build_object(
            'sku', v.sku,
            'options', v.options,
            'price', v.price,
            'available', coalesce(s.available, 0)
        ) ORDER BY v.price, v.sku) AS variants
    FROM variant v
    LEFT JOIN variant_stock s ON s.sku = v.sku
    GROUP BY v.product_id
) offers ON offers.product_id = p.id
LEFT JOIN rating ON rating.product_id = p.id
WHERE p.published;

-- Each category with what it holds, grouped over a join that multiplies rows.
CREATE VIEW v_category AS
SELECT
    c.id,
    jsonb_build_object(
        'name', c.name,
        'products', count(DISTINCT p.id),
        'variants', count(v.sku),
        'cheapest', min(v.price)
    ) AS data
FROM category c
LEFT JOIN product p ON p.category_id = c.id AND p.published
LEFT JOIN variant v ON v.product_id = p.id
GROUP BY c.id;
