-- Foreign-key actions, a deferrable key, a generated column, triggers of the user's own that change the row before it is
-- written, write the same table again and write other tables, by row and by statement.
CREATE TABLE owner (
    id    integer PRIMARY KEY,
    name  text,
    count integer NOT NULL DEFAULT 0
);
INSERT INTO owner VALUES (0, 'nobody', 0);
CREATE TABLE asset (
    id       integer PRIMARY KEY,
    owner_id integer DEFAULT 0 REFERENCES owner ON UPDATE CASCADE ON DELETE SET DEFAULT,
    backup   integer REFERENCES owner ON UPDATE SET NULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    part_of  integer REFERENCES asset ON UPDATE CASCADE ON DELETE CASCADE,
    title    text,
    shout    text GENERATED ALWAYS AS (upper(title)) STORED,
    version  integer DEFAULT 0
);
CREATE INDEX ON asset (owner_id); CREATE INDEX ON asset (backup); CREATE INDEX ON asset (part_of);
CREATE TABLE history (
    asset_id integer,
    owner_id integer,
    title    text
);
CREATE INDEX ON history (asset_id); CREATE INDEX ON history (owner_id);
CREATE TABLE slot (
    place integer,
    asset_id integer,
    note text,
    CONSTRAINT slot_place UNIQUE (place) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ON slot (asset_id);

CREATE FUNCTION asset_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := coalesce(NEW.version, 0) + 1;
    IF NEW.title LIKE 'a%' THEN NEW.owner_id := 0; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER asset_before BEFORE INSERT OR UPDATE ON asset FOR EACH ROW EXECUTE FUNCTION asset_before();
CREATE FUNCTION asset_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO history VALUES (NEW.id, NEW.owner_id, NEW.title);
        IF pg_trigger_depth() < 3 AND NEW.version % 5 = 0 THEN
            UPDATE asset SET title = title || '+', part_of = NULL WHERE id = NEW.id;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE owner SET count = count + 1 WHERE id = OLD.owner_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER asset_after AFTER INSERT OR UPDATE OR DELETE ON asset FOR EACH ROW EXECUTE FUNCTION asset_after();
CREATE FUNCTION history_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM history h WHERE h.asset_id IS NULL OR (h.asset_id % 7 = 0 AND h.owner_id IS NULL);
    UPDATE slot SET note = 'seen' WHERE note IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER zzzz_after_all AFTER INSERT ON history FOR EACH STATEMENT EXECUTE FUNCTION history_statement();

CREATE VIEW v_owner AS
SELECT o.id,
       jsonb_build_object('name', o.name, 'count', o.count,
           'assets', (SELECT jsonb_agg(jsonb_build_object(
                                 'id', a.id, 'shout', a.shout, 'backup', b.name, 'whole', w.title,
                                 'past', (SELECT string_agg(h.title, ',' ORDER BY h.title, h.owner_id) FROM history h WHERE h.asset_id = a.id),
                                 'slots', (SELECT jsonb_agg(s.note ORDER BY s.place, s.note) FROM slot s WHERE s.asset_id = a.id))
                             ORDER BY a.id)
                        FROM asset a LEFT JOIN owner b ON b.id = a.backup LEFT JOIN asset w ON w.id = a.part_of
                       WHERE a.owner_id = o.id),
           'once', (SELECT count(DISTINCT h.asset_id) FROM history h WHERE h.owner_id = o.id)) AS data
  FROM owner o;

CREATE VIEW v_asset AS
SELECT a.id, a.version,
       jsonb_build_object('title', a.title, 'owner', to_jsonb(o), 'parts', (SELECT count(*) FROM asset p WHERE p.part_of = a.id)) AS data
  FROM asset a LEFT JOIN owner o ON o.id = a.owner_id;
