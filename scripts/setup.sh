#!/usr/bin/env bash
# Installs what building and testing needs and this machine lacks; does nothing, and fast, when all is there.
#
# Usage: scripts/setup.sh [npm] [pip] [extension]   npm, pip: also what fetching servers for `make test-matrix` needs
#                                                   extension: also what building the extension needs
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh

asked=" $* "
wants() { [[ $asked == *" $1 "* ]]; }

say() { printf 'setup: %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root; never asks for a password where nobody could type one.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null && [[ -t 0 ]]; then
        sudo "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        fail "this needs root, please run: $*"
    fi
}

apt_updated=
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

apt_install() {
    command -v apt-get >/dev/null || fail "please install: $* (there is no apt-get to do it with)"
    if [[ -z $apt_updated ]]; then
        say 'apt-get update'
        apt_get update >/dev/null
        apt_updated=yes
    fi
    say "apt-get install $*"
    apt_get install --no-install-recommends "$@"
}

has_package() {
    [[ $(apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[0-9]* ]]
}

# Debian starts a server with a cluster of its own right after installing one; nobody asked for that.
install_server() {
    local package=postgresql-15 folder=/etc/postgresql-common/createcluster.d
    local file=$folder/tviewc-setup.conf
    command -v apt-get >/dev/null || fail "please install a PostgreSQL server, $POSTGRES_OLDEST or newer"
    say 'no PostgreSQL server programs found'
    say 'apt-get update'
    apt_get update >/dev/null
    apt_updated=yes
    # Releases without 15 have one newer version, which serves as well.
    has_package "$package" || package=postgresql
    as_root mkdir -p "$folder"
    # shellcheck disable=SC2064 # as_root and the file are known now
    trap "as_root rm -f '$file'" EXIT
    printf 'create_main_cluster = false\n' | as_root tee "$file" >/dev/null
    apt_install "$package"
    as_root rm -f "$file"
    as_root rmdir --ignore-fail-on-non-empty "$folder"
    trap - EXIT
}

for tool in "${CARGO_HOME:-$HOME/.cargo}/bin" "$HOME/.cargo/bin"; do
    command -v cargo >/dev/null || PATH=$PATH:$tool
done
command -v cargo >/dev/null || fail 'cargo is missing: install a Rust toolchain (https://rustup.rs) and try again'

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v setpriv >/dev/null || missing+=(util-linux)
command -v diff >/dev/null || missing+=(diffutils)
wants npm && { command -v npm >/dev/null || missing+=(npm); }
wants pip && { python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip); }
((${#missing[@]} == 0)) || apt_install "${missing[@]}"

postgres_find >/dev/null || install_server
postgres_client "$(postgres_find)" >/dev/null || apt_install postgresql-client

if wants extension; then
    missing=()
    bin=$(postgres_find) || fail 'no PostgreSQL found after installing one'
    [[ -x $bin/pg_config && -f $("$bin/pg_config" --includedir-server)/postgres.h ]] ||
        missing+=("postgresql-server-dev-$(postgres_major "$bin")")
    # Where bindgen looks for it.
    [[ -n ${LIBCLANG_PATH:-} ]] || compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib/*/libclang*.so*' >/dev/null || missing+=(libclang-dev)
    ((${#missing[@]} == 0)) || apt_install "${missing[@]}"
fi

for component in rustfmt:fmt clippy:clippy; do
    if ! cargo "${component#*:}" --version >/dev/null 2>&1; then
        command -v rustup >/dev/null || fail "cargo ${component#*:} is missing from this Rust toolchain"
        say "rustup component add ${component%:*}"
        rustup component add "${component%:*}"
    fi
done

bin=$(postgres_find) || fail "no PostgreSQL $POSTGRES_OLDEST or newer found after installing one"
say "$(cargo --version | cut -d' ' -f1,2), PostgreSQL $(postgres_major "$bin") in $bin"
