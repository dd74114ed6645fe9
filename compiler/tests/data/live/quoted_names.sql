-- Names with quotes in them: view, alias, table, column.
CREATE TABLE "it's" ("id's" int primary key, "b'id" int);
CREATE TABLE b (id int primary key, t text);
CREATE VIEW "v_it's" AS SELECT x."id's", jsonb_build_object('b', "o'b".t) AS data FROM "it's" x LEFT JOIN b "o'b" ON "o'b".id = x."b'id";
