-- A shop: domains, enums, composite types, generated columns, deferrable and composite keys.
CREATE TYPE currency AS ENUM ('EUR', 'USD', 'it''s; odd');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN sku_code varchar(20) COLLATE "C" NOT NULL CONSTRAINT sku_form CHECK (VALUE ~ '^[A-Z]+;?$');
CREATE DOMAIN sku_sub AS sku_code;
CREATE TYPE address AS (street text, city varchar(80), zip character(5), tags text[]);

CREATE TABLE product (
    sku sku_code PRIMARY KEY,
    other sku_sub,
    name character varying(120) NOT NULL,
    price numeric(10,2) NOT NULL DEFAULT 0.00 CHECK (price >= 0),
    money currency DEFAULT 'EUR'::currency NOT NULL,
    span numrange,
    gross numeric GENERATED ALWAYS AS (price * 1.2) STORED,
    dims double precision[3],
    grid integer[][],
    weight real,
    stock positive,
    since date DEFAULT CURRENT_DATE,
    every interval day to second(3) DEFAULT '1 day'::interval,
    flags bit(4) DEFAULT B'0000',
    more bit varying(8),
    raw bytea,
    one char,
    ten char(10),
    plain decimal,
    whole numeric(4),
    t time(2) with time zone,
    f float(10), g float(30), h float
);
CREATE TABLE customer (
    tenant int NOT NULL,
    no int NOT NULL,
    home address,
    ship address[],
    email text,
    PRIMARY KEY (tenant, no),
    UNIQUE (tenant, email) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT tight UNIQUE (email, no)
);
CREATE TABLE "order" (
    id uuid PRIMARY KEY,
    tenant int NOT NULL,
    customer_no int,
    placed timestamptz DEFAULT now() NOT NULL,
    FOREIGN KEY (tenant, customer_no) REFERENCES customer (tenant, no) MATCH SIMPLE ON DELETE NO ACTION DEFERRABLE
);
CREATE TABLE line (
    order_id uuid NOT NULL REFERENCES "order" ON DELETE CASCADE,
    pos smallint NOT NULL,
    sku sku_code REFERENCES product (sku) ON UPDATE CASCADE,
    qty positive NOT NULL DEFAULT 1,
    CONSTRAINT line_pk PRIMARY KEY (order_id, pos) INCLUDE (qty),
    CONSTRAINT line_sku EXCLUDE USING btree (order_id WITH =, sku WITH =)
);
CREATE UNIQUE INDEX line_ux ON line (order_id, sku) INCLUDE (qty);
ALTER TABLE line ADD CONSTRAINT line_u UNIQUE USING INDEX line_ux;
CREATE TABLE product_log (LIKE product INCLUDING DEFAULTS INCLUDING GENERATED, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE product_copy (LIKE product INCLUDING ALL);
ALTER DOMAIN positive SET NOT NULL;
ALTER DOMAIN positive DROP NOT NULL;
CREATE DOMAIN must AS text;
CREATE TABLE needs (id int PRIMARY KEY, m must);
ALTER DOMAIN must SET NOT NULL;
ALTER TYPE currency ADD VALUE 'GBP' AFTER 'EUR';
ALTER TYPE currency RENAME VALUE 'USD' TO 'US$';
ALTER TYPE address ADD ATTRIBUTE country text;
ALTER TYPE address RENAME TO postal;

CREATE VIEW v_order AS
SELECT o.id, json_build_object('placed', o.placed, 'lines',
    (SELECT json_agg(json_build_object('pos', l.pos, 'qty', l.qty, 'name', p.name) ORDER BY l.pos)
     FROM line l LEFT JOIN product p ON p.sku = l.sku WHERE l.order_id = o.id)) AS doc
FROM "order" o;
