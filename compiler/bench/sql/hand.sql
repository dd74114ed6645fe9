-- What the triggers written by hand have in common.

CREATE SCHEMA hand;

-- The compression that the migration chooses for documents.
CREATE FUNCTION hand.compress(VARIADIC tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('server_version_num')::integer >= 140000
       AND EXISTS (SELECT FROM pg_settings AS s WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
        EXECUTE (SELECT string_agg(format('ALTER TABLE %s ALTER COLUMN data SET COMPRESSION lz4;', t), ' ') FROM unnest(tables) AS t);
    END IF;
END $$;

-- Locks the values of a reference until the end of the transaction; many of them as a whole.
CREATE FUNCTION hand.lock_values(link regclass, ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(ids) > 64 THEN
        EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', link);
        RETURN;
    END IF;
    EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', link);
    PERFORM pg_advisory_xact_lock(link::oid::integer, i) FROM (SELECT DISTINCT unnest(ids) AS i ORDER BY 1) AS v;
END $$;
