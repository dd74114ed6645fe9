-- Partitions by names that need quotes, by an expression, without any key, and by a nullable column.
CREATE TABLE "Ev ents" (
    "it's"    integer,
    "Day, of" date NOT NULL,
    kind      text NOT NULL,
    v         numeric,
    PRIMARY KEY ("it's", "Day, of", kind)
) PARTITION BY RANGE ("Day, of");
CREATE INDEX ON "Ev ents" (kind);
CREATE TABLE "Ev ents old" PARTITION OF "Ev ents" FOR VALUES FROM (MINVALUE) TO ('2020-01-01') PARTITION BY LIST (kind);
CREATE TABLE "events_old_""a" PARTITION OF "Ev ents old" FOR VALUES IN ('a', 'b');
CREATE TABLE events_old_rest PARTITION OF "Ev ents old" DEFAULT;
CREATE TABLE "Ev ents new" PARTITION OF "Ev ents" DEFAULT;
CREATE TABLE kinds (kind text PRIMARY KEY, label text);
CREATE TABLE noted (kind text, k integer, note text) PARTITION BY RANGE ((k % 10));
CREATE INDEX ON noted (kind);
CREATE TABLE noted_1 PARTITION OF noted FOR VALUES FROM (MINVALUE) TO (5);
CREATE TABLE noted_2 PARTITION OF noted DEFAULT;

CREATE VIEW v_kind AS
SELECT k.kind,
       jsonb_build_object('label', k.label,
           'n', (SELECT count(*) FROM "Ev ents" e WHERE e.kind = k.kind),
           'days', (SELECT jsonb_agg(e."Day, of" ORDER BY e."Day, of", e."it's") FROM "Ev ents" e WHERE e.kind = k.kind),
           'v', (SELECT sum(e.v) FROM "Ev ents" e WHERE e.kind = k.kind),
           'notes', (SELECT jsonb_agg(jsonb_build_array(n.k, n.note) ORDER BY n.k, n.note) FROM noted n WHERE n.kind = k.kind)) AS data
  FROM kinds k;

CREATE VIEW v_event AS
SELECT e."it's" AS id, e."Day, of" AS day, e.kind, jsonb_build_object('v', e.v, 'label', k.label) AS data
  FROM "Ev ents" e LEFT JOIN kinds k ON k.kind = e.kind;
