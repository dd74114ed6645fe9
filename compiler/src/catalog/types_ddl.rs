//! CREATE TYPE and CREATE DOMAIN.

use sqlparser::tokenizer::Token;

use super::build::Builder;
use super::raw::RawColumn;
use super::types::{self, TypeName, WrittenType};
use super::{Column, SqlType, TypeClass, TypeDef};
use crate::names::{Ident, QualName, truncate};
use crate::source::Span;
use crate::syntax::cursor::Cursor;

impl<'a> Builder<'a> {
    /// After `CREATE TYPE`.
    pub(super) fn create_type(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        let name = self.creation_name(&written);
        let class = match () {
            () if c.eat(&["as", "enum"]) => TypeClass::Enum,
            () if c.eat(&["as", "range"]) => {
                self.multirange(&name, &mut c, written.span);
                TypeClass::Range
            }
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
            let Some(attribute) = self.attribute(&mut part) else {
                return;
            };
            columns.push(attribute);
        }
        self.composites.insert(name.clone(), columns);
    }

    /// `name type [COLLATE …]`.
    pub(super) fn attribute(&self, c: &mut Cursor<'a>) -> Option<Column> {
        let (name, span) = c.ident()?;
        let ty = types::read(c, self.sources)?;
        let collation = if c.eat(&["collate"]) { c.name() } else { None };
        let collation = collation.map(|n| self.sources.text(n.span).to_owned());
        Some(self.column(RawColumn { name, ty, not_null: false, virtual_generated: false, collation, span }))
    }

    /// The multirange type that comes with a range type: as named, or by PostgreSQL's rule.
    fn multirange(&mut self, range: &QualName, c: &mut Cursor<'a>, span: Span) {
        let options = c.group().map_or(vec![], |inside| inside.split_commas());
        let named = options.into_iter().find_map(|mut o| {
            let found = o.eat(&["multirange_type_name"]) && o.eat_token(&Token::Eq);
            if found { o.name() } else { None }
        });
        let name = match named {
            Some(written) => {
                let schema = written.schema.unwrap_or_else(|| range.schema.clone());
                QualName::new(schema, written.name)
            }
            None => {
                let range_name = range.name.as_str();
                let name = match range_name.contains("range") {
                    true => range_name.replacen("range", "multirange", 1),
                    false => format!("{range_name}_multirange"),
                };
                QualName::new(range.schema.clone(), Ident::new(truncate(&name)))
            }
        };
        self.declare_type(name, TypeClass::Range, false, span);
    }

    /// After `CREATE DOMAIN`: `name [AS] type …`.
    pub(super) fn create_domain(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        c.eat(&["as"]);
        let name = self.creation_name(&written);
        let Some(ty) = types::read(&mut c, self.sources) else {
            return;
        };
        let mut not_null = false;
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

    pub(super) fn declare_type(&mut self, name: QualName, class: TypeClass, not_null: bool, span: Span) {
        if let Some(first) = self.catalog.types.get(&name).map(|t| t.span) {
            let context = |span: Span| self.sources.file(span.file).context_only;
            if !context(first) || context(span) {
                return self.duplicate("type", &name, span, first, "drop it first, or remove one of the two");
            }
        }
        self.catalog.types.insert(name.clone(), TypeDef { name, class, not_null, span });
    }
}
