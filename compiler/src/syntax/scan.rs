//! Cuts a file into statements before anything is tokenized.
//!
//! In: a file's text. Out: [`Piece`]s (byte ranges of statements without the semicolon), the line
//! comments, and lexical errors. Knows what can hide a semicolon: strings, quoted identifiers,
//! dollar quotes, nested comments, `CREATE RULE … DO (a; b)` and `BEGIN ATOMIC` bodies, and what is
//! not SQL at all: psql meta-commands and the data lines of `COPY … FROM stdin`.

/// A statement's byte range, from its first token to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub start: usize,
    pub end: usize,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub pieces: Vec<Piece>,
    /// `-- …` comments outside of statements' strings, without the line's end.
    pub comments: Vec<(usize, usize)>,
    /// Byte range of the opening quote and what is missing.
    pub errors: Vec<(usize, usize, &'static str)>,
}

/// Scans a whole file.
pub(super) fn scan(text: &str) -> Scan {
    let mut scanner = Scanner::new(text);
    // A byte order mark is not part of the first statement.
    scanner.at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while scanner.at < scanner.bytes.len() {
        scanner.step();
    }
    scanner.finish_piece();
    scanner.out
}

/// What is known of the statement under way; mirrors how psql finds a statement's end.
#[derive(Default)]
struct Current {
    start: Option<usize>,
    end: usize,
    words: usize,
    copy: bool,
    from: bool,
    from_stdin: bool,
    create: bool,
    rule: bool,
    routine: bool,
    parens: usize,
    begins: usize,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    current: Current,
    out: Scan,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Scanner { text, bytes: text.as_bytes(), at: 0, current: Current::default(), out: Scan::default() }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        let start = self.at;
        match self.peek(0) {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
            b'-' if self.peek(1) == b'-' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'\\' => self.backslash(),
            b';' => self.semicolon(),
            b'\'' => self.quoted(start, b'\'', false, "unterminated string"),
            b'"' => self.quoted(start, b'"', false, "unterminated quoted identifier"),
            b'$' => self.dollar(),
            c if is_ident_start(c) => self.word(),
            c if c.is_ascii_digit() => self.number(),
            c => {
                match c {
                    b'(' => self.current.parens += 1,
                    b')' => self.current.parens = self.current.parens.saturating_sub(1),
                    _ => {}
                }
                self.at += 1;
                self.token(start);
            }
        }
    }

    /// Counts `start..at` into the statement.
    fn token(&mut self, start: usize) {
        self.current.start.get_or_insert(start);
        self.current.end = self.at;
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |i| from + i)
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.at = self.line_end(start);
        let trimmed = self.text[start..self.at].trim_end().len();
        self.out.comments.push((start, start + trimmed));
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.unterminated(start, 2, "unterminated comment");
    }

    /// Reports the opening quote and goes on after the next semicolon at a line's end, so that one
    /// missing quote does not hide the rest of the file.
    fn unterminated(&mut self, start: usize, width: usize, what: &'static str) {
        self.out.errors.push((start, start + width, what));
        let rest = &self.text[start + width..];
        let resume = rest.match_indices(';').find(|(i, _)| {
            let after = &rest[i + 1..];
            let line = after.split('\n').next().unwrap_or("");
            line.trim().is_empty()
        });
        self.at = resume.map_or(self.text.len(), |(i, _)| start + width + i + 1);
        self.current = Current::default();
    }

    /// A string or quoted identifier whose opening quote is at `at`.
    fn quoted(&mut self, start: usize, quote: u8, backslashes: bool, what: &'static str) {
        let open = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                0 if self.at >= self.bytes.len() => return self.unterminated(open, 1, what),
                b'\\' if backslashes => self.at += 2,
                c if c == quote && self.peek(1) == quote => self.at += 2,
                c if c == quote => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.token(start);
    }

    fn dollar(&mut self) {
        let start = self.at;
        let tag_len = self.bytes[start + 1..]
            .iter()
            .enumerate()
            .take_while(|(i, c)| is_ident_start(**c) || (*i > 0 && c.is_ascii_digit()))
            .count();
        let open_end = start + 1 + tag_len;
        if self.bytes.get(open_end) != Some(&b'$') {
            self.at += 1;
            return self.token(start);
        }
        let tag = &self.text[start..=open_end];
        match self.text[open_end + 1..].find(tag) {
            Some(i) => {
                self.at = open_end + 1 + i + tag.len();
                self.token(start);
            }
            None => self.unterminated(start, tag.len(), "unterminated dollar-quoted string"),
        }
    }

    fn number(&mut self) {
        let start = self.at;
        while self.peek(0).is_ascii_alphanumeric() || matches!(self.peek(0), b'_' | b'.') {
            self.at += 1;
        }
        self.token(start);
    }

    fn word(&mut self) {
        let start = self.at;
        while is_ident_part(self.peek(0)) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if self.peek(0) == b'\'' && word.eq_ignore_ascii_case("e") {
            return self.quoted(start, b'\'', true, "unterminated string");
        }
        self.token(start);
        self.track(&word.to_ascii_lowercase());
    }

    /// Follows the words that decide where a statement ends.
    fn track(&mut self, word: &str) {
        let current = &mut self.current;
        current.words += 1;
        match word {
            "copy" if current.words == 1 => current.copy = true,
            "create" if current.words == 1 => current.create = true,
            "rule" if current.create && current.words <= 4 => current.rule = true,
            "function" | "procedure" if current.create && current.words <= 4 => current.routine = true,
            "stdin" if current.copy && current.from => current.from_stdin = true,
            "begin" if current.routine && current.parens == 0 => current.begins += 1,
            "case" if current.begins > 0 => current.begins += 1,
            "end" if current.begins > 0 => current.begins -= 1,
            _ => {}
        }
        current.from = word == "from";
    }

    fn semicolon(&mut self) {
        let start = self.at;
        self.at += 1;
        // Only a rule's action list has semicolons inside parentheses: elsewhere the parenthesis is
        // a mistake, which must not swallow the statements that follow.
        if (self.current.rule && self.current.parens > 0) || self.current.begins > 0 {
            return self.token(start);
        }
        let data = self.current.from_stdin;
        self.finish_piece();
        if data {
            self.skip_copy_data();
        }
    }

    fn finish_piece(&mut self) {
        let current = std::mem::take(&mut self.current);
        if let Some(start) = current.start {
            self.out.pieces.push(Piece { start, end: current.end });
        }
    }

    fn skip_copy_data(&mut self) {
        let mut line = self.line_end(self.at) + 1;
        while line < self.text.len() {
            let end = self.line_end(line);
            if self.text[line..end].trim_end_matches('\r') == "\\." {
                self.at = end;
                return;
            }
            line = end + 1;
        }
        self.at = self.text.len();
    }

    /// A psql meta-command: ignored at a statement's start; `\g` and its kin end a statement.
    fn backslash(&mut self) {
        let start = self.at;
        let end = self.line_end(start);
        let line = &self.text[start..end];
        if line.starts_with("\\;") {
            self.at += 2;
            return self.finish_piece();
        }
        let sends = ["\\g", "\\crosstabview", "\\watch", "\\bind", "\\parse"].iter().any(|c| line.starts_with(c));
        if self.current.start.is_none() || sends {
            self.finish_piece();
            self.at = end;
            let lower = line.to_ascii_lowercase();
            if lower.starts_with("\\copy") && lower.contains("from stdin") {
                self.skip_copy_data();
            }
            return;
        }
        self.at += 1;
        self.token(start);
    }
}

fn is_ident_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

fn is_ident_part(c: u8) -> bool {
    is_ident_start(c) || c.is_ascii_digit() || c == b'$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        scan(text).pieces.iter().map(|p| &text[p.start..p.end]).collect()
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        let text = "select ';' , \"a;b\" /* ; /* ; */ ; */ -- ;\n, $x$ ; $$ ; $x$, E'\\';' ; select 2";
        assert_eq!(pieces(text), [&text[..text.len() - 11], "select 2"]);
    }

    #[test]
    fn copy_data_and_meta_commands_are_not_sql() {
        let text = "\\set x 'y\nCOPY a (b) FROM stdin;\nit's; data\n\\.\n\nselect 1;\\unrestrict q\nselect 2 \\gexec\nselect 3";
        assert_eq!(pieces(text), ["COPY a (b) FROM stdin", "select 1", "select 2", "select 3"]);
    }

    #[test]
    fn atomic_bodies_and_rules_hold_semicolons() {
        let body =
            "create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end";
        let rule = "create rule r as on insert to t do (select 1; select 2)";
        let text = format!("{body};{rule};select (1;select 2");
        assert_eq!(pieces(&text), [body, rule, "select (1", "select 2"]);
    }

    #[test]
    fn an_unterminated_quote_is_located_and_recovered_from() {
        let text = "select 1;\nselect 'abc;\nselect 3;";
        let scan = scan(text);
        assert_eq!(scan.errors, [(17, 18, "unterminated string")]);
        assert_eq!(pieces(text), ["select 1", "select 3"]);
    }

    #[test]
    fn crlf_and_dollar_parameters() {
        assert_eq!(pieces("select $1;\r\nselect a$b$c;\r\n"), ["select $1", "select a$b$c"]);
        assert_eq!(pieces("copy t from stdin;\r\n1;2\r\n\\.\r\nselect 1;\r\n"), ["copy t from stdin", "select 1"]);
    }
}
