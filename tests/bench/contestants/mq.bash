# Ourselves: the programs as they come.

mq_durable=1
mq_deepest=1000000000
mq_scale=1

mq_sync() {
    [[ $mode == durable ]] || echo --no-sync
}

mq_start() {
    export MQ_SPOOL=$place/spool
    mkdir -p "$MQ_SPOOL"
}

mq_make() {
    mq-queue delete --force bench 2>/dev/null || true
    mq-queue create bench
}

mq_bulk_in() { # SIZE COUNT
    # shellcheck disable=SC2046 # an option or none
    stopwatch 1 "$(lines "$1" "$2")" "$output" mq-send -q -l $(mq_sync) bench
}

mq_fill() { # SIZE COUNT
    singles bench "$1" "$2" fast
}

mq_bulk_out() { # COUNT CONSUMERS
    stopwatch "$2" /dev/null "$output" mq-recv -a -l -f --no-wait bench
}

mq_singles() { # SIZE COUNT
    singles bench "$1" "$2" "$mode"
}

mq_send_command() {
    echo "mq-send -q $(mq_sync) bench"
}

mq_receive_command() {
    echo "mq-recv -a --no-wait bench"
}

mq_await_command() {
    echo "mq-recv -a bench"
}

mq_feed() { # RATE COUNT
    # shellcheck disable=SC2046 # an option or none
    pace "$1" "$2" | mq-send -q -l $(mq_sync) bench
}

mq_follow_command() {
    echo "mq-recv -a -l -f bench"
}
