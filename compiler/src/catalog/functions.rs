//! CREATE FUNCTION and ALTER FUNCTION: the name and what it may do.
//!
//! Read from tokens whatever the language and body, because only the volatility matters.

use sqlparser::tokenizer::Token;

use super::build::Builder;
use super::{Function, Volatility};
use crate::syntax::cursor::Cursor;

impl<'a> Builder<'a> {
    /// After `CREATE [OR REPLACE] FUNCTION`.
    pub(super) fn create_function(&mut self, mut c: Cursor<'a>, or_replace: bool) {
        let Some(written) = c.name() else { return };
        let name = self.creation_name(&written);
        let Some(arguments) = c.group() else { return };
        let signature = self.signature(&arguments);
        let mut function =
            Function { name: name.clone(), volatility: Volatility::Volatile, returns_set: false, span: written.span };
        read_attributes(&mut c, &mut function);
        let signatures = self.signatures.entry(name.clone()).or_default();
        let functions = self.catalog.functions.entry(name).or_default();
        match signatures.iter().position(|s| *s == signature).filter(|_| or_replace) {
            Some(at) => functions[at] = function,
            None => {
                signatures.push(signature);
                functions.push(function);
            }
        }
    }

    fn signature(&self, arguments: &Cursor<'_>) -> String {
        let parts: Vec<String> = arguments
            .split_commas()
            .iter()
            .map(|part| {
                let words = part.rest().iter().take_while(|(t, _)| !ends_argument(t));
                let words: Vec<String> = words.map(|(_, span)| self.sources.text(*span).to_ascii_lowercase()).collect();
                words.join(" ")
            })
            .collect();
        parts.join(",")
    }

    /// After `ALTER FUNCTION`: only a change of the volatility is of interest.
    pub(super) fn alter_function(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        c.group();
        let name = self.find_function(&written);
        let Some(functions) = name.and_then(|n| self.catalog.functions.get_mut(&n)) else {
            return;
        };
        let mut changed = Function {
            name: functions[0].name.clone(),
            volatility: Volatility::Volatile,
            returns_set: false,
            span: written.span,
        };
        if !read_attributes(&mut c, &mut changed) {
            return;
        }
        // Which of several overloads is meant takes type resolution: the weakest promise holds for all.
        let single = functions.len() == 1;
        for function in functions.iter_mut() {
            let weaker = rank(changed.volatility) > rank(function.volatility);
            if single || weaker {
                function.volatility = changed.volatility;
            }
        }
    }

    fn find_function(&self, written: &crate::syntax::cursor::WrittenName) -> Option<crate::names::QualName> {
        let at = |schema: &crate::names::Ident| {
            let name = crate::names::QualName::new(schema.clone(), written.name.clone());
            self.catalog.functions.get(&name).filter(|f| !f.is_empty()).map(|_| name)
        };
        match &written.schema {
            Some(schema) => at(schema),
            None => self.search_path.iter().find_map(at),
        }
    }

    /// After `DROP FUNCTION`.
    pub(super) fn drop_functions(&mut self, c: &Cursor<'a>) {
        for mut part in c.split_commas() {
            let Some(name) = part.name().and_then(|n| self.find_function(&n)) else {
                continue;
            };
            let signature = part.group().map(|arguments| self.signature(&arguments));
            let functions = self.catalog.functions.entry(name.clone()).or_default();
            let signatures = self.signatures.entry(name.clone()).or_default();
            let at = signature.and_then(|s| signatures.iter().position(|k| *k == s));
            if let Some(at) = at.or((functions.len() == 1).then_some(0)) {
                functions.remove(at);
                signatures.remove(at);
            }
            if functions.is_empty() {
                self.catalog.functions.shift_remove(&name);
            }
        }
    }
}

fn ends_argument(token: &Token) -> bool {
    match token {
        Token::Eq | Token::Assignment => true,
        Token::Word(w) => w.quote_style.is_none() && w.value.eq_ignore_ascii_case("default"),
        _ => false,
    }
}

fn rank(volatility: Volatility) -> u8 {
    match volatility {
        Volatility::Immutable => 0,
        Volatility::Stable => 1,
        Volatility::Volatile => 2,
    }
}

/// Reads up to the body; whether a volatility was written.
fn read_attributes(c: &mut Cursor<'_>, function: &mut Function) -> bool {
    let mut written = false;
    let body = |c: &Cursor<'_>| c.is_word(0, "return") || (c.is_word(0, "begin") && c.is_word(1, "atomic"));
    while !c.is_end() && !body(c) {
        match () {
            () if c.eat(&["immutable"]) => (function.volatility, written) = (Volatility::Immutable, true),
            () if c.eat(&["stable"]) => (function.volatility, written) = (Volatility::Stable, true),
            () if c.eat(&["volatile"]) => (function.volatility, written) = (Volatility::Volatile, true),
            () if c.eat(&["returns", "setof"]) || c.eat(&["returns", "table"]) => function.returns_set = true,
            () if c.eat(&["returns"]) || c.eat(&["language"]) || c.eat(&["set"]) => {
                c.bump();
            }
            () => c.skip(),
        }
    }
    written
}
