-- Quoted, reserved and Unicode names; names that only look like something else.
CREATE SCHEMA "Shop";
CREATE TABLE "Shop"."Order" (
    "Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "user" text NOT NULL,
    "semi;colon" text DEFAULT 'a;b',
    "with ""quotes""" text,
    größe numeric(5,2),
    "SELECT" int UNIQUE
);
CREATE VIEW "Shop"."v_Order" AS
SELECT o."Id" AS id, jsonb_build_object('user', o."user", 'größe', o.größe, ';', o."semi;colon") AS data
FROM "Shop"."Order" AS o
WHERE o."with ""quotes""" <> '";';
