-- The documents of network.sql, kept by a cascade of triggers as somebody writes them who knows how: a server's document feeds
-- the configurations', whose documents feed the allocations'; arrays are aggregated again, parts of documents are set with jsonb_set.
-- The locks are those that the migration takes for the same writes: the values of a reference, then the documents in key order. Updates of
-- servers, configurations and allocations are measured; other writes are not and have no triggers.

CREATE TABLE tv_dns_server (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_configuration (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_allocation (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);

SELECT hand.compress('tv_dns_server', 'tv_configuration', 'tv_allocation');

INSERT INTO tv_dns_server SELECT v.id, v.data FROM v_dns_server AS v;
INSERT INTO tv_configuration SELECT v.id, v.data FROM v_configuration AS v;
INSERT INTO tv_allocation SELECT v.id, v.data FROM v_allocation AS v;

-- Each stands for the values of one reference.
CREATE TABLE hand.configuration_server ();
CREATE TABLE hand.allocation_server ();
CREATE TABLE hand.allocation_configuration ();

CREATE FUNCTION hand.server_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed        integer[];
    configurations integer[];
    allocations    integer[];
BEGIN
    SELECT array_agg(n.id)
      INTO changed
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.name, n.address, n.note) IS DISTINCT FROM (o.name, o.address, o.note);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM FROM tv_dns_server AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    UPDATE tv_dns_server AS t
       SET data = t.data || jsonb_build_object('name', s.name, 'address', s.address, 'note', s.note)
      FROM dns_server AS s
     WHERE s.id = ANY (changed) AND t.id = s.id;

    PERFORM hand.lock_values('hand.configuration_server', changed);
    configurations := ARRAY(SELECT DISTINCT cs.configuration_id FROM configuration_server AS cs WHERE cs.server_id = ANY (changed));
    PERFORM FROM tv_configuration AS t WHERE t.id = ANY (configurations) ORDER BY t.id FOR UPDATE;
    UPDATE tv_configuration AS t
       SET data = jsonb_set(t.data, '{servers}',
               (SELECT jsonb_agg(CASE WHEN s.id IS NULL THEN e.value
                                      ELSE e.value || jsonb_build_object('name', s.name, 'address', s.address, 'note', s.note) END
                                 ORDER BY e.ordinality)
                  FROM jsonb_array_elements(t.data -> 'servers') WITH ORDINALITY AS e
                  LEFT JOIN dns_server AS s ON s.id = (e.value ->> 'id')::integer AND s.id = ANY (changed)))
     WHERE t.id = ANY (configurations);

    PERFORM hand.lock_values('hand.allocation_server', changed);
    allocations := ARRAY(SELECT a.id
                           FROM allocation AS a
                          WHERE a.configuration_id IN (SELECT cs.configuration_id
                                                         FROM configuration_server AS cs
                                                        WHERE cs.server_id = ANY (changed)));
    PERFORM FROM tv_allocation AS t WHERE t.id = ANY (allocations) ORDER BY t.id FOR UPDATE;
    UPDATE tv_allocation AS t
       SET data = jsonb_set(t.data, '{configuration}', c.data)
      FROM allocation AS a
      JOIN tv_configuration AS c ON c.id = a.configuration_id
     WHERE a.id = ANY (allocations) AND t.id = a.id;
    RETURN NULL;
END $$;

CREATE FUNCTION hand.configuration_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed     integer[];
    allocations integer[];
BEGIN
    SELECT array_agg(n.id) INTO changed FROM old_rows AS o JOIN new_rows AS n ON n.id = o.id WHERE n.name IS DISTINCT FROM o.name;
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM FROM tv_configuration AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    UPDATE tv_configuration AS t SET data = t.data || jsonb_build_object('name', c.name)
      FROM configuration AS c
     WHERE c.id = ANY (changed) AND t.id = c.id;

    PERFORM hand.lock_values('hand.allocation_configuration', changed);
    allocations := ARRAY(SELECT a.id FROM allocation AS a WHERE a.configuration_id = ANY (changed));
    PERFORM FROM tv_allocation AS t WHERE t.id = ANY (allocations) ORDER BY t.id FOR UPDATE;
    UPDATE tv_allocation AS t SET data = jsonb_set(t.data, '{configuration,name}', to_jsonb(c.name))
      FROM allocation AS a
      JOIN configuration AS c ON c.id = a.configuration_id
     WHERE a.id = ANY (allocations) AND t.id = a.id;
    RETURN NULL;
END $$;

CREATE FUNCTION hand.allocation_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed integer[];
BEGIN
    SELECT array_agg(n.id)
      INTO changed
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.name, n.note) IS DISTINCT FROM (o.name, o.note);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM FROM tv_allocation AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    UPDATE tv_allocation AS t SET data = t.data || jsonb_build_object('name', a.name, 'note', a.note)
      FROM allocation AS a
     WHERE a.id = ANY (changed) AND t.id = a.id;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_server AFTER UPDATE ON dns_server REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.server_update();
CREATE TRIGGER hand_configuration AFTER UPDATE ON configuration REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.configuration_update();
CREATE TRIGGER hand_allocation AFTER UPDATE ON allocation REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.allocation_update();
