//! One generated program on a real server.
//!
//! In: a seed. Out: what became of each of its views: refused with which codes, or compiled, applied and compared with its tview
//! after random writes. Whatever else happens (invalid SQL, a panic, an error of the migration, a wrong document) is a [`Failed`].

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tviewc::diagnostics::{Code, Severity};
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::dice::Dice;
use tviewc_verify::writer::{
    Cause, Failure, Kind, RunOptions, RunReport, WriterOptions, minimise_with, random_run_with,
};
use tviewc_verify::{CompareOptions, Multisets, SUPERUSER, Writer};

use crate::query::{View, view};
use crate::schema::Schema;
use crate::shapes::Menu;
use crate::shared::{OWNER, server};

const VIEWS: usize = 5;

/// How much to do per case.
pub struct Effort {
    pub transactions: usize,
    /// Trials to shorten a failing history; none leaves it as it is.
    pub trials: usize,
    /// Whether the triggers of the first table are switched off, which must be found.
    pub sabotage: bool,
}

/// What the compiler said to one view.
pub enum Verdict {
    Compiled,
    /// Codes and titles of its errors.
    Refused(Vec<(Code, String)>),
    /// It reads a view that was refused.
    NotAsked,
}

/// What became of a case.
pub struct CaseReport {
    pub verdicts: Vec<(View, Verdict)>,
    /// Views that showed at least one row at some time.
    pub filled: BTreeSet<String>,
    pub commits: usize,
    pub failed: Option<Failed>,
}

/// Why a case failed, with all that is needed to see it again.
pub struct Failed {
    pub seed: u64,
    pub what: &'static str,
    pub text: String,
    /// Tables and views.
    pub sql: String,
}

/// The tables and views of a seed.
pub struct Case {
    seed: u64,
    schema: String,
    views: Vec<View>,
}

impl Case {
    pub fn of(seed: u64, menu: &Menu) -> Case {
        let mut dice = Dice::new(seed);
        let schema = Schema::random(&mut dice, menu);
        let mut views: Vec<View> = Vec::new();
        for number in 0..VIEWS {
            let made = view(&schema, &mut dice, menu, &views, number);
            views.push(made);
        }
        // Last, so that the views of a seed are the same with and without them.
        let triggers = if dice.percent(30) { schema.triggers(&mut dice) } else { String::new() };
        Case { seed, schema: schema.sql() + &triggers, views }
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.sql(|_| true)
    }

    /// Tables and those views that are wanted.
    fn sql(&self, wanted: impl Fn(&View) -> bool) -> String {
        let views = self.views.iter().filter(|view| wanted(view)).map(|view| view.sql.as_str());
        std::iter::once(self.schema.as_str()).chain(views).collect::<Vec<_>>().join("\n")
    }

    fn needed_by(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let needs = self.views.iter().filter(|view| names.contains(&view.name)).flat_map(|view| view.needs.clone());
        names.iter().cloned().chain(needs).collect()
    }

    /// Generates, compiles, applies, writes, compares.
    pub fn run(&self, effort: &Effort) -> CaseReport {
        self.run_as("gen", effort)
    }

    /// The same in a database of that name and the seed.
    pub fn run_as(&self, prefix: &str, effort: &Effort) -> CaseReport {
        let mut report = CaseReport { verdicts: Vec::new(), filled: BTreeSet::new(), commits: 0, failed: None };
        let database = format!("{prefix}_{}", self.seed);
        report.failed =
            self.try_run(&database, effort, &mut report.verdicts, &mut report.filled, &mut report.commits).err();
        server().drop_database(&database).expect("the database is dropped");
        report
    }

    fn try_run(
        &self,
        database: &str,
        effort: &Effort,
        verdicts: &mut Vec<(View, Verdict)>,
        filled: &mut BTreeSet<String>,
        commits: &mut usize,
    ) -> Result<(), Failed> {
        self.prepare(database)?;
        let mut accepted: BTreeSet<String> = BTreeSet::new();
        for view in &self.views {
            let verdict = self.verdict(view, &accepted)?;
            if matches!(verdict, Verdict::Compiled) {
                accepted.insert(view.name.clone());
            }
            verdicts.push((view.clone(), verdict));
        }
        if accepted.is_empty() {
            return Ok(());
        }
        self.install(database, &accepted)?;
        if effort.sabotage {
            let mut client = server().connect(database, OWNER).expect("connected");
            client.batch_execute("ALTER TABLE alpha DISABLE TRIGGER USER").expect("the triggers are switched off");
        }
        match self.write(database, effort) {
            Ok(run) => {
                let shown = run.most_rows.iter().filter(|(_, rows)| **rows > 0);
                filled.extend(shown.map(|(view, _)| view.trim_start_matches("public.").to_owned()));
                *commits = run.commits;
                Ok(())
            }
            Err(failure) => Err(self.explain(&failure, &accepted, effort)),
        }
    }

    fn failed(&self, what: &'static str, text: impl ToString, views: &BTreeSet<String>) -> Failed {
        Failed { seed: self.seed, what, text: text.to_string(), sql: self.sql(|view| views.contains(&view.name)) }
    }

    /// A database with tables, all views, and some rows.
    fn prepare(&self, database: &str) -> Result<(), Failed> {
        server().create_database(database, OWNER, None).expect("the database is created");
        let mut client = server().connect(database, OWNER).expect("connected");
        let none = BTreeSet::new();
        let schema = client.batch_execute(&self.schema);
        schema.map_err(|e| self.failed("the generator made an invalid schema", describe(&e), &none))?;
        // Those that wait are only tried: the migration makes them.
        for waits in [false, true] {
            let begin = if waits { "BEGIN" } else { "" };
            client.batch_execute(begin).expect("the connection holds");
            for view in self.views.iter().filter(|view| view.waits == waits) {
                let name = BTreeSet::from([view.name.clone()]);
                let made = client.batch_execute(&view.as_view());
                let failed =
                    |e| self.failed("the generator made an invalid view", describe(&e), &self.needed_by(&name));
                made.map_err(failed)?;
            }
            client.batch_execute(if waits { "ROLLBACK" } else { "" }).expect("the connection holds");
        }
        let mut admin = server().connect(database, SUPERUSER).expect("connected");
        let kinds = vec![Kind::InsertMany, Kind::InsertOne, Kind::InsertParentAndChild, Kind::InsertSelect];
        let options = WriterOptions { kinds, settings: false, ..WriterOptions::default() };
        let mut writer = Writer::for_role(&mut admin, OWNER, self.seed, options).expect("the schema is read");
        for _ in 0..30 {
            writer.transaction(&mut client).expect("the connection holds");
        }
        Ok(())
    }

    /// What the compiler says to one view, with those that it reads.
    fn verdict(&self, view: &View, accepted: &BTreeSet<String>) -> Result<Verdict, Failed> {
        if view.needs.iter().any(|name| !accepted.contains(name)) {
            return Ok(Verdict::NotAsked);
        }
        let names = BTreeSet::from([view.name.clone()]);
        match self.compiled(&self.needed_by(&names))? {
            Ok(_) => Ok(Verdict::Compiled),
            Err(codes) if codes.iter().any(|(code, _)| *code == Code::Internal) => {
                Err(self.failed("the compiler reported a bug of its own", format!("{codes:?}"), &names))
            }
            Err(codes) => Ok(Verdict::Refused(codes)),
        }
    }

    /// The migration of some views, or the errors.
    fn compiled(&self, names: &BTreeSet<String>) -> Result<Result<String, Vec<(Code, String)>>, Failed> {
        let text = self.sql(|view| names.contains(&view.name));
        let sources = Sources { files: vec![SourceFile { name: "views.sql".into(), text, context_only: false }] };
        let options = Options { program: Some("generated".into()), ..Options::default() };
        let compilation = catch_unwind(AssertUnwindSafe(|| compile(&sources, &options)));
        let compilation = compilation.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            self.failed("the compiler panicked", text.unwrap_or_default(), names)
        })?;
        let errors = compilation.diagnostics.sorted().into_iter().filter(|d| d.severity == Severity::Error);
        let errors = errors.map(|d| (d.code, d.title.clone())).collect();
        Ok(compilation.output.map(|output| output.up).ok_or(errors))
    }

    fn install(&self, database: &str, names: &BTreeSet<String>) -> Result<(), Failed> {
        let migration = match self.compiled(names)? {
            Ok(migration) => migration,
            Err(codes) => {
                return Err(self.failed(
                    "views that compile alone do not compile together",
                    format!("{codes:?}"),
                    names,
                ));
            }
        };
        let applied = server().psql(database, OWNER, &migration);
        applied.map_err(|error| self.failed("the migration cannot be applied", error, names))
    }

    fn run_options(&self, effort: &Effort) -> RunOptions {
        let unordered = self.views.iter().filter(|view| view.unordered);
        let multisets = unordered.map(|view| format!("public.{}", view.name)).collect();
        RunOptions {
            seed: self.seed,
            transactions: effort.transactions,
            writer: WriterOptions { max_rows: 22, ..WriterOptions::default() },
            compare: CompareOptions { multisets: Multisets::Of(multisets), limit: 3, ..CompareOptions::default() },
            // No expression of the grammar raises an error, so that every one is the generated code's.
            data_errors: true,
            ..RunOptions::default()
        }
    }

    fn write(&self, database: &str, effort: &Effort) -> Result<RunReport, Failure> {
        random_run_with(server(), database, OWNER, &self.run_options(effort), &mut |_, _| {})
    }

    /// The failure again, with one view only and a short history, as far as that still fails.
    fn explain(&self, failure: &Failure, accepted: &BTreeSet<String>, effort: &Effort) -> Failed {
        let blamed: Vec<String> = match &*failure.cause {
            Cause::Differences(report) => {
                let wrong = report.tviews.iter().filter(|t| t.differing_rows > 0 || !t.differences.is_empty());
                wrong.map(|t| t.view.trim_start_matches("public.").to_owned()).take(1).collect()
            }
            Cause::Suspicious(_) => accepted.iter().cloned().collect(),
            Cause::Harness(_) => Vec::new(),
        };
        let what = match &*failure.cause {
            Cause::Differences(_) => "a tview differs from its view",
            Cause::Suspicious(_) => "a statement raised an error",
            Cause::Harness(_) => "the comparison failed",
        };
        for name in blamed.into_iter().filter(|_| effort.trials > 0) {
            let names = self.needed_by(&BTreeSet::from([name]));
            if let Some(script) = self.shortened(failure, &names, effort) {
                return self.failed(what, format!("{}\n{script}", cause_text(failure)), &names);
            }
        }
        self.failed(what, format!("{}\n{failure}", cause_text(failure)), accepted)
    }

    /// The rows before the first write and a short history that makes these views alone fail; `None` where they do not.
    fn shortened(&self, failure: &Failure, names: &BTreeSet<String>, effort: &Effort) -> Option<String> {
        let template = format!("gen_{}_start", self.seed);
        let options = self.run_options(effort);
        let ready = self.prepare(&template).and_then(|()| self.install(&template, names));
        let script = ready
            .ok()
            .map(|()| minimise_with(server(), &template, OWNER, failure, effort.trials, &options.compare, &mut |_| {}));
        let text = script.and_then(Result::ok).map(|script| format!("{}\n{script}", self.rows(&template)));
        server().drop_database(&template).expect("the database is dropped");
        text
    }

    /// What the tables held before the first write, as INSERTs.
    fn rows(&self, database: &str) -> String {
        let mut client = server().connect(database, SUPERUSER).expect("connected");
        let tables = "SELECT format('SELECT coalesce(string_agg(''INSERT INTO %1$I VALUES ('' || concat_ws('', '', %2$s) \
             || '');'', chr(10)), '''') FROM %1$I', c.relname, \
             (SELECT string_agg(format('quote_nullable(%I::text)', a.attname), ', ' ORDER BY a.attnum) \
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)) \
             FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace \
             AND c.relname NOT LIKE 'tv\\_%' ORDER BY c.oid";
        let mut text = String::new();
        for table in client.query(tables, &[]).expect("the tables are listed") {
            let rows = client.query_one(&table.get::<_, String>(0), &[]).expect("the rows are read");
            text.push_str(&rows.get::<_, String>(0));
            text.push('\n');
        }
        text
    }
}

fn cause_text(failure: &Failure) -> String {
    let text = match &*failure.cause {
        Cause::Differences(report) => report.to_string(),
        Cause::Suspicious(suspicion) => suspicion.to_string(),
        Cause::Harness(error) => error.to_string(),
    };
    text.lines().filter(|line| !line.contains(" = public.")).map(|line| format!("-- {line}\n")).collect()
}

fn describe(error: &postgres::Error) -> String {
    tviewc_verify::error::describe(error)
}
