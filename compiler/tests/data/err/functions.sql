CREATE TABLE author (id integer PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE post (id integer PRIMARY KEY, author_id integer REFERENCES author, title text);
CREATE TABLE comment (id integer, post_id integer, body text, UNIQUE (id) DEFERRABLE);

CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1 * 2';
CREATE VIEW v_now AS SELECT p.id, jsonb_build_object('at', now(), 'day', current_date) AS data FROM post p;
CREATE VIEW v_who AS SELECT p.id, jsonb_build_object('me', current_user, 'tz', current_setting('TimeZone')) AS data FROM post p;
CREATE VIEW v_random AS SELECT p.id, jsonb_build_object('r', random(), 'u', gen_random_uuid()) AS data FROM post p;
CREATE VIEW v_mine AS SELECT p.id, jsonb_build_object('x', twice(p.id), 'y', unheard_of(p.id)) AS data FROM post p;
CREATE VIEW v_class AS SELECT p.id, jsonb_build_object('x', p.title::regclass) AS data FROM post p;
CREATE VIEW v_text_now AS SELECT p.id, jsonb_build_object('x', ('now'::text)::timestamptz) AS data FROM post p;
