-- What trigger functions call for arrays that are sorted by their match key.
-- Run by CREATE EXTENSION tview_native and ALTER EXTENSION tview_native UPDATE; not to be run by itself.
\echo Use "ALTER EXTENSION tview_native UPDATE" to load this file. \quit

-- Changes elements of an array that is sorted by a key, a number; NULL for what is to be computed again.
CREATE FUNCTION jsonb_change_sorted_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], descending boolean, many integer)
RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tview_change_sorted_elements';

-- So that cached plans find it; see the first version.
GRANT USAGE ON SCHEMA @extschema@ TO PUBLIC;
