#!/usr/bin/env bash
# Makes a private copy of a PostgreSQL server with the extension installed in it, so that testing it changes nothing
# on the machine and needs no root.
#
# Usage: extension/stage.sh PG_CONFIG FOLDER
#
# In: the pg_config of a server with headers. Out: FOLDER/<where the server's programs are>, whose path it prints:
# to be given as TVIEWC_PG_BIN. A server looks for its files relative to its programs, so that a copy works anywhere.
set -euo pipefail

fail() {
    printf 'stage: %s\n' "$*" >&2
    exit 1
}

(($# == 2)) || fail 'usage: extension/stage.sh PG_CONFIG FOLDER'
pg_config=$(command -v "$1") || fail "there is no $1; it comes with the server's headers (postgresql-server-dev-NN)"
mkdir -p "$2"
folder=$(cd "$2" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

bin=$("$pg_config" --bindir)
[[ -x $bin/postgres ]] || fail "$pg_config belongs to no server: there is no $bin/postgres"
# The build says what it does on standard error: standard output is for the result.
make -C "$here" all PG_CONFIG="$pg_config" >&2
for path in "$bin" "$("$pg_config" --pkglibdir)" "$("$pg_config" --sharedir)"; do
    [[ ! -d $folder$path ]] || continue
    mkdir -p "$folder$(dirname "$path")"
    cp -RL "$path" "$folder$path.new"
    mv "$folder$path.new" "$folder$path"
done
# Libraries that the programs find relative to themselves; Python packages have them beside the folder of the server.
libraries=$("$pg_config" --libdir)
root=$(dirname "$bin")
for library in "$libraries"/libpq.* "$root"/*.libs "$(dirname "$(dirname "$root")")"/*.libs; do
    if [[ -e $library && ! -e $folder$library && $libraries == "$root"* ]]; then
        mkdir -p "$folder$(dirname "$library")"
        cp -RL "$library" "$folder$library"
    fi
done
make -C "$here" install PG_CONFIG="$pg_config" DESTDIR="$folder" >&2
chmod -R a+rX "$folder"
printf '%s\n' "$folder$bin"
