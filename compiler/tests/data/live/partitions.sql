-- Partitioned tables: by list, range and hash, two levels deep, with leaves whose columns stand in another order, one that
-- was attached, a key that holds the partition key, foreign keys from and to partitioned tables, and a user's trigger.
CREATE TABLE region (
    code text PRIMARY KEY,
    name text
);
CREATE TABLE shipment (
    id     integer NOT NULL,
    region text NOT NULL DEFAULT 'north' REFERENCES region ON UPDATE CASCADE ON DELETE CASCADE,
    weight numeric,
    note   text,
    PRIMARY KEY (id, region)
) PARTITION BY LIST (region);
CREATE INDEX ON shipment (region);
CREATE TABLE shipment_north PARTITION OF shipment FOR VALUES IN ('north', 'east');
CREATE TABLE shipment_south (note text, gone integer, weight numeric, region text NOT NULL, id integer NOT NULL) ;
ALTER TABLE shipment_south DROP COLUMN gone;
ALTER TABLE shipment ATTACH PARTITION shipment_south FOR VALUES IN ('south');
CREATE TABLE shipment_rest PARTITION OF shipment DEFAULT PARTITION BY RANGE (id);
CREATE TABLE shipment_rest_low PARTITION OF shipment_rest FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE shipment_rest_high PARTITION OF shipment_rest FOR VALUES FROM (10) TO (MAXVALUE);

CREATE TABLE parcel (
    id          integer NOT NULL,
    shipment_id integer,
    region      text,
    label       text,
    PRIMARY KEY (id),
    FOREIGN KEY (shipment_id, region) REFERENCES shipment ON UPDATE CASCADE ON DELETE SET NULL
) PARTITION BY HASH (id);
CREATE INDEX ON parcel (shipment_id, region);
CREATE TABLE parcel_0 PARTITION OF parcel FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parcel_1 PARTITION OF parcel FOR VALUES WITH (MODULUS 2, REMAINDER 1);

CREATE FUNCTION shipment_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.weight < 0 THEN NEW.weight := 0; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shipment_before BEFORE INSERT OR UPDATE ON shipment FOR EACH ROW EXECUTE FUNCTION shipment_before();

CREATE VIEW v_shipment AS
SELECT s.id, s.region,
       jsonb_build_object('weight', s.weight, 'note', s.note, 'where', r.name,
           'parcels', (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'label', p.label) ORDER BY p.id)
                         FROM parcel p WHERE p.shipment_id = s.id AND p.region = s.region)) AS data
  FROM shipment s JOIN region r ON r.code = s.region;

CREATE VIEW v_region AS
SELECT r.code, jsonb_build_object('name', r.name,
           'shipments', (SELECT count(*) FROM shipment s WHERE s.region = r.code),
           'weight', (SELECT sum(s.weight) FROM shipment s WHERE s.region = r.code)) AS data
  FROM region r;

CREATE VIEW v_parcel AS
SELECT p.id, p.shipment_id, jsonb_build_object('label', p.label, 'note', s.note) AS data
  FROM parcel p LEFT JOIN shipment s ON s.id = p.shipment_id AND s.region = p.region;
