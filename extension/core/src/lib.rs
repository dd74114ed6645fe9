//! PostgreSQL's binary jsonb without a server: read, search and splice it as bytes.
//!
//! In: the bytes of jsonb data as stored, behind the varlena header and in the machine's byte
//! order. Out: values that borrow them, or new documents. Always: no unsafe code, no recursion, no
//! panic on any bytes; what does not change is copied as bytes, so numbers keep every digit; and if
//! the operands are as PostgreSQL builds them, the result equals, byte for byte, what PostgreSQL
//! would build for it.
//!
//! | stage | module | what it gives |
//! |---|---|---|
//! | words and limits of the format | `layout` | `Entry` |
//! | read | `container`, `numeric`, `read`, `compare` | [`Value`], [`Container`] |
//! | edit without copying | `tree`, `edit` | `Tree`, the containers on the paths opened |
//! | write once | `encode`, `writer`, `build` | bytes |
//! | operations | `ops`, `change`, `elements`, `sorted`, `put` | the functions below |
//! | what SQL passes | `sql_array`, `request` | [`SqlArray`], [`Changes`] |
//! | check | `validate` | [`validate()`] |
//!
//! ```
//! # #[cfg(feature = "text")] {
//! use jsonb_core::{array_update_where, text};
//!
//! let bytes = |json| text::from_text(json).unwrap();
//! let (target, updates) = (bytes(r#"{"items": [{"id": 7, "price": 1.10}]}"#), bytes(r#"{"stock": 3}"#));
//! let result = array_update_where(&target, &[b"items"], b"id", &bytes("7.0"), &updates).unwrap();
//! assert_eq!(text::to_text(&result).unwrap(), r#"{"items": [{"id": 7, "price": 1.10, "stock": 3}]}"#);
//! # }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod build;
mod change;
mod compare;
mod container;
mod edit;
mod elements;
mod encode;
mod error;
mod layout;
mod numeric;
mod ops;
mod path;
mod put;
mod read;
mod request;
mod sorted;
mod sql_array;
#[cfg(any(test, feature = "text"))]
pub mod text;
mod tree;
mod validate;
mod writer;

pub use build::{build_array, build_object, build_value};
pub use change::{Change, apply, apply_each, apply_into};
pub use compare::{same_text, same_value};
pub use container::{Children, Container, Value};
pub use elements::{ElementChange, change_elements};
pub use error::{ChangeProblem, CoreError, Kind, Limit, Place, Result};
pub use numeric::Numeric;
pub use ops::{
    array_delete_where, array_insert_at, array_update_where, array_upsert_where, merge_at_path, merge_shallow,
    smart_patch_array, smart_patch_nested, smart_patch_scalar,
};
pub use path::PathText;
pub use put::{PathValue, put};
pub use read::{get_path, has_array_path_changed, has_path_changed};
pub use request::Changes;
pub use sorted::{SortedChange, change_sorted_elements};
pub use sql_array::{Path, SqlArray};
pub use validate::validate;
