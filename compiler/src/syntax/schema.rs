//! CREATE SCHEMA with elements: statements within a statement.
//!
//! In: a statement's tokens. Out: where its elements (tables, views, indexes, …) begin; PostgreSQL creates each in the
//! schema, without semicolons between them.

use super::cursor::{Cursor, Spanned};
use crate::names::Ident;

/// The first token of each element; none where this is another statement or has no elements.
pub(super) fn elements(tokens: &[Spanned]) -> Vec<usize> {
    let mut c = Cursor::new(tokens);
    let mut starts = Vec::new();
    if c.eat(&["create", "schema"]) {
        while !c.is_end() {
            if c.is_any(&["create", "grant"]) {
                starts.push(c.position());
            }
            c.skip();
        }
    }
    starts
}

/// The schema's name: its own, or that of its owner.
pub(super) fn name(tokens: &[Spanned]) -> Option<Ident> {
    let mut c = Cursor::new(tokens);
    c.eat(&["create", "schema"]);
    c.eat(&["if", "not", "exists"]);
    c.eat(&["authorization"]);
    c.ident().map(|(name, _)| name)
}
