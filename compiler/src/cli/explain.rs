//! `tviewc explain`: a diagnostic's page.

use clap::Args;
use tviewc::catalog::did_you_mean;
use tviewc::diagnostics::Code;

use super::{Failure, Outcome, output};

/// Explain a diagnostic: what it means, why, and the ways out.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// A code (`TV0401`) or its name (`missing-key`).
    code: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let code = find(&arguments.code).ok_or_else(|| unknown(&arguments.code))?;
    output::print(code.page())?;
    Ok(Outcome::Fine)
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
    Failure::new(format!("there is no diagnostic `{text}`{hint}"))
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
