//! CREATE EXTENSION: the types that well-known extensions bring.
//!
//! Only their names and their schema are known, so that a column's type can be written qualified. What such a type does
//! (equality, hashing) is not.

use super::TypeClass;
use super::build::Builder;
use crate::names::{Ident, QualName};
use crate::syntax::cursor::Cursor;

/// Extension and its types.
const TYPES: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("h3", &["h3index"]),
    ("hll", &["hll", "hll_hashval"]),
    ("hstore", &["hstore"]),
    ("intarray", &["query_int"]),
    ("ip4r", &["ip4", "ip4r", "ip6", "ip6r", "ipaddress", "iprange"]),
    ("isn", &["ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"]),
    ("lo", &["lo"]),
    ("ltree", &["lquery", "ltree", "ltxtquery"]),
    ("postgis", &["box2d", "box3d", "geography", "geometry"]),
    ("postgis_raster", &["raster"]),
    ("seg", &["seg"]),
    ("semver", &["semver"]),
    ("vector", &["halfvec", "sparsevec", "vector"]),
];

impl<'a> Builder<'a> {
    /// After `CREATE EXTENSION`: `[IF NOT EXISTS] name [WITH] [SCHEMA schema] …`.
    pub(super) fn create_extension(&mut self, mut c: Cursor<'a>) {
        c.eat(&["if", "not", "exists"]);
        let Some((name, span)) = c.ident() else { return };
        let mut schema = self.search_path.first().cloned().unwrap_or_else(|| Ident::new("public"));
        while !c.is_end() {
            if c.eat(&["schema"]) {
                schema = c.ident().map_or(schema, |(s, _)| s);
            } else {
                c.skip();
            }
        }
        let known = TYPES.iter().find(|(extension, _)| *extension == name.as_str());
        for ty in known.map_or(&[][..], |(_, types)| types) {
            let name = QualName::new(schema.clone(), Ident::new(*ty));
            if !self.catalog.types.contains_key(&name) {
                self.declare_type(name, TypeClass::Unknown, false, span);
            }
        }
    }
}
