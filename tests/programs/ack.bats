# mq-ack: ending a claim in each way, extending it, and receipts that are valid no longer.
# shellcheck disable=SC2154,SC2030,SC2031 # stderr is set by run; each test is a process
load ../helper

setup() {
    setup_spool
    mq-send -q jobs body
    receipt=$(claim jobs)
}

states() {
    echo "$(depth jobs ready) $(depth jobs delayed) $(depth jobs inflight) $(depth jobs dead)"
}

# Seconds from now until the time that the only message of a state has in its name.
seconds_left() { # STATE
    local name
    name=$(files jobs "$1")
    echo $(((16#${name:0:13} - $(now_us)) / 1000000))
}

@test "an acked message is gone" {
    run -0 --separate-stderr mq-ack "$receipt"
    assert_equal "$output$stderr" ''
    assert_equal "$(states)" '0 0 0 0'
}

@test "a second ack is told that the claim has ended, with status 1" {
    mq-ack "$receipt"
    for way in '' --nack --reject --release --extend=1h; do
        run -1 --separate-stderr mq-ack ${way:+"$way"} "$receipt"
        assert_complains 'mq-ack: '
        assert_output ''
    done
    assert_equal "$(states)" '0 0 0 0'
}

@test "several receipts are acked at once, from arguments or from stdin" {
    seq 4 | mq-send -q -l jobs
    run -0 --separate-stderr mq-ack "$(claim jobs)" "$(claim jobs)"
    assert_equal "$(states)" '2 0 1 0'
    second=$(claim jobs)
    third=$(claim jobs)
    run -0 --separate-stderr mq-ack <<<"$receipt"$'\n\n'"$second"$'\n'"$third"
    assert_equal "$(states)" '0 0 0 0'
}

@test "a last line of stdin without its newline counts" {
    printf %s "$receipt" | mq-ack
    assert_equal "$(states)" '0 0 0 0'
}

@test "stdin is not read where receipts are given" {
    { mq-ack "$receipt"; cat; } <<<untouched >rest
    assert_equal "$(<rest)" untouched
}

@test "each failure is told and the rest is still done" {
    seq 2 | mq-send -q -l jobs
    second=$(claim jobs)
    third=$(claim jobs)
    mq-ack "$second"
    run -1 --separate-stderr mq-ack "$receipt" "$second" "$third"
    assert_complains 'mq-ack: '
    assert_equal "${#stderr_lines[@]}" 1
    assert_equal "$(states)" '0 0 0 0'
}

@test "of several failures the worst makes the status" {
    seq 2 | mq-send -q -l jobs
    second=$(claim jobs)
    third=$(claim jobs)
    mq-ack "$second"
    run -65 --separate-stderr mq-ack "$second" mangled "$third"
    assert_equal "${#stderr_lines[@]}" 2
    run -66 --separate-stderr mq-ack "$second" mangled "gone/${second#*/}" "$receipt"
    assert_equal "${#stderr_lines[@]}" 3
    assert_equal "$(states)" '0 0 0 0'
}

@test "a nack lets the message be tried again after the queue's back-off" {
    mq-queue config jobs retry-delay=100s retry-max-delay=1h
    run -0 --separate-stderr mq-ack --nack "$receipt"
    assert_equal "$output$stderr" ''
    assert_equal "$(states)" '0 1 0 0'
    left=$(seconds_left delayed)
    ((left >= 90 && left <= 200)) || fail "back-off of $left s"
    age jobs delayed
    run -0 --separate-stderr mq-recv -j -w 5s jobs
    assert_json '.attempts == 2'
}

@test "the back-off doubles with the attempts, up to retry-max-delay" {
    mq-queue config jobs retry-delay=100s retry-max-delay=300s max-attempts=9
    mq-ack --nack --delay 0 "$receipt"
    mq-ack --nack "$(claim jobs)"
    left=$(seconds_left delayed)
    ((left >= 190 && left <= 300)) || fail "second back-off of $left s"
    age jobs delayed
    mq-recv -w 5s jobs >claimed
    mq-ack --nack --delay=0 "$(head -n 1 claimed)"
    mq-ack --nack "$(claim jobs)"
    left=$(seconds_left delayed)
    ((left >= 290 && left <= 300)) || fail "fourth back-off of $left s"
}

@test "a nack with --delay says itself when, 0 being at once" {
    mq-ack --nack --delay=0 "$receipt"
    assert_equal "$(states)" '1 0 0 0'
    mq-ack --nack --delay 2h "$(claim jobs)"
    assert_equal "$(states)" '0 1 0 0'
    left=$(seconds_left delayed)
    ((left >= 7100 && left <= 7200)) || fail "$left s"
}

@test "a message that was nacked keeps its place before younger ones" {
    printf 'second\nthird\n' | mq-send -q -l jobs
    mq-ack --nack --delay 0 "$receipt"
    run -0 --separate-stderr mq-recv -al -n 3 --no-wait jobs
    assert_output $'body\nsecond\nthird'
}

@test "a nack of the last attempt makes a dead letter" {
    mq-queue config jobs max-attempts=2
    mq-ack --nack --delay=0 "$receipt"
    mq-ack --nack --delay=0 "$(claim jobs)"
    assert_equal "$(states)" '0 0 0 1'
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason == "max-attempts"' '.attempts == 2'
}

@test "a rejected message is a dead letter, with the reason given" {
    run -0 --separate-stderr mq-ack --reject --reason 'no such user: a/b.c 50% ü' "$receipt"
    assert_equal "$output$stderr" ''
    assert_equal "$(states)" '0 0 0 1'
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason == "no such user: a/b.c 50% ü"' '.attempts == 1'
}

@test "without a reason the reason is rejected, and a long one is cut between characters" {
    mq-ack --reject "$receipt"
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason == "rejected"'
    mq-dlq purge --all jobs
    mq-send -q jobs body
    long=$(printf 'ü%.0s' {1..200})
    mq-ack --reject --reason="$long" "$(claim jobs)"
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason | test("^ü{30,}$")'
}

@test "an extended claim lives longer, and its receipt stays good" {
    before=$(seconds_left inflight)
    run -0 --separate-stderr mq-ack --extend=2h "$receipt"
    left=$(seconds_left inflight)
    ((before <= 30 && left >= 7100 && left <= 7200)) || fail "from $before to $left s"
    assert_equal "$(states)" '0 0 1 0'
    run -0 mq-ack -e 1h "$receipt"
    left=$(seconds_left inflight)
    ((left >= 3500 && left <= 3600)) || fail "$left s"
    mq-ack "$receipt"
    assert_equal "$(states)" '0 0 0 0'
}

@test "an extended claim is found among the latest deadlines, and others are not listed" {
    needs_strace
    local listed
    mq-send -q jobs other
    claim -t 1h jobs >/dev/null
    listed=$(find "$MQ_SPOOL/jobs/inflight" -mindepth 1 -type d -printf '%f\n' | sort | tail -n 1)
    mq-ack --extend 2h "$receipt"
    run -0 strace -qq -o trace -e trace=openat2 mq-ack "$receipt"
    assert_equal "$(states)" '0 0 1 0'
    run ! grep -F "\"inflight/$listed\"" trace
}

@test "an extended claim is nobody else's when its first deadline has passed" {
    mq-ack "$receipt"
    mq-send -q jobs again
    receipt=$(claim -t 200ms jobs)
    mq-ack --extend 1h "$receipt"
    run -1 --separate-stderr mq-recv -w 400ms jobs
    mq-ack "$receipt"
}

@test "a released message is back in its place, its attempt not counted" {
    mq-send -q jobs second
    run -0 --separate-stderr mq-ack --release "$receipt"
    assert_equal "$output$stderr" ''
    take_json jobs
    assert_json '.body == "body"' '.attempts == 1'
}

@test "a released message can be claimed for ever, a released last attempt is none" {
    mq-queue config jobs max-attempts=1
    mq-ack --release "$receipt"
    mq-ack --release "$(claim jobs)"
    assert_equal "$(states)" '1 0 0 0'
}

@test "a claim past its deadline cannot be settled, even where nobody has taken the message back" {
    mq-ack "$receipt"
    mq-send -q jobs again
    receipt=$(claim -t 1ms jobs)
    for way in '' --nack --reject --release --extend=1h; do
        run -1 --separate-stderr mq-ack ${way:+"$way"} "$receipt"
        assert_complains 'mq-ack: '
    done
    mq-recv -a -w 5s jobs >got
    assert_equal "$(<got)" again
}

@test "a receipt touches nobody else's claim on the same message" {
    age jobs inflight
    mq-recv -w 5s jobs >claimed
    for way in '' --nack --reject --release --extend=1h; do
        run -1 --separate-stderr mq-ack ${way:+"$way"} "$receipt"
    done
    assert_equal "$(states)" '0 0 1 0'
    left=$(seconds_left inflight)
    ((left <= 30)) || fail "it was extended to $left s"
    mq-ack "$(head -n 1 claimed)"
    assert_equal "$(states)" '0 0 0 0'
}

@test "receipts of several queues may be mixed" {
    mq-send -q other body
    mq-ack "$receipt" "$(claim other)"
    assert_equal "$(states) $(depth other inflight)" '0 0 0 0 0'
}

@test "a receipt of a queue that is gone is 66" {
    mq-queue delete --force jobs
    run -66 --separate-stderr mq-ack "$receipt"
    assert_complains 'mq-ack: jobs: '
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "options that contradict each other or lack their other half are refused" {
    for options in '--nack --reject' '--nack --extend=1h' '--reject --release' '--release --extend=1h' '--nack --release' \
        '--delay=1s' '--reason=no' '--reject --delay=1s' '--nack --reason=no' '--extend=0' '--extend=-1s' '--nack --delay=x'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-ack $options "$receipt"
        assert_complains 'mq-ack: '
    done
    assert_equal "$(states)" '0 0 1 0'
}

@test "-v says what was done, -q does not silence failures" {
    run -0 --separate-stderr mq-ack -v "$receipt"
    assert_complains 'mq-ack: jobs: '
    run -1 --separate-stderr mq-ack -q "$receipt"
    assert_complains 'mq-ack: '
}

@test "--version and --help answer, unknown options are refused with 64" {
    run -0 --separate-stderr mq-ack --version
    assert_output --regexp '^mq-ack \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-ack --help
    assert_line --regexp '^Usage: mq-ack '
    run -64 --separate-stderr mq-ack --no-such-option "$receipt"
    assert_complains 'mq-ack: '
}

@test "- is standard input, in its place among the receipts" {
    local other third
    mq-send -q -l jobs < <(seq 2)
    other=$(claim jobs)
    third=$(claim jobs)
    mq-ack "$receipt" - "$third" <<<"$other"
    assert_equal "$(states)" '0 0 0 0'
}
