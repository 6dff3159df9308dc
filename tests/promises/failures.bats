#!/usr/bin/env bats
# What went wrong with a message is kept beside it, shown, and gone with it.

load ../helper

setup() {
    setup_spool
    mq-queue create jobs durability=none retry-delay=1ms max-attempts=2
}

# fail [COMMAND…]: let the queue's messages fail, until all are dead.
fail_all() {
    run -123 mq-recv -q -f -w 0.3 jobs -- sh -c "${1:-echo 'no such user' >&2; exit 7}"
}

records() {
    find "$MQ_SPOOL/jobs/failures" -type f 2>/dev/null | wc -l
}

@test "each attempt is told with its time, its outcome and what the command said" {
    mq-send -q -i order-17 jobs x
    fail_all 'echo "attempt $MQ_ATTEMPT" >&2; [ $MQ_ATTEMPT = 1 ] && exit 7; kill -9 $$'
    run -0 mq-dlq show -j jobs order-17
    assert_json '.failures | length == 2' \
        '.failures[0] | .outcome == "exit status 7" and .exit_status == 7 and .stderr == "attempt 1\n" and .attempt == 1' \
        '.failures[1] | .outcome == "signal KILL" and .signal == 9 and .stderr == "attempt 2\n"' \
        '.failures[0].time | test("^20..-..-..T..:..:..[.0-9]*Z$")' '.failures[0].pid > 0' \
        '.failures[0].host | length > 0'
    run -0 mq-dlq show jobs order-17
    assert_line --regexp '^Mq-Failure: 20[^,]*, attempt 1: exit status 7$'
    assert_line $'\tattempt 2'
    run -0 mq-dlq list -j jobs
    assert_json '.last_failure.outcome == "signal KILL"'
    run -0 mq-dlq list jobs
    assert_output --partial 'signal KILL'
}

@test "of what a command said the last 4 KiB are kept, as text whatever it was" {
    mq-send -q -i order-17 jobs x
    fail_all 'seq 100000 >&2; printf "\377\033[1m\0end" >&2; exit 65'
    run -0 mq-dlq show -j jobs order-17
    assert_json '.failures[0].stderr | startswith("1\n") | not' \
        '.failures[0].stderr | endswith("100000\n\\xff\\x1b[1m\\x00end")' '.failures[0].stderr | length < 4200'
}

@test "a dead letter that nothing was kept of is shown as before" {
    mq-send -q -i order-17 jobs x
    mq-recv jobs | head -n 1 | mq-ack --reject
    run -0 mq-dlq show -j jobs order-17
    assert_json '.failures == []'
    run -0 mq-dlq list -j jobs
    assert_json 'has("last_failure") | not'
}

@test "it is gone when the message succeeds in the end" {
    mq-send -q jobs x
    run -123 mq-recv -q -w 20 jobs -- false
    assert_equal "$(records)" 1
    mq-recv -w 20 jobs -- true
    assert_equal "$(records)" 0
}

@test "it is gone when a dead letter is purged, or past dead-ttl" {
    printf '%s\n' a b | mq-send -q -l jobs
    fail_all
    assert_equal "$(records)" 2
    mq-dlq purge jobs "$(mq-dlq list -j -n 1 jobs | jq -r .id)"
    assert_equal "$(records)" 1
    mq-queue config jobs dead-ttl=1m
    age jobs dead 10000
    mq-queue sweep jobs
    assert_equal "$(depth jobs dead)$(records)" 00
}

@test "it is gone when a message that failed expires, where expiry drops" {
    mq-queue config jobs on-expiry=drop retry-delay=1ms
    mq-send -q --ttl 700ms jobs x
    run -123 mq-recv -q -w 20 jobs -- false
    assert_equal "$(records)" 1
    wait_until 10 swept
}

swept() {
    mq-queue sweep jobs
    [[ $(records)$(depth jobs ready)$(depth jobs delayed) == 000 ]]
}

@test "it stays when a dead letter is retried, and goes when that succeeds at once" {
    mq-send -q -i order-17 jobs x
    fail_all
    mq-dlq retry jobs
    mq-queue sweep jobs
    assert_equal "$(records)" 1
    mq-recv -w 20 jobs -- true
    assert_equal "$(records)" 0
}

@test "it goes when a dead letter is retried into another queue" {
    mq-queue create others
    mq-send -q jobs x
    fail_all
    mq-dlq retry --to others jobs
    assert_equal "$(records)" 0
}

@test "a sweep removes what was kept of messages that are gone, and nothing else" {
    mq-send -q -i order-17 jobs x
    fail_all
    mq-send -q -i order-18 jobs x
    run -123 mq-recv -q -w 20 jobs -- false
    cp "$MQ_SPOOL/jobs/failures/order-17" "$MQ_SPOOL/jobs/failures/gone"
    mq-queue sweep jobs
    run ls "$MQ_SPOOL/jobs/failures"
    assert_output $'order-17\norder-18'
}

@test "what is kept does not grow without end: the newest stays" {
    mq-queue config jobs max-attempts=none retry-delay=1us retry-max-delay=1us
    mq-send -q -i order-17 jobs x
    mq-recv -q -n 20 jobs -- sh -c 'head -c 4000 /dev/zero >&2; exit $((MQ_ATTEMPT == 20 ? 65 : 1))' 2>/dev/null || true
    (($(stat -c %s "$MQ_SPOOL/jobs/failures/order-17") <= 262144))
    run -0 mq-dlq show -j jobs order-17
    assert_json '.failures[-1].attempt == 20' '.failures | length > 5' '.failures[0].attempt > 1'
}

@test "acking a message that never failed makes no system call for this" {
    needs_strace
    mq-send -q jobs x
    strace -o trace mq-ack "$(claim jobs)"
    run grep -c failures trace
    assert_output 0
}

@test "a check of the queue knows what is kept" {
    mq-send -q jobs x
    fail_all
    run -0 mq-queue check jobs
    assert_output ''
}

@test "what somebody wrote into the file is passed over, and shown as text only" {
    mq-send -q -i order-17 jobs x
    fail_all
    printf 'noise\n[1]\n{"outcome":"a\\u001b[1mb","stderr":5}\n' >>"$MQ_SPOOL/jobs/failures/order-17"
    run -0 mq-dlq list jobs
    assert_output --partial 'a\x1b[1mb'
    run -0 mq-dlq show jobs order-17
    assert_line --partial 'a\x1b[1mb'
}
