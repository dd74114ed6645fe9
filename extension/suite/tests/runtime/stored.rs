//! Operands as they come from tables: with short headers, compressed, out of line, as parts of expanded arrays.

use postgres::Client;
use tview_runtime_suite::{database, has_native, native, portable};

/// Documents of 20 bytes to 200 KB, twice: compressed where that pays, and not.
const DOCUMENTS: &str = "
    CREATE TABLE document (id integer, packed jsonb, plain jsonb, path text[], match_key text, value jsonb, patch jsonb);
    ALTER TABLE document ALTER plain SET STORAGE EXTERNAL;
    INSERT INTO document
    SELECT n, d.doc, d.doc, '{items}', 'id', to_jsonb(n / 2), jsonb_build_object('id', n / 2, 'note', repeat('x', n))
      FROM unnest(ARRAY[0, 1, 3, 10, 31, 32, 33, 100, 1000, 2500]) AS n,
           LATERAL (SELECT jsonb_build_object('author', jsonb_build_object('name', 'x'), 'items',
                        coalesce(jsonb_agg(jsonb_build_object('id', i, 'price', i * 1.10, 'text', md5(i::text))), '[]'))
                      FROM generate_series(1, n) AS i) AS d(doc);
    -- A key and a path that are stored elsewhere themselves.
    INSERT INTO document
    SELECT 9999, jsonb_build_object('items', jsonb_build_array(jsonb_build_object(long.key, 1))),
           jsonb_build_object('items', jsonb_build_array(jsonb_build_object(long.key, 1))),
           ARRAY['items'] || array_agg('-1' || left(n::text, 0)), long.key, '1', jsonb_build_object(long.key, 2)
      FROM generate_series(1, 3) AS n, (SELECT string_agg(md5(i::text), '') AS key FROM generate_series(1, 300) i) AS long
     GROUP BY long.key;
    UPDATE document SET path = '{items}' WHERE id = 9999;";

fn same(client: &mut Client, expression: &str) {
    let sql = format!(
        "SELECT id, ({p})::text, record_image_eq(ROW({p}), ROW({n})) FROM document ORDER BY id",
        p = portable(expression),
        n = native(expression)
    );
    let rows = client.query(&sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    assert_eq!(rows.len(), 11);
    for row in rows {
        assert!(row.get::<_, bool>(2), "document {}: {expression}", row.get::<_, i32>(0));
    }
}

#[test]
fn stored_operands_are_read() {
    let mut client = database("stored");
    if !has_native() {
        return;
    }
    client.batch_execute(DOCUMENTS).expect("the documents are stored");
    for document in ["packed", "plain"] {
        for call in [
            "@jsonb_merge_shallow({}, patch)",
            "@jsonb_merge_at_path({}, patch, '{author}')",
            "@jsonb_smart_patch_nested({}, {}, '{author,more}')",
            "@jsonb_smart_patch_array({}, patch, path, match_key)",
            "@jsonb_array_update_where({}, path, match_key, value, patch)",
            "@jsonb_array_upsert_where({}, path, match_key, value, {})",
            "@jsonb_array_upsert_where({}, path, match_key, '-1', value)",
            "@jsonb_array_delete_where({}, path, match_key, value)",
            "@jsonb_array_delete_where({}, path, match_key, '-1')",
            "@jsonb_array_insert_at({}, path, id / 3, {})",
            "@jsonb_apply({}, jsonb_build_array(jsonb_build_object('op', 'merge', 'path', path, 'value', '{}'::jsonb)))
             - 'never'",
            "@jsonb_put({}, patch)",
            "@jsonb_put({}, patch, '{author}', {}, '{new}', value, '{new,x}', NULL)",
            "@jsonb_put({}, path, value, '{author,name}', {})",
            "@jsonb_change_elements({}, path, match_key, ARRAY[value, '-1', '1'], ARRAY[patch, {}, NULL], '{f,t,f}', NULL,
                ARRAY[NULL, {} -> 'items' -> 0 -> 'id', NULL], true, 16)",
            "@jsonb_change_sorted_elements({}, path, match_key, ARRAY[value, '-1', '1'], ARRAY[patch, {}, NULL], false, 16)",
            "to_jsonb(@jsonb_has_path_changed({}, @jsonb_array_delete_where({}, path, match_key, value), path))",
        ] {
            // A merge into the array itself is an error; the list of changes gets another path.
            let call =
                call.replace("'path', path", "'path', ARRAY['author']").replace("{}, ", &format!("{document}, "));
            let call = call.replace("{} ->", &format!("{document} ->"));
            same(&mut client, &call.replace("{})", &format!("{document})")));
        }
    }
}

/// A document that does not change is the stored one, so that an UPDATE with it writes no new copy of it.
#[test]
fn an_unchanged_document_stays_where_it_is_stored() {
    let mut client = database("unchanged");
    if !has_native() {
        return;
    }
    client.batch_execute(DOCUMENTS).expect("the documents are stored");
    let mut toasted = |before: &str| -> i64 {
        client.batch_execute(before).unwrap_or_else(|error| panic!("{error:?}"));
        let relation = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'document'::regclass";
        client.query_one(relation, &[]).expect("a size").get(0)
    };
    let size = toasted("VACUUM FULL document");
    let none = "UPDATE document SET plain = tview_native.jsonb_array_delete_where(plain, path, match_key, '-1')";
    assert_eq!(toasted(none), size);
    let some = "UPDATE document SET plain = tview_native.jsonb_array_insert_at(plain, path, 0, '1')";
    assert!(toasted(some) > size);
}
