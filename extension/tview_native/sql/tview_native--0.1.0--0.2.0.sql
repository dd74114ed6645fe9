-- What trigger functions call: the functions of schema tview_portable, natively.
-- Run by CREATE EXTENSION tview_native and ALTER EXTENSION tview_native UPDATE; not to be run by itself.
\echo Use "ALTER EXTENSION tview_native UPDATE" to load this file. \quit

CREATE FUNCTION jsonb_change_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], moves boolean[],
    preceding jsonb[], following jsonb[], sorted boolean, many integer)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_change_elements';

-- One entry point for all: how many arguments there are says which they are.
CREATE FUNCTION jsonb_put(target jsonb, fields jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(target jsonb, path text[], value jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(target jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(
    target jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb, path_3 text[], value_3 jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(target jsonb, fields jsonb, path text[], value jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(
    target jsonb, fields jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

CREATE FUNCTION jsonb_put(
    target jsonb, fields jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb, path_3 text[], value_3 jsonb)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_put';

-- So that cached plans find them; see the first version.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;

-- And until the end of this transaction no statement of a trigger function is between finding the portable view and finding functions:
-- it could otherwise find these, without a lock that keeps them.
DO $$
BEGIN
    IF pg_catalog.to_regclass('tview_portable.patch_runtime'::pg_catalog.text) IS NOT NULL THEN
        LOCK TABLE tview_portable.patch_runtime IN ACCESS EXCLUSIVE MODE;
    END IF;
END
$$;
