-- ---------------------------------------------------------------------------------------------
-- Changing documents at a path. The extension tview_native has the same functions under the same
-- names in schema tview_native, for jsonb as it is stored; results and errors are equal, byte for byte.
--
-- A path element is a key of an object or, where an array is, an index, negative from the end.
-- Missing levels are created by merge, upsert and insert; for the others there is nothing to change.
-- Elements of arrays are found by the value of a key, numbers by value: 1 finds 1.00.
-- No function here reads the search_path of its caller: names and operators are qualified, or it is set.
-- ---------------------------------------------------------------------------------------------

-- Trigger functions that patch look for functions in tview_native, which are the extension's, and then in tview_portable, which
-- has the same for when it is not there, and nothing else. Where views call functions of the user's own, which inherit the path,
-- neither is on it.
DO $tview$
DECLARE
    wanted name;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tview_native', 'tview_portable'] LOOP
        IF to_regnamespace(wanted::text) IS NULL THEN
            EXECUTE pg_catalog.format('CREATE SCHEMA %I', wanted);
            INSERT INTO tview.created_object (program, kind, name) VALUES ('', 'schema', wanted)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END
$tview$;

-- What no path may be, then what an operand must be. An operand without a name may be anything.
CREATE OR REPLACE FUNCTION tview.jsonb_check(path text[], operand jsonb, argument text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tview$
BEGIN
    IF array_ndims(path) > 1 THEN
        RAISE EXCEPTION 'wrong number of array subscripts' USING ERRCODE = 'array_subscript_error';
    END IF;
    IF array_position(path, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'path element at position % is null', array_position(path[:], NULL)
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF argument IS NOT NULL AND jsonb_typeof(operand) <> 'object' THEN
        RAISE EXCEPTION 'expected an object as argument "%", found %', argument, jsonb_typeof(operand)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$tview$;

-- Follows a path to an object or an array (`wanted`) and says how many of its levels are there; where
-- there is something else, that is the error. The quick ways of the functions below need no walk.
CREATE OR REPLACE FUNCTION tview.jsonb_walk(target jsonb, path text[], wanted text, creating boolean)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    elements text[]  := path[:];
    levels   integer := cardinality(path);
    here     jsonb   := target;
    kind     text    := jsonb_typeof(target);
    index    numeric;
BEGIN
    FOR level IN 1 .. levels LOOP
        IF kind = 'object' THEN
            IF NOT here ? elements[level] THEN
                RETURN level - 1;
            END IF;
            here := here -> elements[level];
        ELSIF kind = 'array' THEN
            IF elements[level] ~ '^[ \t\n\v\f\r]*[+-]?[0-9]+$' THEN
                index := btrim(elements[level], E' \t\n\v\f\r')::numeric;
            END IF;
            IF index IS NULL OR index NOT BETWEEN -2147483648 AND 2147483647 THEN
                RAISE EXCEPTION 'path element at position % of % is not an integer: "%"',
                        level, elements[:level], elements[level]
                    USING ERRCODE = 'invalid_text_representation';
            END IF;
            IF index NOT BETWEEN -jsonb_array_length(here) AND jsonb_array_length(here) - 1 THEN
                IF creating THEN
                    RAISE EXCEPTION 'array index at path % is out of range: the array has % elements',
                            elements[:level], jsonb_array_length(here)
                        USING ERRCODE = 'array_subscript_error';
                END IF;
                RETURN level - 1;
            END IF;
            here := here -> index::integer;
            index := NULL;
        ELSE
            RAISE EXCEPTION 'expected an object at path %, found %', elements[:level - 1], kind
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        kind := jsonb_typeof(here);
    END LOOP;
    IF kind <> wanted THEN
        RAISE EXCEPTION 'expected an % at path %, found %', wanted, elements, kind
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN levels;
END
$tview$;

-- Puts a value at the end of a path of which only so many levels are there.
CREATE OR REPLACE FUNCTION tview.jsonb_create(target jsonb, path text[], levels integer, value jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    elements text[] := path[:];
    made     jsonb  := value;
BEGIN
    FOR level IN REVERSE cardinality(path) .. levels + 2 LOOP
        made := jsonb_build_object(elements[level], made);
    END LOOP;
    RETURN jsonb_set(target, elements[:levels + 1], made, true);
END
$tview$;

-- The index of the first element whose value for the key equals this one. A loop: it stops where it
-- finds, while jsonb_array_elements copies all elements before it gives the first.
CREATE OR REPLACE FUNCTION tview.jsonb_position(elements jsonb, match_key text, match_value jsonb)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
BEGIN
    FOR index IN 0 .. pg_catalog.jsonb_array_length(elements) OPERATOR(pg_catalog.-) 1 LOOP
        IF elements OPERATOR(pg_catalog.->) index OPERATOR(pg_catalog.->) match_key
           OPERATOR(pg_catalog.=) match_value THEN
            RETURN index;
        END IF;
    END LOOP;
    RETURN NULL;
END
$tview$;

-- What the merges have in common; `argument` is the name of `patch` in an error.
CREATE OR REPLACE FUNCTION tview.jsonb_merge_into(target jsonb, patch jsonb, path text[], argument text)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
DECLARE
    here pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) path;
BEGIN
    IF pg_catalog.jsonb_typeof(here) OPERATOR(pg_catalog.=) 'object'
       AND pg_catalog.jsonb_typeof(patch) OPERATOR(pg_catalog.=) 'object' THEN
        IF pg_catalog.array_ndims(path) IS NULL THEN
            RETURN target OPERATOR(pg_catalog.||) patch;
        END IF;
        RETURN pg_catalog.jsonb_set(target, path, here OPERATOR(pg_catalog.||) patch, false);
    END IF;
    PERFORM tview.jsonb_check(path, patch, argument);
    RETURN tview.jsonb_create(target, path, tview.jsonb_walk(target, path, 'object', true), patch);
END
$tview$;

CREATE OR REPLACE FUNCTION tview.jsonb_smart_patch_nested(data jsonb, patch jsonb, path text[])
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$ SELECT tview.jsonb_merge_into(data, patch, path, 'patch') $tview$;

CREATE OR REPLACE FUNCTION tview.jsonb_smart_patch_scalar(data jsonb, patch jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$ SELECT tview.jsonb_merge_into(data, patch, '{}', 'patch') $tview$;

CREATE OR REPLACE FUNCTION tview.jsonb_merge_shallow(target jsonb, source jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$ SELECT tview.jsonb_merge_into(target, source, '{}', 'source') $tview$;

CREATE OR REPLACE FUNCTION tview.jsonb_merge_at_path(target jsonb, source jsonb, path text[])
RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$ SELECT tview.jsonb_merge_into(target, source, path, 'source') $tview$;

-- Merges into the first matching element.
CREATE OR REPLACE FUNCTION tview.jsonb_array_update_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, updates jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
DECLARE
    elements pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) array_path;
    index    integer;
BEGIN
    IF coalesce(pg_catalog.array_ndims(array_path), 1) OPERATOR(pg_catalog.=) 1
       AND pg_catalog.jsonb_typeof(elements) OPERATOR(pg_catalog.=) 'array'
       AND pg_catalog.jsonb_typeof(updates) OPERATOR(pg_catalog.=) 'object' THEN
        index := tview.jsonb_position(elements, match_key, match_value);
        IF index IS NOT NULL THEN
            RETURN pg_catalog.jsonb_set(target, pg_catalog.array_append(array_path, index::pg_catalog.text),
                elements OPERATOR(pg_catalog.->) index OPERATOR(pg_catalog.||) updates, false);
        END IF;
    END IF;
    PERFORM tview.jsonb_check(array_path, updates, 'updates');
    PERFORM tview.jsonb_walk(target, array_path, 'array', false);
    RETURN target;
END
$tview$;

-- The same, with the value that the patch itself has for the key; without one nothing matches.
CREATE OR REPLACE FUNCTION tview.jsonb_smart_patch_array(
    data jsonb, patch jsonb, path text[], match_key text DEFAULT 'id')
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
DECLARE
    match_value pg_catalog.jsonb := patch OPERATOR(pg_catalog.->) match_key;
BEGIN
    IF match_value IS NOT NULL THEN
        RETURN tview.jsonb_array_update_where(data, path, match_key, match_value, patch);
    END IF;
    PERFORM tview.jsonb_check(path, patch, 'patch');
    RETURN data;
END
$tview$;

-- Replaces the first matching element, or appends one.
CREATE OR REPLACE FUNCTION tview.jsonb_array_upsert_where(
    target jsonb, array_path text[], match_key text, match_value jsonb, element jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
DECLARE
    elements pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) array_path;
    index    integer;
BEGIN
    IF coalesce(pg_catalog.array_ndims(array_path), 1) OPERATOR(pg_catalog.=) 1
       AND pg_catalog.jsonb_typeof(elements) OPERATOR(pg_catalog.=) 'array' THEN
        index := tview.jsonb_position(elements, match_key, match_value);
        IF index IS NULL THEN
            RETURN pg_catalog.jsonb_insert(target, pg_catalog.array_append(
                array_path, pg_catalog.jsonb_array_length(elements)::pg_catalog.text), element);
        END IF;
        RETURN pg_catalog.jsonb_set(
            target, pg_catalog.array_append(array_path, index::pg_catalog.text), element, false);
    END IF;
    PERFORM tview.jsonb_check(array_path, NULL, NULL);
    RETURN tview.jsonb_create(target, array_path, tview.jsonb_walk(target, array_path, 'array', true),
        pg_catalog.jsonb_build_array(element));
END
$tview$;

-- Removes the first matching element.
CREATE OR REPLACE FUNCTION tview.jsonb_array_delete_where(
    target jsonb, array_path text[], match_key text, match_value jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
DECLARE
    elements pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) array_path;
    index    integer;
BEGIN
    IF coalesce(pg_catalog.array_ndims(array_path), 1) OPERATOR(pg_catalog.=) 1
       AND pg_catalog.jsonb_typeof(elements) OPERATOR(pg_catalog.=) 'array' THEN
        index := tview.jsonb_position(elements, match_key, match_value);
        IF index IS NOT NULL THEN
            RETURN target OPERATOR(pg_catalog.#-) pg_catalog.array_append(array_path, index::pg_catalog.text);
        END IF;
    END IF;
    PERFORM tview.jsonb_check(array_path, NULL, NULL);
    PERFORM tview.jsonb_walk(target, array_path, 'array', false);
    RETURN target;
END
$tview$;

-- Inserts before the element at a position, negative from the end; beyond an end means at that end.
CREATE OR REPLACE FUNCTION tview.jsonb_array_insert_at(
    target jsonb, array_path text[], "position" integer, element jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $tview$
BEGIN
    IF coalesce(pg_catalog.array_ndims(array_path), 1) OPERATOR(pg_catalog.=) 1
       AND pg_catalog.jsonb_typeof(target OPERATOR(pg_catalog.#>) array_path) OPERATOR(pg_catalog.=) 'array' THEN
        RETURN pg_catalog.jsonb_insert(
            target, pg_catalog.array_append(array_path, "position"::pg_catalog.text), element);
    END IF;
    PERFORM tview.jsonb_check(array_path, NULL, NULL);
    RETURN tview.jsonb_create(target, array_path, tview.jsonb_walk(target, array_path, 'array', true),
        pg_catalog.jsonb_build_array(element));
END
$tview$;

-- Inserts an element between two others of `list`, the array at the path; NULL where they do not stand side by side. No preceding or
-- following one is NULL. Into an array that is not sorted, at its end.
CREATE OR REPLACE FUNCTION tview.jsonb_insert_between(
    target jsonb, array_path text[], list jsonb, match_key text, element jsonb, preceding jsonb, following jsonb, sorted boolean)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $tview$
DECLARE
    place integer := CASE
        WHEN NOT sorted THEN pg_catalog.jsonb_array_length(list)
        WHEN preceding IS NULL THEN 0
        WHEN list OPERATOR(pg_catalog.->) -1 OPERATOR(pg_catalog.->) match_key OPERATOR(pg_catalog.=) preceding
        THEN pg_catalog.jsonb_array_length(list)
        ELSE tview.jsonb_position(list, match_key, preceding) OPERATOR(pg_catalog.+) 1
    END;
BEGIN
    RETURN CASE
        WHEN place IS NOT NULL
         AND (NOT sorted
              OR following IS NULL AND list OPERATOR(pg_catalog.->) place OPERATOR(pg_catalog.->) match_key IS NULL
              OR list OPERATOR(pg_catalog.->) place OPERATOR(pg_catalog.->) match_key OPERATOR(pg_catalog.=) following)
        THEN pg_catalog.jsonb_insert(target, pg_catalog.array_append(array_path, place::pg_catalog.text), element)
    END;
END
$tview$;

-- Changes elements of an array, which are told apart by the value of a key: each is one that is gone (NULL), one that
-- shows something else, or one that may have come or moved. Such a one is put between the elements that precede and follow it by
-- now; NULL is none. NULL is returned where they do not stand side by side (others may have moved and are yet to be
-- changed), where the last element goes (what then stands for none is not known here), and where there are more changes than `many`:
-- then the array is to be computed again. Of an array that is not sorted, new elements are the last.
-- Each call leaves the elements that it is given where they are to be in the end, and all others in their order; so calls for different
-- elements, in any order, make the array complete, and a call that is repeated changes nothing.
CREATE OR REPLACE FUNCTION tview.jsonb_change_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], moves boolean[],
    preceding jsonb[], following jsonb[], sorted boolean, many integer)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $tview$
DECLARE
    list   pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) array_path;
    result pg_catalog.jsonb := target;
    here   integer;
    before pg_catalog.jsonb;
    behind pg_catalog.jsonb;
BEGIN
    IF coalesce(pg_catalog.jsonb_typeof(list) OPERATOR(pg_catalog.<>) 'array', true)
       OR pg_catalog.cardinality(matches) OPERATOR(pg_catalog.>) many THEN
        RETURN NULL;
    END IF;
    -- What most calls are for, in as few steps as can be.
    IF pg_catalog.cardinality(matches) OPERATOR(pg_catalog.=) 1 AND elements[1] IS NOT NULL AND NOT moves[1] THEN
        FOR index IN 0 .. pg_catalog.jsonb_array_length(list) OPERATOR(pg_catalog.-) 1 LOOP
            IF list OPERATOR(pg_catalog.->) index OPERATOR(pg_catalog.->) match_key OPERATOR(pg_catalog.=) matches[1] THEN
                RETURN pg_catalog.jsonb_set(target, pg_catalog.array_append(array_path, index::pg_catalog.text), elements[1]);
            END IF;
        END LOOP;
        RETURN target;
    ELSIF pg_catalog.cardinality(matches) OPERATOR(pg_catalog.=) 1 AND elements[1] IS NOT NULL
          AND NOT list OPERATOR(pg_catalog.@>) pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(match_key, matches[1])) THEN
        RETURN tview.jsonb_insert_between(target, array_path, list, match_key, elements[1], preceding[1], following[1], sorted);
    END IF;
    FOR i IN 1 .. pg_catalog.cardinality(matches) LOOP
        IF i OPERATOR(pg_catalog.>) 1 THEN
            list := result OPERATOR(pg_catalog.#>) array_path;
        END IF;
        IF elements[i] IS NULL THEN
            here := tview.jsonb_position(list, match_key, matches[i]);
            IF here IS NOT NULL THEN
                IF pg_catalog.jsonb_array_length(list) OPERATOR(pg_catalog.=) 1 THEN
                    RETURN NULL;
                END IF;
                result := result OPERATOR(pg_catalog.#-) pg_catalog.array_append(array_path, here::pg_catalog.text);
            END IF;
            CONTINUE;
        END IF;
        -- Most elements that come are not there, and this says so faster.
        here := CASE
            WHEN NOT moves[i]
              OR list OPERATOR(pg_catalog.@>) pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(match_key, matches[i]))
            THEN tview.jsonb_position(list, match_key, matches[i])
        END;
        IF here IS NOT NULL THEN
            behind := list OPERATOR(pg_catalog.->) (here OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.->) match_key;
            before := CASE WHEN here OPERATOR(pg_catalog.>) 0
                           THEN list OPERATOR(pg_catalog.->) (here OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.->) match_key END;
            -- Where it stands already there is nothing to move.
            IF NOT moves[i] OR NOT sorted
               OR (following[i] IS NULL AND behind IS NULL OR behind OPERATOR(pg_catalog.=) following[i])
              AND (preceding[i] IS NULL AND before IS NULL OR before OPERATOR(pg_catalog.=) preceding[i]) THEN
                result := pg_catalog.jsonb_set(result, pg_catalog.array_append(array_path, here::pg_catalog.text), elements[i]);
                CONTINUE;
            END IF;
            result := result OPERATOR(pg_catalog.#-) pg_catalog.array_append(array_path, here::pg_catalog.text);
            list := result OPERATOR(pg_catalog.#>) array_path;
        ELSIF NOT moves[i] THEN
            CONTINUE;
        END IF;
        result := tview.jsonb_insert_between(result, array_path, list, match_key, elements[i], preceding[i], following[i], sorted);
        IF result IS NULL THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN result;
END
$tview$;

-- The same for an array that is sorted by the key, an integer: what is there tells where an element is, or goes. An element is put in the
-- place of the one with its value for the key or, where there is none, among the others. NULL is returned, besides, where a value for
-- the key that is compared is no number.
CREATE OR REPLACE FUNCTION tview.jsonb_change_sorted_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], descending boolean, many integer)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $tview$
DECLARE
    list   pg_catalog.jsonb := target OPERATOR(pg_catalog.#>) array_path;
    result pg_catalog.jsonb := target;
    place  integer;
    above  integer;
    middle integer;
    number pg_catalog.jsonb;
    path   pg_catalog.text[];
BEGIN
    IF match_key IS NULL OR matches IS NULL
       OR coalesce(pg_catalog.jsonb_typeof(list) OPERATOR(pg_catalog.<>) 'array', true)
       OR pg_catalog.cardinality(matches) OPERATOR(pg_catalog.>) many THEN
        RETURN NULL;
    END IF;
    FOR i IN 1 .. pg_catalog.cardinality(matches) LOOP
        IF i OPERATOR(pg_catalog.>) 1 THEN
            list := result OPERATOR(pg_catalog.#>) array_path;
        END IF;
        IF coalesce(pg_catalog.jsonb_typeof(matches[i]) OPERATOR(pg_catalog.<>) 'number', true) THEN
            RETURN NULL;
        END IF;
        -- The first element that does not come before. By halves; but most that come are the last.
        place := 0;
        above := pg_catalog.jsonb_array_length(list);
        middle := above OPERATOR(pg_catalog.-) 1;
        WHILE place OPERATOR(pg_catalog.<) above LOOP
            number := list OPERATOR(pg_catalog.->) middle OPERATOR(pg_catalog.->) match_key;
            IF coalesce(pg_catalog.jsonb_typeof(number) OPERATOR(pg_catalog.<>) 'number', true) THEN
                RETURN NULL;
            ELSIF (CASE WHEN descending THEN number OPERATOR(pg_catalog.>) matches[i]
                        ELSE number OPERATOR(pg_catalog.<) matches[i] END) THEN
                place := middle OPERATOR(pg_catalog.+) 1;
            ELSE
                above := middle;
            END IF;
            middle := (place OPERATOR(pg_catalog.+) above) OPERATOR(pg_catalog./) 2;
        END LOOP;
        path := pg_catalog.array_append(array_path, place::pg_catalog.text);
        IF coalesce(list OPERATOR(pg_catalog.->) place OPERATOR(pg_catalog.->) match_key OPERATOR(pg_catalog.=) matches[i], false) THEN
            IF elements[i] IS NOT NULL THEN
                result := pg_catalog.jsonb_set(result, path, elements[i], false);
            ELSIF pg_catalog.jsonb_array_length(list) OPERATOR(pg_catalog.=) 1 THEN
                RETURN NULL;
            ELSE
                result := result OPERATOR(pg_catalog.#-) path;
            END IF;
        ELSIF elements[i] IS NOT NULL THEN
            result := pg_catalog.jsonb_insert(result, path, elements[i]);
        END IF;
    END LOOP;
    RETURN result;
END
$tview$;

-- The same functions where trigger functions look for them: the planner puts the calls in their places.
CREATE OR REPLACE FUNCTION tview_portable.jsonb_change_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], moves boolean[],
    preceding jsonb[], following jsonb[], sorted boolean, many integer)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT tview.jsonb_change_elements(
        target, array_path, match_key, matches, elements, moves, preceding, following, sorted, many)
$tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_change_sorted_elements(
    target jsonb, array_path text[], match_key text, matches jsonb[], elements jsonb[], descending boolean, many integer)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT tview.jsonb_change_sorted_elements(target, array_path, match_key, matches, elements, descending, many)
$tview$;

-- What trigger functions write: fields are added to a document, as by ||, and then values put at paths, as by jsonb_set; a value
-- that is NULL changes nothing. The planner puts the functions called here in the place of the call, so that it costs nothing; the
-- native ones copy the document once.
CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(target jsonb, fields jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$ SELECT target OPERATOR(pg_catalog.||) fields $tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(target jsonb, path text[], value jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$ SELECT pg_catalog.jsonb_set_lax(target, path, value, true, 'return_target') $tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(target jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$ SELECT tview_portable.jsonb_put(tview_portable.jsonb_put(target, path_1, value_1), path_2, value_2) $tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(
    target jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb, path_3 text[], value_3 jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT tview_portable.jsonb_put(tview_portable.jsonb_put(target, path_1, value_1, path_2, value_2), path_3, value_3)
$tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(target jsonb, fields jsonb, path text[], value jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$ SELECT tview_portable.jsonb_put(tview_portable.jsonb_put(target, fields), path, value) $tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(
    target jsonb, fields jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT tview_portable.jsonb_put(tview_portable.jsonb_put(target, fields), path_1, value_1, path_2, value_2)
$tview$;

CREATE OR REPLACE FUNCTION tview_portable.jsonb_put(
    target jsonb, fields jsonb, path_1 text[], value_1 jsonb, path_2 text[], value_2 jsonb, path_3 text[], value_3 jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT tview_portable.jsonb_put(
        tview_portable.jsonb_put(target, fields), path_1, value_1, path_2, value_2, path_3, value_3)
$tview$;

-- Whether the values at a path would be shown as different text. A missing value, which is also what a
-- NULL document holds at every path, equals a missing value and nothing else, JSON null included.
CREATE OR REPLACE FUNCTION tview.jsonb_has_path_changed(old jsonb, new jsonb, path text[])
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $tview$
    SELECT CASE WHEN path IS NOT NULL THEN pg_catalog.record_image_ne(
        ROW(old OPERATOR(pg_catalog.#>) path), ROW(new OPERATOR(pg_catalog.#>) path)) END
$tview$;

-- Several changes, one after the other: an array of objects, each with "op" and the operands of its
-- function under these names and no others.
--   merge   path value                jsonb_merge_at_path
--   patch   path key value            jsonb_smart_patch_array
--   update  path key match value      jsonb_array_update_where
--   upsert  path key match value      jsonb_array_upsert_where
--   delete  path key match            jsonb_array_delete_where
--   insert  path position value       jsonb_array_insert_at
CREATE OR REPLACE FUNCTION tview.jsonb_apply(data jsonb, changes jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tview$
DECLARE
    result   jsonb := data;
    change   jsonb;
    number   bigint;
    name     text;
    operands text[];
    wrong    text;
    path     text[];
BEGIN
    IF jsonb_typeof(changes) <> 'array' THEN
        RAISE EXCEPTION 'expected an array as argument "changes", found %', jsonb_typeof(changes)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR change, number IN SELECT e.* FROM jsonb_array_elements(changes) WITH ORDINALITY AS e LOOP
        name := CASE jsonb_typeof(change -> 'op') WHEN 'string' THEN change ->> 'op' END;
        operands := CASE name
            WHEN 'merge' THEN '{path,value}'
            WHEN 'patch' THEN '{path,key,value}'
            WHEN 'update' THEN '{path,key,match,value}'
            WHEN 'upsert' THEN '{path,key,match,value}'
            WHEN 'delete' THEN '{path,key,match}'
            WHEN 'insert' THEN '{path,position,value}'
        END;
        IF operands IS NULL THEN
            RAISE EXCEPTION 'change % is no object with an "op" of merge, patch, update, upsert, delete or insert', number
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF NOT change ?& operands OR change - 'op' - operands <> '{}' THEN
            RAISE EXCEPTION 'change % (%) needs these operands and no others: %',
                    number, name, array_to_string(operands, ', ')
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        wrong := CASE
            WHEN jsonb_typeof(change -> 'path') <> 'array'
                 OR change -> 'path' @? 'strict $[*] ? (@.type() != "string")' THEN '"path" is not an array of strings'
            WHEN jsonb_typeof(change -> 'key') <> 'string' THEN '"key" is not a string'
            WHEN name = 'insert' THEN
                CASE WHEN jsonb_typeof(change -> 'position') <> 'number'
                          OR (change -> 'position')::numeric % 1 <> 0
                          OR (change -> 'position')::numeric NOT BETWEEN -2147483648 AND 2147483647
                     THEN '"position" is not an integer' END
        END;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'change % (%): %', number, name, wrong USING ERRCODE = 'invalid_parameter_value';
        END IF;
        path := ARRAY(SELECT jsonb_array_elements_text(change -> 'path'));
        result := CASE name
            WHEN 'merge' THEN tview.jsonb_merge_into(result, change -> 'value', path, 'patch')
            WHEN 'patch' THEN tview.jsonb_smart_patch_array(result, change -> 'value', path, change ->> 'key')
            WHEN 'update' THEN tview.jsonb_array_update_where(
                result, path, change ->> 'key', change -> 'match', change -> 'value')
            WHEN 'upsert' THEN tview.jsonb_array_upsert_where(
                result, path, change ->> 'key', change -> 'match', change -> 'value')
            WHEN 'delete' THEN tview.jsonb_array_delete_where(result, path, change ->> 'key', change -> 'match')
            WHEN 'insert' THEN tview.jsonb_array_insert_at(
                result, path, (change -> 'position')::integer, change -> 'value')
        END;
    END LOOP;
    RETURN result;
END
$tview$;

-- Whether the native functions are installed; with them, this one is replaced by one that says true.
CREATE OR REPLACE FUNCTION tview.jsonb_delta_available()
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $tview$
    SELECT EXISTS (SELECT FROM pg_catalog.pg_extension AS e
                    WHERE e.extname OPERATOR(pg_catalog.=) 'tview_native'::pg_catalog.name)
$tview$;

-- Which functions a trigger function finds. Each of its statements that patches reads this view, before anything else in FROM: by its
-- lock on the view CREATE and DROP EXTENSION wait for the writing transaction, and no statement has one view and the other one's
-- functions. The planner leaves of it nothing but the lock.
-- Replacing it would hold up the writers of other programs until this migration ends, so it is made once.
DO $tview$
BEGIN
    IF to_regclass('tview_portable.patch_runtime') IS NULL THEN
        CREATE VIEW tview_portable.patch_runtime AS SELECT 'portable'::pg_catalog.text AS name;
    END IF;
END
$tview$;

-- As all functions of the runtime, these are the owner's; GRANT gives them to others.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA tview_portable FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    tview.jsonb_check, tview.jsonb_walk, tview.jsonb_create, tview.jsonb_position, tview.jsonb_insert_between, tview.jsonb_merge_into,
    tview.jsonb_smart_patch_nested, tview.jsonb_smart_patch_scalar, tview.jsonb_smart_patch_array,
    tview.jsonb_merge_shallow, tview.jsonb_merge_at_path, tview.jsonb_array_update_where,
    tview.jsonb_array_upsert_where, tview.jsonb_array_delete_where, tview.jsonb_array_insert_at,
    tview.jsonb_change_elements, tview.jsonb_change_sorted_elements, tview.jsonb_has_path_changed, tview.jsonb_apply, tview.jsonb_delta_available
    FROM PUBLIC;
