-- What trigger functions call under REPEATABLE READ and SERIALIZABLE.
-- Run by CREATE EXTENSION tview_native and ALTER EXTENSION tview_native UPDATE; not to be run by itself.
\echo Use "ALTER EXTENSION tview_native UPDATE" to load this file. \quit

-- Runs a reading query so many times, with these arguments and the rights of who calls; each time it sees what has been committed by then,
-- whatever the transaction's snapshot is. Its result is dropped: what it finds it has to raise.
CREATE FUNCTION under_latest_snapshot(query text, times integer, VARIADIC arguments "any")
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tview_under_latest_snapshot';
