-- The functions of jsonb_delta 0.2 (before: jsonb_ivm), under their names and with their arguments in their order, on
-- top of tviewc's. For programs that call them and are to go on without that extension; docs/extension.md has the
-- differences.
--
-- Apply with: psql -v ON_ERROR_STOP=1 -f jsonb_delta.sql, where a migration of tviewc or CREATE EXTENSION tview_native
-- has been applied, as a role that may use schema tview. Everything is made in schema jsonb_delta; put that on the
-- search_path instead of the extension's schema. Each function finds the native functions while they are installed and
-- the portable ones otherwise. Applied again it changes nothing; DROP SCHEMA jsonb_delta CASCADE takes it back.

BEGIN;

CREATE SCHEMA IF NOT EXISTS jsonb_delta;
SET LOCAL check_function_bodies = off;

-- Their text paths are one key, or keys joined by dots with indexes in brackets; ours are text[].
CREATE OR REPLACE FUNCTION jsonb_delta.path_elements(path text)
RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_to_array(ltrim(replace(replace(path, '[', '.'), ']', ''), '.'), '.') $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_merge_shallow(target jsonb, source jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_merge_shallow(target, source) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_merge_at_path(target jsonb, source jsonb, path text[])
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_merge_at_path(target, source, path) $$;

-- Objects within both are merged in their turn; anything else is replaced.
CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_deep_merge(target jsonb, source jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(target) = 'object' AND jsonb_typeof(source) = 'object' THEN
        target || coalesce((SELECT jsonb_object_agg(s.key, CASE
                                       WHEN jsonb_typeof(s.value) = 'object' AND jsonb_typeof(target -> s.key) = 'object'
                                       THEN jsonb_delta.jsonb_deep_merge(target -> s.key, s.value)
                                       ELSE s.value END)
                              FROM jsonb_each(source) AS s), '{}')
        ELSE source END
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_smart_patch_scalar(target jsonb, source jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_smart_patch_scalar(target, source) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_smart_patch_nested(target jsonb, source jsonb, path text[])
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_smart_patch_nested(target, source, path) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_smart_patch_array(
    target jsonb, source jsonb, array_path text, match_key text, match_value jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_array_update_where(target, ARRAY[array_path], match_key, match_value, source) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_update_where(
    target jsonb, array_path text, match_key text, match_value jsonb, updates jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_array_update_where(target, ARRAY[array_path], match_key, match_value, updates) $$;

-- updates_array: [{"match_value": …, "updates": {…}}, …]
CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_update_where_batch(
    target jsonb, array_path text, match_key text, updates_array jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$
    SELECT jsonb_apply(target, coalesce(jsonb_agg(jsonb_build_object(
               'op', 'update', 'path', jsonb_build_array(array_path), 'key', match_key,
               'match', u.element -> 'match_value', 'value', u.element -> 'updates') ORDER BY u.number), '[]'))
      FROM jsonb_array_elements(updates_array) WITH ORDINALITY AS u(element, number)
     WHERE u.element ?& '{match_value,updates}'
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_update_multi_row(
    targets jsonb[], array_path text, match_key text, match_value jsonb, updates jsonb)
RETURNS TABLE (result jsonb)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$
    SELECT jsonb_array_update_where(t.target, ARRAY[array_path], match_key, match_value, updates)
      FROM unnest(targets) WITH ORDINALITY AS t(target, number)
     WHERE t.target IS NOT NULL
     ORDER BY t.number
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_delete_where(
    target jsonb, array_path text, match_key text, match_value jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_array_delete_where(target, ARRAY[array_path], match_key, match_value) $$;

-- Before the first element that is to come later; without a sort_key, or without it in the element, at the end.
CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_insert_where(
    target jsonb, array_path text, new_element jsonb, sort_key text, sort_order text)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$
    SELECT jsonb_array_insert_at(target, ARRAY[array_path], coalesce((
               SELECT min(e.number)::integer - 1
                 FROM jsonb_array_elements(CASE jsonb_typeof(target -> array_path)
                                               WHEN 'array' THEN target -> array_path ELSE '[]' END)
                      WITH ORDINALITY AS e(element, number)
                WHERE CASE WHEN upper(sort_order) = 'DESC' THEN e.element -> sort_key < new_element -> sort_key
                           ELSE e.element -> sort_key > new_element -> sort_key END), 2147483647), new_element)
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_contains_id(
    data jsonb, array_path text, id_key text, id_value jsonb)
RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(data -> array_path)
                                                        WHEN 'array' THEN data -> array_path ELSE '[]' END) AS e(element)
                    WHERE e.element -> id_key = id_value)
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_extract_id(data jsonb, key text DEFAULT 'id')
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN jsonb_typeof(data -> key) IN ('string', 'number') THEN data ->> key END $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_delta_set_path(target jsonb, path text, value jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$
DECLARE
    elements text[]  := jsonb_delta.path_elements(path);
    levels   integer := cardinality(elements);
    parent   text    := jsonb_typeof(target #> elements[:levels - 1]);
BEGIN
    IF parent = 'array' THEN
        RETURN jsonb_set(target, elements, value);
    END IF;
    IF parent IS NULL AND strpos(path, '[') > 0 THEN
        RAISE EXCEPTION 'no array is created on the way of %', path USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN jsonb_merge_at_path(target, jsonb_build_object(elements[levels], value), elements[:levels - 1]);
END
$$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_delta_array_update_where_path(
    target jsonb, array_key text, match_key text, match_value jsonb, update_path text, update_value jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$
    SELECT coalesce(
        (SELECT jsonb_array_upsert_where(target, ARRAY[array_key], match_key, match_value,
                    jsonb_delta.jsonb_delta_set_path(e.element, update_path, update_value))
           FROM jsonb_array_elements(CASE jsonb_typeof(target -> array_key)
                                         WHEN 'array' THEN target -> array_key ELSE '[]' END)
                WITH ORDINALITY AS e(element, number)
          WHERE e.element -> match_key = match_value
          ORDER BY e.number
          LIMIT 1), target)
$$;

-- Their plans had these with paths of several levels; they are ours under the same names.
CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_update_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, updates jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_array_update_where(target, array_path, match_key, match_value, updates) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_array_upsert_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, element jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_array_upsert_where(target, array_path, match_key, match_value, element) $$;

CREATE OR REPLACE FUNCTION jsonb_delta.jsonb_has_path_changed(old_jsonb jsonb, new_jsonb jsonb, path text[])
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, tview_native, tview, pg_temp
AS $$ SELECT jsonb_has_path_changed(old_jsonb, new_jsonb, path) $$;

COMMIT;
