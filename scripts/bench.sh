#!/usr/bin/env bash
# Measures, and writes docs/performance.md from what was measured.
#
# Usage: scripts/bench.sh quick|all|rivals [ARGUMENTS FOR tviewc-bench run…]
#        scripts/bench.sh report
#
# In: the programs built by `make bench-build`; a server as for all tests. With the headers of that server the extension is built
# into a private copy of it, so that the native arm can be measured; TVIEWC_BENCH_NATIVE=no leaves it out. Out: results in
# target/bench, one file per kind; `report` puts those that are there together.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh

fail() {
    printf 'bench: %s\n' "$*" >&2
    exit 1
}

results=target/bench
mkdir -p "$results"
bench() {
    cargo run -q --profile measure --locked -p tviewc-bench -- "$@"
}

# Points TVIEWC_PG_BIN at a copy of the server that has the extension, where it can be built.
with_extension() {
    local bin config stage
    [[ ${TVIEWC_BENCH_NATIVE:-yes} != no ]] || return 0
    bin=$(postgres_find) || fail 'there is no PostgreSQL; scripts/setup.sh installs one'
    config=$bin/pg_config
    if ! [[ -x $config && -f $("$config" --includedir-server)/postgres.h ]]; then
        echo 'bench: without the headers of the server there is no native arm (scripts/setup.sh extension installs them)' >&2
        return 0
    fi
    stage=$(postgres_server_folder stage "${TVIEWC_STAGE:-}") || fail 'TVIEWC_STAGE says where the copy lies'
    if ! TVIEWC_PG_BIN=$(extension/stage.sh "$config" "$stage"); then
        fail 'the extension does not build; TVIEWC_BENCH_NATIVE=no measures without it'
    fi
    export TVIEWC_PG_BIN
}

# Other extensions, into the machine's server: only from its own packages, and only where they are.
install_rivals() {
    local bin major package
    bin=$(postgres_find) || fail 'there is no PostgreSQL; scripts/setup.sh installs one'
    major=$(postgres_major "$bin")
    for package in "postgresql-$major-pg-ivm" "postgresql-$major-pg-tviews"; do
        if dpkg -s "$package" >/dev/null 2>&1; then
            continue
        elif [[ $(apt-cache policy "$package" 2>/dev/null) != *'Candidate: '[0-9]* ]]; then
            echo "bench: no package $package in the registries of this machine; its cells will say that it is not there" >&2
        elif ((EUID == 0)); then
            DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$package" </dev/null
        else
            echo "bench: to measure it too, install $package" >&2
        fi
    done
}

report() {
    local files=() history=()
    for file in "$results"/{quick,scale,concurrency,all,rivals}.json; do
        [[ ! -f $file ]] || files+=("$file")
    done
    ((${#files[@]} > 0)) || fail "there is nothing in $results yet: make bench, or make bench-quick"
    [[ ! -f compiler/bench/history.jsonl ]] || history=(--history compiler/bench/history.jsonl)
    # A later file wins; what only one has is taken from it. So the long runs come last.
    bench report "${files[@]}" "${history[@]}" --out docs/performance.md
    echo 'docs/performance.md is written'
}

kind=${1:-}
shift || true
case $kind in
quick)
    with_extension
    bench run blog cqrs writes single_row_update cascade_10_entities bulk_1k_rows arrays \
        --size longest=1000 --passes 3 -o "$results/quick.json" "$@"
    ;;
all)
    with_extension
    bench run blog cqrs writes clients arrays arrays_pglz gin single_row_update cascade_10_entities bulk_1k_rows bulk_100k_rows scale stability \
        memory reads concurrency -o "$results/all.json" "$@"
    report
    ;;
rivals)
    install_rivals
    with_extension
    bench run blog cqrs arrays writes clients --all-arms -o "$results/rivals.json" "$@"
    report
    ;;
report)
    report
    ;;
*)
    fail 'usage: scripts/bench.sh quick|all|rivals [ARGUMENTS…] | report'
    ;;
esac
