//! CREATE FUNCTION and ALTER FUNCTION: the name and what it may do.
//!
//! Read from tokens whatever the language and body, because only the volatility matters.

use sqlparser::tokenizer::Token;

use super::build::Builder;
use super::{Function, SqlType, Volatility, types};
use crate::names::{Ident, QualName};
use crate::source::Span;
use crate::syntax::cursor::{Cursor, WrittenName};

impl<'a> Builder<'a> {
    /// After `CREATE [OR REPLACE] FUNCTION`.
    pub(super) fn create_function(&mut self, mut c: Cursor<'a>, or_replace: bool) {
        let Some(written) = c.name() else { return };
        let name = self.creation_name(&written);
        let Some(arguments) = c.group() else { return };
        let signature = self.signature(&arguments);
        let mut function = undeclared(name.clone(), written.span);
        self.read_attributes(&mut c, &mut function);
        if function.returns.is_none() && !function.returns_set {
            function.returns = self.returned(&arguments);
        }
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

    /// The types of the input arguments, by which PostgreSQL tells overloads apart.
    fn signature(&self, arguments: &Cursor<'a>) -> String {
        let types = arguments.split_commas().into_iter().map(|part| self.argument(part));
        types.filter(|a| a.is_in).map(|a| a.text).collect::<Vec<_>>().join(",")
    }

    /// What a function without RETURNS returns: the type of its only output argument. Several are a record.
    fn returned(&self, arguments: &Cursor<'a>) -> Option<SqlType> {
        let mut outputs = arguments.split_commas().into_iter().map(|part| self.argument(part)).filter(|a| a.is_out);
        let only = outputs.next().filter(|_| outputs.next().is_none())?;
        only.ty.filter(|ty| !is_pseudo(&ty.base))
    }

    /// `[IN | OUT | INOUT | VARIADIC] [name] type [DEFAULT …]`; the mode may follow the name.
    fn argument(&self, mut c: Cursor<'a>) -> Argument {
        let argument = c.rest();
        let end = argument.iter().position(|(t, _)| ends_argument(t)).unwrap_or(argument.len());
        c = Cursor::new(&argument[..end]);
        let mut mode = eat_mode(&mut c);
        let mut named = c;
        named.ident();
        let behind = eat_mode(&mut named);
        let whole = |mut c: Cursor<'a>| types::read(&mut c, self.sources).filter(|_| c.is_end());
        let unnamed = if behind.is_some() { None } else { whole(c) };
        mode = mode.or(behind);
        let ty = unnamed.or_else(|| whole(named)).map(|written| self.sql_type(&written));
        let text = match &ty {
            Some(ty) => format!("{}{}", ty.base, if ty.dimensions > 0 { "[]" } else { "" }),
            None => c.rest().iter().map(|(_, span)| self.sources.text(*span)).collect(),
        };
        let (is_in, is_out) = mode.unwrap_or((true, false));
        Argument { is_in, is_out, text, ty }
    }

    /// A function, all its overloads, under another name.
    pub(super) fn move_function(&mut self, old: &QualName, new: QualName) {
        let functions = self.catalog.functions.shift_remove(old).unwrap_or_default();
        let signatures = self.signatures.shift_remove(old).unwrap_or_default();
        for (function, signature) in functions.into_iter().zip(signatures) {
            self.add_function(Function { name: new.clone(), ..function }, signature);
        }
    }

    fn add_function(&mut self, function: Function, signature: String) {
        self.signatures.entry(function.name.clone()).or_default().push(signature);
        self.catalog.functions.entry(function.name.clone()).or_default().push(function);
    }

    /// One overload under another name.
    fn move_overload(&mut self, old: &QualName, at: usize, new: QualName) {
        let (Some(functions), Some(signatures)) = (self.catalog.functions.get_mut(old), self.signatures.get_mut(old))
        else {
            return;
        };
        let function = Function { name: new, ..functions.remove(at) };
        let signature = signatures.remove(at);
        if functions.is_empty() {
            self.catalog.functions.shift_remove(old);
        }
        self.add_function(function, signature);
    }

    /// Which overload is meant: by its argument types, or the only one.
    fn overload(&self, name: &QualName, signature: Option<&str>) -> Option<usize> {
        let signatures = self.signatures.get(name)?;
        let found = signature.and_then(|s| signatures.iter().position(|k| k == s));
        found.or((signatures.len() == 1).then_some(0))
    }

    /// After `ALTER FUNCTION`: its name and its volatility are of interest.
    pub(super) fn alter_function(&mut self, mut c: Cursor<'a>) {
        let Some(written) = c.name() else { return };
        let Some(name) = self.find_function(&written) else { return };
        let signature = c.group().map(|arguments| self.signature(&arguments));
        let overload = self.overload(&name, signature.as_deref());
        let moved = match () {
            () if c.eat(&["rename", "to"]) => c.ident().map(|(new, _)| QualName::new(name.schema.clone(), new)),
            () if c.eat(&["set", "schema"]) => c.ident().map(|(schema, _)| QualName::new(schema, name.name.clone())),
            () => None,
        };
        if let (Some(at), Some(new)) = (overload, moved) {
            return self.move_overload(&name, at, new);
        }
        let mut changed = undeclared(name.clone(), written.span);
        if !self.read_attributes(&mut c, &mut changed) {
            return;
        }
        let Some(functions) = self.catalog.functions.get_mut(&name) else {
            return;
        };
        // Where it is not clear which overload is meant, the weakest promise holds for all.
        for (at, function) in functions.iter_mut().enumerate() {
            let weaker = rank(changed.volatility) > rank(function.volatility);
            if overload == Some(at) || (overload.is_none() && weaker) {
                function.volatility = changed.volatility;
            }
        }
    }

    fn find_function(&self, written: &WrittenName) -> Option<QualName> {
        let at = |schema: &Ident| {
            let name = QualName::new(schema.clone(), written.name.clone());
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

    /// Reads up to the body; whether a volatility was written.
    fn read_attributes(&self, c: &mut Cursor<'a>, function: &mut Function) -> bool {
        let mut written = false;
        let body = |c: &Cursor<'_>| c.is_word(0, "return") || (c.is_word(0, "begin") && c.is_word(1, "atomic"));
        while !c.is_end() && !body(c) {
            match () {
                () if c.eat(&["immutable"]) => (function.volatility, written) = (Volatility::Immutable, true),
                () if c.eat(&["stable"]) => (function.volatility, written) = (Volatility::Stable, true),
                () if c.eat(&["volatile"]) => (function.volatility, written) = (Volatility::Volatile, true),
                () if c.eat(&["returns", "setof"]) || c.eat(&["returns", "table"]) => function.returns_set = true,
                () if c.is_word(0, "returns") && !c.is_word(1, "null") => {
                    c.bump();
                    let ty = types::read(c, self.sources).map(|written| self.sql_type(&written));
                    function.returns = ty.filter(|ty| !is_pseudo(&ty.base));
                }
                () if c.eat(&["language"]) || c.eat(&["set"]) => {
                    c.bump();
                }
                () => c.skip(),
            }
        }
        written
    }
}

/// An argument of a function.
struct Argument {
    is_in: bool,
    is_out: bool,
    /// Its type as PostgreSQL compares it, or as it is written.
    text: String,
    ty: Option<SqlType>,
}

/// Whether an argument goes in, and whether it comes out.
fn eat_mode(c: &mut Cursor<'_>) -> Option<(bool, bool)> {
    let modes: [(&[&str], (bool, bool)); 5] = [
        (&["in", "out"], (true, true)),
        (&["inout"], (true, true)),
        (&["in"], (true, false)),
        (&["variadic"], (true, false)),
        (&["out"], (false, true)),
    ];
    modes.into_iter().find(|(words, _)| c.eat(words)).map(|(_, mode)| mode)
}

/// Whether a type is a stand-in for others.
fn is_pseudo(base: &str) -> bool {
    let base = base.trim_start_matches("pg_catalog.");
    base.starts_with("any") || ["record", "void", "trigger", "event_trigger", "internal", "cstring"].contains(&base)
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

/// A function of which nothing has been said.
fn undeclared(name: QualName, span: Span) -> Function {
    Function { name, volatility: Volatility::Volatile, returns_set: false, returns: None, span }
}
