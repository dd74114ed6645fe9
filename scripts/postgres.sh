# shellcheck shell=bash
# Finding PostgreSQL's programs and running a throwaway server; to be sourced, not run.
#
# In: TVIEWC_PG_BIN (a folder of server programs, or several as in PATH), which wins over what is found by looking
# around. Out: functions, and once `postgres_start` has run, PGHOST and the like point at the server. The cluster lies
# in a temporary folder, listens on a Unix socket only, runs under an unprivileged account when the caller is root,
# and is gone when the script ends, also on Ctrl-C.

POSTGRES_OLDEST=13
postgres_folder=
postgres_bin=
postgres_account=()

# postgres_major DIR: the major version of the server in DIR; fails where there is none.
postgres_major() {
    local version
    [[ -x $1/initdb && -x $1/pg_ctl && -x $1/postgres ]] || return 1
    version=$("$1/postgres" --version 2>/dev/null) || return 1
    [[ $version =~ \)\ ([0-9]+) ]] || return 1
    printf '%s\n' "${BASH_REMATCH[1]}"
}

# postgres_find: prints the folder of a server that is new enough.
postgres_find() {
    local dir major chosen=() looked=()
    if [[ -n ${TVIEWC_PG_BIN:-} ]]; then
        IFS=: read -r -a chosen <<<"$TVIEWC_PG_BIN"
    fi
    mapfile -t looked < <(
        pg_config --bindir 2>/dev/null
        find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -rV
    )
    for dir in "${chosen[@]}" "${looked[@]}"; do
        if major=$(postgres_major "$dir") && ((major >= POSTGRES_OLDEST)); then
            printf '%s\n' "$dir"
            return 0
        fi
    done
    return 1
}

# postgres_client: prints the path of psql; some server builds come without it.
postgres_client() {
    local dir=${1:-}
    if [[ -n $dir && -x $dir/psql ]]; then
        printf '%s\n' "$dir/psql"
    elif command -v psql; then
        :
    else
        find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/psql' 2>/dev/null | sort -rV | head -n 1 | grep .
    fi
}

# as_server COMMAND…: runs it under the account that owns the cluster. initdb and postgres refuse root.
as_server() {
    "${postgres_account[@]}" "$@"
}

postgres_choose_account() {
    local name
    postgres_account=(env)
    ((EUID == 0)) || return 0
    for name in postgres nobody; do
        if id "$name" >/dev/null 2>&1; then
            postgres_account=(setpriv "--reuid=$name" "--regid=$(id -g "$name")" --clear-groups env HOME=/ "USER=$name")
            return 0
        fi
    done
    echo 'A PostgreSQL server does not run as root, and there is neither an account "postgres" nor "nobody".' >&2
    return 1
}

# postgres_server_folder NAME [CHOSEN]: makes and prints a folder for programs that the server's account runs: the chosen
# one, by default target/NAME, or one outside of a checkout that is closed to that account, as in root's home.
postgres_server_folder() {
    local folder=${2:-target/$1}
    postgres_choose_account || return
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    if ! as_server test -x "$folder" && [[ -z ${2:-} ]]; then
        folder=/var/cache/tviewc/$1
        mkdir -p "$folder"
    fi
    if ! as_server test -x "$folder"; then
        printf '%s is closed to the account of the server; choose another folder\n' "$folder" >&2
        return 1
    fi
    printf '%s\n' "$folder"
}

# postgres_start BIN [SETTING…]: starts a server, e.g. postgres_start /usr/lib/postgresql/15/bin jit=off
postgres_start() {
    local parent setting options
    postgres_bin=$1
    shift
    postgres_choose_account
    # The socket's path may not be longer than about 100 bytes, and the server's account must get there.
    parent=${TMPDIR:-/tmp}
    if ((${#parent} > 60)) || ! as_server test -x "$parent"; then
        parent=/tmp
    fi
    # From here on there is something to take away, however the script ends.
    trap postgres_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    postgres_folder=$(mktemp -d "$parent/tviewc-pg-XXXXXX")
    if ((EUID == 0)); then
        chown "$(as_server id -u):$(as_server id -g)" "$postgres_folder"
    fi
    options="-k '$postgres_folder' -c listen_addresses= -c port=5432 -c fsync=off -c full_page_writes=off"
    options+=' -c synchronous_commit=off -c autovacuum=off -c log_min_messages=warning'
    for setting in "$@"; do
        options+=" -c '$setting'"
    done
    (
        cd "$postgres_folder" || exit
        as_server "$postgres_bin/initdb" --no-sync -A trust -E UTF8 --locale=C -U postgres -D "$postgres_folder/data" \
            >"$postgres_folder/initdb.log" 2>&1 || { cat "$postgres_folder/initdb.log" >&2; exit 1; }
        # `-w` returns when the server accepts connections. In a group of its own, Ctrl-C does not reach the server:
        # it is stopped by the trap.
        as_server "$postgres_bin/pg_ctl" start -s -w -t 60 -D "$postgres_folder/data" -o "$options" \
            -l "$postgres_folder/log" </dev/null >/dev/null || { cat "$postgres_folder/log" >&2; exit 1; }
    )
    # Nothing of the caller's surroundings may lead to another server.
    unset PGHOSTADDR PGSERVICE PGSERVICEFILE PGOPTIONS PGSSLMODE PGREQUIRESSL PGPASSFILE PGPASSWORD PGDATABASE PGTZ \
        PGDATESTYLE PGTARGETSESSIONATTRS PGCHANNELBINDING PGREQUIREAUTH PGSYSCONFDIR
    export PGHOST=$postgres_folder PGPORT=5432 PGUSER=postgres PGCLIENTENCODING=UTF8
}

postgres_stop() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    if [[ -n $postgres_folder ]]; then
        if [[ -f $postgres_folder/data/postmaster.pid ]]; then
            (cd "$postgres_folder" && as_server "$postgres_bin/pg_ctl" stop -s -w -m immediate -D data) || true
        fi
        rm -rf -- "$postgres_folder"
        postgres_folder=
    fi
    exit "$status"
}
