# Redis: lists, and streams with a consumer group, of one server on a unix socket. In memory; durable: an append-only
# file that is synced before each answer.

redis_packages=(redis-server redis-tools)
redis_durable=1
redis_deepest=1000000
redis_scale=1
streams_packages=("${redis_packages[@]}")
streams_durable=1
streams_deepest=1000000
streams_scale=1

redis_is_there() {
    command -v redis-server && command -v redis-cli
}
streams_is_there() {
    redis_is_there
}

redis() {
    redis-cli -s "$work/redis.sock" "$@"
}

redis_answers() {
    [[ $(redis PING 2>/dev/null) == PONG ]]
}

redis_start() {
    [[ -z ${redis_pids-} ]] || return 0
    mkdir -p "$place/redis"
    serve redis redis-server --port 0 --unixsocket "$work/redis.sock" --dir "$place/redis" --save '' \
        --appendfsync always
    redis_pids=$!
    wait_for redis_answers
}
streams_start() {
    redis_start
    streams_pids=$redis_pids
}

redis_mode() {
    local append=no
    [[ $mode != durable ]] || append=yes
    redis CONFIG SET appendonly "$append" >/dev/null
    until [[ $(redis INFO persistence) == *aof_rewrite_in_progress:0* ]]; do sleep 0.1; done
}
streams_mode() {
    redis_mode
}

redis_make() {
    redis DEL bench >/dev/null
}
streams_make() {
    redis DEL stream >/dev/null
    redis XGROUP CREATE stream workers 0 MKSTREAM >/dev/null
}

# Lines as commands of the protocol: redis_commands SIZE COUNT WORD…: the line comes last. The name of the file.
redis_commands() {
    local file
    file=$(lines "$1" "$2")
    if [[ ! -e $file.$3 ]]; then
        local word head
        head="*$(($# - 1))"'\r\n'
        for word in "${@:3}"; do head+="\$${#word}"'\r\n'"$word"'\r\n'; done
        awk -v head="$head" '{ printf "%s$%d\r\n%s\r\n", head, length, $0 }' "$file" >"$file.$3"
    fi
    echo "$file.$3"
}

redis_bulk_in() { # SIZE COUNT
    stopwatch 1 "$(redis_commands "$1" "$2" RPUSH bench)" /dev/null redis-cli -s "$work/redis.sock" --pipe
}
streams_bulk_in() {
    stopwatch 1 "$(redis_commands "$1" "$2" XADD stream '*' body)" /dev/null redis-cli -s "$work/redis.sock" --pipe
}

redis_drain() { # COUNT CONSUMERS SCRIPT KEY
    # shellcheck disable=SC2016 # for the shell that each consumer begins as
    stopwatch "$2" /dev/null "$output" sh -c 'exec redis-cli -s "$1" -r "$2" EVAL "$3" 1 "$4" "$$" 1000' sh \
        "$work/redis.sock" $(($1 / $2 / 1000 + 2)) "$(<"$peers/$3")" "$4"
}
redis_bulk_out() {
    redis_drain "$@" redis-list.lua bench
}
streams_bulk_out() {
    redis_drain "$@" redis-stream.lua stream
}

redis_one_by_one() { # SIZE COUNT WORDS…
    local file
    file=$(lines "$1" "$2")
    sed "s/^/${*:3} /" "$file" >"$file.plain"
    rate "$2" < <(stopwatch 1 "$file.plain" /dev/null redis-cli -s "$work/redis.sock")
}
redis_singles() {
    redis_one_by_one "$@" RPUSH bench
}
streams_singles() {
    redis_one_by_one "$@" XADD stream '\*' body
}

redis_send_command() {
    echo "redis-cli -s $work/redis.sock -x RPUSH bench"
}
streams_send_command() {
    echo "redis-cli -s $work/redis.sock -x XADD stream * body"
}

redis_receive_command() {
    echo "redis-cli -s $work/redis.sock LPOP bench"
}
streams_receive_command() {
    echo "redis-cli -s $work/redis.sock --eval $peers/redis-stream.lua stream , worker 1"
}

redis_await_command() {
    echo "redis-cli -s $work/redis.sock BLPOP bench 0"
}

redis_feed() { # RATE COUNT
    pace "$1" "$2" 'RPUSH bench' | redis-cli -s "$work/redis.sock" >/dev/null
}

redis_follow_command() {
    echo "redis-cli -s $work/redis.sock -r -1 BLPOP bench 0"
}
streams_follow_command() {
    echo "redis-cli -s $work/redis.sock -r -1 XREADGROUP GROUP workers worker COUNT 1 BLOCK 0 NOACK STREAMS stream >"
}
