-- Multi-tenant SaaS: several schemas, search_path changes, names that exist twice.
CREATE SCHEMA core;
CREATE SCHEMA billing;
CREATE SCHEMA "Audit";
SET search_path TO core, public;
CREATE TYPE plan AS ENUM ('free', 'pro');
CREATE TABLE tenant (id int PRIMARY KEY, name text NOT NULL, plan plan NOT NULL DEFAULT 'free');
CREATE TABLE account (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, email text NOT NULL);
SET search_path = billing, core;
CREATE TABLE account (tenant_id int PRIMARY KEY REFERENCES tenant (id), iban text, p plan, q core.plan[]);
CREATE TABLE invoice (
    id bigint PRIMARY KEY,
    tenant_id int NOT NULL REFERENCES account,
    by int REFERENCES core.account (id),
    total numeric(12, 2) NOT NULL
);
CREATE FUNCTION total(t int) RETURNS numeric STABLE LANGUAGE sql AS 'SELECT sum(total) FROM billing.invoice WHERE tenant_id = t';
SET search_path TO "Audit", public;
CREATE TABLE "Log" ("Id" bigint PRIMARY KEY, what text, who integer REFERENCES core.account);
CREATE TABLE public.shared (id int PRIMARY KEY, v text);
ALTER TABLE core.tenant ADD COLUMN shared_id int REFERENCES shared;
RESET search_path;
CREATE TABLE plain (id int PRIMARY KEY);
SET SCHEMA 'core';
ALTER TABLE account ADD COLUMN name text DEFAULT 'x' NOT NULL, ADD UNIQUE (tenant_id, email);
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE core.late (id int PRIMARY KEY, tenant_id int REFERENCES core.tenant(id));
SET search_path TO billing, core, public;
CREATE VIEW core.v_tenant AS SELECT id, jsonb_build_object('name', name) AS data FROM tenant;
CREATE VIEW v_invoice AS
SELECT i.id, jsonb_build_object('total', i.total, 'iban', account.iban, 'tenant', t.data) AS data
FROM invoice i JOIN account USING (tenant_id) JOIN v_tenant t ON t.id = i.tenant_id;
CREATE SCHEMA extra
    CREATE TABLE thing (id int PRIMARY KEY, name text NOT NULL)
    CREATE VIEW v_thing AS SELECT id, jsonb_build_object('name', name) AS data FROM thing
    CREATE INDEX thing_name ON thing (name);
CREATE SCHEMA IF NOT EXISTS core;
ALTER SCHEMA extra RENAME TO renamed;
ALTER TABLE public.plain SET SCHEMA renamed;
DROP SCHEMA "Audit" CASCADE;
