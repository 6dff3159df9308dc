#!/usr/bin/env bats
# The benchmark runs, prints every row and cleans up. Its figures are not judged here.

load ../helper

setup() {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers measure themselves"
    setup_spool
    export TMPDIR=$BATS_TEST_TMPDIR/tmp COUNT=100 ROUNDS=1 RUNS=2 DEPTHS='10 20'
    mkdir "$TMPDIR"
}

bench() {
    BUILD=$MQ_BUILD "$MQ_ROOT/tests/bench/run" 3>&-
}

assert_cleaned() {
    run ls -A "$TMPDIR"
    assert_output ''
    run grep -F "$TMPDIR" /proc/mounts
    assert_output ''
}

# Calls that wait for the disk, in what a command does.
syncs() {
    strace -f -qq -e trace=fsync,fdatasync -o trace "$@" >/dev/null
    wc -l <trace
}

@test "only what is to be durable waits for the disk" {
    needs_strace
    local kind
    mq-queue create jobs
    for kind in single batch; do
        assert_equal "$(syncs "$MQ_BUILD/tests/bench/floor" . "$kind" 1024 5 fast)" 0
        assert_not_equal "$(syncs "$MQ_BUILD/tests/bench/floor" . "$kind" 1024 5 durable)" 0
    done
    assert_equal "$(syncs "$MQ_BUILD/tests/bench/singles" jobs 64 5 fast)" 0
    (($(syncs "$MQ_BUILD/tests/bench/singles" jobs 64 5 durable) >= 10))
}

@test "every row has our figure, and the README says what it measures" {
    needs_patience
    local row name
    run -0 --separate-stderr make --no-print-directory -s -C "$MQ_ROOT" BUILD="$MQ_BUILD" \
        bench-smoke PEERS=none BENCH_DIR="$BATS_TEST_TMPDIR" 3>&-
    awk '/ (more|less) / { print }' <<<"$output" >rows
    assert_equal "$(wc -l <rows)" 58
    while IFS= read -r row; do
        [[ $row =~ ^(.*[^ ])\ +(k/s|1/s|ms|us|MiB|times)\ +(more|less)\ +[0-9] ]] || fail "no figure: $row"
        name=$(sed -E 's/,.*//; s/ [0-9]+$//' <<<"${BASH_REMATCH[1]}")
        grep -q "\*\*.*$name" "$MQ_ROOT/tests/bench/README.md" || fail "not explained: $name"
    done <rows
    assert_cleaned
}

@test "who is not measured is named" {
    local peer pid
    BUILD=$MQ_BUILD PEERS='sqlite dirq nq' spawn bench "$MQ_ROOT/tests/bench/run"
    pid=$!
    wait_until 60 grep -q 'measuring: ' bench.err
    kill -TERM "$pid"
    wait "$pid" || true
    for peer in sqlite dirq nq; do
        grep -qE "(takes part|left out): $peer\b" bench.err || fail "$peer is passed over"
    done
    grep -q 'left out: c-dirq' bench.err || fail "c-dirq is passed over"
}

@test "the benchmark takes everything away again when it is ended" {
    local pid
    RUNS=10000 BUILD=$MQ_BUILD PEERS='redis beanstalkd nats' spawn bench "$MQ_ROOT/tests/bench/run"
    pid=$!
    wait_until 60 grep -q 'measuring: process' bench.err
    kill -TERM "$pid"
    pkill -TERM -P "$pid" turns || true # what it waits for at the time
    wait "$pid" || true
    assert_cleaned
    run pgrep -f "$TMPDIR"
    assert_output ''
}
