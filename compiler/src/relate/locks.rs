//! What a link locks.
//!
//! In: the column pairs of a link. Out: how their common value is hashed, so that equal values of both
//! sides get one lock, whatever their types write them as (`5` and `5.00`); or the reason why
//! there is no such hash, and the whole relation is locked instead.

use super::links::Pair;
use crate::catalog::{Catalog, NUMBERS, SqlType, TypeClass};
use crate::resolve::{ColumnRef, FlatView, Formula, Term};

/// How writers lock the values of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueLock {
    /// By the hash of the values, each cast first where a cast is given.
    Values(Vec<Option<String>>),
    /// The link as a whole, for this reason.
    Relation(String),
}

/// What decides how a value is hashed.
struct Hashed<'c> {
    /// For messages.
    name: String,
    ty: &'c SqlType,
    collations: Vec<&'c str>,
}

impl<'c> Hashed<'c> {
    fn of(term: &'c Term, view: &FlatView, catalog: &'c Catalog) -> Option<Self> {
        let column = |c: &crate::resolve::ColumnRef| &catalog.table(&view.use_of(*c).table).columns[c.column];
        let columns: Vec<_> = term.columns().iter().map(column).collect();
        let said = term.as_formula().map(Formula::collations).unwrap_or_default();
        let collations = columns.iter().filter_map(|c| c.collation.as_deref()).chain(said).collect();
        let name = columns.first().map_or_else(|| "a constant".to_owned(), |c| c.name.to_string());
        Some(Hashed { name, ty: term.ty(view, catalog)?, collations })
    }
}

/// The lock of a link.
pub fn for_pairs(view: &FlatView, catalog: &Catalog, on: &[Pair]) -> ValueLock {
    let cast = |pair: &Pair| match pair {
        Pair::Equal { child, parent, .. } => {
            match (Hashed::of(child, view, catalog), Hashed::of(parent, view, catalog)) {
                (Some(child), Some(parent)) => common_hash(&child, &parent),
                _ => Err("the type of an expression is not known".to_owned()),
            }
        }
        Pair::Holds(_) => Err("the condition is no equality".to_owned()),
    };
    match on.iter().map(cast).collect::<Result<Vec<_>, String>>() {
        Ok(casts) => ValueLock::Values(casts),
        Err(reason) => ValueLock::Relation(reason),
    }
}

const INTEGERS: &[&str] = &["smallint", "integer", "bigint"];
const FLOATS: &[&str] = &["real", "double precision"];
const TEXTS: &[&str] = &["text", "character varying"];

/// Types whose default hash agrees with their `=`, with values of the same type.
const HASHED: &[&str] = &[
    "boolean",
    "bytea",
    "character",
    "\"char\"",
    "cidr",
    "citext",
    "date",
    "inet",
    "interval",
    "macaddr",
    "macaddr8",
    "name",
    "numeric",
    "oid",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
];

/// The cast under which equal values of both columns hash alike: `Ok(None)` for no cast.
fn common_hash(left: &Hashed, right: &Hashed) -> Result<Option<String>, String> {
    for side in [left, right] {
        if let Some(collation) = side.collations.iter().find(|c| !is_bytewise(c)) {
            return Err(format!(
                "{} is compared under the collation {collation}, which may equate different texts",
                side.name
            ));
        }
    }
    let (l, r) = (left.ty.underlying(), right.ty.underlying());
    if l.dimensions + r.dimensions > 0 {
        return Err(format!("{} is an array", left.name));
    }
    let both = |list: &[&str]| list.contains(&l.base.as_str()) && list.contains(&r.base.as_str());
    let domain_cast = (l != left.ty || r != right.ty).then(|| l.base.clone());
    if both(INTEGERS) {
        Ok(domain_cast.map(|_| "bigint".into()))
    } else if both(FLOATS) {
        Ok(Some("double precision".into()))
    } else if both(TEXTS) {
        Ok((l.base != "text" || r.base != "text" || domain_cast.is_some()).then(|| "text".into()))
    } else if l.base == r.base
        && (HASHED.contains(&l.base.as_str()) || l.base.ends_with(".citext") || l.class == TypeClass::Enum)
    {
        Ok(domain_cast)
    } else if both(NUMBERS) {
        Ok(Some("numeric".into()))
    } else {
        Err(format!("{} and {} have no common hash", l.sql, r.sql))
    }
}

/// Whether equal values of one type equal the same values of the other: then `=` between them carries
/// uniqueness over. Not so where one side is converted with loss (numeric to float, text to citext).
pub fn same_equality(left: &SqlType, right: &SqlType) -> bool {
    let (l, r) = (left.underlying(), right.underlying());
    let both = |list: &[&str]| list.contains(&l.base.as_str()) && list.contains(&r.base.as_str());
    l.dimensions == r.dimensions && (l.base == r.base || both(NUMBERS) || both(&["text", "character varying", "name"]))
}

/// Whether values of one type are values of the other, without any conversion.
pub fn same_type(left: &SqlType, right: &SqlType) -> bool {
    let (l, r) = (left.underlying(), right.underlying());
    l.base == r.base && l.dimensions == r.dimensions
}

/// Whether values can be collected into arrays and taken out again one by one as they are.
pub fn is_scalar(ty: &SqlType) -> bool {
    let base = ty.underlying();
    ty.dimensions == 0 && base.dimensions == 0 && base.class != TypeClass::Composite
}

/// Whether the values of a column are rows.
pub fn is_row_column(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    let ty = catalog.table(&view.use_of(column).table).columns[column.column].ty.underlying();
    ty.class == TypeClass::Composite && ty.dimensions == 0
}

/// The same of the values of a column.
pub fn is_scalar_column(view: &FlatView, catalog: &Catalog, column: ColumnRef) -> bool {
    is_scalar(&catalog.table(&view.use_of(column).table).columns[column.column].ty)
}

/// The type of variables for such values: without domain and length, so that any value of the other side of a
/// comparison fits.
pub fn variable_type(ty: &SqlType) -> String {
    match ty.underlying().base.as_str() {
        // Bare, these two mean a length of one.
        "character" => "pg_catalog.bpchar".into(),
        "bit" => "pg_catalog.\"bit\"".into(),
        base => base.into(),
    }
}

/// Whether an expression says a collation under which different texts may be equal.
pub(super) fn may_equate(term: &Term) -> bool {
    term.as_formula().is_some_and(|f| !f.collations().into_iter().all(is_bytewise))
}

fn is_bytewise(collation: &str) -> bool {
    let name = collation.rsplit('.').next().unwrap_or(collation).trim_matches('"');
    matches!(name, "C" | "POSIX" | "ucs_basic" | "default")
}

/// The lock of a view's keys that have no document yet.
pub fn key_lock(view: &FlatView, catalog: &Catalog, key: &super::ViewKey, terms: &[Term]) -> ValueLock {
    let cast = |(column, term): (&super::KeyColumn, &Term)| {
        let collations = Hashed::of(term, view, catalog).map_or(Vec::new(), |h| h.collations);
        let side = || Hashed {
            name: view.outputs[column.output].name.to_string(),
            ty: &column.ty,
            collations: collations.clone(),
        };
        common_hash(&side(), &side())
    };
    if terms.is_empty() {
        return ValueLock::Relation("no row tells its key".into());
    }
    match key.columns.iter().zip(terms).map(cast).collect::<Result<Vec<_>, String>>() {
        Ok(casts) => ValueLock::Values(casts),
        Err(reason) => ValueLock::Relation(reason),
    }
}
