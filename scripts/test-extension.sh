#!/usr/bin/env bash
# Builds the extension for one server and runs the suite of both runtimes on a private copy of that server, and then random writes
# and interleavings of programs whose triggers find the extension.
#
# Usage: scripts/test-extension.sh [PG_CONFIG] [-- ARGUMENTS FOR cargo test…]
#        scripts/test-extension.sh --bench [PG_CONFIG] [-- ARGUMENTS FOR THE BENCHMARK…]
#
# Nothing is installed: the copy lies in TVIEWC_STAGE, by default target/stage.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh

fail() {
    printf 'test-extension: %s\n' "$*" >&2
    exit 1
}

bench=
if [[ ${1:-} == --bench ]]; then
    bench=yes
    shift
fi
pg_config=
if (($# > 0)) && [[ $1 != -- ]]; then
    pg_config=$1
    shift
fi
[[ ${1:-} != -- ]] || shift

if [[ -z $pg_config ]]; then
    bin=$(postgres_find) || fail 'there is no PostgreSQL; scripts/setup.sh extension installs one'
    pg_config=$bin/pg_config
fi
[[ -x $pg_config ]] || fail "there is no $pg_config; it comes with postgresql-server-dev-NN"
[[ -f $("$pg_config" --includedir-server)/postgres.h ]] || fail "the server's headers are missing: postgresql-server-dev-NN"

stage=$(postgres_server_folder stage "${TVIEWC_STAGE:-}") || fail 'TVIEWC_STAGE says where the copy lies'

bin=$(extension/stage.sh "$pg_config" "$stage")
if [[ -n $bench ]]; then
    TVIEWC_PG_BIN=$bin extension/bench/bench.sh "$@"
else
    (cd extension/tview_native && cargo fmt --check)
    TVIEWC_PG_BIN=$bin TVIEWC_NATIVE=required cargo test -p tview-runtime-suite --locked "$@"
    TVIEWC_PG_BIN=$bin TVIEWC_NATIVE=required cargo test -p tviewc --test live --locked "$@" -- \
        random::example random::blog patch_pairs change_elements snapshots plan_pairs::blog plan_pairs::patches plan_pairs::groups
fi
