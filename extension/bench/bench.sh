#!/usr/bin/env bash
# Runs bench.sql on a throwaway server that has the extension, and prints what it saw.
#
# Usage: extension/bench/bench.sh [ROUNDS]      with TVIEWC_PG_BIN; `make bench-native` builds and stages the extension
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh

rounds=${1:-7}
bin=$(postgres_find) || { echo 'there is no PostgreSQL' >&2; exit 1; }
psql=$(postgres_client "$bin")
postgres_start "$bin" shared_buffers=256MB jit=off
"$psql" -X -q -v ON_ERROR_STOP=1 -d postgres \
    -c 'CREATE SCHEMA tview' \
    -c 'CREATE TABLE tview.created_object (program text, kind text, name text, PRIMARY KEY (program, kind, name))' \
    -f templates/patch.sql -c 'CREATE EXTENSION tview_native'
"$psql" -X -A -t -d postgres -c "SELECT 'PostgreSQL ' || current_setting('server_version') || ', medians of $rounds rounds'"
echo
"$psql" -X -q -v rounds="$rounds" -d postgres -f extension/bench/bench.sql
