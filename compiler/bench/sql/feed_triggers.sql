-- The documents of feed.sql, kept by triggers as somebody writes them who knows how: a statement trigger per event, transition
-- tables, sets instead of loops, jsonb_set where a part of a document changes, and the locks that keep documents right under
-- concurrent writes: the value of a reference (exclusive for whoever changes the row behind it, shared for whoever makes a
-- document depend on it), the key of a new document, the rows of documents in key order. Values come from the current rows.

CREATE TABLE tv_user (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_post (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_comment (id integer PRIMARY KEY, data jsonb) WITH (fillfactor = 85);

SELECT hand.compress('tv_user', 'tv_post', 'tv_comment');

-- Each stands for the values of one reference, or for the keys of one read model.
CREATE TABLE hand.post_author ();
CREATE TABLE hand.comment_author ();
CREATE TABLE hand.comment_post ();
CREATE TABLE hand.user_key ();
CREATE TABLE hand.post_key ();
CREATE TABLE hand.comment_key ();

-- Locks values until the end of the transaction; many of them as a whole. LOCK TABLE of the caller announces single values.
CREATE FUNCTION hand.lock_values(link oid, ids integer[], exclusive boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF exclusive THEN
        PERFORM pg_advisory_xact_lock(link::integer, i) FROM (SELECT DISTINCT unnest(ids) AS i ORDER BY 1) AS v;
    ELSE
        PERFORM pg_advisory_xact_lock_shared(link::integer, i) FROM (SELECT DISTINCT unnest(ids) AS i ORDER BY 1) AS v;
    END IF;
END $$;

CREATE FUNCTION hand.user_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ids integer[] := ARRAY(SELECT n.id FROM new_rows AS n);
BEGIN
    LOCK TABLE hand.user_key IN ROW EXCLUSIVE MODE;
    PERFORM hand.lock_values('hand.user_key'::regclass, ids, true);
    INSERT INTO tv_user SELECT v.id, v.data FROM v_user AS v WHERE v.id = ANY (ids);
    RETURN NULL;
END $$;

CREATE FUNCTION hand.user_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed integer[];
    renamed integer[];
BEGIN
    SELECT array_agg(n.id), array_agg(n.id) FILTER (WHERE n.username IS DISTINCT FROM o.username)
      INTO changed, renamed
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.username, n.bio) IS DISTINCT FROM (o.username, o.bio);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM FROM tv_user AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    UPDATE tv_user AS t
       SET data = t.data || jsonb_build_object('username', u.username, 'bio', u.bio)
      FROM users AS u
     WHERE u.id = ANY (changed) AND t.id = u.id;

    IF cardinality(changed) > 64 THEN
        LOCK TABLE hand.post_author IN EXCLUSIVE MODE;
    ELSE
        LOCK TABLE hand.post_author IN ROW EXCLUSIVE MODE;
        PERFORM hand.lock_values('hand.post_author'::regclass, changed, true);
    END IF;
    PERFORM FROM tv_post AS t JOIN posts AS p ON p.id = t.id
      WHERE p.author_id = ANY (changed) ORDER BY t.id FOR UPDATE OF t;
    UPDATE tv_post AS t
       SET data = jsonb_set(t.data, '{author}', jsonb_build_object('id', u.id, 'username', u.username, 'bio', u.bio))
      FROM posts AS p
      JOIN users AS u ON u.id = p.author_id
     WHERE u.id = ANY (changed) AND t.id = p.id;

    IF renamed IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(renamed) > 64 THEN
        LOCK TABLE hand.comment_author IN EXCLUSIVE MODE;
    ELSE
        LOCK TABLE hand.comment_author IN ROW EXCLUSIVE MODE;
        PERFORM hand.lock_values('hand.comment_author'::regclass, renamed, true);
    END IF;
    PERFORM FROM tv_comment AS t JOIN comments AS c ON c.id = t.id
      WHERE c.author_id = ANY (renamed) ORDER BY t.id FOR UPDATE OF t;
    UPDATE tv_comment AS t
       SET data = jsonb_set(t.data, '{author}', jsonb_build_object('id', u.id, 'username', u.username))
      FROM comments AS c
      JOIN users AS u ON u.id = c.author_id
     WHERE u.id = ANY (renamed) AND t.id = c.id;
    RETURN NULL;
END $$;

CREATE FUNCTION hand.post_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ids     integer[] := ARRAY(SELECT n.id FROM new_rows AS n);
    authors integer[] := ARRAY(SELECT n.author_id FROM new_rows AS n);
BEGIN
    LOCK TABLE hand.post_author IN ROW SHARE MODE;
    PERFORM hand.lock_values('hand.post_author'::regclass, authors, false);
    LOCK TABLE hand.post_key IN ROW EXCLUSIVE MODE;
    PERFORM hand.lock_values('hand.post_key'::regclass, ids, true);
    INSERT INTO tv_post SELECT v.id, v.data FROM v_post AS v WHERE v.id = ANY (ids);
    RETURN NULL;
END $$;

CREATE FUNCTION hand.post_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed  integer[];
    retitled integer[];
    moved    integer[];
BEGIN
    SELECT array_agg(n.id),
           array_agg(n.id) FILTER (WHERE n.title IS DISTINCT FROM o.title),
           array_agg(n.author_id) FILTER (WHERE n.author_id IS DISTINCT FROM o.author_id)
      INTO changed, retitled, moved
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.title, n.content, n.author_id) IS DISTINCT FROM (o.title, o.content, o.author_id);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    IF moved IS NOT NULL THEN
        LOCK TABLE hand.post_author IN ROW SHARE MODE;
        PERFORM hand.lock_values('hand.post_author'::regclass, moved, false);
    END IF;
    PERFORM FROM tv_post AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    IF moved IS NULL THEN
        UPDATE tv_post AS t
           SET data = t.data || jsonb_build_object('title', p.title, 'content', p.content)
          FROM posts AS p
         WHERE p.id = ANY (changed) AND t.id = p.id;
    ELSE
        UPDATE tv_post AS t SET data = v.data FROM v_post AS v WHERE v.id = ANY (changed) AND t.id = v.id;
    END IF;

    IF retitled IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(retitled) > 64 THEN
        LOCK TABLE hand.comment_post IN EXCLUSIVE MODE;
    ELSE
        LOCK TABLE hand.comment_post IN ROW EXCLUSIVE MODE;
        PERFORM hand.lock_values('hand.comment_post'::regclass, retitled, true);
    END IF;
    PERFORM FROM tv_comment AS t JOIN comments AS c ON c.id = t.id
      WHERE c.post_id = ANY (retitled) ORDER BY t.id FOR UPDATE OF t;
    UPDATE tv_comment AS t
       SET data = jsonb_set(t.data, '{post}', jsonb_build_object('id', p.id, 'title', p.title))
      FROM comments AS c
      JOIN posts AS p ON p.id = c.post_id
     WHERE p.id = ANY (retitled) AND t.id = c.id;
    RETURN NULL;
END $$;

CREATE FUNCTION hand.comment_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ids     integer[];
    posts   integer[];
    authors integer[];
BEGIN
    SELECT array_agg(n.id), array_agg(n.post_id), array_agg(n.author_id) INTO ids, posts, authors FROM new_rows AS n;
    LOCK TABLE hand.comment_author IN ROW SHARE MODE;
    PERFORM hand.lock_values('hand.comment_author'::regclass, authors, false);
    LOCK TABLE hand.comment_post IN ROW SHARE MODE;
    PERFORM hand.lock_values('hand.comment_post'::regclass, posts, false);
    LOCK TABLE hand.comment_key IN ROW EXCLUSIVE MODE;
    PERFORM hand.lock_values('hand.comment_key'::regclass, ids, true);
    INSERT INTO tv_comment SELECT v.id, v.data FROM v_comment AS v WHERE v.id = ANY (ids);
    RETURN NULL;
END $$;

CREATE FUNCTION hand.comment_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed integer[];
    posts   integer[];
    authors integer[];
BEGIN
    SELECT array_agg(n.id),
           array_agg(n.post_id) FILTER (WHERE n.post_id IS DISTINCT FROM o.post_id),
           array_agg(n.author_id) FILTER (WHERE n.author_id IS DISTINCT FROM o.author_id)
      INTO changed, posts, authors
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.content, n.post_id, n.author_id) IS DISTINCT FROM (o.content, o.post_id, o.author_id);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;
    IF authors IS NOT NULL THEN
        LOCK TABLE hand.comment_author IN ROW SHARE MODE;
        PERFORM hand.lock_values('hand.comment_author'::regclass, authors, false);
    END IF;
    IF posts IS NOT NULL THEN
        LOCK TABLE hand.comment_post IN ROW SHARE MODE;
        PERFORM hand.lock_values('hand.comment_post'::regclass, posts, false);
    END IF;
    PERFORM FROM tv_comment AS t WHERE t.id = ANY (changed) ORDER BY t.id FOR UPDATE;
    IF posts IS NULL AND authors IS NULL THEN
        UPDATE tv_comment AS t
           SET data = t.data || jsonb_build_object('content', c.content)
          FROM comments AS c
         WHERE c.id = ANY (changed) AND t.id = c.id;
    ELSE
        UPDATE tv_comment AS t SET data = v.data FROM v_comment AS v WHERE v.id = ANY (changed) AND t.id = v.id;
    END IF;
    RETURN NULL;
END $$;

-- Whatever depends on the row is gone before it, by the foreign keys.
CREATE FUNCTION hand.forget() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('DELETE FROM %I AS t USING old_rows AS o WHERE t.id = o.id', TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE TRIGGER hand_insert AFTER INSERT ON users REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.user_insert();
CREATE TRIGGER hand_update AFTER UPDATE ON users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.user_update();
CREATE TRIGGER hand_delete AFTER DELETE ON users REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.forget('tv_user');
CREATE TRIGGER hand_insert AFTER INSERT ON posts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.post_insert();
CREATE TRIGGER hand_update AFTER UPDATE ON posts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.post_update();
CREATE TRIGGER hand_delete AFTER DELETE ON posts REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.forget('tv_post');
CREATE TRIGGER hand_insert AFTER INSERT ON comments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.comment_insert();
CREATE TRIGGER hand_update AFTER UPDATE ON comments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.comment_update();
CREATE TRIGGER hand_delete AFTER DELETE ON comments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.forget('tv_comment');

INSERT INTO tv_user SELECT v.id, v.data FROM v_user AS v;
INSERT INTO tv_post SELECT v.id, v.data FROM v_post AS v;
INSERT INTO tv_comment SELECT v.id, v.data FROM v_comment AS v;
