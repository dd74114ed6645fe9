CREATE TABLE post (id int PRIMARY KEY);
/* outer /* inner */ never closed
CREATE VIEW v_post AS SELECT id FROM post;
