//! `tviewc explain`: a diagnostic's page, or what a change of a table or column does.

use clap::Args;
use tviewc::Options;
use tviewc::catalog::did_you_mean;
use tviewc::diagnostics::Code;

use super::input::Input;
use super::{Failure, Global, Outcome, output, report};

/// Explain a diagnostic, or what a change of a table or column does to documents, by which strategy, under which locks, and
/// why.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// A code (`TV0401`) or its name (`missing-key`); or, of the files that follow, a table, a column (`post.title`) or a view.
    subject: String,
    #[command(flatten)]
    input: Input,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Outcome, Failure> {
    let subject = &arguments.subject;
    if !arguments.input.is_given() {
        let code = find(subject).ok_or_else(|| unknown(subject))?;
        output::print(code.page())?;
        return Ok(Outcome::Fine);
    }
    let options = Options { explain: true, ..arguments.input.options()? };
    let sources = arguments.input.read()?;
    let compilation = tviewc::compile(&sources, &options);
    let product = compilation.output.as_ref().filter(|_| !compilation.diagnostics.has_errors());
    let Some(product) = product else {
        return Ok(report::finish(&compilation.diagnostics, &sources, None, global));
    };
    let meant: Vec<String> = product.effects.iter().filter(|e| e.is_meant(subject)).map(|e| e.text()).collect();
    if meant.is_empty() {
        return Err(Failure::new(format!("no table, column or view of these files is called `{subject}`")));
    }
    output::print(&meant.join("\n"))?;
    let counts = Some((product.tviews, product.tables));
    Ok(report::finish(&compilation.diagnostics, &sources, counts, global))
}

fn find(text: &str) -> Option<Code> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("tv").unwrap_or(&lower);
    Code::ALL.iter().copied().find(|c| c.name() == lower || c.number()[2..] == *digits)
}

fn unknown(text: &str) -> Failure {
    let names = Code::ALL.iter().flat_map(|c| [c.number(), c.name()]);
    let upper = text.to_ascii_uppercase();
    let near = did_you_mean(&upper, names.clone()).or_else(|| did_you_mean(&text.to_ascii_lowercase(), names));
    let hint = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    Failure::new(format!(
        "there is no diagnostic `{text}`{hint}\nTo explain a table, a column or a view, name the files: tviewc explain {text} FILE…"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_number_and_name() {
        for text in ["TV0401", "tv0401", "0401", "missing-key"] {
            assert_eq!(find(text), Some(Code::MissingKey), "{text}");
        }
        assert_eq!(find("TV0499"), None);
        assert!(matches!(unknown("missing-kye"), Failure::Plain(text) if text.contains("missing-key")));
    }
}
