-- The documents of examples/blog, kept by triggers for the write that is measured, an author's change, as somebody writes
-- them who knows how: sets, transition tables, jsonb_set, and of a post's comments only those of the author are made anew. The
-- locks are those of feed_triggers.sql. Other writes are not measured and have no triggers.

CREATE TABLE tv_bench_comments (id integer PRIMARY KEY, post_id integer NOT NULL, data jsonb) WITH (fillfactor = 85);
CREATE TABLE tv_bench_posts (id integer PRIMARY KEY, author_id integer NOT NULL, data jsonb) WITH (fillfactor = 85);

SELECT hand.compress('tv_bench_comments', 'tv_bench_posts');

-- Each stands for the values of one reference.
CREATE TABLE hand.comment_author ();
CREATE TABLE hand.post_author ();
CREATE TABLE hand.post_comment_author ();

CREATE FUNCTION hand.author_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed integer[];
    written integer[];
BEGIN
    SELECT array_agg(n.id)
      INTO changed
      FROM old_rows AS o
      JOIN new_rows AS n ON n.id = o.id
     WHERE (n.name, n.email) IS DISTINCT FROM (o.name, o.email);
    IF changed IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM hand.lock_values('hand.comment_author', changed);
    PERFORM FROM tv_bench_comments AS t JOIN bench_comments AS c ON c.id = t.id
      WHERE c.author_id = ANY (changed) ORDER BY t.id FOR UPDATE OF t;
    UPDATE tv_bench_comments AS t
       SET data = jsonb_set(t.data, '{author}', jsonb_build_object('id', a.id, 'name', a.name, 'email', a.email))
      FROM bench_comments AS c
      JOIN bench_authors AS a ON a.id = c.author_id
     WHERE a.id = ANY (changed) AND t.id = c.id;

    PERFORM hand.lock_values('hand.post_author', changed);
    PERFORM hand.lock_values('hand.post_comment_author', changed);
    written := ARRAY(SELECT p.id FROM bench_posts AS p WHERE p.author_id = ANY (changed)
                     UNION
                     SELECT c.post_id FROM bench_comments AS c WHERE c.author_id = ANY (changed));
    PERFORM FROM tv_bench_posts AS t WHERE t.id = ANY (written) ORDER BY t.id FOR UPDATE;
    UPDATE tv_bench_posts AS t
       SET data = t.data || jsonb_build_object(
               'author', jsonb_build_object('id', a.id, 'name', a.name, 'email', a.email),
               'comments', coalesce(
                   (SELECT jsonb_agg(CASE WHEN ca.id IS NULL THEN e.value ELSE jsonb_set(e.value, '{author}',
                                jsonb_build_object('id', ca.id, 'name', ca.name, 'email', ca.email)) END
                            ORDER BY e.ordinality)
                      FROM jsonb_array_elements(t.data -> 'comments') WITH ORDINALITY AS e
                      LEFT JOIN bench_authors AS ca
                        ON ca.id = (e.value #>> '{author,id}')::integer AND ca.id = ANY (changed)),
                   '[]'))
      FROM bench_posts AS p
      JOIN bench_authors AS a ON a.id = p.author_id
     WHERE p.id = ANY (written) AND t.id = p.id;
    RETURN NULL;
END $$;

CREATE TRIGGER hand_update AFTER UPDATE ON bench_authors REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION hand.author_update();

INSERT INTO tv_bench_comments SELECT v.id, v.post_id, v.data FROM v_bench_comments AS v;
INSERT INTO tv_bench_posts SELECT v.id, v.author_id, v.data FROM v_bench_posts AS v;
