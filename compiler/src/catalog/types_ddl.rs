//! CREATE TYPE and CREATE DOMAIN.

use super::build::Builder;
use super::raw::RawColumn;
use super::types::{self, TypeName, WrittenType};
use super::{SqlType, TypeClass, TypeDef};
use crate::names::QualName;
use crate::source::Span;
use crate::syntax::cursor::Cursor;

impl<'a> Builder<'a> {
    /// After `CREATE TYPE`.
    pub(super) fn create_type(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        let name = self.creation_name(&written);
        let class = match () {
            () if c.eat(&["as", "enum"]) => TypeClass::Enum,
            () if c.eat(&["as", "range"]) => TypeClass::Range,
            () if c.eat(&["as"]) => {
                self.composite(&name, &mut c);
                TypeClass::Composite
            }
            // A base or shell type: of an extension in all but name.
            () => return,
        };
        self.declare_type(name, class, false, written.span);
    }

    fn composite(&mut self, name: &QualName, c: &mut Cursor<'a>) {
        let Some(attributes) = c.group() else { return };
        let mut columns = Vec::new();
        for mut part in attributes.split_commas() {
            let Some((ident, span)) = part.ident() else {
                return;
            };
            let Some(ty) = types::read(&mut part, self.sources) else {
                return;
            };
            let raw = RawColumn { name: ident, ty, not_null: false, virtual_generated: false, collation: None, span };
            columns.push(self.column(raw));
        }
        self.composites.insert(name.clone(), columns);
    }

    /// After `CREATE DOMAIN`: `name [AS] type …`.
    pub(super) fn create_domain(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        c.eat(&["as"]);
        let name = self.creation_name(&written);
        let Some(ty) = types::read(&mut c, self.sources) else {
            return;
        };
        let mut not_null = self.type_def(&ty).is_some_and(|below| below.not_null);
        while !c.is_end() {
            if c.eat(&["not", "null"]) {
                not_null = true;
            } else {
                c.skip();
            }
        }
        let below = self.unwrapped(&ty);
        self.declare_type(name, TypeClass::Domain(Box::new(below)), not_null, written.span);
    }

    /// The type below all domains.
    fn unwrapped(&self, ty: &WrittenType) -> SqlType {
        let found = self.sql_type(ty);
        match (&found.class, &ty.name) {
            (TypeClass::Domain(below), TypeName::User { .. }) if ty.dimensions == 0 => (**below).clone(),
            _ => found,
        }
    }

    fn declare_type(&mut self, name: QualName, class: TypeClass, not_null: bool, span: Span) {
        if let Some(first) = self.catalog.types.get(&name).map(|t| t.span) {
            let context = |span: Span| self.sources.file(span.file).context_only;
            if !context(first) || context(span) {
                return self.duplicate("type", &name, span, first, "drop it first, or remove one of the two");
            }
        }
        self.catalog.types.insert(name.clone(), TypeDef { name, class, not_null, span });
    }
}
