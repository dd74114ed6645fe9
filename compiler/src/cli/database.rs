//! `--database-url`: reading a live server's catalog.
//!
//! In: a connection string. Out: a [`Database`] of plain values, which `tviewc::catalog::live` turns into a context
//! file. Reads pg_catalog in one snapshot and writes nothing; our own schemas and the system's are left out.

use std::collections::BTreeMap;

use postgres::{Client, Config, NoTls, Row, config::SslMode};
use tviewc::catalog::live::{
    self, Database, Lineage, LiveColumn, LiveConstraint, LiveFunction, LiveTable, LiveTableKind, LiveType,
    LiveTypeKind, LiveView,
};
use tviewc::names::{Ident, QualName};
use tviewc::source::SourceFile;

/// How the context file is called in diagnostics.
const FILE_NAME: &str = "<database>";

/// Names print unqualified only where they are PostgreSQL's own.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog;
    SET LOCAL quote_all_identifiers = off";

/// Schemas of users.
const WITH: &str = "WITH s AS (
    SELECT oid, nspname FROM pg_namespace
     WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'tview', 'tview_native', 'tview_portable'))";

const EXTENSIONS: &str = "SELECT e.extname, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE n.nspname <> 'pg_catalog' ORDER BY e.oid";

const TYPES: &str = "SELECT s.nspname, t.typname, t.typtype::text, t.typnotnull, t.typrelid,
        format_type(nullif(t.typbasetype, 0), t.typtypmod),
        ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder),
        (SELECT m.nspname || '' FROM pg_depend d JOIN pg_type y ON y.oid = d.objid AND y.typtype = 'm'
           JOIN s m ON m.oid = y.typnamespace
          WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid LIMIT 1),
        (SELECT y.typname || '' FROM pg_depend d JOIN pg_type y ON y.oid = d.objid AND y.typtype = 'm'
          WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid LIMIT 1)
    FROM pg_type t JOIN s ON s.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
     AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
   ORDER BY t.oid";

const TABLES: &str =
    "SELECT c.oid, s.nspname, c.relname, c.relkind::text FROM pg_class c JOIN s ON s.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relpersistence <> 't' ORDER BY c.oid";

/// A NOT NULL that is NOT VALID (PostgreSQL 18) says nothing of the rows that were there before.
const COLUMNS: &str = "SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n'
            AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated),
        a.attgenerated::text = 'v',
        CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' || quote_ident(l.collname) END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN s ON s.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
   WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c')
   ORDER BY a.attrelid, a.attnum";

const PARENTS: &str = "SELECT s.nspname, c.relname, ps.nspname, p.relname, c.relispartition
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN s ON s.oid = c.relnamespace
    JOIN pg_class p ON p.oid = i.inhparent JOIN s ps ON ps.oid = p.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f') ORDER BY i.inhrelid, i.inhseqno";

/// In the order of a dump, so that the output is the same as from one.
const CONSTRAINTS: &str =
    "SELECT s.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), NOT coalesce(i.indisvalid, true)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN s ON s.oid = c.relnamespace
    LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype <> 'f'
   WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0 AND c.relkind <> 'm'
   ORDER BY k.contype = 'f', s.nspname, c.relname, k.conname";

/// Those that constraints own come with them, those of partitions with their parents'.
const INDEXES: &str = "SELECT pg_get_indexdef(i.indexrelid), i.indisvalid AND c.relkind = 'p'
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN s ON s.oid = c.relnamespace
    JOIN pg_class x ON x.oid = i.indexrelid
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND (i.indisvalid OR c.relkind = 'p')
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
     AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
   ORDER BY s.nspname, x.relname";

const RULES: &str = "SELECT w.rulename, s.nspname, c.relname FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
    JOIN s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') ORDER BY w.oid";

const FORCED_POLICIES: &str = "SELECT s.nspname, c.relname FROM pg_class c JOIN s ON s.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY c.oid";

/// Without those of extensions: a view that calls one compiles, or does not, as with the schema in a file.
const FUNCTIONS: &str = "SELECT s.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), p.provolatile::text
    FROM pg_proc p JOIN s ON s.oid = p.pronamespace
   WHERE p.prokind IN ('f', 'w')
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
   ORDER BY p.oid";

const VIEWS: &str = "SELECT s.nspname, c.relname, coalesce(c.reloptions, '{}'), pg_get_viewdef(c.oid)
    FROM pg_class c JOIN s ON s.oid = c.relnamespace WHERE c.relkind = 'v' AND c.relpersistence <> 't' ORDER BY c.oid";

/// The catalog of the server as a context file; an error is one line without the password.
pub fn source(url: &str) -> Result<SourceFile, String> {
    let database = fetch(url)?;
    Ok(SourceFile { name: FILE_NAME.to_owned(), text: live::render(&database), context_only: true })
}

fn fetch(url: &str) -> Result<Database, String> {
    let config: Config = url.parse().map_err(|e| format!("the database URL cannot be read: {}", line(&e)))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err("a database behind TLS cannot be read yet; write its schema to a file with \
                    `pg_dump --schema-only` and give that with --schema"
            .to_owned());
    }
    let mut client = config.connect(NoTls).map_err(|e| format!("cannot connect to the database: {}", line(&e)))?;
    read(&mut client).map_err(|e| format!("cannot read the database's catalog: {}", line(&e)))
}

/// The error with its causes, in one line.
fn line(error: &dyn std::error::Error) -> String {
    tviewc_verify::error::chain(error).replace('\n', " ")
}

fn read(client: &mut Client) -> Result<Database, postgres::Error> {
    client.batch_execute(BEGIN)?;
    let mut columns = columns(client)?;
    let mut database = Database {
        extensions: rows(client, EXTENSIONS)?.iter().map(|r| (ident(r, 0), ident(r, 1))).collect(),
        parents: rows(client, PARENTS)?.iter().map(parent).collect(),
        constraints: rows(client, CONSTRAINTS)?.iter().map(constraint).collect(),
        indexes: rows(client, INDEXES)?.iter().map(index).collect(),
        rules: rows(client, RULES)?.iter().map(|r| (ident(r, 0), qualified(r, 1))).collect(),
        forced_policies: rows(client, FORCED_POLICIES)?.iter().map(|r| qualified(r, 0)).collect(),
        functions: rows(client, FUNCTIONS)?.iter().map(function).collect(),
        views: rows(client, VIEWS)?.iter().map(view).collect(),
        ..Database::default()
    };
    database.types = rows(client, TYPES)?.iter().map(|r| live_type(r, &mut columns)).collect();
    database.tables = rows(client, TABLES)?.iter().map(|r| table(r, &mut columns)).collect();
    client.batch_execute("ROLLBACK")?;
    Ok(database)
}

fn rows(client: &mut Client, query: &str) -> Result<Vec<Row>, postgres::Error> {
    client.query(&format!("{WITH} {query}"), &[])
}

fn ident(row: &Row, at: usize) -> Ident {
    Ident::new(row.get::<_, String>(at))
}

fn qualified(row: &Row, at: usize) -> QualName {
    QualName::new(ident(row, at), ident(row, at + 1))
}

fn columns(client: &mut Client) -> Result<BTreeMap<u32, Vec<LiveColumn>>, postgres::Error> {
    let mut all: BTreeMap<u32, Vec<LiveColumn>> = BTreeMap::new();
    for row in rows(client, COLUMNS)? {
        let column = LiveColumn {
            name: ident(&row, 1),
            ty: row.get(2),
            not_null: row.get(3),
            virtual_generated: row.get(4),
            collation: row.get(5),
        };
        all.entry(row.get(0)).or_default().push(column);
    }
    Ok(all)
}

fn live_type(row: &Row, columns: &mut BTreeMap<u32, Vec<LiveColumn>>) -> LiveType {
    let kind = match row.get::<_, &str>(2) {
        "e" => LiveTypeKind::Enum(row.get(6)),
        "d" => LiveTypeKind::Domain(row.get(5), row.get(3)),
        "r" => {
            let multirange = row.get::<_, Option<String>>(7).zip(row.get::<_, Option<String>>(8));
            LiveTypeKind::Range(multirange.map(|(s, n)| QualName::new(Ident::new(s), Ident::new(n))))
        }
        _ => LiveTypeKind::Composite(columns.remove(&row.get(4)).unwrap_or_default()),
    };
    LiveType { name: qualified(row, 0), kind }
}

fn table(row: &Row, columns: &mut BTreeMap<u32, Vec<LiveColumn>>) -> LiveTable {
    let kind = match row.get::<_, &str>(3) {
        "p" => LiveTableKind::Partitioned,
        "f" => LiveTableKind::Foreign,
        "m" => LiveTableKind::MaterializedView,
        _ => LiveTableKind::Ordinary,
    };
    LiveTable { name: qualified(row, 1), kind, columns: columns.remove(&row.get(0)).unwrap_or_default() }
}

fn parent(row: &Row) -> (QualName, QualName, Lineage) {
    let lineage = if row.get(4) { Lineage::Partition } else { Lineage::Inheritance };
    (qualified(row, 0), qualified(row, 2), lineage)
}

fn constraint(row: &Row) -> LiveConstraint {
    LiveConstraint { table: qualified(row, 0), name: ident(row, 2), definition: row.get(3), only: row.get(4) }
}

/// The server writes ON ONLY for every index of a partitioned table, also where all partitions have it.
fn index(row: &Row) -> String {
    let definition: String = row.get(0);
    if row.get(1) { definition.replacen(" ON ONLY ", " ON ", 1) } else { definition }
}

fn function(row: &Row) -> LiveFunction {
    let volatility = match row.get::<_, &str>(4) {
        "i" => "IMMUTABLE",
        "s" => "STABLE",
        _ => "VOLATILE",
    };
    LiveFunction { name: qualified(row, 0), arguments: row.get(2), returns: row.get(3), volatility }
}

fn view(row: &Row) -> LiveView {
    LiveView { name: qualified(row, 0), options: row.get(2), query: row.get(3) }
}
