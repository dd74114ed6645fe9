//! Syntax: from text to statements.
//!
//! In: [`Sources`]. Out: [`Statement`]s in file order, each with its tokens, its directives and
//! what it is. Every byte of the input belongs to exactly one statement or lies between statements
//! (white space, comments, psql meta-commands, COPY data). Only the queries of view definitions are
//! parsed, by sqlparser behind guards, because it accepts some SQL with another meaning than
//! PostgreSQL gives it; all other statements stay tokens, which the catalog reads. The user's SQL
//! is never printed from the parsed form, only cut by span.

pub mod cursor;
mod dialect;
mod directives;
pub mod guards;
mod precedence;
mod scan;
mod schema;
mod tokens;
pub mod view;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::names::Ident;
use crate::source::{FileId, Sources, Span};

/// A `-- tviewc: …` comment on the lines directly above a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// `key`, `skip`, `full_refresh`, `table`, `allow`.
    pub name: String,
    /// Between the parentheses, split at commas and trimmed; folded as identifiers are.
    pub arguments: Vec<String>,
    /// The comment.
    pub span: Span,
}

/// One top-level statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// From the first to the last token, without the semicolon.
    pub span: Span,
    /// Tokens without white space and comments, each with its byte span. Empty for statements that
    /// declare nothing (INSERT, UPDATE, COPY, …).
    pub tokens: Vec<(Token, Span)>,
    /// sqlparser's place of each token: lines and characters in the whole file, from 1.
    pub locations: Vec<sqlparser::tokenizer::Span>,
    /// In the order written.
    pub directives: Vec<Directive>,
    /// The schema of the `CREATE SCHEMA` that it is an element of.
    pub in_schema: Option<Ident>,
    /// What it is.
    pub kind: StatementKind,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// The query of a view definition: consumed to its end, and no guard
    /// objected. The definition's head is read with [`view::head`].
    Parsed(std::sync::Arc<sqlparser::ast::Query>),
    /// Not a view definition. The catalog reads its tokens where it declares something.
    Tokens,
    /// A view definition that cannot be read; reported, unless its directives say `skip` or its
    /// file is only context.
    Opaque {
        /// The parser's or the guard's message.
        error: String,
        /// Where it gave up.
        at: Span,
    },
}

impl Statement {
    /// Whether a directive of this name stands above it.
    pub fn has_directive(&self, name: &str) -> bool {
        self.directives.iter().any(|d| d.name == name)
    }

    /// The bytes that a span of the parsed form covers, on token boundaries. `None` for the empty
    /// spans that some nodes have.
    pub fn bytes_of(&self, span: sqlparser::tokenizer::Span) -> Option<Span> {
        let range = self.tokens_of(span)?;
        Some(self.tokens[range.start].1.to(self.tokens[range.end - 1].1))
    }

    /// The tokens that a span of the parsed form covers; never empty.
    pub fn tokens_of(&self, span: sqlparser::tokenizer::Span) -> Option<std::ops::Range<usize>> {
        if span.start.line == 0 {
            return None;
        }
        let start = self.locations.partition_point(|l| l.end <= span.start);
        let end = self.locations.partition_point(|l| l.start < span.end).max(start + 1);
        (end <= self.locations.len()).then_some(start..end)
    }
}

/// How deeply expressions, queries and joins may be nested in one view.
const RECURSION_LIMIT: usize = 400;

/// Splits all files and parses the view definitions in them. Lexical errors, directives that cannot
/// be read and view definitions that cannot be parsed are reported.
pub fn parse(sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (index, file) in sources.files.iter().enumerate() {
        let id = FileId(index as u32);
        let scan = scan::scan(&file.text);
        for &(start, end, what) in &scan.errors {
            let span = Span { file: id, start, end };
            diagnostics.push(Diagnostic::new(Code::SyntaxError, what, span).label("it begins here"));
        }
        let directives = directives::attach(&file.text, id, &scan, diagnostics);
        let mut walker = tokens::Walker::new(&file.text);
        for (piece, directives) in scan.pieces.into_iter().zip(directives) {
            statements.extend(statement(sources, &mut walker, id, piece, directives, diagnostics));
        }
    }
    statements
}

/// First words of statements that the catalog reads.
const DECLARING: &[&str] = &[
    "create", "alter", "drop", "set", "reset", "select", "comment", "grant", "revoke", "refresh", "analyze", "cluster",
];

/// Whether a SELECT may set the search path or make a table (`SELECT … INTO`).
fn declares(text: &str) -> bool {
    text.contains("set_config") || text.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("into"))
}

/// The statement of a piece; a CREATE SCHEMA with elements is one and each of its elements another.
fn statement(
    sources: &Sources,
    walker: &mut tokens::Walker<'_>,
    file: FileId,
    piece: scan::Piece,
    directives: Vec<Directive>,
    diagnostics: &mut Diagnostics,
) -> Vec<Statement> {
    let span = Span { file, start: piece.start, end: piece.end };
    let text = sources.text(span);
    let word_end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text[..word_end].to_ascii_lowercase();
    let read = DECLARING.contains(&word.as_str()) && (word != "select" || declares(text));
    let tokens = if read { tokens::tokenize(walker, piece, file) } else { tokens::Tokens::default() };
    let starts = schema::elements(&tokens.spanned);
    let in_schema = schema::name(&tokens.spanned).filter(|_| !starts.is_empty());
    let mut statements = Vec::with_capacity(starts.len() + 1);
    let mut directives = Some(directives);
    let ends = starts.iter().copied().chain([tokens.spanned.len()]);
    let (mut all, mut all_located) = (tokens.spanned.into_iter(), tokens.located.into_iter());
    for (from, to) in std::iter::once(0).chain(starts.iter().copied()).zip(ends) {
        let spanned: Vec<_> = all.by_ref().take(to - from).collect();
        let located: Vec<_> = all_located.by_ref().take(to - from).collect();
        let part = match spanned.as_slice() {
            [first, .., last] if !starts.is_empty() => first.1.to(last.1),
            _ => span,
        };
        let mut statement = Statement {
            span: part,
            locations: located.iter().map(|t| t.span).collect(),
            tokens: spanned,
            directives: directives.take().unwrap_or_default(),
            in_schema: in_schema.clone().filter(|_| from > 0),
            kind: StatementKind::Tokens,
        };
        if view::is_view(&statement.tokens) {
            let result = match &tokens.error {
                Some((error, at)) => {
                    Err(Refusal { code: Code::SyntaxError, error: error.clone(), at: *at, help: None })
                }
                None => parse_view(sources, &statement, located),
            };
            // What is only context is reported where a compiled view reads it.
            let report = !sources.file(file).context_only && !statement.has_directive("skip");
            statement.kind = view_kind(&statement, result, report, diagnostics);
        }
        stray_directives(&statement, diagnostics);
        statements.push(statement);
    }
    statements
}

/// Directives mean something above view definitions only.
fn stray_directives(statement: &Statement, diagnostics: &mut Diagnostics) {
    if matches!(statement.kind, StatementKind::Tokens) {
        for directive in &statement.directives {
            diagnostics.push(
                Diagnostic::new(
                    Code::UnknownDirective,
                    format!("directive `{}` stands above no view", directive.name),
                    directive.span,
                )
                .also(head_span(statement), "this statement is not a CREATE VIEW")
                .help("move it to the line directly above its CREATE VIEW"),
            );
        }
    }
}

fn head_span(statement: &Statement) -> Span {
    statement.tokens.first().map_or(Span { end: statement.span.start, ..statement.span }, |t| t.1)
}

struct Refusal {
    code: Code,
    error: String,
    at: Span,
    help: Option<String>,
}

fn view_kind(
    statement: &Statement,
    result: Result<Box<sqlparser::ast::Query>, Refusal>,
    report: bool,
    diagnostics: &mut Diagnostics,
) -> StatementKind {
    let refusal = match result {
        Ok(query) => {
            return StatementKind::Parsed(query.into());
        }
        Err(refusal) => refusal,
    };
    if report {
        let name = view::head(&statement.tokens).ok().map(|h| h.name);
        let of = name.as_ref().map_or(String::new(), |n| format!(" of `{}`", n.name));
        let title = match refusal.code {
            Code::SyntaxError => format!("syntax error in the definition{of}"),
            _ => format!("the definition{of} would be misread"),
        };
        let mut d = Diagnostic::new(refusal.code, title, refusal.at).label(refusal.error.clone());
        if let Some(name) = name.filter(|n| n.span != refusal.at) {
            d = d.also(name.span, "in this view");
        }
        d = d.help(refusal.help.clone().unwrap_or_else(|| {
            "if this is valid PostgreSQL and need not be compiled, write `-- tviewc: skip` above the view".to_owned()
        }));
        diagnostics.push(d);
    }
    StatementKind::Opaque { error: refusal.error, at: refusal.at }
}

fn parse_view(
    sources: &Sources,
    statement: &Statement,
    mut located: Vec<TokenWithSpan>,
) -> Result<Box<sqlparser::ast::Query>, Refusal> {
    let syntax = |error: String, at: Span| Refusal { code: Code::SyntaxError, error, at, help: None };
    let head = view::head(&statement.tokens).map_err(|(error, at)| syntax(error, at.unwrap_or(statement.span)))?;
    let tokens = &statement.tokens[head.query.clone()];
    if let Some(at) = guards::too_deep(tokens) {
        return Err(syntax("the query is nested too deeply".to_owned(), at));
    }
    if let Some(found) = guards::tokens(sources, tokens) {
        return Err(Refusal { code: Code::MisreadSyntax, error: found.what, at: found.at, help: Some(found.help) });
    }
    located.truncate(head.query.end);
    located.drain(..head.query.start);
    let mut parser =
        Parser::new(&PostgreSqlDialect {}).with_recursion_limit(RECURSION_LIMIT).with_tokens_with_locations(located);
    let query = parser.parse_query().map_err(|e| parser_error(statement, &head, e))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let at = statement.bytes_of(next.span).unwrap_or(statement.span);
        return Err(syntax(format!("unexpected `{}`", sources.text(at)), at));
    }
    if let Some(found) = dialect::check(&query) {
        let at = statement.bytes_of(found.at).unwrap_or(statement.span);
        return Err(Refusal { code: Code::MisreadSyntax, error: found.what, at, help: Some(found.help.to_owned()) });
    }
    Ok(query)
}

/// The parser puts the place at the end of its message.
fn parser_error(statement: &Statement, head: &view::ViewHead, error: ParserError) -> Refusal {
    let message = match error {
        ParserError::TokenizerError(m) | ParserError::ParserError(m) => m,
        ParserError::RecursionLimitExceeded => "the query is nested too deeply".to_owned(),
    };
    let (text, place) = match message.rsplit_once(" at Line: ") {
        Some((text, place)) => (text.to_owned(), place.split_once(", Column: ")),
        None => (message.clone(), None),
    };
    let location = place.and_then(|(l, c)| Some(Location { line: l.parse().ok()?, column: c.parse().ok()? }));
    let end = statement.tokens[head.query.end - 1].1;
    let at = location
        .filter(|l| l.line > 0)
        .and_then(|l| statement.bytes_of(sqlparser::tokenizer::Span { start: l, end: l }))
        .unwrap_or(end);
    Refusal { code: Code::SyntaxError, error: reworded(&text), at, help: None }
}

/// `Expected: an expression, found: )` in the words of our own messages.
fn reworded(text: &str) -> String {
    let text = lower_first(text);
    let Some((expected, found)) = text.split_once(", found: ") else {
        return text;
    };
    let expected = expected.replacen("expected: ", "expected ", 1);
    match found {
        "EOF" => format!("{expected}, found the end"),
        found => format!("{expected}, found `{found}`"),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().collect::<String>() + chars.as_str())
}
