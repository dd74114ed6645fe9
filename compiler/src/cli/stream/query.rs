//! The query of a stream.
//!
//! In: the name of a relation, what the server knows of it, and the options. Out: the text that opens the cursor. Always: names
//! of relations and columns come from the catalog and are quoted; the user's SQL stands in it as it was given, each piece closed
//! in by parentheses or the end of a line, and its place is known, so that an error can say in which option it is.

use postgres::Transaction;
use postgres::error::ErrorPosition;
use tviewc_verify::quote;

use super::{Arguments, sql};
use crate::cli::Failure;

/// The cursor.
pub(super) const CURSOR: &str = "tviewc_stream";

/// The columns of a relation: name, whether it is a document. System columns have no place in documents.
const COLUMNS: &str = "SELECT n.nspname::text, c.relname::text, a.attname::text,
        coalesce(nullif(t.typbasetype, 0), t.oid) IN ('json'::pg_catalog.regtype, 'jsonb'::pg_catalog.regtype)
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
   WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   ORDER BY a.attnum";

/// Where names are looked for.
const SEARCH_PATH: &str = "SELECT pg_catalog.array_to_string(pg_catalog.current_schemas(false), ', ')";

/// What the documents are in.
pub(super) struct Relation {
    schema: String,
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    is_document: bool,
}

impl Relation {
    /// Looks it up as SQL would.
    pub(super) fn find(transaction: &mut Transaction<'_>, name: &str) -> Result<Self, Failure> {
        let doing = "looking for the tview";
        let rows = transaction.query(COLUMNS, &[&name]).map_err(|error| sql(doing, &error))?;
        let Some(first) = rows.first() else {
            let path: String = transaction.query_one(SEARCH_PATH, &[]).map_err(|error| sql(doing, &error))?.get(0);
            return Err(Failure::new(format!(
                "there is no table or view {name} (bare names are looked for in: {path}); write it as SQL does, \
                 with its schema and, where it has capitals or blanks, in double quotes"
            )));
        };
        let columns = rows.iter().map(|row| Column { name: row.get(2), is_document: row.get(3) }).collect();
        Ok(Self { schema: first.get(0), name: first.get(1), columns })
    }

    fn shown(&self) -> String {
        quote::qualified(&self.schema, &self.name)
    }

    /// The columns that are asked for; without such, the documents.
    fn chosen(&self, names: &[String]) -> Result<Vec<&Column>, Failure> {
        if names.is_empty() {
            return Ok(self.columns.iter().filter(|column| column.is_document).collect());
        }
        let find = |name: &String| {
            self.columns.iter().find(|column| column.name == *name).ok_or_else(|| {
                let all: Vec<String> = self.columns.iter().map(|c| quote::soft_ident(&c.name)).collect();
                Failure::new(format!("{} has no column {name}; there are: {}", self.shown(), all.join(", ")))
            })
        };
        names.iter().map(find).collect()
    }
}

/// Text that opens the cursor, and where the user's pieces begin in it.
pub(super) struct Query {
    text: String,
    pieces: Vec<(&'static str, usize)>,
}

impl Query {
    pub(super) fn of(relation: &Relation, arguments: &Arguments) -> Result<Self, Failure> {
        let mut query = Query { text: format!("DECLARE {CURSOR} NO SCROLL CURSOR FOR\nSELECT "), pieces: Vec::new() };
        match &arguments.select {
            Some(list) => {
                query.text += "pg_catalog.row_to_json(line)::pg_catalog.text\n  FROM (SELECT ";
                query.push("--select", list);
            }
            None => query.columns(relation, &arguments.columns)?,
        }
        let from = format!(" FROM {}.{}", quote::ident(&relation.schema), quote::ident(&relation.name));
        query.text += &from;
        if let Some(condition) = &arguments.condition {
            query.text += "\n WHERE (";
            query.push("--where", condition);
            query.text += ")";
        }
        if let Some(order) = &arguments.order_by {
            query.text += "\n ORDER BY ";
            query.push("--order-by", order);
        }
        query.text += ") AS line";
        Ok(query)
    }

    /// Begins the subquery with the columns; what is made of a row of them comes before.
    fn columns(&mut self, relation: &Relation, names: &[String]) -> Result<(), Failure> {
        let columns = relation.chosen(names)?;
        if columns.is_empty() {
            return Err(Failure::new(format!(
                "{} has no json or jsonb column; choose what to show with --columns or --select",
                relation.shown()
            )));
        }
        let list: Vec<String> = columns.iter().map(|column| quote::ident(&column.name)).collect();
        let is_one_document = names.is_empty() && list.len() == 1;
        let line = match list.as_slice() {
            [document] if is_one_document => format!("line.{document}"),
            _ => "pg_catalog.row_to_json(line)".to_owned(),
        };
        self.text += &format!("{line}::pg_catalog.text\n  FROM (SELECT {}\n", list.join(", "));
        Ok(())
    }

    /// A piece of the user's, on lines of its own: a comment at its end ends there.
    fn push(&mut self, option: &'static str, piece: &str) {
        self.pieces.push((option, self.text.chars().count()));
        self.text += piece;
        self.text += "\n";
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the server said, with the option it means.
    pub(super) fn failure(&self, error: &postgres::Error) -> Failure {
        let position = error.as_db_error().and_then(|error| match error.position()? {
            ErrorPosition::Original(position) => usize::try_from(*position).ok(),
            ErrorPosition::Internal { .. } => None,
        });
        // Positions count characters from one. What is missing at the end of a piece is noticed behind it.
        let at = |position: usize| self.pieces.iter().rev().find(|(_, start)| *start < position);
        match position.and_then(at) {
            Some((option, _)) => sql(option, error),
            None => sql("reading", error),
        }
    }
}
