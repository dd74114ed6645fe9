-- Logistics: partitions of every kind, subpartitions, attach and detach, keys on partitioned tables.
CREATE TABLE depot (id int PRIMARY KEY, city text NOT NULL);
CREATE TABLE parcel (
    id bigint NOT NULL,
    day date NOT NULL,
    depot_id int NOT NULL REFERENCES depot,
    weight numeric,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE parcel_2024 PARTITION OF parcel FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parcel_2025 PARTITION OF parcel (weight NOT NULL DEFAULT 1, CONSTRAINT heavy CHECK (weight > 0))
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (id);
CREATE TABLE parcel_2025_a PARTITION OF parcel_2025 FOR VALUES IN (1, 2);
CREATE TABLE parcel_2025_rest PARTITION OF parcel_2025 DEFAULT;
CREATE TABLE parcel_old (id bigint NOT NULL, day date NOT NULL, depot_id int NOT NULL, weight numeric);
ALTER TABLE ONLY parcel_old ADD CONSTRAINT parcel_old_pkey PRIMARY KEY (id, day);
ALTER TABLE ONLY parcel ATTACH PARTITION parcel_old FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
CREATE INDEX parcel_depot ON parcel (depot_id);
CREATE INDEX parcel_weight ON ONLY parcel (weight);
CREATE TABLE stop (no int, parcel_id bigint, day date, PRIMARY KEY (no, day), FOREIGN KEY (parcel_id, day) REFERENCES parcel) PARTITION BY HASH (day);
CREATE TABLE stop_0 PARTITION OF stop FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE stop_1 PARTITION OF stop FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE log (id int, at timestamptz DEFAULT now(), text text) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE UNIQUE INDEX log_1_id ON log_1 (id);
ALTER TABLE log DETACH PARTITION log_1;
ALTER TABLE parcel DETACH PARTITION parcel_2024;
ALTER TABLE parcel ADD COLUMN note text;
ALTER TABLE parcel ADD UNIQUE (day, id, note);
CREATE TABLE gone (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE gone_1 PARTITION OF gone FOR VALUES IN (1);
DROP TABLE gone;
CREATE VIEW v_depot AS SELECT id, json_build_object('city', city) AS data FROM depot;
