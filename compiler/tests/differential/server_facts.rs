//! PostgreSQL's catalog as lines.
//!
//! Members of extensions and temporary tables are left out. Names are shown bare, types as `format_type` shows them
//! under `search_path = pg_catalog`.

use postgres::Client;

use super::Facts;

/// What all queries select from: user objects that no extension owns.
const WITH: &str = "
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), extension AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rel AS (
    SELECT c.*, s.nspname || '.' || c.relname AS name,
           EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS has_children,
           EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS has_parents
      FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND (c.oid, 'pg_class'::regclass) NOT IN (SELECT objid, classid FROM extension)
), tab AS (
    SELECT *, relkind = 'r' AND NOT relispartition AND has_children AS inherited FROM rel WHERE relkind IN ('r', 'p', 'f')
), typ AS (
    SELECT t.*, s.nspname || '.' || t.typname AS name
      FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace
     WHERE (t.oid, 'pg_type'::regclass) NOT IN (SELECT objid, classid FROM extension)
)
";

const QUERIES: &[&str] = &[
    // Relations.
    "SELECT CASE relkind WHEN 'v' THEN 'view ' || name ELSE 'table ' || name || ' ' || CASE
            WHEN relkind = 'f' THEN 'foreign' WHEN relkind = 'm' THEN 'materialized' WHEN relkind = 'p' THEN 'partitioned'
            WHEN relispartition THEN 'partition' WHEN has_children THEN 'parent' WHEN has_parents THEN 'child'
            ELSE 'ordinary' END END FROM rel",
    "SELECT 'parent ' || t.name || ' ' || p.name
       FROM pg_inherits i JOIN tab t ON t.oid = i.inhrelid JOIN rel p ON p.oid = i.inhparent",
    // Columns.
    "SELECT format('column %s %s %s %s%s%s%s', t.name,
                   row_number() OVER (PARTITION BY t.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod),
                   CASE WHEN a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = t.oid
                       AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated) THEN ' not null' END,
                   CASE WHEN a.attgenerated = 'v' THEN ' virtual' END,
                   CASE WHEN a.attcollation <> y.typcollation THEN ' collate ' || l.collname END)
       FROM tab t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation",
    // Keys, strong and weak, and indexes.
    "SELECT CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate AND i.indisvalid AND NOT t.inherited
                  AND NOT k.foreign_equality
                 THEN format('key %s (%s) %s %s', t.name, k.columns, CASE WHEN i.indisprimary THEN 'primary' ELSE 'unique' END,
                             CASE WHEN k.not_null THEN 'not null' ELSE 'nullable' END)
                 ELSE format('weak key %s (%s)', t.name, k.plain) END
       FROM tab t JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique,
    LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY n) AS columns,
                    string_agg(a.attname, ', ' ORDER BY n) FILTER (WHERE n < expression) AS plain,
                    bool_and(a.attnotnull) AS not_null,
                    false AS foreign_equality
               FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS u (attnum, n)
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum,
               LATERAL (SELECT coalesce(min(e.n), 99) AS expression FROM unnest(i.indkey) WITH ORDINALITY AS e (attnum, n)
                         WHERE e.attnum = 0) e) k
      WHERE NOT EXISTS (SELECT FROM pg_constraint x WHERE x.conindid = i.indexrelid AND (to_jsonb(x) ->> 'conperiod')::boolean)",
    "SELECT format('index %s %s (%s)%s', t.name, m.amname, k.plain, CASE WHEN i.indpred IS NOT NULL THEN ' partial' END)
       FROM tab t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam,
    LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY n) FILTER (WHERE n < expression) AS plain
               FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS u (attnum, n)
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum,
               LATERAL (SELECT coalesce(min(e.n), 99) AS expression FROM unnest(i.indkey) WITH ORDINALITY AS e (attnum, n)
                         WHERE e.attnum = 0) e) k
      WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid
                        AND (c.contype = 'x' OR (to_jsonb(c) ->> 'conperiod')::boolean))",
    // Foreign keys, without the copies that a partitioned target has.
    "SELECT format('foreign key %s (%s) -> %s (%s) %s', t.name, k.own, r.name, k.other,
                   CASE WHEN c.convalidated AND NOT c.condeferrable AND NOT t.inherited
                         AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) THEN 'enforced' ELSE 'not enforced' END)
       FROM pg_constraint c JOIN tab t ON t.oid = c.conrelid JOIN rel r ON r.oid = c.confrelid,
    LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY n) AS own, string_agg(b.attname, ', ' ORDER BY n) AS other
               FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS u (own, other, n)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = own
               JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = other) k
      WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)",
    "SELECT DISTINCT 'rules ' || t.name FROM tab t JOIN pg_rewrite w ON w.ev_class = t.oid",
    // Types. A row type of a table is none of its own.
    "SELECT format('type %s %s', t.name, CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'c' THEN 'composite'
                   WHEN 'r' THEN 'range' WHEN 'm' THEN 'range' ELSE format('domain %s%s', d.base, d.not_null) END)
       FROM typ t LEFT JOIN pg_class c ON c.oid = t.typrelid,
    LATERAL (WITH RECURSIVE up AS (SELECT t.typbasetype, t.typtypmod, t.typnotnull, 1 AS n
              UNION ALL SELECT b.typbasetype, b.typtypmod, b.typnotnull, n + 1 FROM up JOIN pg_type b ON b.oid = up.typbasetype AND b.typtype = 'd')
             SELECT (SELECT format_type(typbasetype, typtypmod) FROM up ORDER BY n DESC LIMIT 1) AS base,
                    CASE WHEN t.typnotnull THEN ' not null' END AS not_null) d
      WHERE t.typtype IN ('e', 'd', 'r', 'm') OR (t.typtype = 'c' AND c.relkind = 'c')",
    // Functions.
    "SELECT format('function %s.%s %s', s.nspname, p.proname,
                   string_agg(p.provolatile::text || CASE WHEN p.proretset THEN ' set' ELSE '' END, ', '
                              ORDER BY p.provolatile::text || CASE WHEN p.proretset THEN ' set' ELSE '' END))
       FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace
      WHERE p.prokind IN ('f', 'w') AND (p.oid, 'pg_proc'::regclass) NOT IN (SELECT objid, classid FROM extension)
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'i')
      GROUP BY s.nspname, p.proname",
    // Outputs of views that hold a document.
    "SELECT format('output %s %s %s %s', v.name, a.attnum, a.attname,
                   CASE a.atttypid WHEN 'json'::regtype THEN 'json' WHEN 'jsonb'::regtype THEN 'jsonb' ELSE 'other' END)
       FROM rel v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
      WHERE v.relkind = 'v' AND EXISTS (SELECT FROM pg_attribute j WHERE j.attrelid = v.oid
                                        AND j.atttypid IN ('json'::regtype, 'jsonb'::regtype))",
];

/// All facts of a database.
pub fn read(client: &mut Client) -> Facts {
    client.batch_execute("SET search_path = pg_catalog").unwrap();
    let mut facts = Facts::new();
    for query in QUERIES {
        let rows = client.query(&format!("{WITH}{query}"), &[]).unwrap_or_else(|e| panic!("{e:?}: {query}"));
        facts.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    facts
}
