CREATE TABLE post (id int PRIMARY KEY);
-- tviewc: kye(id) skip(all)
-- tviewc: full_refresh, allow(TV0305), allow(TV0401), allow
-- tviewc: key, table(a, b)
-- tviewc: key(id
-- tviewc: (id)
CREATE VIEW v_post AS SELECT id FROM post;

-- tviewc: skip

CREATE VIEW v_gap AS SELECT id FROM post;
-- tviewc: key(id)
CREATE TABLE x (id int);
CREATE VIEW v_end AS SELECT id FROM post; -- tviewc: skip
