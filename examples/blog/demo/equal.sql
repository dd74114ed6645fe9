-- Is every tview equal to its view, byte for byte? One line per tview: name, view, rows, rows that differ.
--
-- Rows are compared as text, because `=` of jsonb finds 1.0 and 1.00 equal. How values read as text depends on
-- settings; documents are rendered under these.

SET "TimeZone" = 'UTC';
SET "DateStyle" = 'ISO, MDY';
SET "IntervalStyle" = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';

SELECT format(
    $$SELECT %1$L, %2$L, (SELECT count(*) FROM %1$s), count(*)
        FROM ((SELECT ROW(t.*)::text COLLATE "C" FROM %1$s AS t EXCEPT ALL SELECT ROW(v.*)::text COLLATE "C" FROM %2$s AS v)
              UNION ALL
              (SELECT ROW(v.*)::text COLLATE "C" FROM %2$s AS v EXCEPT ALL SELECT ROW(t.*)::text COLLATE "C" FROM %1$s AS t)) AS d$$,
    tview_oid, view_oid)
  FROM tview.pg_tview_meta
 ORDER BY tview_oid::text
\gexec
