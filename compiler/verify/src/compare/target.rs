//! One tview against its view.
//!
//! In: a row of `tview.pg_tview_meta`. Out: counts, the keys of the rows that differ, and the values of the first few.
//! The keys of the tview cut the key space into ranges of so many of its rows; every range of both sides is compared
//! by one query, rows of the view that the tview lacks included, whatever lies between. Rows with NULL in their key are in
//! no range and are looked for once more.

use postgres::{Row, Transaction};

use super::{CompareOptions, Difference, DifferenceKind, Multisets, Progress, TviewReport};
use crate::error::{Doing, Error, Result};
use crate::multiset;
use crate::quote;

/// One tview and what is known about it.
pub(super) struct Target {
    tview: String,
    view: String,
    keys: Vec<Key>,
    columns: Vec<Column>,
    /// Whether the installed program says that its arrays have no order.
    unordered: bool,
}

struct Key {
    name: String,
    /// For a cast of the key's text.
    ty: String,
}

struct Column {
    name: String,
    blank_padded: bool,
    is_array: bool,
    in_tview: bool,
}

/// The texts of a key's columns.
type KeyTexts = Vec<String>;

/// What has been seen so far.
struct Seen {
    report: TviewReport,
    /// How many more rows to fetch with their values.
    left: i64,
    /// The order of elements in arrays is no difference.
    unordered: bool,
}

/// All tviews by name; of `only`, where it says something.
pub(super) fn all(transaction: &mut Transaction<'_>, only: &[String]) -> Result<Vec<Target>> {
    let known = transaction
        .query_one("SELECT to_regclass('tview.pg_tview_meta') IS NOT NULL", &[])
        .doing(|| "looking for tview.pg_tview_meta".to_owned())?;
    if !known.get::<_, bool>(0) {
        let text = "this database has no table tview.pg_tview_meta; run the compiled migration first";
        return Err(Error::Setup(text.to_owned()));
    }
    // The names are rendered under a fixed search_path, so that they are qualified and always the same.
    let sql = "SELECT format('%I.%I', tn.nspname, t.relname), format('%I.%I', vn.nspname, v.relname), \
               m.key_columns::text[], t.oid, v.oid, coalesce((to_jsonb(m) ->> 'unordered_arrays')::boolean, false) \
               FROM tview.pg_tview_meta m \
               LEFT JOIN pg_catalog.pg_class t ON t.oid = m.tview_oid::oid \
               LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace \
               LEFT JOIN pg_catalog.pg_class v ON v.oid = m.view_oid::oid \
               LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace \
               ORDER BY tn.nspname::text COLLATE \"C\", t.relname::text COLLATE \"C\"";
    let rows = transaction.query(sql, &[]).doing(|| "reading tview.pg_tview_meta".to_owned())?;
    let mut targets: Vec<Target> = rows.iter().map(|row| target(transaction, row)).collect::<Result<_>>()?;
    if let Some(unknown) = only.iter().find(|name| !targets.iter().any(|t| t.tview == **name)) {
        let names: Vec<&str> = targets.iter().map(|t| t.tview.as_str()).collect();
        return Err(Error::Setup(format!("there is no tview {unknown}; there are: {}", names.join(", "))));
    }
    targets.retain(|target| only.is_empty() || only.contains(&target.tview));
    Ok(targets)
}

fn target(transaction: &mut Transaction<'_>, row: &Row) -> Result<Target> {
    let (Some(tview_oid), Some(view_oid)) = (row.get::<_, Option<u32>>(3), row.get::<_, Option<u32>>(4)) else {
        let text = "tview.pg_tview_meta names a tview or a view that no longer exists; run the migration again";
        return Err(Error::Setup(text.to_owned()));
    };
    let sql = "SELECT v.attname::text, \
               coalesce(nullif(ty.typbasetype, 0), ty.oid) = 'pg_catalog.bpchar'::regtype, \
               EXISTS (SELECT FROM pg_catalog.pg_attribute t WHERE t.attrelid = $2 AND t.attname = v.attname \
                       AND t.attnum > 0 AND NOT t.attisdropped), format('%I.%I', n.nspname, ty.typname), \
               ty.typcategory = 'A' \
               FROM pg_catalog.pg_attribute v JOIN pg_catalog.pg_type ty ON ty.oid = v.atttypid \
               JOIN pg_catalog.pg_namespace n ON n.oid = ty.typnamespace \
               WHERE v.attrelid = $1 AND v.attnum > 0 AND NOT v.attisdropped ORDER BY v.attnum";
    let rows = transaction.query(sql, &[&view_oid, &tview_oid]).doing(|| "reading a view's columns".to_owned())?;
    let column =
        |row: &Row| Column { name: row.get(0), blank_padded: row.get(1), is_array: row.get(4), in_tview: row.get(2) };
    let columns: Vec<Column> = rows.iter().map(column).collect();
    let tview: String = row.get(0);
    let names: Vec<String> = row.get::<_, Option<Vec<String>>>(2).unwrap_or_default();
    let key = |name: String| {
        let of_view = rows.iter().find(|row| row.get::<_, &str>(0) == name && row.get(2));
        let missing = || Error::Setup(format!("the key column {name} of {tview} or of its view has gone"));
        of_view.map(|row| Key { ty: row.get(3), name: name.clone() }).ok_or_else(missing)
    };
    let keys: Vec<Key> = names.into_iter().map(key).collect::<Result<_>>()?;
    if keys.is_empty() {
        return Err(Error::Setup(format!("tview.pg_tview_meta names no key of {tview}")));
    }
    Ok(Target { view: row.get(1), tview, keys, columns, unordered: row.get(5) })
}

/// Whether a column differs in nothing but the order of elements in its arrays.
fn is_reordered(difference: &Difference) -> bool {
    match &difference.kind {
        DifferenceKind::Column { view: Some(view), tview: Some(tview), .. } => multiset::equal(view, tview),
        _ => false,
    }
}

impl Target {
    /// Compares range by range.
    pub(super) fn compare(
        &self,
        transaction: &mut Transaction<'_>,
        options: &CompareOptions,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Result<()>,
    ) -> Result<TviewReport> {
        let unordered = match &options.multisets {
            Multisets::Of(views) => views.contains(&self.view),
            Multisets::AsInstalled => self.unordered,
        };
        // Whether a row differs is known only when its arrays have been looked at, so all of them are fetched.
        let left = if unordered { i64::MAX } else { options.limit };
        let mut seen = Seen { report: self.empty_report(), left, unordered };
        let mut low: Option<KeyTexts> = None;
        loop {
            let high = self.end_of_batch(transaction, low.as_ref(), options.batch)?;
            let last = high.is_none();
            // All of a small one at once, with NULLs.
            let whole = low.is_none() && last;
            let range = if whole { "true".to_owned() } else { self.range(low.as_ref(), high.as_ref()) };
            self.compare_where(transaction, &range, &mut seen, on_progress)?;
            on_progress(Progress::Compared { tview: &self.tview, rows: seen.report.tview_rows })?;
            if last {
                break;
            }
            low = high;
        }
        if low.is_some() {
            let nulls: Vec<String> = self.keys.iter().map(|key| format!("{} IS NULL", column(&key.name))).collect();
            self.compare_where(transaction, &nulls.join(" OR "), &mut seen, on_progress)?;
        }
        Ok(seen.report)
    }

    fn empty_report(&self) -> TviewReport {
        let lacking = self.columns.iter().filter(|column| !column.in_tview);
        TviewReport {
            tview: self.tview.clone(),
            view: self.view.clone(),
            view_rows: 0,
            tview_rows: 0,
            differing_rows: 0,
            differences: lacking
                .map(|column| self.difference("", DifferenceKind::NoSuchColumn(column.name.clone())))
                .collect(),
        }
    }

    /// The key of the tview's row at which a batch that begins behind `low` ends; `None` where it is the last one.
    fn end_of_batch(
        &self,
        transaction: &mut Transaction<'_>,
        low: Option<&KeyTexts>,
        batch: i64,
    ) -> Result<Option<KeyTexts>> {
        let texts: Vec<String> = self.keys.iter().map(|key| self.text_of(&key.name)).collect();
        let order: Vec<String> = self.keys.iter().map(|key| column(&key.name)).collect();
        let sql = format!(
            "SELECT ARRAY[{}]::text[] FROM {} q WHERE {} ORDER BY {} OFFSET {} LIMIT 1",
            texts.join(", "),
            self.tview,
            self.range(low, None),
            order.join(", "),
            batch.max(1) - 1,
        );
        let row = transaction.query_opt(&sql, &[]).doing(|| format!("reading the keys of {}", self.tview))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// `low < key <= high`, of keys without NULL. The bounds of the first column alone are for tables that have only that one.
    fn range(&self, low: Option<&KeyTexts>, high: Option<&KeyTexts>) -> String {
        let row = |items: Vec<String>| match items.as_slice() {
            [one] => one.clone(),
            several => format!("ROW({})", several.join(", ")),
        };
        let columns = row(self.keys.iter().map(|key| column(&key.name)).collect());
        let value = |(key, text): (&Key, &String)| format!("{}::{}", quote::literal(text), key.ty);
        let bound = |texts: &KeyTexts| row(self.keys.iter().zip(texts).map(value).collect());
        let first = |texts: &KeyTexts| value((&self.keys[0], &texts[0]));
        let mut conditions: Vec<String> =
            self.keys.iter().map(|key| format!("{} IS NOT NULL", column(&key.name))).collect();
        for (texts, exact, loose) in [(low, ">", ">="), (high, "<=", "<=")] {
            let Some(texts) = texts else { continue };
            conditions.push(format!("{columns} {exact} {}", bound(texts)));
            if self.keys.len() > 1 {
                conditions.push(format!("{} {loose} {}", column(&self.keys[0].name), first(texts)));
            }
        }
        conditions.join(" AND ")
    }

    fn compare_where(
        &self,
        transaction: &mut Transaction<'_>,
        condition: &str,
        seen: &mut Seen,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Result<()>,
    ) -> Result<()> {
        let doing = || format!("comparing {}", self.tview);
        let mut rows = transaction.query_raw(&self.query(condition, seen), NO_PARAMETERS).doing(doing)?;
        let mut first = true;
        // One by one: there can be as many as there are rows.
        while let Some(row) = postgres::fallible_iterator::FallibleIterator::next(&mut rows).doing(doing)? {
            if first {
                seen.report.view_rows += row.get::<_, i64>(0);
                seen.report.tview_rows += row.get::<_, i64>(1);
                first = false;
            }
            let Some(key) = row.get::<_, Option<Vec<Option<String>>>>(2) else { continue };
            let mut differences = Vec::new();
            if seen.left > 0 {
                self.explain(&row, &key, &mut differences);
            }
            if seen.unordered && !differences.is_empty() && differences.iter().all(is_reordered) {
                continue;
            }
            seen.report.differing_rows += 1;
            on_progress(Progress::Differs { tview: &self.tview, key: row.get(3) })?;
            seen.left -= i64::from(seen.left > 0);
            seen.report.differences.extend(differences);
        }
        Ok(())
    }

    /// One row per differing row (at least one row in any case), each with the two counts in front.
    fn query(&self, condition: &str, seen: &Seen) -> String {
        let limit = seen.left;
        let keys: Vec<String> = self.keys.iter().map(|key| self.text_of(&key.name)).collect();
        // What is compared without its order is read as JSON.
        let text = |c: &Column| match seen.unordered && c.is_array {
            true => format!("to_jsonb({})::text COLLATE \"C\"", column(&c.name)),
            false => text_of(&c.name, c.blank_padded),
        };
        let columns: Vec<String> = self.common().map(text).collect();
        let object: Vec<String> =
            self.keys.iter().map(|key| format!("{}, {}", quote::literal(&key.name), column(&key.name))).collect();
        let (keys, columns, object) = (keys.join(", "), columns.join(", "), object.join(", "));
        let (view, tview) = (&self.view, &self.tview);
        // text[] equality treats NULL elements as equal, and under "C" it is equality of bytes.
        let side = |relation: &str| {
            format!(
                "MATERIALIZED (SELECT ARRAY[{keys}]::text[] AS k, ARRAY[{columns}]::text[] AS r, \
                 jsonb_build_object({object})::text AS o FROM {relation} q WHERE {condition})"
            )
        };
        format!(
            "WITH v AS {},\nt AS {},\n\
             d AS (\n\
             SELECT coalesce(v.k, t.k) AS k, coalesce(v.o, t.o) AS o, v.r AS vr, t.r AS tr, 1::bigint AS n\n\
             FROM v FULL JOIN t ON v.k = t.k WHERE v.k IS NULL OR t.k IS NULL OR v.r <> t.r\n\
             UNION ALL SELECT k, min(o), NULL, NULL, count(*) FROM v GROUP BY k HAVING count(*) > 1),\n\
             e AS (SELECT d.*, row_number() OVER (ORDER BY k, vr, tr) AS number FROM d)\n\
             SELECT (SELECT count(*) FROM v), (SELECT count(*) FROM t), e.k, e.o,\n\
             CASE WHEN e.number <= {limit} THEN e.vr END, CASE WHEN e.number <= {limit} THEN e.tr END, e.n\n\
             FROM (SELECT) one LEFT JOIN e ON true ORDER BY e.number",
            side(view),
            side(tview),
        )
    }

    fn common(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.in_tview)
    }

    fn text_of(&self, name: &str) -> String {
        let blank_padded = self.columns.iter().any(|column| column.name == name && column.blank_padded);
        text_of(name, blank_padded)
    }

    fn explain(&self, row: &Row, key: &[Option<String>], differences: &mut Vec<Difference>) {
        let key = self.key_text(key);
        let view: Option<Vec<Option<String>>> = row.get(4);
        let tview: Option<Vec<Option<String>>> = row.get(5);
        let named = |values: Vec<Option<String>>| -> Vec<(String, Option<String>)> {
            self.common().map(|column| column.name.clone()).zip(values).collect()
        };
        match (view, tview) {
            (Some(view), Some(tview)) => {
                for ((column, view), tview) in self.common().zip(view).zip(tview) {
                    if view != tview {
                        let column = column.name.clone();
                        differences.push(self.difference(&key, DifferenceKind::Column { column, view, tview }));
                    }
                }
            }
            (Some(view), None) => {
                differences.push(self.difference(&key, DifferenceKind::MissingInTview(named(view))));
            }
            (None, Some(tview)) => {
                differences.push(self.difference(&key, DifferenceKind::MissingInView(named(tview))));
            }
            (None, None) => differences.push(self.difference(&key, DifferenceKind::DuplicateKey(row.get(6)))),
        }
    }

    fn key_text(&self, key: &[Option<String>]) -> String {
        let parts = self.keys.iter().zip(key);
        let parts = parts.map(|(key, value)| format!("{}={}", key.name, value.as_deref().unwrap_or("NULL")));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn difference(&self, key: &str, kind: DifferenceKind) -> Difference {
        Difference { tview: self.tview.clone(), key: key.to_owned(), kind }
    }
}

const NO_PARAMETERS: [&(dyn postgres::types::ToSql + Sync); 0] = [];

fn column(name: &str) -> String {
    format!("q.{}", quote::ident(name))
}

/// The column's full text. The cast of `char(n)` to text drops blanks, so that type goes through its output function.
fn text_of(name: &str, blank_padded: bool) -> String {
    let column = column(name);
    if blank_padded {
        format!("CASE WHEN {column} IS NOT NULL THEN concat({column}) END COLLATE \"C\"")
    } else {
        format!("{column}::text COLLATE \"C\"")
    }
}
