#!/usr/bin/env bash
# The blog, from views.sql to documents that stay right: what tviewc does, shown on a throwaway PostgreSQL server.
#
# In: nothing; TVIEWC_PG_BIN chooses the server's programs, ROUNDS the number of measured rounds (7).
# Out: a story on standard output; exit status 1 if a document differs from its view at the end.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/postgres.sh
. scripts/postgres.sh
# Numbers and sorting as the programs below read them, whatever the caller's language.
export LC_ALL=C

views=examples/blog/views.sql
rounds=${ROUNDS:-7}
width=100

bold='' dim='' red='' green='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

# ---- saying ----------------------------------------------------------------------------------------------------------

chapter=0
heading() {
    chapter=$((chapter + 1))
    printf '\n%s%s. %s%s\n\n' "$bold" "$chapter" "$1" "$plain"
}

say() { printf '%s\n' "$*"; }

# command_line TEXT: what somebody would have typed.
command_line() { printf '%s$ %s%s\n' "$bold" "$1" "$plain"; }

indent() { sed '/./s/^/    /'; }

# Long texts only make a document hard to read here.
trim() { sed -E 's/(": ".{40})[^"]{8,}"/\1…"/' | cut -c "1-$width"; }

colour_diff() {
    sed -E -e "s/^(-.*)$/$red\1$plain/" -e "s/^(\+.*)$/$green\1$plain/" -e "s/^(@@.*)$/$dim\1$plain/"
}

thousands() { sed -E ':a; s/([0-9])([0-9]{3})($|[^0-9])/\1,\2\3/; ta' <<<"$1"; }

# ---- the database ----------------------------------------------------------------------------------------------------

# sql ARGUMENT…: psql as the blog's owner, who is no superuser. Values come back unadorned, separated by |.
sql() { "$psql" -X -q -A -t -v ON_ERROR_STOP=1 -U blog -d blog "$@"; }

value() { sql -c "$1"; }

# Catalogs too, which only a superuser may.
vacuum() { "$psql" -X -q -d blog -c 'VACUUM ANALYZE'; }

count_of() { value "SELECT count(*) FROM $1"; }

# Counts the documents that the current transaction has written: a row carries the number of the one that wrote it.
written="SELECT (SELECT count(*) FROM tv_bench_posts WHERE xmin = pg_current_xact_id()::xid),
       (SELECT count(*) FROM tv_bench_comments WHERE xmin = pg_current_xact_id()::xid)"
totals='SELECT (SELECT count(*) FROM tv_bench_posts) AS posts, (SELECT count(*) FROM tv_bench_comments) AS comments'

# write SQL…: prints the statements, runs them as one transaction, and says how many documents that wrote.
write() {
    local statement statements='' result posts comments all_posts all_comments gone
    for statement in "$@"; do
        printf '%s%s;%s\n' "$bold" "$statement" "$plain" | sed '1s/^/blog=> /; 2,$s/^/       /'
        statements+="$statement;"$'\n'
    done
    result=$(sql <<SQL
BEGIN;
$totals \gset
$statements
SELECT w.*, t.*, :posts + :comments
  FROM ($written) AS w(posts, comments), ($totals) AS t;
COMMIT;
SQL
    )
    IFS='|' read -r posts comments all_posts all_comments gone <<<"$result"
    gone=$((gone - all_posts - all_comments))
    printf '    %s%s of %s post documents and %s of %s comment documents written' "$dim" \
        "$posts" "$(thousands "$all_posts")" "$comments" "$(thousands "$all_comments")"
    ((gone <= 0)) || printf ', %s removed' "$gone"
    printf '%s\n' "$plain"
}

document() { value "SELECT jsonb_pretty(data) FROM tv_bench_posts WHERE id = $1"; }

# ---- the cost --------------------------------------------------------------------------------------------------------

labels=()
writes=()
# A write that is measured: what it is, and a statement in which @ stands for the number of the round.
measured() {
    labels+=("$1")
    writes+=("$2")
}

# measurement: one psql script with all rounds. Each statement is its own transaction, as a client would send it.
measurement() {
    local round i on off table
    for table in bench_authors bench_posts bench_comments; do
        on+="ALTER TABLE $table ENABLE TRIGGER USER;"$'\n'
        off+="ALTER TABLE $table DISABLE TRIGGER USER;"$'\n'
    done
    # Round 0 warms up, counts the documents and is not measured.
    for ((round = 0; round <= rounds; round++)); do
        for i in "${!writes[@]}"; do
            if ((round == 0)); then
                printf '%s\n' 'BEGIN;' "${writes[i]//@/a$round};" "\\echo documents $i" \
                    "SELECT posts + comments FROM ($written) AS w(posts, comments);" 'COMMIT;'
            fi
            printf '%s\n' "\\timing on" "\\echo @ $round $i triggers" "${writes[i]//@/b$round};" "\\timing off" \
                "$off" "\\timing on" "\\echo @ $round $i write" "${writes[i]//@/c$round};" \
                "\\echo @ $round $i rebuild" 'BEGIN;' 'TRUNCATE tv_bench_comments, tv_bench_posts;' \
                'INSERT INTO tv_bench_comments SELECT * FROM v_bench_comments;' \
                'INSERT INTO tv_bench_posts SELECT * FROM v_bench_posts;' 'COMMIT;' \
                "\\echo @ $round $i refresh" 'REFRESH MATERIALIZED VIEW CONCURRENTLY mv_bench_comments;' \
                'REFRESH MATERIALIZED VIEW CONCURRENTLY mv_bench_posts;' "\\timing off" "$on"
        done
    done
}

# medians: reads what psql printed, writes lines `write way milliseconds` and `write documents number`.
medians() {
    awk '$1 == "@" { round = $2; name = $3 " " $4; next }
         $1 == "documents" { of = $2; getline; print of, "documents", $1; next }
         $1 == "Time:" && round > 0 { sum[name, round] += $2; rounds[name] = round }
         END { for (name in rounds) for (r = 1; r <= rounds[name]; r++) print name, sum[name, r] }' |
        sort -k1,1n -k2,2 -k3,3g |
        awk 'function flush() { if (n) print last, (times[int((n + 1) / 2)] + times[int((n + 2) / 2)]) / 2; n = 0 }
             { if ($1 " " $2 != last) flush(); last = $1 " " $2; times[++n] = $3 }
             END { flush() }'
}

# cost_table TOTAL: reads the medians, writes a line per write.
cost_table() {
    local -A of=()
    local i way number
    while read -r i way number; do of[$i,$way]=$number; done
    printf '  %-34s %12s %8s %10s %10s %10s %14s\n' \
        '' 'documents' 'write' 'write with' 'rebuilding' 'refreshing' 'rebuilding' \
        '' 'written' 'alone' 'triggers' 'all' 'all *' 'takes'
    for i in "${!labels[@]}"; do
        awk -v label="${labels[i]}" -v documents="${of[$i,documents]} of $1" -v write="${of[$i,write]}" \
            -v triggers="${of[$i,triggers]}" -v rebuild="${of[$i,rebuild]}" -v refresh="${of[$i,refresh]}" 'BEGIN {
                printf "  %-34s %12s %5.1f ms %7.1f ms %7.0f ms %7.0f ms %5.0f x as long\n",
                    label, documents, write, triggers, rebuild, refresh, (write + rebuild) / triggers }'
    done
}

# ---- the story -------------------------------------------------------------------------------------------------------

say "Building tviewc (release) …" >&2
tviewc=$(cargo build --release --locked -p tviewc --bin tviewc --message-format=json-render-diagnostics |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
bin=$(postgres_find) || { say 'No PostgreSQL server found; scripts/setup.sh installs one.' >&2; exit 2; }
psql=$(postgres_client "$bin") || { say 'psql is missing; scripts/setup.sh installs it.' >&2; exit 2; }

postgres_start "$bin" jit=off
out=$postgres_folder/demo
mkdir "$out"
"$psql" -X -q -v ON_ERROR_STOP=1 -d postgres <<'SQL'
CREATE ROLE blog LOGIN NOSUPERUSER;
CREATE DATABASE blog OWNER blog;
SQL
sql -f "$views" -f examples/blog/data.sql

heading 'What goes in: tables, and a view that builds a document per row'
say "A blog on a throwaway PostgreSQL $(postgres_major "$bin"): $(count_of bench_authors) authors," \
    "$(thousands "$(count_of bench_posts)") posts, $(thousands "$(count_of bench_comments)") comments."
say "The application wants a post as one JSON document, with its author and its comments. $views says how:"
say
sed -n '/^CREATE VIEW v_bench_posts/,/;$/p' "$views" | indent
say
say 'Reading the view runs these joins for every reader. A materialized view is stale until somebody refreshes all of it.'

heading 'What comes out: a plain SQL migration'
command_line "tviewc compile $views > blog.up.sql"
"$tviewc" compile "$views" 2>&1 >"$out/up.sql" | indent
say
command_line 'psql -v ON_ERROR_STOP=1 -f blog.up.sql      # as the owner of the tables, not as a superuser'
sql -o /dev/null -f "$out/up.sql"
say
tviews=$(value "SELECT string_agg(tview_oid::text, ' and ' ORDER BY tview_oid::text) FROM tview.pg_tview_meta")
functions=$(value "SELECT count(*) FROM pg_proc WHERE pronamespace = 'tview'::regnamespace")
triggers=$(value "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'zzz\_tview\_%'")
say "$(thousands "$(wc -l <"$out/up.sql")") lines of SQL to review. They make the tables $tviews,"
say "and $functions functions and $triggers triggers that keep them equal to their views: now" \
    "$(thousands "$(count_of tv_bench_posts)") post documents and $(thousands "$(count_of tv_bench_comments)") comment"
say "documents. No extension, no daemon, no queue: a document changes in the transaction that writes the base tables."
# The story and the measurement read tables that are vacuumed, as they would be in a database that is in use.
vacuum

# Whom the story is about: an author of an average number of posts with a short post on which they commented themselves;
# a second post, to move a comment to; a third one, to delete.
IFS='|' read -r post author edited moved <<<"$(value "
SELECT p.id, p.author_id, min(c.id), max(c.id)
  FROM bench_posts p JOIN bench_comments c ON c.post_id = p.id
 GROUP BY p.id
HAVING count(*) = 3 AND bool_or(c.author_id = p.author_id)
 ORDER BY abs((SELECT count(*) FROM bench_posts q WHERE q.author_id = p.author_id) - 10), p.id
 LIMIT 1")"
IFS='|' read -r other deleted commenter <<<"$(value "
SELECT min(id), max(id), (SELECT min(id) FROM bench_authors WHERE id <> $author)
  FROM (SELECT p.id FROM bench_posts p JOIN bench_comments c ON c.post_id = p.id
         WHERE p.id <> $post AND p.author_id <> $author GROUP BY p.id HAVING count(*) = 5) AS q")"

heading 'A document'
printf '%sblog=> SELECT jsonb_pretty(data) FROM tv_bench_posts WHERE id = %s;%s\n' "$bold" "$post" "$plain"
document "$post" >"$out/before"
trim <"$out/before" | indent

heading 'Ordinary writes to the base tables'
say 'Rename its author. The name stands in their posts, in their comments, and in every post they commented on:'
write "UPDATE bench_authors SET name = 'Ada Lovelace' WHERE id = $author"
say
say 'Add a comment to the post, edit one, and move one to another post:'
write "INSERT INTO bench_comments (post_id, author_id, content, created_at)
  VALUES ($post, $commenter, 'First!', '2024-04-01 12:00:00+00')"
write "UPDATE bench_comments SET content = 'Edited: I was wrong.' WHERE id = $edited"
write "UPDATE bench_comments SET post_id = $other WHERE id = $moved"
say
say 'Delete another post with its comments, in one transaction:'
write "DELETE FROM bench_comments WHERE post_id = $deleted" "DELETE FROM bench_posts WHERE id = $deleted"
say
say 'Change a column that no view reads:'
write "UPDATE bench_authors SET created_at = '2025-01-01 00:00:00+00'"

heading 'The same document afterwards, and what changed in it'
document "$post" >"$out/after"
printf '%sblog=> SELECT jsonb_pretty(data) FROM tv_bench_posts WHERE id = %s;%s\n' "$bold" "$post" "$plain"
trim <"$out/after" | indent
say
command_line 'diff -U 2 before after'
# diff's status 1 means that there are differences.
(diff -U 2 "$out/before" "$out/after" || (($? == 1))) | tail -n +3 | trim | colour_diff | indent
say
say "The post that got the comment has it, and the deleted post's document is gone:"
printf '%sblog=> %s;%s\n' "$bold" \
    "SELECT id, jsonb_path_query_array(data, '\$.comments[*].id') AS comments FROM tv_bench_posts WHERE id IN ($other, $deleted)" "$plain"
"$psql" -X -q -P footer=off -U blog -d blog -c "SELECT id, jsonb_path_query_array(data, '\$.comments[*].id') AS comments
  FROM tv_bench_posts WHERE id IN ($other, $deleted)" | indent

heading 'The plan that was followed'
command_line "tviewc graph $views      # in part: the posts, and writes to authors"
"$tviewc" graph "$views" --format text 2>/dev/null >"$out/graph"
# A block is a line and the indented lines below it.
awk '/^[^ ]/ { shown = $1 ~ /tv_bench_posts$/ || $0 ~ /^write to .*bench_authors/ } shown' "$out/graph" | indent

heading 'What it costs, against rebuilding'
sql <<'SQL'
CREATE MATERIALIZED VIEW mv_bench_comments AS SELECT * FROM v_bench_comments;
CREATE MATERIALIZED VIEW mv_bench_posts AS SELECT * FROM v_bench_posts;
CREATE UNIQUE INDEX ON mv_bench_comments (id);
CREATE UNIQUE INDEX ON mv_bench_posts (id);
SQL
vacuum
measured 'rename an author' "UPDATE bench_authors SET name = 'Ada @' WHERE id = $author"
measured 'edit a comment' "UPDATE bench_comments SET content = 'Edited @' WHERE id = $edited"
measured 'add a comment' "INSERT INTO bench_comments (post_id, author_id, content) VALUES ($post, $commenter, 'Also @')"
measured "change a post's title" "UPDATE bench_posts SET title = 'Title @' WHERE id = $post"
measured 'change a column that no view reads' "UPDATE bench_authors SET created_at = now() WHERE id = $author"
measurement >"$out/measurement.sql"
say "Each write once with the triggers, and once with the triggers off and everything rebuilt afterwards (TRUNCATE and"
say "INSERT … SELECT of both tables), in turn, in one session; medians of $rounds rounds after one to warm up:"
say
total=$(value "SELECT count(*) + (SELECT count(*) FROM tv_bench_posts) FROM tv_bench_comments")
sql -f "$out/measurement.sql" | medians | cost_table "$(thousands "$total")"
say
say '  * REFRESH MATERIALIZED VIEW CONCURRENTLY of both, which leaves readers alone, instead of the rebuild.'
say "  The milliseconds are this machine's, and rough; the ratios travel better. They grow with the tables: a rebuild"
say '  reads everything, the triggers only what the write reaches.'

heading 'Is every document right?'
say 'Each tview against its view, as text, byte for byte (examples/blog/demo/equal.sql):'
wrong=0 checked=0
while IFS='|' read -r tview view rows differing; do
    printf '    %-20s = %-20s %7s rows, %s differ\n' "$tview" "$view" "$(thousands "$rows")" "$differing"
    checked=$((checked + 1))
    wrong=$((wrong + differing))
done < <(sql -f examples/blog/demo/equal.sql)
say
if ((checked == 0 || wrong > 0)); then
    say "${red}No: $wrong rows differ in $checked tviews.${plain}"
    exit 1
fi
say "${green}Yes: $checked tviews, no difference.${plain}"
