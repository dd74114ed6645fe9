-- requires: 15
-- What came with 14 and 15: multiranges, NULLS NOT DISTINCT, column lists of SET NULL, security_invoker.
CREATE TYPE span AS RANGE (subtype = int8, multirange_type_name = spans);
CREATE TYPE price_range AS RANGE (subtype = numeric);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE TABLE slot (
    tenant int, id int, at tstzmultirange, s span, ss spans, f floatmultirange,
    parent int, code text, price price_range,
    PRIMARY KEY (tenant, id),
    UNIQUE NULLS NOT DISTINCT (code, parent),
    FOREIGN KEY (tenant, parent) REFERENCES slot (tenant, id) ON DELETE SET NULL (parent)
);
CREATE UNIQUE INDEX slot_code ON slot (code) NULLS NOT DISTINCT;
CREATE VIEW v_slot WITH (security_invoker = true) AS SELECT tenant, id, jsonb_build_object('code', code) AS data FROM slot;
