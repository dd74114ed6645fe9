CREATE TABLE post (id int PRIMARY KEY);
CREATE VIEW v_é AS SELECT 'é', 'never ends AS x FROM post;
CREATE VIEW v_next AS SELECT id, FROM post;
