-- References whose type or modifier is wider than the key's: values that no key can have must not fail the write.
CREATE TABLE wide_post (id integer PRIMARY KEY, title text);
CREATE TABLE note (id serial primary key, wide_post_id bigint, body text);
CREATE TABLE vote (id serial primary key, wide_post_id numeric);
CREATE VIEW v_wide_post AS SELECT p.id, jsonb_build_object('t', p.title, 'n', (SELECT jsonb_agg(n.body ORDER BY n.id) FROM note n WHERE n.wide_post_id = p.id), 'v', (SELECT count(*) FROM vote v WHERE v.wide_post_id = p.id)) AS data FROM wide_post p;
CREATE TABLE shown_post (id integer PRIMARY KEY, title text);
CREATE TABLE vote2 (id serial primary key, shown_post_id numeric);
CREATE VIEW v_shown AS SELECT p.id, jsonb_build_object('t', p.title) AS data FROM shown_post p WHERE EXISTS (SELECT 1 FROM vote2 v WHERE v.shown_post_id = p.id);
CREATE DOMAIN code AS text CHECK (VALUE <> 'forbidden');
CREATE TABLE a (id varchar(3) PRIMARY KEY, title text);
CREATE TABLE b (id serial primary key, a_id text);
CREATE TABLE d (id code PRIMARY KEY, title text);
CREATE TABLE e (id serial primary key, d_id text);
CREATE VIEW v_a AS SELECT a.id, jsonb_build_object('t', a.title, 'n', (SELECT count(*) FROM b WHERE b.a_id = a.id)) AS data FROM a;
CREATE VIEW v_d AS SELECT d.id, jsonb_build_object('t', d.title, 'n', (SELECT count(*) FROM e WHERE e.d_id = d.id)) AS data FROM d;
