-- The functions of schema tview (see the migration that tviewc writes), under the same names, natively.
-- Made by CREATE EXTENSION tview_native; not to be run by itself.
\echo Use "CREATE EXTENSION tview_native" to load this file. \quit

CREATE FUNCTION jsonb_smart_patch_nested(data jsonb, patch jsonb, path text[])
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_smart_patch_nested';

CREATE FUNCTION jsonb_smart_patch_scalar(data jsonb, patch jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_smart_patch_scalar';

CREATE FUNCTION jsonb_merge_shallow(target jsonb, source jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_merge_shallow';

CREATE FUNCTION jsonb_merge_at_path(target jsonb, source jsonb, path text[])
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_merge_at_path';

CREATE FUNCTION jsonb_array_update_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, updates jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_array_update_where';

CREATE FUNCTION jsonb_smart_patch_array(
    data jsonb, patch jsonb, path text[], match_key text DEFAULT 'id')
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_smart_patch_array';

CREATE FUNCTION jsonb_array_upsert_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, element jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_array_upsert_where';

CREATE FUNCTION jsonb_array_delete_where(
    target jsonb, array_path text[], match_key text, match_value jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_array_delete_where';

CREATE FUNCTION jsonb_array_insert_at(
    target jsonb, array_path text[], "position" integer, element jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_array_insert_at';

CREATE FUNCTION jsonb_has_path_changed(old jsonb, new jsonb, path text[])
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_has_path_changed';

CREATE FUNCTION jsonb_apply(data jsonb, changes jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_apply';

CREATE FUNCTION jsonb_delta_available()
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT true $$;

-- Trigger functions read it under this bare name, and by their lock on it make DROP EXTENSION wait for them.
CREATE VIEW patch_runtime AS SELECT 'native'::pg_catalog.text AS name;
GRANT SELECT ON patch_runtime TO PUBLIC;

-- Two purposes. Whoever owns a trigger function finds these functions, whoever owns the schema: they
-- compute and read nothing. And a change of pg_namespace, also one to what was there before, makes every
-- session plan its statements anew, so that cached plans of trigger functions find them too; creating a
-- function alone does not. A later version that adds functions has to repeat it.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;
