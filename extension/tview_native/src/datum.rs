//! Datums: arguments as bytes, results from bytes.
//!
//! In: the call information of a function that SQL declares with the types that its body reads. Out: borrowed
//! bytes, and datums in the caller's memory context. Always: a datum that is stored plainly is read where it
//! is; what had to be detoasted is freed when the argument is dropped, also on an error; nothing else that is
//! allocated here outlives the call but its result.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::panic::panic_any;
use std::ptr::NonNull;

use jsonb_core::{CoreError, SqlArray};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{self, Datum, FunctionCallInfo, errcodes::PgSqlErrorCode, varlena};
use pgrx::varlena::{set_varsize_4b, varatt_is_1b, varatt_is_1b_e, varatt_is_4b_u, vardata_any, varsize_any_exhdr};

/// A varlena header of four bytes.
const HEADER: usize = 4;

/// One call of a function.
pub struct Call<'call> {
    info: FunctionCallInfo,
    lives: PhantomData<&'call ()>,
}

impl<'call> Call<'call> {
    /// # Safety
    ///
    /// `info` must be what PostgreSQL passed to a function, which must not have returned before `'call` ends.
    pub unsafe fn new(info: FunctionCallInfo) -> Self {
        Call { info, lives: PhantomData }
    }

    /// How many arguments it was called with.
    pub fn len(&self) -> usize {
        // SAFETY: `new` demands a valid `info`.
        usize::try_from(unsafe { (*self.info).nargs }).unwrap_or_default()
    }

    /// An argument as it was passed.
    pub fn datum(&self, index: usize) -> Option<Datum> {
        // SAFETY: `new` demands a valid `info`. The index is checked against the number of arguments.
        unsafe { pgrx::pg_getarg_datum(self.info, index) }
    }

    /// The type of an argument, as the caller has it.
    pub fn argument_type(&self, index: usize) -> pg_sys::Oid {
        let index = i32::try_from(index).unwrap_or(-1);
        // SAFETY: `new` demands a valid `info`. Any index is allowed: it is checked against the call's expression.
        unsafe { pg_sys::get_fn_expr_argtype((*self.info).flinfo, index) }
    }

    /// An integer; the function must be declared STRICT, with an integer there.
    pub fn integer(&self, index: usize) -> i32 {
        self.integer_or_null(index).unwrap_or_else(|| not_strict())
    }

    /// An integer, or NULL.
    pub fn integer_or_null(&self, index: usize) -> Option<i32> {
        // An int4 datum is the integer, widened.
        self.datum(index).map(|datum| datum.value() as i32)
    }

    /// A boolean, or NULL.
    pub fn boolean_or_null(&self, index: usize) -> Option<bool> {
        // What is behind the byte of a boolean says nothing.
        self.datum(index).map(|datum| datum.value() as u8 != 0)
    }

    /// A jsonb, text or text[]; the function must be declared STRICT, with such a type there.
    pub fn argument(&self, index: usize) -> Argument<'call> {
        self.argument_or_null(index).unwrap_or_else(|| not_strict())
    }

    /// A jsonb, text or text[], or NULL.
    pub fn argument_or_null(&self, index: usize) -> Option<Argument<'call>> {
        let datum = self.datum(index)?;
        let stored = NonNull::new(datum.cast_mut_ptr::<varlena>())?;
        // SAFETY: by the declaration in SQL the datum is of a varlena type, so it points to a varlena, which
        // PostgreSQL keeps for the length of the call.
        let plain = unsafe {
            let stored = stored.as_ptr();
            if is_plain(stored) { stored } else { pg_sys::pg_detoast_datum_packed(stored) }
        };
        let plain = NonNull::new(plain)?;
        Some(Argument { datum, plain, is_copy: plain != stored, lives: PhantomData })
    }

    /// The bytes of an argument that is stored plainly, or that it is NULL; nothing where it has to be detoasted.
    pub fn plain_or_null(&self, index: usize) -> Option<Option<&'call [u8]>> {
        let Some(datum) = self.datum(index) else {
            return Some(None);
        };
        let stored = datum.cast_mut_ptr::<varlena>();
        // SAFETY: as in `argument_or_null`; what is plain is read where it is, and PostgreSQL keeps it for the length of the call.
        unsafe { is_plain(stored).then(|| Some(content(stored))) }
    }

    /// SQL NULL.
    pub fn null(&self) -> Datum {
        // SAFETY: `new` demands a valid `info`, and nobody else holds a reference to it.
        unsafe { pgrx::pg_return_null(self.info) }
    }
}

/// Whether a varlena is neither compressed nor elsewhere.
///
/// # Safety
///
/// `stored` must point to a varlena.
unsafe fn is_plain(stored: *mut varlena) -> bool {
    // SAFETY: its header may be read.
    unsafe { varatt_is_4b_u(stored) || (varatt_is_1b(stored) && !varatt_is_1b_e(stored)) }
}

/// The bytes behind the header of a plain varlena.
///
/// # Safety
///
/// `plain` must point to a plain varlena that nobody writes to while the result is used.
unsafe fn content<'a>(plain: *mut varlena) -> &'a [u8] {
    // SAFETY: the header gives the number of bytes that follow.
    unsafe { std::slice::from_raw_parts(vardata_any(plain).cast::<u8>(), varsize_any_exhdr(plain)) }
}

/// A function that is declared STRICT is not called with a NULL.
#[cold]
fn not_strict() -> ! {
    panic!("a function of tview_native is not declared as it should be")
}

/// An argument of a type with a varlena header.
pub struct Argument<'call> {
    datum: Datum,
    plain: NonNull<varlena>,
    is_copy: bool,
    lives: PhantomData<&'call [u8]>,
}

impl Argument<'_> {
    /// As it was passed.
    pub fn datum(&self) -> Datum {
        self.datum
    }

    /// The bytes behind the header.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `plain` is a varlena that is neither compressed nor elsewhere, so its header gives the number
        // of bytes that follow. It lives as long as the call, or, as a copy, as long as `self`; nobody writes
        // to it meanwhile. Any bytes are initialised memory: PostgreSQL zeroes what it leaves out.
        unsafe { content(self.plain.as_ptr()) }
    }

    /// The elements, of an array.
    pub fn elements(&self) -> Result<SqlArray<'_>, CoreError> {
        SqlArray::parse(self.bytes())
    }

    /// The result of a change of this document: itself if there was none, toasted as it came.
    pub fn changed(&self, result: Cow<'_, [u8]>) -> Datum {
        match result {
            Cow::Borrowed(_) => self.datum,
            Cow::Owned(bytes) => new_varlena(&bytes),
        }
    }
}

/// Calls one of the server's own functions, which is STRICT, with arguments that are not NULL.
pub fn call_server(function: unsafe fn(FunctionCallInfo) -> Datum, arguments: &[Datum]) -> Datum {
    let arguments: Vec<Option<Datum>> = arguments.iter().copied().map(Some).collect();
    // SAFETY: the function is one of the server's, declared in SQL with arguments of these types.
    unsafe { pgrx::direct_function_call_as_datum(function, &arguments) }.unwrap_or_else(|| not_strict())
}

impl Drop for Argument<'_> {
    fn drop(&mut self) {
        if self.is_copy {
            // SAFETY: detoasting gave a chunk of its own, as it is not what was passed, and nothing borrows it
            // any more. `pfree` of a valid chunk raises no error.
            unsafe { pg_sys::pfree(self.plain.as_ptr().cast()) }
        }
    }
}

fn new_varlena(bytes: &[u8]) -> Datum {
    let length = bytes.len() + HEADER;
    let Ok(header) = i32::try_from(length) else {
        raise(CoreError::OutOfMemory);
    };
    // SAFETY: `palloc` gives so many bytes, aligned for a varlena, or raises an error. They are written in full,
    // header and body, before anybody reads them.
    unsafe {
        let result = pg_sys::palloc(length).cast::<varlena>();
        set_varsize_4b(result, header);
        result.cast::<u8>().add(HEADER).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        Datum::from(result)
    }
}

/// Raises an error of PostgreSQL, once everything on the way to its caller has been dropped.
#[cold]
pub fn raise(error: CoreError) -> ! {
    let mut message = error.to_string();
    // SAFETY: it returns the number of an encoding and has no conditions.
    let encoding = unsafe { pg_sys::GetDatabaseEncoding() };
    if encoding != pg_sys::pg_enc::PG_UTF8 as i32 {
        // The message is UTF-8, and what it quotes was not.
        message = message.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    }
    panic_any(ErrorReport::new(sqlstate(error.sqlstate()), message, "tview_native"))
}

/// Five characters, six bits each.
fn sqlstate(state: &str) -> PgSqlErrorCode {
    let bits = state.bytes().rev().fold(0i32, |code, byte| code << 6 | i32::from(byte.wrapping_sub(b'0') & 0x3f));
    PgSqlErrorCode::from(bits)
}
