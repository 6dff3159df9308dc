# SQLite: a table, a write-ahead log. Single messages by its own tool; many by Python's module, a thousand a
# transaction. Durable: synchronous = FULL; else NORMAL, which does not sync at a commit.

sqlite_packages=(sqlite3)
sqlite_durable=1
sqlite_deepest=1000000
sqlite_scale=1

sqlite_is_there() {
    command -v sqlite3 && /usr/bin/python3 -c "import sqlite3"
}

sqlite_synchronous() {
    [[ $mode == durable ]] && echo FULL || echo NORMAL
}

sqlite_start() {
    local synchronous
    sqlite_file=$place/queue.db
    for synchronous in FULL NORMAL; do
        printf '%s\n' '.timeout 60000' "PRAGMA synchronous = $synchronous;" \
            "INSERT INTO queue (body) VALUES (readfile('$work/kib'));" >"$work/send-$synchronous.sql"
    done
    printf '%s\n' '.timeout 60000' 'PRAGMA synchronous = NORMAL;' \
        'DELETE FROM queue WHERE id = (SELECT min(id) FROM queue) RETURNING body;' >"$work/receive.sql"
}

sqlite_make() {
    rm -f "$sqlite_file"*
    sqlite3 "$sqlite_file" 'PRAGMA journal_mode = WAL; CREATE TABLE queue (id INTEGER PRIMARY KEY, body BLOB)' >/dev/null
}

sqlite_lines() { # SIZE COUNT ROWS-A-TRANSACTION
    stopwatch 1 "$(lines "$1" "$2")" /dev/null /usr/bin/python3 "$peers/sqlite-client.py" "$sqlite_file" lines "$3" \
        "$(sqlite_synchronous)"
}

sqlite_bulk_in() { # SIZE COUNT
    sqlite_lines "$1" "$2" 1000
}

sqlite_bulk_out() { # COUNT CONSUMERS
    stopwatch "$2" /dev/null "$output" /usr/bin/python3 "$peers/sqlite-client.py" "$sqlite_file" drain
}

sqlite_singles() { # SIZE COUNT
    rate "$2" < <(sqlite_lines "$1" "$2" 1)
}

sqlite_send_command() {
    echo "sqlite3 -batch -init $work/send-$(sqlite_synchronous).sql $sqlite_file .quit"
}

sqlite_receive_command() {
    echo "sqlite3 -batch -init $work/receive.sql $sqlite_file .quit"
}
