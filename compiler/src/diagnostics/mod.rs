//! Diagnostics: what every stage reports, and the one list they are collected in.
//!
//! In: codes, titles, spans. Out: [`Diagnostic`] values; they are rendered only at the edge
//! ([`render`]). A stage never prints and never stops at its first finding.

pub mod codes;
pub mod render;

use indexmap::IndexSet;

use crate::source::Span;
pub use codes::Code;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something to know.
    Note,
    /// Compiles, but the user should look.
    Warning,
    /// Nothing is emitted.
    Error,
}

/// A place with what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: String,
}

/// One finding: a short title, a label on each span that matters, why, and the edit to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Which finding.
    pub code: Code,
    /// From the code, unless a directive lowers it.
    pub severity: Severity,
    /// One line, lower case, no full stop.
    pub title: String,
    /// The place.
    pub primary: Option<Label>,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// Why.
    pub notes: Vec<String>,
    /// Ways out.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A finding at a place.
    pub fn new(code: Code, title: impl Into<String>, span: Span) -> Self {
        Diagnostic { primary: Some(Label { span, text: String::new() }), ..Self::bare(code, title) }
    }

    /// A finding without a place (options, input and output).
    pub fn bare(code: Code, title: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.severity(),
            title: title.into(),
            primary: None,
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Says something of the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Points at another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a reason.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a way out.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }
}

/// The findings of a compilation, in the order found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: IndexSet<Diagnostic>,
}

impl Diagnostics {
    /// Adds one; the same finding at the same place is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.insert(diagnostic);
    }

    /// Leaves out the warnings and notes that are accepted.
    pub fn accept(&mut self, is_accepted: impl Fn(&Diagnostic) -> bool) {
        self.list.retain(|d| d.severity == Severity::Error || !is_accepted(d));
    }

    /// Whether anything forbids emitting.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// All, ordered by place.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.list.iter().collect();
        all.sort_by_key(|d| d.primary.as_ref().map(|l| l.span));
        all
    }
}
