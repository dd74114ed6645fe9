-- What declares nothing that a view reads is kept as text, whatever it holds.
BEGIN;
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
CREATE TABLE post (id int PRIMARY KEY, title citext, tags text[], at timestamptz);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.at := now(); -- a comment; with 'a quote
    RETURN NEW;
END
$body$;
CREATE TRIGGER touch BEFORE UPDATE ON post FOR EACH ROW EXECUTE FUNCTION touch('a', 'b');
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql IMMUTABLE COST 1
BEGIN ATOMIC
    SELECT CASE WHEN x > 0 THEN x * 2 ELSE 0 END;
    SELECT x * 2;
END;
CREATE PROCEDURE clean() LANGUAGE sql AS $$ DELETE FROM post; $$;
DO $do$ BEGIN EXECUTE 'CREATE VIEW v AS SELECT'; END $do$;
CREATE RULE keep AS ON DELETE TO archive DO INSTEAD (SELECT 1; SELECT 2);
CREATE POLICY own ON post USING (title = current_user);
ALTER TABLE post ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE post IS $$it's; a "post"$$;
COMMENT ON FUNCTION twice(int) IS E'back\\slash\'s; end';
CREATE AGGREGATE cat(text) (SFUNC = textcat, STYPE = text);
CREATE SEQUENCE s OWNED BY post.id;
CREATE INDEX ON post USING gin (tags) WITH (fastupdate = off) WHERE at IS NOT NULL;
CREATE PUBLICATION pub FOR TABLE post WHERE (id > 3);
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION touch();
ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA public GRANT SELECT ON TABLES TO b;
INSERT INTO post VALUES (1, 'a;b', '{}', now()) ON CONFLICT DO NOTHING;
MERGE INTO post USING (SELECT 1 AS id) s ON post.id = s.id WHEN MATCHED THEN DELETE;
this is not SQL at all (;
/* a /* nested; */ comment; */
CREATE VIEW v_post WITH (security_barrier) AS
SELECT id, jsonb_build_object('title', title) AS data FROM post WITH CASCADED CHECK OPTION;
COMMIT;
