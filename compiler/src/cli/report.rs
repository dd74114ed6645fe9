//! Diagnostics, the summary line and failures, on standard error.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

use tviewc::diagnostics::render::{Color, render};
use tviewc::diagnostics::{Diagnostic, Diagnostics, Severity};
use tviewc::source::Sources;

use super::{ColorChoice, Global, MessageFormat, Outcome};

/// Writes the diagnostics and the summary; `product` is what was made, if anything was.
pub(super) fn finish(
    diagnostics: &Diagnostics,
    sources: &Sources,
    product: Option<(usize, usize)>,
    global: &Global,
) -> Outcome {
    let text = render(diagnostics, sources, global.message_format.format(), color(global.color));
    write(&text);
    // A machine reads these: nothing else may stand there.
    if !matches!(global.message_format, MessageFormat::Json | MessageFormat::Sarif) {
        write(&format!("tviewc: {}\n", summary(diagnostics, product)));
    }
    if diagnostics.has_errors() || product.is_none() { Outcome::Errors } else { Outcome::Fine }
}

fn summary(diagnostics: &Diagnostics, product: Option<(usize, usize)>) -> String {
    let mut parts = Vec::new();
    if let Some((tviews, tables)) = product {
        parts.push(format!("{} from {}", count(tviews, "tview"), count(tables, "table")));
    }
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        match diagnostics.count(severity) {
            0 => {}
            n => parts.push(count(n, word)),
        }
    }
    parts.join(", ")
}

/// A number of things, in words.
pub(super) fn count<N: Display + PartialEq + From<u8>>(n: N, word: &str) -> String {
    let plural = if n == N::from(1) { "" } else { "s" };
    format!("{n} {word}{plural}")
}

fn color(choice: ColorChoice) -> Color {
    let allowed = || {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        std::io::stderr().is_terminal() && !no_color && !dumb
    };
    match choice {
        ColorChoice::Always => Color::Always,
        ColorChoice::Auto if allowed() => Color::Always,
        ColorChoice::Auto | ColorChoice::Never => Color::Never,
    }
}

/// Standard error may be closed too; there is nowhere left to say so.
fn write(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The summary of a command without diagnostics; where a machine reads them there is none.
pub(super) fn say(text: &str, global: &Global) {
    if !matches!(global.message_format, MessageFormat::Json | MessageFormat::Sarif) {
        write(&format!("tviewc: {text}\n"));
    }
}

/// A usage, configuration or input/output failure.
pub(super) fn failure(message: &str) {
    write(&format!("tviewc: {message}\n"));
}

/// An input that cannot be read.
pub(super) fn unreadable(diagnostic: Diagnostic, global: &Global) {
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(diagnostic);
    finish(&diagnostics, &Sources::default(), None, global);
}

/// The panic hook.
pub(super) fn bug(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or(String::new(), |l| format!(" at {}:{}", l.file(), l.line()));
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    write(&format!(
        "tviewc: error[TV9901]: internal error{place}: {}\n\
         This is a bug in tviewc {}. Please report it with this message and, if you can, the input that led to it.\n\
         Nothing was written.\n",
        text.unwrap_or("unknown"),
        env!("CARGO_PKG_VERSION"),
    ));
}

#[cfg(test)]
mod tests {
    use tviewc::diagnostics::Code;

    use super::*;

    #[test]
    fn summary_counts() {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::bare(Code::MissingIndex, "a"));
        assert_eq!(summary(&diagnostics, Some((2, 3))), "2 tviews from 3 tables, 1 warning");
        diagnostics.push(Diagnostic::bare(Code::MissingKey, "b"));
        assert_eq!(summary(&diagnostics, None), "1 error, 1 warning");
        assert_eq!(summary(&Diagnostics::default(), Some((1, 0))), "1 tview from 0 tables");
    }
}
