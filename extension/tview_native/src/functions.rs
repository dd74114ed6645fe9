//! The functions that SQL calls.
//!
//! In: calls, with the argument types that `sql/` declares. Out: datums. Always: arguments are freed before an
//! error is raised, and errors are those of `jsonb-core`: operands of a wrong form, then paths, then documents.

use std::borrow::Cow;

use jsonb_core::{Changes, CoreError, ElementChange, PathValue, SortedChange, SqlArray};
use pgrx::pg_sys::{self, Datum, FunctionCallInfo, Pg_finfo_record};
use pgrx::{check_for_interrupts, pg_guard};

use crate::datum::{Argument, Call, call_server, raise};
use crate::latest::under_latest_snapshot;

type Result<T> = std::result::Result<T, CoreError>;

/// Makes functions of calls visible to PostgreSQL: the entry point, and the record that says how it is called. Before the function, with
/// which everything can be done, comes one that does what needs no guard, should there be one.
macro_rules! entry_points {
    ($($info:ident $entry:ident $body:ident $(after $quick:ident)?;)*) => {$(
        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C" fn $info() -> &'static Pg_finfo_record {
            const VERSION_1: Pg_finfo_record = Pg_finfo_record { api_version: 1 };
            &VERSION_1
        }

        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C-unwind" fn $entry(info: FunctionCallInfo) -> Datum {
            #[pg_guard]
            extern "C-unwind" fn guarded(info: FunctionCallInfo) -> Datum {
                // SAFETY: PostgreSQL calls this, with valid call information; `call` ends before it returns.
                let call = unsafe { Call::new(info) };
                $body(&call).unwrap_or_else(|error| raise(error))
            }
            $(
                // SAFETY: as above.
                if let Some(result) = $quick(&unsafe { Call::new(info) }) {
                    return result;
                }
            )?
            guarded(info)
        }
    )*};
}

entry_points! {
    pg_finfo_tview_smart_patch_nested tview_smart_patch_nested smart_patch_nested;
    pg_finfo_tview_smart_patch_scalar tview_smart_patch_scalar smart_patch_scalar;
    pg_finfo_tview_merge_shallow tview_merge_shallow merge_shallow;
    pg_finfo_tview_merge_at_path tview_merge_at_path merge_at_path;
    pg_finfo_tview_array_update_where tview_array_update_where array_update_where;
    pg_finfo_tview_smart_patch_array tview_smart_patch_array smart_patch_array;
    pg_finfo_tview_array_upsert_where tview_array_upsert_where array_upsert_where;
    pg_finfo_tview_array_delete_where tview_array_delete_where array_delete_where;
    pg_finfo_tview_array_insert_at tview_array_insert_at array_insert_at;
    pg_finfo_tview_has_path_changed tview_has_path_changed has_path_changed after has_path_changed_plainly;
    pg_finfo_tview_apply tview_apply apply;
    pg_finfo_tview_put tview_put put;
    pg_finfo_tview_change_elements tview_change_elements change_elements;
    pg_finfo_tview_change_sorted_elements tview_change_sorted_elements change_sorted_elements;
    pg_finfo_tview_under_latest_snapshot tview_under_latest_snapshot under_latest_snapshot;
}

fn smart_patch_nested(call: &Call) -> Result<Datum> {
    let (data, patch, path) = (call.argument(0), call.argument(1), call.argument(2));
    let path = path.elements()?.path()?;
    jsonb_core::smart_patch_nested(data.bytes(), patch.bytes(), &path).map(|result| data.changed(result))
}

fn smart_patch_scalar(call: &Call) -> Result<Datum> {
    let (data, patch) = (call.argument(0), call.argument(1));
    jsonb_core::smart_patch_scalar(data.bytes(), patch.bytes()).map(|result| data.changed(result))
}

fn merge_shallow(call: &Call) -> Result<Datum> {
    let (target, source) = (call.argument(0), call.argument(1));
    jsonb_core::merge_shallow(target.bytes(), source.bytes()).map(|result| target.changed(result))
}

fn merge_at_path(call: &Call) -> Result<Datum> {
    let (target, source, path) = (call.argument(0), call.argument(1), call.argument(2));
    let path = path.elements()?.path()?;
    jsonb_core::merge_at_path(target.bytes(), source.bytes(), &path).map(|result| target.changed(result))
}

fn array_update_where(call: &Call) -> Result<Datum> {
    let (target, path, key) = (call.argument(0), call.argument(1), call.argument(2));
    let (value, updates) = (call.argument(3), call.argument(4));
    let path = path.elements()?.path()?;
    jsonb_core::array_update_where(target.bytes(), &path, key.bytes(), value.bytes(), updates.bytes())
        .map(|result| target.changed(result))
}

fn smart_patch_array(call: &Call) -> Result<Datum> {
    let (data, patch, path, key) = (call.argument(0), call.argument(1), call.argument(2), call.argument(3));
    let path = path.elements()?.path()?;
    jsonb_core::smart_patch_array(data.bytes(), patch.bytes(), &path, key.bytes()).map(|result| data.changed(result))
}

fn array_upsert_where(call: &Call) -> Result<Datum> {
    let (target, path, key) = (call.argument(0), call.argument(1), call.argument(2));
    let (value, element) = (call.argument(3), call.argument(4));
    let path = path.elements()?.path()?;
    jsonb_core::array_upsert_where(target.bytes(), &path, key.bytes(), value.bytes(), element.bytes())
        .map(|result| target.changed(result))
}

fn array_delete_where(call: &Call) -> Result<Datum> {
    let (target, path, key, value) = (call.argument(0), call.argument(1), call.argument(2), call.argument(3));
    let path = path.elements()?.path()?;
    jsonb_core::array_delete_where(target.bytes(), &path, key.bytes(), value.bytes())
        .map(|result| target.changed(result))
}

fn array_insert_at(call: &Call) -> Result<Datum> {
    let (target, path, element) = (call.argument(0), call.argument(1), call.argument(3));
    let path = path.elements()?.path()?;
    jsonb_core::array_insert_at(target.bytes(), &path, call.integer(2), element.bytes())
        .map(|result| target.changed(result))
}

/// Not STRICT: a document that is NULL has no value at any path.
fn has_path_changed(call: &Call) -> Result<Datum> {
    let (old, new) = (call.argument_or_null(0), call.argument_or_null(1));
    let Some(path) = call.argument_or_null(2) else {
        return Ok(call.null());
    };
    let (old, new) = (old.as_ref().map(Argument::bytes), new.as_ref().map(Argument::bytes));
    jsonb_core::has_array_path_changed(old, new, &path.elements()?).map(Datum::from)
}

/// The same where nothing has to be detoasted and nothing is wrong: without what PostgreSQL's errors need around a call, which costs as
/// much as reading a field. Nothing here calls PostgreSQL; a panic, which the core has none of, would be seen again where it is caught.
fn has_path_changed_plainly(call: &Call) -> Option<Datum> {
    let (old, new) = (call.plain_or_null(0)?, call.plain_or_null(1)?);
    let path = call.plain_or_null(2)??;
    let read = || SqlArray::parse(path).and_then(|path| jsonb_core::has_array_path_changed(old, new, &path));
    std::panic::catch_unwind(read).ok()?.ok().map(Datum::from)
}

fn apply(call: &Call) -> Result<Datum> {
    let (data, changes) = (call.argument(0), call.argument(1));
    let changes = Changes::parse(changes.bytes())?;
    // Each change may search an array of any length, and there may be many: a cancelled query ends between two.
    let changes = changes.iter().inspect(|_| {
        check_for_interrupts!();
    });
    jsonb_core::apply_each(data.bytes(), changes).map(|result| data.changed(result))
}

/// What triggers write at several places: fields of the document, if the number of arguments is even, and then values
/// with their paths. Not STRICT: a value that is NULL changes nothing.
fn put(call: &Call) -> Result<Datum> {
    let pairs_begin = if call.len().is_multiple_of(2) { 2 } else { 1 };
    let Some(target) = call.argument_or_null(0) else {
        return Ok(call.null());
    };
    let fields = call.argument_or_null(1).filter(|_| pairs_begin == 2);
    if pairs_begin == 2 && fields.is_none() {
        return Ok(call.null());
    }
    let pairs = (pairs_begin..call.len()).step_by(2);
    let mut operands = Vec::with_capacity(pairs.len());
    for at in pairs {
        let Some(path) = call.argument_or_null(at) else {
            return Ok(call.null());
        };
        operands.push((path, call.argument_or_null(at + 1)));
    }
    let mut paths = Vec::with_capacity(operands.len());
    for (path, _) in &operands {
        match path.elements()?.path() {
            Ok(path) => paths.push(path),
            // Of the value that is put there it depends whether this is an error.
            Err(_) => return Ok(put_by_server(&target, fields.as_ref(), &operands)),
        }
    }
    let values: Vec<PathValue> = paths
        .iter()
        .zip(&operands)
        .map(|(path, (_, value))| (&path[..], value.as_ref().map(Argument::bytes)))
        .collect();
    match jsonb_core::put(target.bytes(), fields.as_ref().map(Argument::bytes), &values)? {
        Some(result) => Ok(target.changed(result)),
        None => Ok(put_by_server(&target, fields.as_ref(), &operands)),
    }
}

/// The same, one after the other, by the functions that the portable one calls: what they make of operands of other
/// forms, and their errors.
fn put_by_server(target: &Argument, fields: Option<&Argument>, pairs: &[(Argument, Option<Argument>)]) -> Datum {
    let mut result = target.datum();
    if let Some(fields) = fields {
        result = call_server(pg_sys::jsonb_concat, &[result, fields.datum()]);
    }
    for (path, value) in pairs {
        if let Some(value) = value {
            result = call_server(pg_sys::jsonb_set, &[result, path.datum(), value.datum(), Datum::from(true)]);
        }
    }
    result
}

/// Elements of an array that came, went, moved or show something else. Not STRICT: arguments that say nothing are NULL.
fn change_elements(call: &Call) -> Result<Datum> {
    change_array(call, 9, |array| {
        let lists = [4, 6, 7].map(|index| call.argument_or_null(index));
        let mut values = Vec::with_capacity(lists.len());
        for list in &lists {
            values.push(match list {
                Some(list) => list.elements()?.values()?,
                None => Vec::new(),
            });
        }
        let moves = call.argument_or_null(5);
        let moves = match &moves {
            Some(moves) => moves.elements()?.booleans()?,
            None => Vec::new(),
        };
        let value = |list: usize, index: usize| values.get(list).and_then(|list| list.get(index)).copied().flatten();
        let change = |(index, matched): (usize, &Option<_>)| ElementChange {
            matched: *matched,
            element: value(0, index),
            moves: moves.get(index).copied().flatten().unwrap_or(true),
            preceding: value(1, index),
            following: value(2, index),
        };
        let changes: Vec<ElementChange> = array.matches.iter().enumerate().map(change).collect();
        let sorted = call.boolean_or_null(8).unwrap_or(true);
        jsonb_core::change_elements(array.target, array.path, array.key, &changes, sorted)
    })
}

/// The same of an array that is sorted by the key. Not STRICT either.
fn change_sorted_elements(call: &Call) -> Result<Datum> {
    change_array(call, 6, |array| {
        let elements = call.argument_or_null(4);
        let elements = match &elements {
            Some(elements) => elements.elements()?.values()?,
            None => Vec::new(),
        };
        let change = |(index, matched): (usize, &Option<_>)| SortedChange {
            matched: *matched,
            element: elements.get(index).copied().flatten(),
        };
        let changes: Vec<SortedChange> = array.matches.iter().enumerate().map(change).collect();
        let descending = call.boolean_or_null(5).unwrap_or_default();
        jsonb_core::change_sorted_elements(array.target, array.path, array.key, &changes, descending)
    })
}

/// The first four arguments of a function that changes elements: the document, the array's path, the match key, and its values.
struct ArrayToChange<'a> {
    target: &'a [u8],
    path: &'a [&'a [u8]],
    key: &'a [u8],
    matches: &'a [Option<&'a [u8]>],
}

/// NULL where one of these says nothing, where there are more values than the argument at `most` says, and where `change` says
/// nothing.
fn change_array(
    call: &Call,
    most: usize,
    change: impl for<'a> FnOnce(ArrayToChange<'a>) -> Result<Option<Cow<'a, [u8]>>>,
) -> Result<Datum> {
    let many = usize::try_from(call.integer_or_null(most).unwrap_or(i32::MAX)).unwrap_or_default();
    let (Some(path), Some(key), Some(matched)) =
        (call.argument_or_null(1), call.argument_or_null(2), call.argument_or_null(3))
    else {
        return Ok(call.null());
    };
    let matches = matched.elements()?.values()?;
    if matches.len() > many {
        return Ok(call.null());
    }
    // Read last: what is refused for its size is not worth the reading of a large document.
    let (Some(target), Some(path)) = (call.argument_or_null(0), path.elements()?.path_to_read()?) else {
        return Ok(call.null());
    };
    let array = ArrayToChange { target: target.bytes(), path: &path, key: key.bytes(), matches: &matches };
    Ok(match change(array)? {
        Some(result) => target.changed(result),
        None => call.null(),
    })
}
