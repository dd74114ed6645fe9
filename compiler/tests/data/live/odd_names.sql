-- Names that generated code could confuse with its own: our variables and aliases, old and new, reserved words, 63 bytes.
CREATE TABLE k (old_id int, new_id int, key_1 int, absent_1 text, locked boolean, keys_1 int, changed_1 text, is_changed int, t int, k int primary key, f int, v int, w int, d int, n int, o int, rows int, tg_op text, fresh int, "value" int, "column_3" int);
CREATE TABLE "new" (old int, new int primary key, old_row int, k int);
CREATE TABLE "select" ("from" int primary key, "where" text, "Ünï cödé ""q"" x" int, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int);
CREATE VIEW v_k AS SELECT new.*, to_jsonb(new) AS data FROM k new;
CREATE VIEW v_new AS SELECT old.new AS locked, jsonb_build_object('k', k.key_1, 't', k.t, 'kk', (SELECT jsonb_agg(jsonb_build_object('f', t.f, 'x', (SELECT count(*) FROM "new" k WHERE k.old = t.is_changed)) ORDER BY t.k) FROM k t WHERE t.keys_1 = old.new AND t.changed_1 <> 'x')) AS fresh FROM "new" old LEFT JOIN k ON k.k = old.old;
CREATE VIEW "v_select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" AS SELECT s."from", jsonb_build_object('u', s."Ünï cödé ""q"" x", 'n', new_rows.old_row, 'm', (SELECT count(*) FROM "new" n WHERE n.old = s.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa AND n.k = s."Ünï cödé ""q"" x")) AS "Do c" FROM "select" s LEFT JOIN "new" new_rows ON new_rows.new = s."Ünï cödé ""q"" x";
-- Fields and a column whose names have more than one line: what indents the statements must not indent them.
CREATE TABLE shelf (id int PRIMARY KEY, "na
    me" text NOT NULL);
CREATE TABLE book (id int PRIMARY KEY, shelf int NOT NULL REFERENCES shelf ON DELETE CASCADE, "na
    me" text NOT NULL);
CREATE TABLE page (id int PRIMARY KEY, book int NOT NULL REFERENCES book ON DELETE CASCADE, name text NOT NULL);
CREATE INDEX ON book (shelf);
CREATE INDEX ON page (book);
CREATE VIEW v_shelf AS SELECT s.id, jsonb_build_object('na
  me', s."na
    me", 'of

  it', jsonb_build_object('upper''
 "case', upper(s."na
    me"), 'books', (SELECT jsonb_agg(jsonb_build_object('i
 d', b.id, 'shelf
   name', s."na
    me", 'pa
	ges', (SELECT jsonb_agg(jsonb_build_object('
id', p.id, 'name', p.name) ORDER BY p.name, p.id) FROM page p WHERE p.book = b.id)) ORDER BY b.id) FROM book b WHERE b.shelf = s.id))) AS data FROM shelf s;
CREATE VIEW v_book AS SELECT b.id, jsonb_build_object('na
  me', b."na
    me", 'on', jsonb_build_object('a
    shelf', s."na
    me"), 'pages
', (SELECT count(*) FROM page p WHERE p.book = b.id)) AS data FROM book b JOIN shelf s ON s.id = b.shelf;
