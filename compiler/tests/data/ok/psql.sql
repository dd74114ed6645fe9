\set ON_ERROR_STOP on
\set schema 'it''s
\connect - - - -
\restrict Xq7
CREATE ROLE app PASSWORD :'password';
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :role;
\if :create
CREATE TABLE post (id int PRIMARY KEY, title text);
\endif
COPY public.post (id, title) FROM stdin;
1	it's; CREATE VIEW "broken
2	\N
3	$$ /* not a comment
\.

SELECT 'CREATE TABLE t' \gexec
CREATE VIEW v_post AS SELECT id, jsonb_build_object('title', title) AS data FROM post
\g
\unrestrict Xq7
