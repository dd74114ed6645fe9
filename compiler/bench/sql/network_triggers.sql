-- The documents of network.sql, kept by a cascade of triggers as somebody writes them who knows how: a server's document feeds
-- the configurations', whose documents feed the allocations'; parts of documents are set with jsonb_set. Updates of servers,
-- configurations and allocations are measured; other writes are not and have no triggers. Right for one writer at a time.

CREATE TABLE tv_dns_server (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_configuration (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_allocation (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);

DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 140000
       AND EXISTS (SELECT FROM pg_settings AS s WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
        EXECUTE (SELECT string_agg(format('ALTER TABLE %I ALTER COLUMN data SET COMPRESSION lz4;', t), ' ')
                   FROM unnest(ARRAY['tv_dns_server', 'tv_configuration', 'tv_allocation']) AS t);
    END IF;
END $$;

INSERT INTO tv_dns_server SELECT v.id, v.data FROM v_dns_server AS v;
INSERT INTO tv_configuration SELECT v.id, v.data FROM v_configuration AS v;
INSERT INTO tv_allocation SELECT v.id, v.data FROM v_allocation AS v;

CREATE FUNCTION hand_allocations(configurations integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_allocation AS t
       SET data = jsonb_set(t.data, '{configuration}', c.data)
      FROM allocation AS a
      JOIN tv_configuration AS c ON c.id = a.configuration_id
     WHERE a.configuration_id = ANY (configurations) AND t.id = a.id;
END $$;

CREATE FUNCTION hand_server() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed        integer[] := ARRAY(SELECT n.id FROM new_rows AS n);
    configurations integer[];
BEGIN
    UPDATE tv_dns_server AS t
       SET data = t.data || jsonb_build_object('name', s.name, 'address', s.address, 'note', s.note)
      FROM dns_server AS s
     WHERE s.id = ANY (changed) AND t.id = s.id;
    configurations := ARRAY(SELECT DISTINCT cs.configuration_id FROM configuration_server AS cs WHERE cs.server_id = ANY (changed));
    UPDATE tv_configuration AS t
       SET data = jsonb_set(t.data, '{servers}',
               (SELECT jsonb_agg(CASE WHEN s.id IS NULL THEN e.value
                                      ELSE e.value || jsonb_build_object('name', s.name, 'address', s.address, 'note', s.note) END
                                 ORDER BY e.ordinality)
                  FROM jsonb_array_elements(t.data -> 'servers') WITH ORDINALITY AS e
                  LEFT JOIN dns_server AS s ON s.id = (e.value ->> 'id')::integer AND s.id = ANY (changed)))
     WHERE t.id = ANY (configurations);
    PERFORM hand_allocations(configurations);
    RETURN NULL;
END $$;

CREATE FUNCTION hand_configuration() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed integer[] := ARRAY(SELECT n.id FROM new_rows AS n);
BEGIN
    UPDATE tv_configuration AS t SET data = t.data || jsonb_build_object('name', c.name)
      FROM configuration AS c WHERE c.id = ANY (changed) AND t.id = c.id;
    UPDATE tv_allocation AS t SET data = jsonb_set(t.data, '{configuration,name}', to_jsonb(c.name))
      FROM allocation AS a JOIN configuration AS c ON c.id = a.configuration_id
     WHERE c.id = ANY (changed) AND t.id = a.id;
    RETURN NULL;
END $$;

CREATE FUNCTION hand_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed integer[] := ARRAY(SELECT n.id FROM new_rows AS n);
BEGIN
    UPDATE tv_allocation AS t SET data = t.data || jsonb_build_object('name', a.name, 'note', a.note)
      FROM allocation AS a WHERE a.id = ANY (changed) AND t.id = a.id;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_server AFTER UPDATE ON dns_server REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand_server();
CREATE TRIGGER hand_configuration AFTER UPDATE ON configuration REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand_configuration();
CREATE TRIGGER hand_allocation AFTER UPDATE ON allocation REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand_allocation();
