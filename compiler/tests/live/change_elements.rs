//! `tview.jsonb_change_elements` by itself: each kind of change, and where it gives up.

use crate::support::{fixture, installed, value};

/// The ids of the array after one call; `NULL` where it is to be computed again.
fn changed(list: &str, arguments: &str) -> String {
    let array = format!(
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('id', i)), '[]') FROM unnest('{list}'::integer[]) AS i)"
    );
    let call =
        format!("tview.jsonb_change_elements(jsonb_build_object('list', {array}), '{{list}}', 'id', {arguments}, 3)");
    value(
        "change_elements",
        &format!(
            "SELECT CASE WHEN d IS NULL THEN 'NULL' ELSE (SELECT string_agg(coalesce(e ->> 'n', '') || (e ->> 'id'), ' ' ORDER BY o)
               FROM jsonb_array_elements(d -> 'list') WITH ORDINALITY AS a(e, o)) END FROM (SELECT {call} AS d) AS s"
        ),
    )
}

/// An element that may have moved: between these two.
fn moved(id: i32, preceding: &str, following: &str, sorted: bool) -> String {
    format!(
        "ARRAY['{id}']::jsonb[], ARRAY[jsonb_build_object('id', {id}, 'n', '+')], '{{true}}', \
         ARRAY[{preceding}]::jsonb[], ARRAY[{following}]::jsonb[], {sorted}"
    )
}

#[test]
fn elements_go_where_their_neighbours_are() {
    installed("change_elements", &fixture("examples/blog/views.sql"));
    // At the end, at the beginning, between, into an empty array.
    assert_eq!(changed("{1,2}", &moved(3, "'2'", "NULL", true)), "1 2 +3");
    assert_eq!(changed("{2,3}", &moved(1, "NULL", "'2'", true)), "+1 2 3");
    assert_eq!(changed("{1,3}", &moved(2, "'1'", "'3'", true)), "1 +2 3");
    assert_eq!(changed("{}", &moved(1, "NULL", "NULL", true)), "+1");
    // One that is there stays, or moves.
    assert_eq!(changed("{1,2,3}", &moved(2, "'1'", "'3'", true)), "1 +2 3");
    assert_eq!(changed("{1,2,3}", &moved(1, "'3'", "NULL", true)), "2 3 +1");
    assert_eq!(changed("{1,2,3}", &moved(3, "NULL", "'1'", true)), "+3 1 2");
    // Others are yet to be changed.
    assert_eq!(changed("{1,3}", &moved(4, "'2'", "NULL", true)), "NULL");
    assert_eq!(changed("{1,2,3}", &moved(4, "'1'", "'3'", true)), "NULL");
    assert_eq!(changed("{1,2,3}", &moved(4, "'2'", "NULL", true)), "NULL");
    // Without an order, at the end or where it is.
    assert_eq!(changed("{1,2}", &moved(3, "NULL", "NULL", false)), "1 2 +3");
    assert_eq!(changed("{1,2}", &moved(1, "NULL", "NULL", false)), "+1 2");

    let shows = |id: &str, element: &str| {
        format!("ARRAY[{id}]::jsonb[], ARRAY[{element}]::jsonb[], '{{false}}', '{{NULL}}', '{{NULL}}', true")
    };
    assert_eq!(changed("{1,2}", &shows("'2'", "'{\"id\": 2, \"n\": \"!\"}'")), "1 !2");
    assert_eq!(changed("{1,2}", &shows("'3'", "'{\"id\": 3}'")), "1 2");
    assert_eq!(changed("{1,2}", &shows("'1'", "NULL")), "2");
    assert_eq!(changed("{1,2}", &shows("'3'", "NULL")), "1 2");
    // What stands for no element, the view decides.
    assert_eq!(changed("{1}", &shows("'1'", "NULL")), "NULL");
    let several = "ARRAY['1', '2', '3', '4']::jsonb[], ARRAY[NULL, NULL, NULL, NULL]::jsonb[], '{f,f,f,f}', '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', true";
    assert_eq!(changed("{1,2,3,4,5}", several), "NULL");
    let no_array = "SELECT tview.jsonb_change_elements('{\"list\": null}', '{list}', 'id', ARRAY['1']::jsonb[], ARRAY['{}']::jsonb[], '{t}', '{NULL}', '{NULL}', true, 3) IS NULL";
    assert_eq!(value("change_elements", no_array), "true");
}
