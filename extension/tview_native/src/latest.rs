//! Queries under the latest snapshot.
//!
//! In: a query, its arguments, and how often it is to be run. Out: nothing but what the query raises. Always: each run sees what has been
//! committed until it begins, and what its own transaction has written, whatever the transaction's isolation level is; the query is a
//! reading one, with the rights of who calls. The checks of foreign keys look at tables in the same way.

use std::ffi::{CString, c_char, c_int};

use jsonb_core::CoreError;
use pgrx::check_for_interrupts;
use pgrx::pg_sys::{self, Datum, Oid};

use crate::datum::Call;

/// The query and how often come first.
const OWN_ARGUMENTS: usize = 2;

/// Not STRICT: an argument of the query may be NULL.
pub fn under_latest_snapshot(call: &Call) -> Result<Datum, CoreError> {
    let (Some(query), Some(times)) = (call.argument_or_null(0), call.integer_or_null(1)) else {
        return Ok(call.null());
    };
    let query = CString::new(query.bytes()).unwrap_or_else(|_| pgrx::error!("a query with a zero byte"));
    let arguments = OWN_ARGUMENTS..call.len();
    let mut types: Vec<Oid> = arguments.clone().map(|index| call.argument_type(index)).collect();
    let given: Vec<Option<Datum>> = arguments.map(|index| call.datum(index)).collect();
    let nulls: Vec<c_char> = given.iter().map(|datum| if datum.is_some() { b' ' } else { b'n' } as c_char).collect();
    let mut values: Vec<Datum> = given.into_iter().map(|datum| datum.unwrap_or(Datum::from(0))).collect();
    let count = c_int::try_from(types.len()).unwrap_or_else(|_| pgrx::error!("too many arguments"));
    // SAFETY: SPI is connected before and finished after; should an error end this between the two, PostgreSQL finishes it with the
    // subtransaction. The vectors have `count` elements and live until the end, what the datums point to for the length of the call.
    // `GetLatestSnapshot` gives a snapshot that is valid until the next one is taken, and running a query copies it.
    unsafe {
        succeed("SPI_connect", pg_sys::SPI_connect());
        let plan = pg_sys::SPI_prepare(query.as_ptr(), count, types.as_mut_ptr());
        if plan.is_null() {
            let code = pg_sys::SPI_result;
            pgrx::error!("SPI_prepare failed: {code}");
        }
        for _ in 0..times {
            // A query without a statement looks for none by itself.
            check_for_interrupts!();
            let latest = pg_sys::GetLatestSnapshot();
            let none = std::ptr::null_mut();
            let (values, nulls) = (values.as_mut_ptr(), nulls.as_ptr());
            let run = pg_sys::SPI_execute_snapshot(plan, values, nulls, latest, none, true, false, 0);
            succeed("SPI_execute_snapshot", run);
            pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable);
        }
        succeed("SPI_finish", pg_sys::SPI_finish());
    }
    Ok(Datum::from(0))
}

/// What SPI returns below zero is an error of its own, not of the query.
fn succeed(function: &str, code: c_int) {
    if code < 0 {
        pgrx::error!("{function} failed: {code}");
    }
}
