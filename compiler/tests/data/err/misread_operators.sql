CREATE TABLE t (a int, b text, c text);
CREATE VIEW v1 AS SELECT a FROM t WHERE b ~ '^' || c;
CREATE VIEW v2 AS SELECT a FROM t WHERE c = b ~ 'x';
