-- Triggers of this migration run what is in these schemas as the role that applies it: nobody else may have put anything there, or
-- be able to. Its own schemas, a superuser's, and for a role that is none those of roles that it is a member of will do.
DO $tview$
DECLARE
    schema record;
BEGIN
    FOR schema IN
        SELECT n.nspname AS name, n.nspowner::regrole AS owner,
               r.rolsuper OR n.nspowner = me.oid OR NOT me.rolsuper AND pg_catalog.pg_has_role(n.nspowner, 'MEMBER') AS is_trusted,
               EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a
                        WHERE a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, me.oid)) AS is_open,
               (SELECT min(o.name)
                  FROM (SELECT p.oid::regprocedure::text, p.proowner FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid
                        UNION ALL
                        SELECT c.oid::regclass::text, c.relowner FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid) AS o(name, owner)
                 WHERE o.owner <> me.oid AND NOT pg_catalog.pg_has_role(o.owner, n.nspowner, 'MEMBER')) AS planted
          FROM pg_catalog.pg_namespace AS n
          JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
         CROSS JOIN (SELECT u.oid, u.rolsuper FROM pg_catalog.pg_roles AS u WHERE u.rolname = CURRENT_USER) AS me
         WHERE n.nspname IN ('tview', 'tview_native', 'tview_portable')
    LOOP
        IF NOT schema.is_trusted THEN
            RAISE EXCEPTION 'schema % belongs to %, who could put functions into the way of this migration''s', schema.name, schema.owner
                USING HINT = 'Apply the migration as that role, or drop the schema, or make the owner of the tables its owner.';
        ELSIF schema.is_open THEN
            RAISE EXCEPTION 'others than its owner may create objects in schema %, and put functions into the way of this migration''s',
                    schema.name
                USING HINT = pg_catalog.format('Revoke it: REVOKE CREATE ON SCHEMA %I FROM …, PUBLIC.', schema.name);
        ELSIF schema.planted IS NOT NULL THEN
            RAISE EXCEPTION 'schema % holds %, which belongs to somebody else', schema.name, schema.planted
                USING HINT = 'Drop it, or make the owner of the schema its owner.';
        END IF;
    END LOOP;
END
$tview$;
