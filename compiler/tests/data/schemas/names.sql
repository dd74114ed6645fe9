-- Unicode, quoted, reserved and misleading names.
CREATE SCHEMA "weird Schema";
CREATE SCHEMA größe;
CREATE TABLE "weird Schema"."Table; with 'quotes' -- and ""more""" (
    "select" int PRIMARY KEY, "From" text NOT NULL, "a.b" text, "日本語" varchar(10), "x""y" int UNIQUE, " lead" int, "$1" int
);
CREATE TABLE größe.straße (größe numeric(6, 1), Ärger text, id int PRIMARY KEY, "Ünï" int REFERENCES "weird Schema"."Table; with 'quotes' -- and ""more""" ("x""y"));
CREATE TABLE MiXeD (ID int PRIMARY KEY, CamelCase text, "CamelCase" int, value text, "value2" text, key text, data jsonb, text text, date date, time time, type text, name name, level int, no int, position int);
CREATE TABLE "unique" ("primary" int PRIMARY KEY, "check" int, "constraint" text, "foreign" int REFERENCES mixed (id), exclude int, "like" text, period int);
CREATE TABLE a$b (c$d int PRIMARY KEY, _x int, x1 "char", x2 "text", x3 pg_catalog.int4, x4 pg_catalog."text", x5 int2vector, x6 _text, x8 pg_catalog.bpchar, x9 pg_catalog.varchar(3));
CREATE TYPE "Mixed Type" AS ENUM ('A b', 'ü');
CREATE TYPE "int" AS ENUM ('not', 'an integer');
CREATE TABLE types (id int PRIMARY KEY, m "Mixed Type", ms "Mixed Type"[], i "int", j int, r "unique", k mixed[]);
CREATE VIEW größe.v_straße AS SELECT s.id, jsonb_build_object('größe', s.größe, 'ä', s.Ärger) AS "Daten" FROM größe.straße AS s;
CREATE VIEW "V Mixed" ("Id", "the Data") AS SELECT id, jsonb_build_object('k', key, 'c', camelcase, 'C', "CamelCase") FROM MIXED;
COMMENT ON VIEW "V Mixed" IS 'ünïcödé; 😀';
