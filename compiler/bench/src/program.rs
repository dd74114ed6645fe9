//! What is measured: tables and views with rows, and what can keep their documents.
//!
//! In: the text of a program, and an [`ArmKind`]. Out: scripts that make a database in which that arm keeps the documents, or
//! the reason why it cannot. Always: every arm has the same tables, indexes, views and rows; documents and view are compared
//! by bytes.

use std::time::Duration;

use postgres::Client;
use tviewc::plan::Strategy;
use tviewc::source::{SourceFile, Sources};
use tviewc::{Options, compile};
use tviewc_verify::{SUPERUSER, Server, ServerOptions, quote};

use crate::error::{Doing, Error, Result};
use crate::result::{Documents, EQUAL};

/// A program of tviewc's with rows, and others' ways to the same documents.
#[derive(Clone)]
pub struct Program {
    /// The first part of its databases' names.
    pub name: &'static str,
    /// Tables and views.
    pub views: String,
    /// Rows: applied after the tables, before any triggers.
    pub rows: String,
    /// Everywhere installed last, as what the operations need.
    pub after: String,
    /// Tables and triggers written by hand, which fill the tables.
    pub hand: Option<&'static str>,
    /// A trigger that only compares, where that is measured.
    pub comparison: Option<&'static str>,
    /// Whether it is measured what the documents' new versions cost by themselves.
    pub has_ceiling: bool,
    /// The tviews.
    pub tviews: Vec<Tview>,
}

/// A tview, and what a trigger that rebuilds whole documents has to know.
#[derive(Clone)]
pub struct Tview {
    /// Its table.
    pub table: &'static str,
    /// Its view; both have the key `id`.
    pub view: &'static str,
    /// A base table, and the keys of the documents concerned by the rows `changed` of it.
    pub feeds: &'static [(&'static str, &'static str)],
}

/// What keeps the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArmKind {
    /// Nothing; there are none.
    None,
    /// A trigger compares, and that is all.
    Comparison,
    /// Triggers rewrite the documents that would change, unchanged: nothing that writes them can be faster.
    Ceiling,
    /// Triggers written by hand.
    Hand,
    /// Triggers that evaluate the view again for whole documents.
    Rebuild,
    /// A materialized view, refreshed with each write.
    Refresh,
    /// The same, concurrently.
    Concurrently,
    /// The migration without patches.
    Recompute,
    /// The migration.
    Auto,
    /// The migration, with a GIN index on each document: no update of an indexed column is a heap-only one.
    Gin,
    /// The migration, with the extension in the database.
    Native,
    /// The extension pg_ivm.
    PgIvm,
    /// The extension pg_tviews.
    PgTviews,
}

use ArmKind::{
    Auto, Ceiling, Comparison, Concurrently, Gin, Hand, Native, None as Nothing, PgIvm, PgTviews, Rebuild, Recompute,
    Refresh,
};

/// What the scripts written by hand need.
const BY_HAND: &str = include_str!("../sql/hand.sql");

const NO_PG_IVM: &str =
    "the server has no extension pg_ivm; make bench-rivals installs it where the machine's packages have it";
const NO_PG_TVIEWS: &str = "the server has no extension pg_tviews, and no package registry that is known has it";

impl ArmKind {
    /// All, in the order of reports.
    pub const ALL: [ArmKind; 13] = [
        Nothing,
        Comparison,
        Ceiling,
        Hand,
        Rebuild,
        Refresh,
        Concurrently,
        Recompute,
        Auto,
        Gin,
        Native,
        PgIvm,
        PgTviews,
    ];

    /// As on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Nothing => "none",
            Comparison => "comparison",
            Ceiling => "ceiling",
            Hand => "hand",
            Rebuild => "rebuild",
            Refresh => "refresh",
            Concurrently => "refresh-concurrently",
            Recompute => "recompute",
            Auto => "auto",
            Gin => "auto-gin",
            Native => "native",
            PgIvm => "pg_ivm",
            PgTviews => "pg_tviews",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> std::result::Result<Self, String> {
        let all: Vec<&str> = Self::ALL.iter().map(|arm| arm.name()).collect();
        let found = Self::ALL.into_iter().find(|arm| arm.name() == name);
        found.ok_or_else(|| format!("there is no arm {name}; there are: {}", all.join(", ")))
    }

    /// Whether there are documents to compare.
    pub fn has_documents(self) -> bool {
        self.has_tables() && self != Ceiling
    }

    /// Whether there are documents, right or not.
    pub fn has_tables(self) -> bool {
        !matches!(self, Nothing | Comparison)
    }

    /// Whether triggers keep them, in whose statements the time goes.
    pub fn has_triggers(self) -> bool {
        self.has_tables() && !matches!(self, Refresh | Concurrently | PgIvm)
    }

    /// What the materialized views need behind a write.
    pub fn refresh(self, program: &Program) -> Vec<String> {
        let how = match self {
            Refresh => "",
            Concurrently => "CONCURRENTLY ",
            _ => return Vec::new(),
        };
        program.tviews.iter().map(|tview| format!("REFRESH MATERIALIZED VIEW {how}{}", tview.table)).collect()
    }
}

/// A server whose settings are those of a small production one, but for what makes a throwaway one fast.
pub fn server(tcp: bool) -> Result<Server> {
    let settings = [
        ("shared_buffers", "1GB"),
        ("max_wal_size", "4GB"),
        ("work_mem", "64MB"),
        ("maintenance_work_mem", "256MB"),
        ("checkpoint_timeout", "1h"),
        ("TimeZone", "UTC"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options =
        ServerOptions { settings, tcp, startup_timeout: Duration::from_secs(120), ..ServerOptions::default() };
    Ok(Server::start(&options)?)
}

impl Program {
    /// The name of an arm's database.
    pub fn database(&self, arm: ArmKind) -> String {
        format!("{}_{}", self.name, arm.name().replace('-', "_"))
    }

    /// Makes an arm's database, filled and vacuumed; or says why there is no such arm.
    pub fn install(&self, server: &Server, arm: ArmKind) -> Result<std::result::Result<(), String>> {
        let scripts = match self.scripts(server, arm)? {
            Ok(scripts) => scripts,
            Err(reason) => return Ok(Err(reason)),
        };
        let database = self.database(arm);
        server.create_database(&database, SUPERUSER, None)?;
        server.psql(&database, SUPERUSER, &format!("{}\n{}\nVACUUM ANALYZE;", self.views, self.rows))?;
        for script in scripts {
            match server.psql(&database, SUPERUSER, &script) {
                Err(error) if matches!(arm, PgIvm | PgTviews) => return Ok(Err(first_line(&error.to_string()))),
                other => other?,
            }
        }
        server.psql(&database, SUPERUSER, &format!("{}\nVACUUM ANALYZE;", self.after))?;
        Ok(Ok(()))
    }

    /// What is installed behind tables, views and rows.
    fn scripts(&self, server: &Server, arm: ArmKind) -> Result<std::result::Result<Vec<String>, String>> {
        let missing = |what: &str| Ok(Err(what.to_owned()));
        Ok(Ok(match arm {
            Nothing => Vec::new(),
            Comparison => match self.comparison {
                Some(script) => vec![script.to_owned()],
                None => return missing("nothing to compare in this workload"),
            },
            Ceiling if !self.has_ceiling => return missing("not measured in this workload"),
            Ceiling => vec![BY_HAND.to_owned(), self.tviews.iter().map(Tview::rewriting).collect()],
            Hand => match self.hand {
                Some(script) => vec![BY_HAND.to_owned(), script.to_owned()],
                None => return missing("nobody has written triggers for it"),
            },
            Rebuild => vec![self.tviews.iter().map(Tview::rebuilding).collect()],
            Refresh | Concurrently => vec![self.tviews.iter().map(Tview::materialized).collect()],
            Recompute => vec![self.up(Strategy::Recompute)?],
            Auto => vec![self.up(Strategy::Auto)?],
            Gin => vec![self.up(Strategy::Auto)?, self.tviews.iter().map(Tview::indexed).collect()],
            Native if !has_extension(server, "tview_native")? => {
                return missing("the server has no extension tview_native");
            }
            Native => vec![self.up(Strategy::Auto)?, "CREATE EXTENSION tview_native;".to_owned()],
            PgIvm if !has_extension(server, "pg_ivm")? => return missing(NO_PG_IVM),
            PgIvm => vec!["CREATE EXTENSION pg_ivm;".to_owned(), self.tviews.iter().map(Tview::incremental).collect()],
            PgTviews if !has_extension(server, "pg_tviews")? => {
                return missing(NO_PG_TVIEWS);
            }
            PgTviews => return missing("pg_tviews wants views of another form (pk_, fk_ and integer keys) than these"),
        }))
    }

    /// The migration.
    pub fn up(&self, strategy: Strategy) -> Result<String> {
        let file = SourceFile { name: "views.sql".into(), text: self.views.clone(), context_only: false };
        let options = Options { program: Some("bench".into()), strategy, ..Options::default() };
        let compilation = compile(&Sources { files: vec![file] }, &options);
        let titles: Vec<&str> = compilation.diagnostics.sorted().iter().map(|d| d.title.as_str()).collect();
        let output = compilation.output.ok_or_else(|| Error::Compile(self.name.to_owned(), titles.join("; ")))?;
        Ok(output.up)
    }

    /// Whether every document is its view's, byte for byte, and none is missing or left over; else how many differ.
    pub fn equality(&self, client: &mut Client) -> Result<String> {
        let mut wrong = Vec::new();
        for tview in &self.tviews {
            let (table, view) = (tview.table, tview.view);
            let sql = format!(
                "SELECT count(*), (SELECT count(*) FROM {table}) <> (SELECT count(*) FROM {view})
                   FROM {table} AS t FULL JOIN {view} AS v ON v.id = t.id
                  WHERE t.id IS NULL OR v.id IS NULL OR record_image_ne(t.*, v.*)"
            );
            let row = client.query_one(&sql, &[]).doing(format!("comparing {table} with {view}"))?;
            let (differing, other_count): (i64, bool) = (row.get(0), row.get(1));
            if differing > 0 || other_count {
                wrong.push(format!("{differing} rows of {table} differ from {view}"));
            }
        }
        Ok(if wrong.is_empty() { EQUAL.to_owned() } else { wrong.join("; ") })
    }

    /// How many rows each base table has: what operations must not change behind our back.
    pub fn documents(&self, client: &mut Client) -> Result<Vec<Documents>> {
        let describe = |tview: &Tview| {
            let sql = format!(
                "SELECT count(*), coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY bytes), 0)::int8, coalesce(max(bytes), 0)::int8
                   FROM (SELECT octet_length(jsonb_send(v.data)) AS bytes FROM {} AS v) AS d",
                tview.view
            );
            let row = client.query_one(&sql, &[]).doing("measuring documents")?;
            let tview = tview.table.to_owned();
            Ok(Documents { tview, rows: row.get(0), median_bytes: row.get(1), largest_bytes: row.get(2) })
        };
        self.tviews.iter().map(describe).collect()
    }
}

impl Tview {
    /// A materialized view in the tview's place.
    fn materialized(&self) -> String {
        let Tview { table, view, .. } = self;
        format!(
            "CREATE MATERIALIZED VIEW {table} AS SELECT * FROM {view};
             CREATE UNIQUE INDEX ON {table} (id);\n"
        )
    }

    /// An index on the documents.
    fn indexed(&self) -> String {
        format!("CREATE INDEX ON {} USING gin (data jsonb_path_ops);\n", self.table)
    }

    /// A view that pg_ivm keeps.
    fn incremental(&self) -> String {
        let Tview { table, view, .. } = self;
        format!("SELECT pgivm.create_immv({}, 'SELECT * FROM {view}');\n", quote::literal(table))
    }

    /// Statement triggers that evaluate the view again for the documents concerned, as a whole. They lock nothing, and so are
    /// right for one writer at a time only.
    fn rebuilding(&self) -> String {
        let Tview { table, view, .. } = self;
        let written = format!(
            "DELETE FROM {table} AS t WHERE t.id = ANY (ids) AND NOT EXISTS (SELECT FROM {view} AS v WHERE v.id = t.id);
             UPDATE {table} AS t SET data = v.data FROM {view} AS v WHERE v.id = ANY (ids) AND t.id = v.id;
             INSERT INTO {table} SELECT v.* FROM {view} AS v WHERE v.id = ANY (ids)
                AND NOT EXISTS (SELECT FROM {table} AS t WHERE t.id = v.id);"
        );
        self.triggers("", &written)
    }

    /// Statement triggers that write the documents concerned as they were. They are read and stored again, in the migration's way; what
    /// is kept outside of its row would stay where it is if the value were not another one.
    fn rewriting(&self) -> String {
        let options = "ALTER TABLE {table} SET (fillfactor = 85);
            SELECT hand.compress('{table}');
            UPDATE {table} SET data = data || '{}';\n";
        let written = "UPDATE {table} SET data = data || '{}' WHERE id = ANY (ids);";
        let named = |text: &str| text.replace("{table}", self.table);
        self.triggers(&named(options), &named(written))
    }

    /// The table, filled, and statement triggers that do something with the `ids` of the documents concerned.
    fn triggers(&self, options: &str, written: &str) -> String {
        let Tview { table, view, .. } = self;
        let mut script = format!(
            "CREATE TABLE {table} AS SELECT * FROM {view};
             ALTER TABLE {table} ADD PRIMARY KEY (id);
             {options}\n"
        );
        for (base, keys) in self.feeds {
            for (event, old, new) in [("INSERT", false, true), ("UPDATE", true, true), ("DELETE", true, false)] {
                let images = [(old, "OLD", "old_rows"), (new, "NEW", "new_rows")];
                let images: Vec<_> = images.into_iter().filter(|(is_there, ..)| *is_there).collect();
                let rows: Vec<String> = images.iter().map(|(_, _, name)| format!("TABLE {name}")).collect();
                let named: Vec<String> =
                    images.iter().map(|(_, image, name)| format!("{image} TABLE AS {name}")).collect();
                let name = format!("concerns_{table}_{base}_{}", event.to_lowercase());
                script += &format!(
                    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                     DECLARE ids integer[];
                     BEGIN
                         WITH changed AS ({}) SELECT array_agg(DISTINCT k.id) INTO ids FROM ({keys}) AS k(id);
                         {written}
                         RETURN NULL;
                     END $$;
                     CREATE TRIGGER {name} AFTER {event} ON {base} REFERENCING {}
                         FOR EACH STATEMENT EXECUTE FUNCTION {name}();\n",
                    rows.join(" UNION ALL "),
                    named.join(" ")
                );
            }
        }
        script
    }
}

fn has_extension(server: &Server, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)";
    Ok(server.admin()?.query_one(sql, &[&name]).doing("looking for an extension")?.get(0))
}

/// Of psql's message: what PostgreSQL said.
fn first_line(error: &str) -> String {
    let line = error.lines().find_map(|line| line.split_once("ERROR:"));
    line.map_or_else(|| error.replace('\n', " "), |(_, said)| said.trim().to_owned())
}
