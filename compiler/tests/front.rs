//! The front stages over whole files: `data/ok` gives no error, `data/err` gives the diagnostics
//! that the snapshots hold.

use std::path::{Path, PathBuf};

use tviewc::diagnostics::Diagnostics;
use tviewc::diagnostics::render::{Color, Format, render};
use tviewc::source::{SourceFile, Sources};
use tviewc::{catalog, syntax};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "sql"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn diagnose(file: &Path) -> (Diagnostics, Sources) {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let sources = Sources {
        files: vec![SourceFile {
            name,
            text,
            context_only: false,
        }],
    };
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(&sources, &mut diagnostics);
    catalog::build(&sources, &statements, &mut diagnostics);
    (diagnostics, sources)
}

#[test]
fn ok_files_have_no_errors() {
    for file in files("ok") {
        let (diagnostics, sources) = diagnose(&file);
        let text = render(&diagnostics, &sources, Format::Full, Color::Never);
        assert!(!diagnostics.has_errors(), "{}:\n{text}", file.display());
    }
}

#[test]
fn err_files_have_the_diagnostics_of_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files("err") {
            let (diagnostics, sources) = diagnose(&file);
            assert!(
                diagnostics.has_errors(),
                "{} gives no error",
                file.display()
            );
            let text = render(&diagnostics, &sources, Format::Full, Color::Never);
            let stem = file.file_stem().unwrap().to_string_lossy();
            insta::assert_snapshot!(format!("diagnostics__{stem}"), text);
        }
    });
}

#[test]
fn every_page_opens_with_its_code() {
    for code in tviewc::diagnostics::Code::ALL {
        let title = format!("# {} {}\n", code.number(), code.name());
        assert!(code.page().starts_with(&title), "{title}");
        assert!(code.page().contains("\n## Ways out\n"), "{title}");
    }
}
