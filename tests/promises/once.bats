#!/usr/bin/env bats
# mq-recv --once: what was acked is not done again within the dedup-window.

load ../helper

setup() {
    setup_spool
    mq-queue create jobs durability=none
}

marks() {
    find "$MQ_SPOOL/jobs/done" -type f 2>/dev/null | wc -l
}

# Let what was acked be acked so many windows of an hour ago: buckets of 2^32 us are 71 minutes.
age_marks() { # NUMBER
    local bucket
    for bucket in "$MQ_SPOOL"/jobs/done/*; do
        mv "$bucket" "$MQ_SPOOL/jobs/done/$(printf '%013x' $((0x$(basename "$bucket") - ($1 << 32))))"
    done
}

@test "an id that was acked is acked again without running the command" {
    mq-send -q -i order-17 jobs first
    run -0 mq-recv -w 20 --once jobs -- cat
    assert_output first
    mq-send -q -i order-17 jobs second
    mq-send -q -i order-18 jobs third
    run -0 mq-recv --until-empty --once jobs -- cat
    assert_output third
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .delayed, .inflight, .dead, .bytes]')" '[0,0,0,0,0]'
    assert_equal "$(mq-stat -j jobs | jq -c '[.ready, .inflight, .bytes]')" '[0,0,0]'
}

@test "who cannot see whether it was done gives it back and says so" {
    needs_strace
    mq-send -q -i order-17 jobs first
    mq-recv -q --once jobs -- true
    mq-send -q -i order-17 jobs second
    for nth in 1 2 3 4 5 6; do
        run --separate-stderr strace -qq -o trace -e trace=faccessat2 -e inject=faccessat2:error=EIO:when=$nth \
            mq-recv --no-wait --once jobs -- cat
        assert_output ''
        ((status != 0)) || break
        assert_equal "$status" 74
        assert_equal "$(depth jobs ready) $(depth jobs inflight)" '1 0'
    done
    ((nth > 1 && nth < 6))
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '0 0'
}

@test "what failed is no mark" {
    mq-queue config jobs retry-delay=1ms
    mq-send -q -i order-17 jobs x
    run -123 mq-recv -q -w 20 --once jobs -- false
    run -0 mq-recv -w 20 --once jobs -- cat
    assert_output x
}

@test "the ack and the mark are one rename" {
    needs_strace
    mq-send -q -i zero jobs x
    mq-recv -w 20 --once jobs -- true # makes done/
    mq-send -q -i order-17 jobs x
    strace -o trace -e trace=rename,renameat,renameat2,link,linkat,unlink,unlinkat mq-recv -w 20 --once jobs -- true
    # One for the claim, one for the ack.
    assert_equal "$(grep -c order-17 trace)" 2
    assert_equal "$(grep -c '"order-17", RENAME_NOREPLACE' trace)" 1
}

@test "without --once nothing is remembered, and nothing looked up" {
    mq-send -q -i order-17 jobs x
    mq-recv -w 20 --once jobs -- true
    mq-send -q -i order-17 jobs again
    run -0 mq-recv -w 20 jobs -- cat
    assert_output again
    assert_equal "$(marks)" 1
}

@test "what was acked in the bucket before this moment's still counts, longer ago it does not" {
    mq-send -q -i order-17 jobs x
    mq-recv -w 20 --once jobs -- true
    age_marks 1
    mq-send -q -i order-17 jobs again
    run -0 mq-recv -w 20 --once jobs -- cat
    assert_output ''
    age_marks 2
    mq-send -q -i order-17 jobs again
    run -0 mq-recv -w 20 --once jobs -- cat
    assert_output again
}

# Of a bucket's 2^32 us, the last ten seconds are not near.
is_early() {
    (($(now_us) % (1 << 32) < (1 << 32) - 10000000))
}

@test "a sweep removes what is of no use any more, and nothing else" {
    mq-queue config jobs dedup-window=4290s # the bucket before this moment's is of use until this one is almost over
    wait_until 15 is_early
    seq 5 | mq-send -q -l jobs
    mq-recv --until-empty --once jobs -- true
    mq-queue sweep jobs
    assert_equal "$(marks)" 5
    age_marks 1
    mq-queue sweep jobs
    assert_equal "$(marks)" 5
    age_marks 3
    mq-queue sweep jobs
    assert_equal "$(marks)" 0
    run ls -A "$MQ_SPOOL/jobs/done"
    assert_output ''
}

@test "those who ack remove old marks bit by bit, without any sweep" {
    seq 300 | mq-send -q -l jobs
    mq-recv --until-empty -P 4 --once jobs -- true
    age_marks 4
    # One ack in 64 removes up to 256.
    seq 600 | mq-send -q -l jobs
    mq-recv --until-empty -P 4 --once jobs -- true
    (($(marks) <= 600))
}

@test "the dedup-window may be set, and a short one makes narrow buckets" {
    mq-queue config jobs dedup-window=100ms
    mq-send -q -i order-17 jobs x
    mq-recv -w 20 --once jobs -- true
    wait_until 10 works_again
    run -78 mq-queue config jobs dedup-window=none
}

works_again() {
    mq-send -q -i order-17 jobs again
    [[ $(mq-recv -w 20 --once jobs -- cat) == again ]]
}

@test "a check of the queue knows the marks" {
    mq-send -q jobs x
    mq-recv -w 20 --once jobs -- true
    run -0 mq-queue check jobs
    assert_output ''
    mkdir "$MQ_SPOOL/jobs/done/surprise"
    run -65 mq-queue check jobs
    assert_output 'jobs/done/surprise: not a bucket'"'"'s name'
}

duplicates() {
    mq-stat -j jobs | jq .duplicates
}

@test "duplicates counts what was acked without work, in whatever bucket its mark is, and nothing else" {
    mq-send -q -i one jobs first
    mq-recv -q --once -n 1 jobs -- true
    assert_equal "$(duplicates)" 0
    mq-send -q -i one jobs again
    mq-recv -q --once --until-empty jobs -- false || true
    assert_equal "$(duplicates)" 1
    age_marks 1
    mq-send -q -i one jobs again
    mq-recv -q --once --until-empty jobs -- false || true
    assert_equal "$(duplicates)" 2
    # Both were worked on, since neither was acked when the other began.
    mq-send -q -i two jobs
    mq-send -q -i two jobs
    mq-recv -q --once -n 2 -P 2 -w 20 jobs -- sh -c 'echo >>ran; until [ "$(wc -l <ran)" = 2 ]; do sleep 0.02; done'
    assert_equal "$(duplicates)" 2
    assert_equal "$(mq-stat -j jobs | jq .acked)" 5
}
