//! The functions that SQL calls.
//!
//! In: calls, with the argument types that `sql/` declares. Out: datums. Always: arguments are freed before an
//! error is raised, and errors are those of `jsonb-core`: operands of a wrong form, then paths, then documents.

use jsonb_core::{Changes, CoreError};
use pgrx::pg_sys::{Datum, FunctionCallInfo, Pg_finfo_record};
use pgrx::{check_for_interrupts, pg_guard};

use crate::datum::{Call, raise};

type Result<T> = std::result::Result<T, CoreError>;

/// Makes functions of calls visible to PostgreSQL: the entry point, and the record that says how it is called.
macro_rules! entry_points {
    ($($info:ident $entry:ident $body:ident;)*) => {$(
        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C" fn $info() -> &'static Pg_finfo_record {
            const VERSION_1: Pg_finfo_record = Pg_finfo_record { api_version: 1 };
            &VERSION_1
        }

        #[unsafe(no_mangle)]
        #[doc(hidden)]
        #[pg_guard]
        pub extern "C-unwind" fn $entry(info: FunctionCallInfo) -> Datum {
            // SAFETY: PostgreSQL calls this, with valid call information; `call` ends before it returns.
            let call = unsafe { Call::new(info) };
            $body(&call).unwrap_or_else(|error| raise(error))
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
    pg_finfo_tview_has_path_changed tview_has_path_changed has_path_changed;
    pg_finfo_tview_apply tview_apply apply;
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
    let Some(path) = path.elements()?.path_to_read()? else {
        return Ok(Datum::from(false));
    };
    let changed = match (&old, &new) {
        (Some(old), Some(new)) => jsonb_core::has_path_changed(old.bytes(), new.bytes(), &path)?,
        (Some(one), None) | (None, Some(one)) => jsonb_core::get_path(one.bytes(), &path)?.is_some(),
        (None, None) => false,
    };
    Ok(Datum::from(changed))
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
