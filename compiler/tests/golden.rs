//! Golden snapshots of the examples: what users check into their applications. A snapshot that changes is a change of
//! the product: read it as SQL that will run in production.

use std::path::{Path, PathBuf};

use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, Output, compile};

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let entries = std::fs::read_dir(root).expect("the examples");
    let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path().join("views.sql"))).collect();
    files.retain(|f| f.is_file());
    files.sort();
    assert!(!files.is_empty());
    files
}

fn name(file: &Path) -> String {
    file.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned()
}

fn compiled(file: &Path) -> Output {
    let text = std::fs::read_to_string(file).expect("the example is read");
    let sources = Sources { files: vec![SourceFile { name: "views.sql".into(), text, context_only: false }] };
    let options = Options { program: Some(name(file)), graph: true, ..Options::default() };
    compile(&sources, &options).output.expect("the example compiles")
}

#[test]
fn examples_give_their_snapshots() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for file in examples() {
        let (name, output) = (name(&file), compiled(&file));
        settings.bind(|| {
            insta::assert_snapshot!(format!("{name}__up.sql"), output.up);
            insta::assert_snapshot!(format!("{name}__down.sql"), output.down);
            let graph = output.graph.expect("a graph");
            insta::assert_snapshot!(format!("{name}__graph.txt"), graph.text);
            let json = serde_json::to_string_pretty(&graph.json).expect("json");
            insta::assert_snapshot!(format!("{name}__graph.json"), json);
        });
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for file in examples() {
        let (first, second) = (compiled(&file), compiled(&file));
        assert_eq!((first.up, first.down), (second.up, second.down));
    }
}

#[test]
fn generated_sql_has_no_trailing_blanks() {
    for file in examples() {
        let output = compiled(&file);
        for text in [&output.up, &output.down] {
            let trailing = text.lines().position(|l| l.ends_with([' ', '\t']));
            assert_eq!(trailing, None, "{}", name(&file));
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{:?}", &text[text.len() - 20..]);
        }
    }
}
