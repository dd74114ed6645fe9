//! The types of a live database.
//!
//! In: pg_type, pg_enum, pg_range and the attributes of composite types. Out: for each type oid a `TypeRef`, resolved
//! down to base types, so that values can be made without asking the server again.

use std::collections::BTreeMap;

use postgres::Client;

use crate::error::{Doing, Result};

/// A type as a column uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRef {
    /// Its name, qualified where it is not in pg_catalog, without a modifier: usable in a cast.
    pub name: String,
    /// The modifier, or -1.
    pub modifier: i32,
    /// What it is made of.
    pub kind: TypeKind,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// A base type, by its name in pg_type.
    Base(String),
    /// An enum with its labels, in order.
    Enum(Vec<String>),
    /// A domain.
    Domain {
        /// The type below.
        base: Box<TypeRef>,
        /// Whether it refuses NULL.
        not_null: bool,
    },
    /// An array.
    Array(Box<TypeRef>),
    /// A range.
    Range(Box<TypeRef>),
    /// A multirange.
    Multirange(Box<TypeRef>),
    /// A row type.
    Composite(Vec<TypeRef>),
    /// Something else, or nested too deep.
    Other,
}

impl TypeKind {
    /// Whether NULL is refused by a domain.
    pub fn refuses_null(&self) -> bool {
        match self {
            Self::Domain { base, not_null } => *not_null || base.kind.refuses_null(),
            _ => false,
        }
    }
}

impl TypeRef {
    /// The type below all domains, with the modifier that applies.
    pub fn without_domains(&self) -> &Self {
        match &self.kind {
            TypeKind::Domain { base, .. } => base.without_domains(),
            _ => self,
        }
    }
}

#[derive(Debug)]
struct Entry {
    name: String,
    short: String,
    typtype: char,
    is_array: bool,
    element: u32,
    base: u32,
    base_modifier: i32,
    not_null: bool,
    subtype: u32,
    relation: u32,
}

/// All types of a database.
#[derive(Debug, Default)]
pub struct Types {
    entries: BTreeMap<u32, Entry>,
    labels: BTreeMap<u32, Vec<String>>,
    fields: BTreeMap<u32, Vec<(u32, i32)>>,
}

/// Types nested deeper than this are left to `TypeKind::Other`.
const MAX_DEPTH: u32 = 6;

impl Types {
    /// The type behind an oid.
    pub fn resolve(&self, oid: u32, modifier: i32) -> TypeRef {
        self.resolve_to(oid, modifier, 0)
    }

    fn resolve_to(&self, oid: u32, modifier: i32, depth: u32) -> TypeRef {
        let Some(entry) = self.entries.get(&oid) else {
            return TypeRef { name: "text".to_owned(), modifier: -1, kind: TypeKind::Other };
        };
        let below = |oid, modifier| Box::new(self.resolve_to(oid, modifier, depth + 1));
        let kind = match entry.typtype {
            _ if depth > MAX_DEPTH => TypeKind::Other,
            'b' if entry.is_array => TypeKind::Array(below(entry.element, modifier)),
            'b' => TypeKind::Base(entry.short.clone()),
            'e' => TypeKind::Enum(self.labels.get(&oid).cloned().unwrap_or_default()),
            'd' => TypeKind::Domain { base: below(entry.base, entry.base_modifier), not_null: entry.not_null },
            'r' => TypeKind::Range(below(entry.subtype, -1)),
            'm' => TypeKind::Multirange(below(entry.subtype, -1)),
            'c' => {
                let fields = self.fields.get(&entry.relation).map(Vec::as_slice).unwrap_or_default();
                TypeKind::Composite(fields.iter().map(|&(oid, modifier)| *below(oid, modifier)).collect())
            }
            _ => TypeKind::Other,
        };
        TypeRef { name: entry.name.clone(), modifier, kind }
    }
}

/// Reads all types. Names are rendered under an empty search_path, so that they mean the same under any other.
pub fn load(client: &mut Client) -> Result<Types> {
    let mut transaction = client.transaction().doing(|| "reading the types".to_owned())?;
    transaction.batch_execute("SET LOCAL search_path = pg_catalog").doing(|| "reading the types".to_owned())?;
    // A multirange names its range only from version 14 on; to_jsonb gives the column where there is one.
    let sql = "SELECT t.oid, CASE WHEN t.typname = 'bpchar' AND t.typnamespace = 'pg_catalog'::regnamespace \
               THEN 'bpchar' ELSE format_type(t.oid, -1) END, t.typname::text, t.typtype::text, \
               t.typcategory = 'A' AND t.typelem <> 0, t.typelem, t.typbasetype, t.typtypmod, t.typnotnull, \
               coalesce((SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid \
                         OR (t.typtype = 'm' AND (to_jsonb(r) ->> 'rngmultitypid') = t.oid::text) LIMIT 1), 0), \
               t.typrelid FROM pg_type t WHERE t.typtype <> 'p'";
    let mut types = Types::default();
    for row in transaction.query(sql, &[]).doing(|| "reading pg_type".to_owned())? {
        let entry = Entry {
            name: row.get(1),
            short: row.get(2),
            typtype: row.get::<_, String>(3).chars().next().unwrap_or('?'),
            is_array: row.get(4),
            element: row.get(5),
            base: row.get(6),
            base_modifier: row.get(7),
            not_null: row.get(8),
            subtype: row.get(9),
            relation: row.get(10),
        };
        types.entries.insert(row.get(0), entry);
    }
    let sql = "SELECT enumtypid, enumlabel::text FROM pg_enum ORDER BY enumtypid, enumsortorder";
    for row in transaction.query(sql, &[]).doing(|| "reading pg_enum".to_owned())? {
        types.labels.entry(row.get(0)).or_default().push(row.get(1));
    }
    let sql = "SELECT a.attrelid, a.atttypid, a.atttypmod FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
               WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace <> 'pg_catalog'::regnamespace \
               AND c.relkind IN ('c', 'r', 'p') ORDER BY a.attrelid, a.attnum";
    for row in transaction.query(sql, &[]).doing(|| "reading composite types".to_owned())? {
        types.fields.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    transaction.rollback().doing(|| "reading the types".to_owned())?;
    Ok(types)
}
