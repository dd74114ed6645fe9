//! The compiler as one function: all stages in order.
//!
//! In: [`Sources`] and [`Options`]. Out: a [`Compilation`]: diagnostics, and the output unless one of
//! them is an error. It reads and writes nothing else; the same input gives the same output.

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use crate::advice;
use crate::catalog::{self, Catalog, Relation};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::document::{self, Documents};
use crate::emit::{self, Given, Program};
use crate::explain::{self, Effect};
use crate::graph::{Graph, Pictures};
use crate::names::{Ident, QualName};
use crate::plan::{self, Decisions, TablePlan, Tview, Whole};
use crate::relate;
use crate::resolve::{self, FlatView};
use crate::source::{Lines, Sources, Span};
use crate::syntax::{self, Statement};

/// What the caller may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The program's name; by default the stem of the first file, `main` for standard input.
    pub program: Option<String>,
    /// Which strategies the plan may choose from.
    pub strategy: plan::Strategy,
    /// Whether [`Output::effects`] are wanted.
    pub explain: bool,
    /// Whether [`Output::graph`] is wanted.
    pub graph: bool,
}

/// The result.
pub struct Compilation {
    /// Everything found.
    pub diagnostics: Diagnostics,
    /// `None` where there are errors.
    pub output: Option<Output>,
}

/// The product.
pub struct Output {
    /// The program's name.
    pub program: String,
    /// The migration.
    pub up: String,
    /// Its reverse.
    pub down: String,
    /// The dependency graph, where it was asked for.
    pub graph: Option<Pictures>,
    /// What a change of each column does, where that was asked for.
    pub effects: Vec<Effect>,
    /// How many tviews it maintains.
    pub tviews: usize,
    /// How many base tables carry triggers.
    pub tables: usize,
    /// Statements of the source that are not applied to a database before the migration, which makes what they define.
    pub waiting: Vec<Span>,
}

/// Stack for the walk over deeply nested expressions; the parser's own recursion limit keeps them
/// far below it, chains of operators do not.
const STACK_BYTES: usize = 256 << 20;

/// Compiles.
pub fn compile(sources: &Sources, options: &Options) -> Compilation {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let handle = builder.spawn_scoped(scope, || compile_here(sources, options));
        match handle.map(|h| h.join()) {
            Ok(Ok(compilation)) => compilation,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => compile_here(sources, options),
        }
    })
}

fn compile_here(sources: &Sources, options: &Options) -> Compilation {
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(sources, &mut diagnostics);
    let catalog = catalog::build(sources, &statements, &mut diagnostics);
    let views = resolve::resolve(sources, &statements, &catalog, &mut diagnostics);
    let mut tviews = tviews(views, &catalog, &mut diagnostics);
    let given = Given { sources, statements: &statements, catalog: &catalog };
    tviews.iter_mut().for_each(|tview| tview.computed_whole = emit::computed_whole(given, tview));
    let plan::Plans { tables, parts } = plan::plan(&tviews, &catalog, sources, &statements, options.strategy);
    advice::advise(&tviews, &tables, &parts, &catalog, &mut diagnostics);
    let name = program_name(sources, options);
    check_names(&name, &tviews, &parts, &tables, &catalog, &mut diagnostics);
    accept(&statements, &mut diagnostics);
    if diagnostics.has_errors() {
        return Compilation { diagnostics, output: None };
    }
    let hash = source_hash(sources, &name, options.strategy);
    let decisions = Decisions::of(&tables, &parts);
    let program = Program {
        name: &name,
        hash: &hash,
        sources,
        lines: &Lines::new(sources),
        statements: &statements,
        catalog: &catalog,
        tviews: &tviews,
        by_view: &tviews.iter().enumerate().map(|(n, t)| (&t.view.name, n)).collect(),
        tables: &tables,
        parts: &parts,
        decisions: &decisions,
        calls_own_functions: tviews.iter().any(|t| t.view.calls_user_functions),
    };
    let files = emit::emit(&program);
    let output = Output {
        up: files.up,
        down: files.down,
        graph: options.graph.then(|| Pictures::draw(&name, &tviews, &tables, &decisions, &catalog)),
        effects: if options.explain { explain::effects(&tviews, &tables, &decisions, &catalog) } else { Vec::new() },
        tviews: tviews.len(),
        tables: tables.len(),
        waiting: catalog.waiting,
        program: name,
    };
    Compilation { diagnostics, output: Some(output) }
}

/// `allow(CODE)` above a view accepts the warnings of that code in it.
fn accept(statements: &[Statement], diagnostics: &mut Diagnostics) {
    let accepting = statements.iter().flat_map(|s| {
        let allow = s.directives.iter().filter(|d| d.name == "allow");
        allow.flat_map(|d| &d.arguments).map(|code| (s.span, code.as_str()))
    });
    let accepting: Vec<_> = accepting.collect();
    diagnostics.accept(|d| {
        let place = d.primary.as_ref().map(|l| l.span);
        accepting.iter().any(|(span, code)| {
            d.code.number().eq_ignore_ascii_case(code)
                && place.is_some_and(|p| p.file == span.file && span.start <= p.start && p.end <= span.end)
        })
    });
}

/// The tviews in topological order; views without a key or a link are reported.
fn tviews(views: Vec<FlatView>, catalog: &Catalog, diagnostics: &mut Diagnostics) -> Vec<Tview> {
    let mut tviews = Vec::new();
    for view in views {
        let Some(relations) = relate::relate(&view, catalog, diagnostics) else { continue };
        let documents = document::analyse(&relations, catalog, diagnostics);
        check_readable(&view, &documents, catalog, diagnostics);
        tviews.push(Tview { name: tview_name(&view), view, relations, documents, computed_whole: Whole::default() });
    }
    let order = Graph::build(&tviews).order(&tviews);
    let mut slots: Vec<Option<Tview>> = tviews.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| slots[index].take()).collect()
}

/// Transition tables do not hold virtual generated columns.
fn check_readable(view: &FlatView, documents: &Documents, catalog: &Catalog, diagnostics: &mut Diagnostics) {
    for (use_id, columns) in &documents.reads {
        let owner = &view.uses[use_id.0];
        let Relation::Table(table) = &catalog.relations[&owner.table] else { continue };
        for column in columns.iter().map(|c| &table.columns[*c]).filter(|c| c.virtual_generated) {
            let title = format!("`{}.{}` is a virtual generated column", table.name.name, column.name);
            diagnostics.push(
                Diagnostic::new(Code::UntriggeredSource, title, owner.span)
                    .also(column.span, "declared here")
                    .note("triggers cannot see the old and new values of virtual columns")
                    .help("make it STORED, or write its expression in the view"),
            );
        }
    }
}

/// `v_x` gives `tv_x`, any other `x` gives `tv_x` too; a directive says otherwise.
fn tview_name(view: &FlatView) -> QualName {
    let schema = view.name.schema.clone();
    if let Some(name) = view.directive("table").and_then(|d| d.arguments.first()) {
        return QualName::new(schema, Ident::new(name.clone()));
    }
    let stem = view.name.name.as_str();
    let stem = stem.strip_prefix("v_").unwrap_or(stem);
    QualName::new(schema, Ident::new(crate::names::truncate(&format!("tv_{stem}"))))
}

/// The tag of the dollar quotes around generated function bodies.
const DOLLAR_TAG: &str = "$tview$";

/// Names that the migration makes must differ from each other and from what exists.
fn check_names(
    program: &str,
    tviews: &[Tview],
    parts: &[plan::TviewParts],
    tables: &[TablePlan],
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) {
    let mut names: IndexMap<&QualName, &Tview> = IndexMap::new();
    for tview in tviews {
        if let Some(first) = names.insert(&tview.name, tview) {
            let title = format!("two views would be kept in `{}`", tview.name);
            diagnostics.push(
                Diagnostic::new(Code::TviewNameClash, title, tview.view.span)
                    .also(first.view.span, "the other one")
                    .help("write `-- tviewc: table(another_name)` on the line above one of them"),
            );
        }
        let tagged = tview.view.outputs.iter().find(|o| o.name.as_str().contains(DOLLAR_TAG));
        let aliased = tview.view.uses.iter().any(|u| {
            u.alias.as_str().contains(DOLLAR_TAG)
                || u.table.to_string().contains(DOLLAR_TAG)
                || tagged_column(u, catalog)
        });
        if tagged.is_some() || aliased || tview.name.to_string().contains(DOLLAR_TAG) {
            let title = format!("a name in `{}` contains {DOLLAR_TAG}", tview.view.name);
            diagnostics.push(
                Diagnostic::new(Code::DuplicateName, title, tview.view.span)
                    .note("the generated functions are quoted with that tag"),
            );
        }
    }
    if names.len() < tviews.len() {
        return;
    }
    let bases: Vec<QualName> = tables.iter().map(|t| t.table.clone()).collect();
    let mut seen: IndexMap<Ident, String> = IndexMap::new();
    for (name, what) in emit::object_names(program, tviews, parts, &bases) {
        if let Some(other) = seen.insert(name.clone(), what.clone()) {
            let title = format!("{what} and {other} would both be called tview.{name}");
            diagnostics.push(Diagnostic::bare(Code::DuplicateName, title).help("give the view or table another name"));
        }
    }
}

/// Whether a column of a base table has the tag in its name.
fn tagged_column(owner: &crate::resolve::Use, catalog: &Catalog) -> bool {
    match catalog.relations.get(&owner.table) {
        Some(Relation::Table(table)) => table.columns.iter().any(|c| c.name.as_str().contains(DOLLAR_TAG)),
        _ => false,
    }
}

fn program_name(sources: &Sources, options: &Options) -> String {
    if let Some(name) = &options.program {
        return name.clone();
    }
    let first = sources.files.iter().find(|f| !f.context_only).map_or("main", |f| f.name.as_str());
    let file = first.rsplit(['/', '\\']).next().unwrap_or(first);
    let stem = file.split('.').next().unwrap_or(file);
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(24).collect();
    match plain.trim_matches('_') {
        "" | "stdin" => "main".into(),
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("p{name}").chars().take(24).collect(),
        name => name.into(),
    }
}

/// Of all input bytes, of the name, of the options and of the compiler's version: another compiler may emit other SQL.
fn source_hash(sources: &Sources, program: &str, strategy: plan::Strategy) -> String {
    let mut hash = Sha256::new();
    for part in [program, env!("CARGO_PKG_VERSION")] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    for file in &sources.files {
        hash.update((file.text.len() as u64).to_le_bytes());
        hash.update(file.text.as_bytes());
        hash.update([u8::from(file.context_only)]);
    }
    if strategy != plan::Strategy::Auto {
        hash.update(format!("{strategy:?}"));
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
