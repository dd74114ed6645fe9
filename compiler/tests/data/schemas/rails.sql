-- Rails structure.sql: dump style, plural names, schema_migrations, ids as bigint, timestamps(6).
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
--
-- Name: active_storage_blobs; Type: TABLE; Schema: public; Owner: -
--
CREATE TABLE public.ar_internal_metadata (
    key character varying NOT NULL,
    value character varying,
    created_at timestamp(6) without time zone NOT NULL,
    updated_at timestamp(6) without time zone NOT NULL
);
CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    email character varying DEFAULT ''::character varying NOT NULL,
    encrypted_password character varying(128) DEFAULT ''::character varying NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    ip inet,
    created_at timestamp(6) without time zone NOT NULL
);
CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
CREATE TABLE public.posts (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    postable_type character varying,
    postable_id bigint,
    title character varying,
    score numeric(10,2) DEFAULT 0.0,
    position integer,
    created_at timestamp without time zone
);
CREATE SEQUENCE public.posts_id_seq AS bigint START WITH 1;
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.posts ALTER COLUMN id SET DEFAULT nextval('public.posts_id_seq'::regclass);
ALTER TABLE ONLY public.ar_internal_metadata
    ADD CONSTRAINT ar_internal_metadata_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX index_users_on_email ON public.users USING btree (email);
CREATE UNIQUE INDEX index_users_on_lower_email ON public.users USING btree (lower((email)::text));
CREATE INDEX index_posts_on_postable ON public.posts USING btree (postable_type, postable_id);
CREATE INDEX index_posts_on_user_id ON public.posts USING btree (user_id);
CREATE UNIQUE INDEX index_posts_pos ON public.posts USING btree (user_id, "position") WHERE ("position" IS NOT NULL);
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT fk_rails_5b5ddfd518 FOREIGN KEY (user_id) REFERENCES public.users(id);
SET search_path TO "$user", public;
CREATE VIEW public.v_posts AS
 SELECT posts.id,
    jsonb_build_object('title', posts.title, 'user', jsonb_build_object('email', users.email)) AS data
   FROM (public.posts
     JOIN public.users ON ((users.id = posts.user_id)));
INSERT INTO "schema_migrations" (version) VALUES
('20240101000000'),
('20240102000000');
