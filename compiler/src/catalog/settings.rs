//! `search_path`.

use sqlparser::tokenizer::Token;

use super::build::Builder;
use crate::names::Ident;
use crate::syntax::cursor::{Cursor, word_ident};

impl<'a> Builder<'a> {
    /// After SET or RESET.
    pub(super) fn set(&mut self, mut c: Cursor<'a>) {
        c.eat_any(&["session", "local"]);
        if c.eat(&["schema"]) {
            if let Some(Token::SingleQuotedString(name)) = c.peek(0) {
                self.search_path = user_schemas([Ident::new(name.clone())]);
            }
            return;
        }
        if !c.eat(&["search_path"]) {
            return;
        }
        let assigned = c.eat(&["to"]) || c.eat_token(&Token::Eq);
        if !assigned || c.is_word(0, "default") {
            self.search_path = vec![Ident::new("public")];
            return;
        }
        let names = c.rest().iter().filter_map(|(token, _)| match token {
            Token::Word(word) => Some(word_ident(word)),
            // A quoted name in SET is one schema, however it is spelt.
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(Ident::new(text.clone())),
            _ => None,
        });
        self.search_path = user_schemas(names);
    }

    /// `SELECT [pg_catalog.]set_config('search_path', 'a, b', false)`.
    pub(super) fn set_config(&mut self, mut c: Cursor<'a>) {
        if c.name().is_none_or(|n| n.name.as_str() != "set_config") {
            return;
        }
        let Some(inside) = c.group() else { return };
        let mut arguments = inside.split_commas().into_iter();
        let mut text = || match arguments.next()?.peek(0)? {
            Token::SingleQuotedString(text) => Some(text.as_str()),
            _ => None,
        };
        if text() == Some("search_path") {
            if let Some(list) = text() {
                self.search_path = user_schemas(list.split(',').map(str::trim).filter(|s| !s.is_empty()).map(schema));
            }
        }
    }
}

fn schema(text: &str) -> Ident {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(quoted) => Ident::new(quoted.replace("\"\"", "\"")),
        None => Ident::fold(text),
    }
}

fn user_schemas(names: impl IntoIterator<Item = Ident>) -> Vec<Ident> {
    names.into_iter().filter(|n| !matches!(n.as_str(), "" | "pg_catalog" | "pg_temp" | "$user")).collect()
}
