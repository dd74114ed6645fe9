-- A trigger that compares what the views show and does nothing else: what a write of another column has to cost at least.

CREATE FUNCTION compare_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM old_rows AS o JOIN new_rows AS n ON n.id = o.id
      WHERE record_image_ne(ROW(o.id, o.username, o.bio), ROW(n.id, n.username, n.bio));
    RETURN NULL;
END $$;

CREATE TRIGGER compare_only AFTER UPDATE ON users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION compare_only();
