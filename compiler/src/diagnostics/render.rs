//! Rendering: findings as text, one renderer per format.
//!
//! In: [`Diagnostics`] and the sources they point into. Out: text that ends with a line break, or
//! nothing where there is nothing to say. Order is by place. Lines and columns are counted from 1,
//! columns in characters.

mod full;
mod github;
mod json;
mod sarif;

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{Lines, Sources, Span};

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the source text and everything that is known, for people.
    Full,
    /// One line each, `file:line:column: error[TV0401]: title`.
    Concise,
    /// One JSON object per line.
    Json,
    /// Workflow commands that annotate a pull request.
    Github,
    /// SARIF 2.1.0, one document.
    Sarif,
}

/// Whether terminal escapes are used; only [`Format::Full`] has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// With escapes.
    Always,
}

/// All findings in one format.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, format: Format, color: Color) -> String {
    let all = diagnostics.sorted();
    let lines = &Lines::new(sources);
    match format {
        Format::Full => all.iter().map(|d| full::one(d, lines, color)).collect(),
        Format::Concise => all.iter().map(|d| concise(d, lines)).collect(),
        Format::Json => all.iter().map(|d| json::one(d, lines)).collect(),
        Format::Github => all.iter().map(|d| github::one(d, lines)).collect(),
        Format::Sarif => sarif::document(&all, lines),
    }
}

fn concise(d: &Diagnostic, lines: &Lines<'_>) -> String {
    let place = d.primary.as_ref().map_or(String::new(), |label| {
        let region = Region::of(label.span, lines);
        format!("{}:{}:{}: ", lines.file(label.span.file).name, region.line, region.column)
    });
    format!("{place}{}[{}]: {}\n", severity(d.severity), d.code.number(), one_line(&d.title))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A span in lines and columns; the end is exclusive.
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    fn of(span: Span, lines: &Lines<'_>) -> Self {
        let (line, column) = lines.line_column(span);
        let (end_line, end_column) = lines.line_column(Span { start: span.end, ..span });
        Region { line, column, end_line, end_column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Code;
    use crate::source::{FileId, SourceFile};

    fn example() -> (Diagnostics, Sources) {
        let text = "-- é\nCREATE VIEW v AS SELECT titel FROM post;\n";
        let files = vec![SourceFile { name: "a,b.sql".into(), text: text.into(), context_only: false }];
        let at = |needle: &str| {
            let start = text.find(needle).unwrap();
            Span { file: FileId(0), start, end: start + needle.len() }
        };
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(
            Diagnostic::new(Code::UnknownColumn, "unknown column `titel`", at("titel"))
                .label("not a column of `post`")
                .also(at("post"), "this table")
                .note("columns are `id`, `title`")
                .help("did you mean `title`?"),
        );
        diagnostics.push(Diagnostic::bare(Code::NotMaterialized, "100% bare"));
        (diagnostics, Sources { files })
    }

    fn rendered(format: Format) -> String {
        let (diagnostics, sources) = example();
        render(&diagnostics, &sources, format, Color::Never)
    }

    #[test]
    fn full_shows_the_text() {
        let text = rendered(Format::Full);
        let expected = "\
note[TV0307]: 100% bare

error[TV0202]: unknown column `titel`
 --> a,b.sql:2:25
  |
2 | CREATE VIEW v AS SELECT titel FROM post;
  |                         ^^^^^      ---- this table
  |                         |
  |                         not a column of `post`
  |
  = note: columns are `id`, `title`
  = help: did you mean `title`?

";
        assert_eq!(text, expected);
        let (diagnostics, sources) = example();
        assert!(render(&diagnostics, &sources, Format::Full, Color::Always).contains('\u{1b}'));
    }

    #[test]
    fn concise_is_one_line() {
        assert_eq!(
            rendered(Format::Concise),
            "note[TV0307]: 100% bare\na,b.sql:2:25: error[TV0202]: unknown column `titel`\n"
        );
    }

    #[test]
    fn json_lines_hold_every_field() {
        let lines: Vec<serde_json::Value> =
            rendered(Format::Json).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines[1]["code"], "TV0202");
        assert_eq!(lines[1]["line"], 2);
        assert_eq!(lines[1]["end_column"], 30);
        assert_eq!(lines[1]["byte_start"], 30);
        assert_eq!(lines[1]["labels"][1]["text"], "this table");
        assert_eq!(lines[0]["file"], serde_json::Value::Null);
    }

    #[test]
    fn github_escapes_its_properties() {
        assert_eq!(
            rendered(Format::Github),
            "::notice title=TV0307 not-materialized::100%25 bare\n\
             ::error file=a%2Cb.sql,line=2,col=25,endLine=2,endColumn=30,title=TV0202 unknown-column::\
             unknown column `titel`: not a column of `post`%0Anote: columns are `id`, `title`%0Ahelp: did you mean `title`?\n"
        );
    }

    #[test]
    fn sarif_names_rules_and_places() {
        let sarif: serde_json::Value = serde_json::from_str(&rendered(Format::Sarif)).unwrap();
        let run = &sarif["runs"][0];
        assert_eq!(sarif["version"], "2.1.0");
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "TV0307");
        assert_eq!(run["results"][1]["ruleIndex"], 1);
        assert_eq!(run["results"][1]["locations"][0]["physicalLocation"]["region"]["startColumn"], 25);
    }
}
