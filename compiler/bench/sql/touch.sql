-- Writes of a column that no view shows, timed in the server: microseconds per statement of one row.
CREATE FUNCTION touch(first integer, times integer, users integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz := clock_timestamp();
BEGIN
    FOR i IN 1 .. times LOOP
        UPDATE users AS u SET last_seen = u.last_seen + interval '1 s' WHERE u.id = 1 + (first + i * 7919) % touch.users;
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - started) * 1e6 / times;
END $$;
