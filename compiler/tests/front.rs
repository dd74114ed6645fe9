//! All stages over whole files: `data/ok` gives no error, `data/err` gives the diagnostics
//! that the snapshots hold.

use std::path::{Path, PathBuf};

use tviewc::diagnostics::Diagnostics;
use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::source::{SourceFile, Sources};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "sql"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn diagnose(file: &Path) -> (Diagnostics, Sources) {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let sources = Sources { files: vec![SourceFile { name, text, context_only: false }] };
    let diagnostics = tviewc::compile(&sources, &tviewc::Options::default()).diagnostics;
    (diagnostics, sources)
}

/// Snapshots of rendered diagnostics, beside all others in the top-level folder.
fn assert_rendered(file: &Path, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let stem = file.file_stem().unwrap().to_string_lossy();
    settings.bind(|| insta::assert_snapshot!(format!("diagnostics__{stem}"), text));
}

#[test]
fn ok_files_have_no_errors() {
    for file in files("ok") {
        let (diagnostics, sources) = diagnose(&file);
        let text = render(&diagnostics, &sources, Format::Full, Color::Never);
        assert!(!diagnostics.has_errors(), "{}:\n{text}", file.display());
        if !text.is_empty() {
            assert_rendered(&file, &text);
        }
    }
}

#[test]
fn err_files_have_the_diagnostics_of_their_snapshots() {
    for file in files("err") {
        let (diagnostics, sources) = diagnose(&file);
        assert!(diagnostics.has_errors(), "{} gives no error", file.display());
        let text = render(&diagnostics, &sources, Format::Full, Color::Never);
        assert_rendered(&file, &text);
    }
}

/// Codes that no input file can give: input and output, and our own faults.
const WITHOUT_INPUT: [&str; 2] = ["TV0001", "TV9901"];

#[test]
fn every_code_has_an_input_that_gives_it() {
    let all: Vec<PathBuf> = ["ok", "err"].iter().flat_map(|folder| files(folder)).collect();
    let given: Vec<&str> = all
        .iter()
        .flat_map(|file| diagnose(file).0.sorted().iter().map(|d| d.code.number()).collect::<Vec<_>>())
        .collect();
    for code in tviewc::diagnostics::Code::ALL.iter().map(|c| c.number()) {
        assert!(given.contains(&code) || WITHOUT_INPUT.contains(&code), "no input gives {code}");
    }
}

#[test]
fn every_page_opens_with_its_code() {
    for code in tviewc::diagnostics::Code::ALL {
        let title = format!("# {} {}\n", code.number(), code.name());
        assert!(code.page().starts_with(&title), "{title}");
        assert!(code.page().contains("\n## Ways out\n"), "{title}");
    }
}
