#!/usr/bin/env bash
# Runs the fuzz targets for a while, from the inputs of the tests, and the tests of the binary jsonb code under an address sanitizer.
#
# Usage: scripts/fuzz.sh [SECONDS FOR EACH TARGET]
#
# In: a nightly compiler (libFuzzer and sanitizers need one) and cargo-fuzz; the latter is installed where it is missing. Out: what fails
# is kept in the target's folder fuzz/artifacts, the corpus that grew in target/fuzz.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-300}

fail() {
    printf 'fuzz: %s\n' "$*" >&2
    exit 1
}

rustc +nightly --version >/dev/null 2>&1 || fail 'there is no nightly compiler; rustup toolchain install nightly --profile minimal'
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
# Builds of another compiler and with other flags.
target=${CARGO_TARGET_DIR:-$PWD/target}/fuzz

# run FOLDER TARGET CORPUS OPTIONS…: the inputs in the corpus are only read.
run() {
    local folder=$1 name=$2 corpus=$3
    shift 3
    mkdir -p "$target/corpus/$name"
    (cd "$folder" && CARGO_TARGET_DIR=$target cargo +nightly fuzz run "$name" "$target/corpus/$name" "$corpus" -- \
        -max_total_time="$seconds" -print_final_stats=1 "$@")
}

printf 'The tests of the binary jsonb code, with an address sanitizer\n'
RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$target cargo +nightly test --locked -p jsonb-core --lib --tests --target "$host"

printf 'Binary jsonb: any bytes in every role\n'
none=$(mktemp -d)
trap 'rm -rf -- "$none"' EXIT
run extension/core bytes "$none" -max_len=4096

printf 'The compiler: any text\n'
for input in compiler/tests/data/*/*.sql examples/*/*.sql; do
    cp -- "$input" "$none/$(basename "$(dirname "$input")")-$(basename "$input")"
done
run compiler compile "$none" -max_len=8192 -timeout=10
