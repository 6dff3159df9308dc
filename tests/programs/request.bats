#!/usr/bin/env bats
# Requests and replies: mq-send --request, mq-recv --reply, and the queues for the replies.

load ../helper

setup() {
    setup_spool
    mq-queue create upper durability=none retry-delay=1ms
}

reply_queues() {
    compgen -G "$MQ_SPOOL/_reply-*" | wc -l
}

has_reply_queues() {
    [[ $(reply_queues) == "$1" ]]
}

serve() { # [OPTION…] -- COMMAND…
    spawn service mq-recv -q -f --reply "${@:1}"
}

@test "a request gets what the command printed, byte for byte, and the reply's queue is gone" {
    serve upper -- tr a-z A-Z
    head -c 300000 /dev/urandom | tr a-z b >body
    mq-queue config upper max-size=1M
    run -0 --separate-stderr mq-send --request=20s upper hello
    assert_output HELLO
    assert_equal "$stderr" ''
    mq-send --request=20s upper -f body >got
    cmp <(tr a-z A-Z <body) got
    assert_equal "$(reply_queues)" 0
}

@test "the reply has the request's Correlation-Id, its own or a new one" {
    spawn service mq-recv -f --reply-any upper -- sh -c 'echo "$MQ_REPLY_TO $MQ_CORRELATION_ID"'
    run -0 mq-send --request=20s upper x
    local -a words
    read -ra words <<<"$output"
    [[ ${words[0]} == _reply-* && -n ${words[1]} ]]
    # What is sent there is a message like any other.
    mq-queue create answers
    mq-send -q --reply-to answers --correlation-id order-17 upper x
    run -0 --separate-stderr mq-recv -aj -w 20 answers
    assert_json '.headers."Correlation-Id" == "order-17"' '.body == "answers order-17\n"'
}

@test "a script that answers by itself does it with mq-send" {
    spawn service mq-recv -f upper -- sh -c 'tr a-z A-Z | mq-send -q --correlation-id "$MQ_CORRELATION_ID" "$MQ_REPLY_TO"'
    run -0 mq-send --request=20s upper hello
    assert_output HELLO
}

@test "without a reply in time the exit status is 1, and the queue for it is gone" {
    run -1 --separate-stderr mq-send --request=0.1s upper hello
    assert_output ''
    assert_complains 'mq-send: upper: no reply came within '
    assert_equal "$(reply_queues)" 0
    assert_equal "$(depth upper ready)" 0
}

@test "a reply that comes too late is dropped, and the message is acked" {
    spawn caller mq-send -q --request=1s upper hello
    run -0 --separate-stderr mq-recv -w 20 --reply upper -- \
        sh -c 'while ls "$MQ_SPOOL"/_reply-* >/dev/null 2>&1; do sleep 0.02; done; tr a-z A-Z'
    assert_equal "$output$stderr" ''
    assert_equal "$(depth upper ready)$(depth upper inflight)" 00
    assert_equal "$(reply_queues)" 0
}

@test "a request that fails for good fails for its caller, who is told why" {
    mq-queue config upper max-attempts=2
    serve upper -- sh -c 'echo "attempt $MQ_ATTEMPT failed" >&2; exit 7'
    run -123 --separate-stderr mq-send --request=20s upper hello
    assert_output ''
    [[ $stderr == 'mq-send: upper: the request failed: status 7'*'attempt 2 failed'* ]]
    assert_equal "$(depth upper dead)" 1
}

@test "a request that is rejected fails for its caller at once" {
    serve upper -- sh -c 'exit 65'
    run -123 --separate-stderr mq-send --request=20s upper hello
    assert_complains 'mq-send: upper: the request failed: status '
}

@test "messages that want no reply are worked on all the same" {
    mq-send -q upper hello
    run -0 mq-recv -w 20 --reply upper -- tr a-z A-Z
    assert_output HELLO
}

@test "a reply larger than its queue takes is a failed attempt" {
    mq-queue create answers max-size=10
    mq-send -q --reply-to answers upper hello
    run -123 --separate-stderr mq-recv -w 20 --reply-any upper -- seq 100
    [[ $stderr == *'the reply cannot be sent: the body is larger than max-size'* ]]
    assert_equal "$(depth upper ready)$(depth upper delayed)" 01
}

@test "a caller that is ended by a signal removes the queue for its reply" {
    spawn caller mq-send --request upper hello
    wait_until 10 has_reply_queues 1
    wait_until 10 is_asleep "${spawned[-1]}"
    kill -TERM "${spawned[-1]}"
    local status=0
    wait "${spawned[-1]}" || status=$?
    assert_equal "$status" 143
    assert_equal "$(reply_queues)" 0
}

@test "what a killed caller leaves goes with a sweep, which never takes a live one's" {
    spawn live mq-send --request=20s upper first
    wait_until 10 has_reply_queues 1
    spawn killed mq-send --request upper second
    wait_until 10 has_reply_queues 2
    wait_until 10 has_depth upper ready 2
    kill -KILL "${spawned[-1]}"
    wait "${spawned[-1]}" || true
    local n
    for n in 1 2 3; do
        mq-queue sweep
    done
    assert_equal "$(reply_queues)" 1
    mq-recv -w 20 --reply upper -- tr a-z A-Z
    wait "${spawned[-2]}"
    assert_equal "$(cat live.out)" FIRST
}

@test "callers and sweeps that race do not meet: each request gets its reply" {
    local n caller
    serve -P 4 upper -- tr a-z A-Z
    spawn sweeper bash -c 'while :; do mq-queue sweep; done'
    for caller in 1 2 3; do
        spawn "caller$caller" bash -c 'for n in {1..15}; do mq-send --request=20s upper "c$n" || exit; echo; done'
    done
    wait "${spawned[@]:2}"
    for caller in 1 2 3; do
        assert_equal "$(cat caller$caller.out)" "$(printf 'C%d\n' {1..15})"
    done
}

@test "queues for replies are not listed" {
    spawn caller mq-send --request upper hello
    wait_until 10 has_reply_queues 1
    assert_equal "$(mq-queue list)" upper
    assert_equal "$(mq-stat -j | jq -r .queue)" upper
}

@test "misuse is told" {
    local -a line
    while read -ra line; do
        run -64 --separate-stderr mq-send "${line[@]}" </dev/null
        assert_complains 'mq-send: '
    done <<'END'
--request -l upper
--request -f one -f two upper
--request --reply-to other upper hello
--request=never upper hello
END
}

# ---- a caller that waits no more ---------------------------------------------------------

everywhere() { # QUEUE: messages in any state
    mq-stat -x --format='{ready} {delayed} {inflight} {dead}' "$1"
}

@test "a request whose caller gave up is not served later, nor is it a dead letter" {
    run -1 mq-send -q --request=50ms upper hello
    assert_equal "$(everywhere upper)" '0 0 0 0'
    run -1 mq-send -q --request=50ms -d 1h upper hello
    assert_equal "$(everywhere upper)" '0 0 0 0'
    # A caller that was killed withdraws nothing, but what it sent expires, however long the queue lets others wait.
    mq-queue config upper ttl=1h
    spawn caller mq-send --request=1s upper hello
    wait_until 10 has_depth upper ready 1
    kill -KILL "${spawned[-1]}"
    wait_until 10 nothing_ready
    assert_equal "$(everywhere upper)" '0 0 0 0'
}

nothing_ready() {
    mq-queue sweep upper
    [[ $(everywhere upper) == 0* ]]
}

@test "a signal for the caller withdraws its request, and no other, unless it is claimed" {
    local ended
    mq-send -q -i before upper other
    for signal in TERM INT HUP; do
        spawn caller env --default-signal=TERM,INT,HUP mq-send --request upper hello
        wait_until 10 has_depth upper ready 2
        wait_until 10 is_asleep_as "${spawned[-1]}" mq-send
        kill -$signal "${spawned[-1]}"
        ended=0
        wait "${spawned[-1]}" || ended=$?
        assert_equal "$ended" "$((128 + $(kill -l $signal)))"
        assert_equal "$(everywhere upper)" '1 0 0 0'
    done
    mq-ack "$(claim upper)"
    spawn caller mq-send --request upper hello
    wait_until 10 has_depth upper ready 1
    receipt=$(claim upper)
    wait_until 10 is_asleep_as "${spawned[-1]}" mq-send
    kill -TERM "${spawned[-1]}"
    wait "${spawned[-1]}" || true
    mq-ack "$receipt"
}

@test "a shorter ttl of its own ends a request sooner, and what is no request dies as ever" {
    mq-queue config upper ttl=10ms
    spawn caller mq-send -q --request=1h upper hello
    wait_until 10 has_depth upper ready 1
    wait_until 10 nothing_ready
    mq-send -q --reply-to answers upper late
    wait_until 10 nothing_ready
    assert_equal "$(everywhere upper)" '0 0 0 1'
}

@test "a reply goes to no other queue than a request's, and such a message is rejected before it is worked on" {
    mq-queue create admin
    mq-queue create results
    mq-send -q -i m --reply-to admin upper hello
    run -123 --separate-stderr mq-recv --until-empty --reply upper -- sh -c 'cat; touch ran'
    assert_output ''
    assert_equal "$stderr" 'mq-recv: upper: m: attempt 1: Reply-To names no reply queue'
    assert_not_exists ran
    assert_equal "$(depth admin ready)" 0
    run -0 mq-dlq list -j upper
    assert_json '.reason == "Reply-To names no reply queue"' '.attempts == 1'
    # Neither does what says that it failed.
    mq-send -q --reply-to admin upper hello
    run -123 --separate-stderr mq-recv --until-empty --reply --reject-on=1 upper -- false
    assert_equal "$(depth admin ready)" 0
    # With the option for it it does.
    mq-dlq retry upper m
    run -0 mq-recv --reply-any upper -- tr a-z A-Z
    run -0 mq-recv -a --no-wait admin
    assert_output HELLO
}

@test "a name that no queue can have is no place for a reply" {
    for name in ../x . '' a/b _reply-0123456789abcde _reply-0123456789ABCDEF _reply-0123456789abcdef.; do
        mq-send -q -H "Reply-To: $name" upper hello
        run -123 --separate-stderr mq-recv --until-empty --reply upper -- touch ran
    done
    mq-send -q -H 'Reply-To: ../x' upper hello
    run -123 --separate-stderr mq-recv --until-empty --reply-any upper -- touch ran
    assert_not_exists ran
    # One that could be a request's, who has given up.
    mq-send -q --reply-to=_reply-0123456789abcdef upper hello
    run -0 mq-recv --until-empty --reply upper -- touch ran
    assert_exists ran
}
