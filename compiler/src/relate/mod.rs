//! Relate: which rows belong to which document.
//!
//! In: a [`FlatView`] and the catalog. Out: [`Relations`]: the key of the view, and for every use of
//! a base table the way from its rows to that key ([`Link`]). What always holds: following the links
//! from any row that has an influence on a document arrives at that document's key; conditions that
//! are no links are dropped, so that the keys found may be too many, never too few.
//!
//! The argument is in `docs/architecture.md` ("Which documents does a row reach?").

mod closure;
mod dependencies;
mod keys;
mod links;
mod locks;
#[cfg(test)]
mod tests;

pub use closure::{BlockRows, determines_rows, nullable_in_row};
pub use keys::{KeyColumn, ViewKey};
pub use links::{Link, Links};
pub use locks::{ValueLock, key_lock, variable_type};

use crate::catalog::Catalog;
use crate::diagnostics::Diagnostics;
use crate::resolve::FlatView;

/// Key and links of one view.
#[derive(Clone, Debug)]
pub struct Relations {
    /// The key.
    pub key: ViewKey,
    /// The ways to it.
    pub links: Links,
}

/// Finds the key and the links; what is missing is reported.
pub fn relate(view: &FlatView, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Option<Relations> {
    let key = match keys::infer(view, catalog) {
        Ok(key) => key,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return None;
        }
    };
    let links = links::derive(view, &key, catalog, diagnostics)?;
    Some(Relations { key, links })
}
