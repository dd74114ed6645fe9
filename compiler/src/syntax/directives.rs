//! `-- tviewc: …` comments.
//!
//! In: a file's line comments and its statements' places. Out: the directives of each statement. A
//! directive belongs to the statement that begins on the next line that is not a comment; a blank
//! line in between, or no statement, makes it an error, because it would silently do nothing.

use super::Directive;
use super::scan::{Piece, Scan};
use crate::catalog::did_you_mean;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Severity};
use crate::names::Ident;
use crate::source::{FileId, Span};

const KNOWN: &[&str] = &["key", "skip", "full_refresh", "table", "allow"];

/// The directives above each piece, in the pieces' order.
pub(super) fn attach(text: &str, file: FileId, scan: &Scan, diagnostics: &mut Diagnostics) -> Vec<Vec<Directive>> {
    let mut attached: Vec<Vec<Directive>> = vec![Vec::new(); scan.pieces.len()];
    let owners = owners(text, scan);
    for (&(start, end), owner) in scan.comments.iter().zip(owners) {
        let Some(body) = directive_text(&text[start..end]) else {
            continue;
        };
        let span = Span { file, start, end };
        let body_start = end - body.len();
        match owner {
            Some(index) => attached[index].extend(read(body, body_start, span, diagnostics)),
            None => diagnostics.push(
                Diagnostic::new(Code::UnknownDirective, "directive belongs to no statement", span)
                    .note("a directive applies to the statement that begins on the line below it")
                    .help("move it to the line directly above its CREATE VIEW"),
            ),
        }
    }
    attached
}

/// What follows `-- tviewc:`, or nothing if it is another comment.
fn directive_text(comment: &str) -> Option<&str> {
    let body = comment.strip_prefix("--")?.trim_start_matches('-').trim_start();
    let word = body.get(..6)?;
    if !word.eq_ignore_ascii_case("tviewc") {
        return None;
    }
    body[6..].trim_start().strip_prefix(':').map(str::trim_start)
}

/// The piece that each comment stands above. A comment on the line above another belongs where that one does: so a
/// long block of comments is read once.
fn owners(text: &str, scan: &Scan) -> Vec<Option<usize>> {
    let mut owners = vec![None; scan.comments.len()];
    for (at, &(_, end)) in scan.comments.iter().enumerate().rev() {
        let next = scan.comments.get(at + 1).and_then(|c| text.get(end..c.0));
        let adjoining = next.is_some_and(|t| t.trim().is_empty() && t.matches('\n').count() == 1);
        owners[at] = if adjoining { owners[at + 1] } else { owner(text, &scan.pieces, end) };
    }
    owners
}

/// The piece that begins below a comment, with nothing but comment lines between.
fn owner(text: &str, pieces: &[Piece], comment_end: usize) -> Option<usize> {
    let index = pieces.partition_point(|p| p.start < comment_end);
    let between = text.get(comment_end..pieces.get(index)?.start)?;
    // The rest of the comment's own line, the lines between, and what stands before the piece on its line.
    let mut lines = between.split('\n').skip(1).map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() {
            return line.is_empty().then_some(index);
        }
        if !(line.starts_with("--") || (line.starts_with("/*") && line.ends_with("*/"))) {
            return None;
        }
    }
    None
}

fn read(body: &str, offset: usize, comment: Span, diagnostics: &mut Diagnostics) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(skipped) = body[at..].find(|c: char| !c.is_whitespace() && c != ',') {
        at += skipped;
        let name_len =
            body[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(body.len() - at);
        let name_span = Span {
            start: offset + at,
            end: offset + at + name_len.max(body[at..].chars().next().map_or(0, char::len_utf8)),
            ..comment
        };
        if name_len == 0 {
            diagnostics.push(malformed("expected a directive's name", body, name_span));
            return found;
        }
        let name = body[at..at + name_len].to_ascii_lowercase();
        at += name_len;
        let after = body[at..].trim_start();
        let mut arguments = Vec::new();
        if after.starts_with('(') {
            let open = body.len() - after.len();
            let Some(close) = closing(after) else {
                diagnostics.push(malformed("the parenthesis is not closed", body, name_span));
                return found;
            };
            arguments = split_arguments(&after[1..close]);
            at = open + close + 1;
        }
        if check(&name, &arguments, name_span, diagnostics) {
            found.push(Directive { name, arguments, span: comment });
        }
    }
    found
}

fn malformed(what: &str, body: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownDirective, format!("directive `{body}` cannot be read"), span)
        .label(what)
        .help("write for example `-- tviewc: key(id), table(tv_post)`")
}

/// The position of the parenthesis that closes the first one; quotes may hold parentheses.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(i, c)| {
        quoted ^= c == '"';
        (c == ')' && !quoted).then_some(i)
    })
}

fn split_arguments(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '"';
        match c {
            ',' if !quoted => parts.push(String::new()),
            _ => parts.last_mut().expect("never empty").push(c),
        }
    }
    parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).map(fold).collect()
}

/// As PostgreSQL folds the parts of a (dotted, perhaps quoted) name.
fn fold(text: &str) -> String {
    let unquoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).filter(|t| !t.is_empty());
    match unquoted {
        Some(inner) => inner.replace("\"\"", "\""),
        None => Ident::fold(text).as_str().to_owned(),
    }
}

/// What a user may accept: warnings, notes, and documents as of their last change.
fn is_acceptable(code: &str) -> bool {
    let known = Code::ALL.iter().find(|c| c.number().eq_ignore_ascii_case(code));
    known.is_some_and(|c| c.severity() != Severity::Error || *c == Code::VolatileFunction)
}

fn check(name: &str, arguments: &[String], span: Span, diagnostics: &mut Diagnostics) -> bool {
    let problem = match name {
        _ if !KNOWN.contains(&name) => {
            let mut d = Diagnostic::new(Code::UnknownDirective, format!("unknown directive `{name}`"), span);
            d = match did_you_mean(name, KNOWN.iter().copied()) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help("directives are `key(…)`, `skip`, `full_refresh`, `table(name)` and `allow(CODE)`"),
            };
            diagnostics.push(d);
            return false;
        }
        "allow" if arguments.is_empty() || !arguments.iter().all(|a| is_acceptable(a)) => {
            "needs codes of warnings or notes, or TV0303 for functions that read the clock: `allow(TV0305)`"
        }
        "key" if arguments.is_empty() => "needs the key's columns: `key(a, b)`",
        "table" if arguments.len() != 1 => "needs one name: `table(tv_post)`",
        "skip" | "full_refresh" if !arguments.is_empty() => "takes no arguments",
        _ => return true,
    };
    diagnostics.push(Diagnostic::new(Code::UnknownDirective, format!("directive `{name}` {problem}"), span));
    false
}
