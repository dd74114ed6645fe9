-- Accepted: an array without an order, a clock, a key by assertion.
CREATE TABLE post (id int PRIMARY KEY, title text, at timestamptz);
CREATE TABLE comment (id int PRIMARY KEY, post_id int REFERENCES post, body text);
CREATE INDEX ON comment (post_id);

-- tviewc: allow(TV0305)
CREATE VIEW v_post AS SELECT p.id, jsonb_build_object('bodies', (SELECT jsonb_agg(c.body) FROM comment c WHERE c.post_id = p.id)) AS data FROM post p;

-- tviewc: allow(tv0303)
CREATE VIEW v_age AS SELECT p.id, jsonb_build_object('old', p.at < now() - interval '1 day') AS data FROM post p;

-- tviewc: key(body) allow(TV0601)
CREATE VIEW v_body AS SELECT c.body, jsonb_build_object('post', c.post_id) AS data FROM comment c WHERE c.body IS NOT NULL;
