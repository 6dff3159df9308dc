# What time brings: claims lapse, delayed messages fall due, retries back off, messages and dead letters expire.

load ../helper

# took_at_most MILLISECONDS COMMAND…
took_at_most() {
    local begun
    begun=$(now_us)
    "${@:2}"
    local taken=$((($(now_us) - begun) / 1000))
    echo "took $taken ms: ${*:2}"
    ((taken <= $1))
}

# Soon enough after 400 ms; the earliest of all tries in $earliest.
came_after() { # MICROSECONDS
    echo "came after $1 us"
    earliest=$((${earliest:-$1} < $1 ? earliest : $1))
    (($1 < 550000))
}

states() {
    local state
    for state in ready delayed inflight dead; do
        printf '%d ' "$(depth "$1" $state)"
    done
}

@test "a waiting receiver wakes by itself for a delayed message, within milliseconds" {
    mq-queue create jobs
    at_best 5 wakes_for_a_delayed_message
    ((earliest >= 400000))
}

wakes_for_a_delayed_message() {
    local begun
    spawn receiver mq-recv -a jobs
    wait_until 5 is_waiting_in_poll $! && begun=$(now_us) && mq-send -q --no-sync -d 400ms jobs later && wait $! || return
    came_after $(($(now_us) - begun))
}

@test "a waiting receiver wakes by itself for a claim that lapses, within milliseconds" {
    at_best 5 wakes_for_a_lapsed_claim
    ((earliest >= 400000))
}

wakes_for_a_lapsed_claim() {
    local begun
    mq-send -q jobs work
    begun=$(now_us)
    mq-recv -t 400ms jobs >/dev/null
    [[ $(mq-recv -a -j -w 10 jobs | jq .attempts) == 2 ]] && came_after $(($(now_us) - begun))
}

@test "a claim that was made while the receiver waited wakes it when it lapses, too" {
    mq-queue create jobs
    at_best 5 wakes_for_a_new_claim
}

wakes_for_a_new_claim() {
    spawn receiver mq-recv -a -w 10 jobs
    local receiver=$!
    wait_until 5 is_waiting_in_poll $receiver
    kill -STOP $receiver
    mq-send -q --no-sync jobs work
    mq-recv -t 300ms jobs >/dev/null
    kill -CONT $receiver
    took_at_most 900 wait $receiver && [[ $(cat receiver.out) == work ]]
}

@test "a delayed message is not delivered before its time, and then in its place" {
    mq-send -q -d 1h jobs first
    mq-send -q jobs second
    assert_equal "$(states jobs)" "1 1 0 0 "
    age jobs delayed
    mq-queue sweep jobs
    assert_equal "$(mq-recv -a --no-wait jobs)" first
}

@test "a claim that lapses too often makes a dead letter, reason max-attempts" {
    mq-queue create jobs max-attempts=3
    mq-send -q jobs poison
    local attempt
    for attempt in 1 2 3; do
        assert_equal "$(mq-recv -j --no-wait jobs | jq .attempts)" $attempt
        age jobs inflight
        mq-queue sweep jobs
    done
    run -1 mq-recv --no-wait jobs
    assert_equal "$(mq-dlq list -j jobs | jq -r '"\(.reason) \(.attempts)"')" "max-attempts 3"
}

@test "whoever comes by takes lapsed claims back: a send, a receive without waiting" {
    mq-send -q jobs work
    mq-recv jobs >/dev/null
    age jobs inflight
    wait_until 3 send_and_find_two
    mq-recv -a -n 9 -w 0 jobs >/dev/null
    mq-send -q jobs again
    mq-recv jobs >/dev/null
    age jobs inflight
    wait_until 3 mq-recv -a --no-wait jobs
}

send_and_find_two() {
    mq-send -q --no-sync jobs other
    (($(depth jobs inflight) == 0))
}

@test "a nack backs off, doubling, and after the last attempt makes a dead letter" {
    mq-queue create jobs max-attempts=3 retry-delay=10s retry-max-delay=30s
    mq-send -q jobs poison
    local attempt due wanted
    for attempt in 1 2; do
        mq-ack --nack "$(mq-recv jobs | head -n 1)"
        due=$(mq-queue peek -j --state=delayed jobs | jq -r .due | xargs -I{} date -d {} +%s)
        wanted=$((10 * attempt))
        ((due - $(date +%s) >= wanted - 1 && due - $(date +%s) <= 2 * wanted))
        age jobs delayed
        mq-queue sweep jobs
    done
    mq-ack --nack "$(mq-recv --no-wait jobs | head -n 1)"
    assert_equal "$(states jobs)" "0 0 0 1 "
}

@test "an extended claim does not lapse at its first deadline, and its receipt stays good" {
    mq-send -q jobs work
    local receipt
    receipt=$(mq-recv -t 200ms jobs | head -n 1)
    mq-ack --extend 1h "$receipt"
    run -1 mq-recv -w 500ms jobs
    run -0 mq-ack "$receipt"
    assert_equal "$(states jobs)" "0 0 0 0 "
}

@test "an expired message becomes a dead letter, reason expired; with on-expiry = drop it is gone" {
    mq-send -q --ttl 1ms jobs old
    run -1 mq-recv -a -w 50ms jobs
    assert_output ''
    assert_equal "$(mq-dlq list -j jobs | jq -r .reason)" expired
    mq-queue config jobs on-expiry=drop ttl=1ms
    mq-send -q jobs old
    wait_until 2 mq_sweeps_to "0 0 0 1 "
}

mq_sweeps_to() {
    mq-queue sweep jobs
    [[ $(states jobs) == "$1" ]]
}

@test "a message that is claimed before its ttl may be acked after it" {
    mq-send -q --ttl 100ms jobs work
    local receipt
    receipt=$(mq-recv jobs | head -n 1)
    wait_until 2 has_expired "$(files jobs inflight)"
    run -0 mq-ack "$receipt"
}

has_expired() {
    [[ $1 =~ \.x([0-9a-f]{13}) ]] && (($(now_us) > 16#${BASH_REMATCH[1]}))
}

@test "a retried dead letter does not expire again at once" {
    mq-send -q --ttl 1ms jobs old
    wait_until 2 mq_sweeps_to "0 0 0 1 "
    mq-dlq retry jobs
    assert_equal "$(mq-recv -a --no-wait jobs)" old
}

@test "dead letters older than dead-ttl go away" {
    mq-queue create jobs dead-ttl=1d
    mq-send -q jobs work
    mq-ack --reject "$(mq-recv jobs | head -n 1)"
    mq-queue sweep jobs
    assert_equal "$(states jobs)" "0 0 0 1 "
    age jobs dead 90000
    mq-queue sweep jobs
    assert_equal "$(states jobs)" "0 0 0 0 "
}

@test "the clock set back an hour keeps neither claims nor delayed messages from coming" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    mq-send -q -d 1s jobs delayed
    mq-send -q jobs work
    mq-recv -t 1s jobs >/dev/null
    faketime -f -1h mq-send -q jobs early
    assert_equal "$(faketime -f -1h mq-recv -a -w 1 jobs)" early
    run -0 faketime -f +2h mq-recv -a -l -n 2 -w 5 jobs
    assert_equal "$(sort <<<"$output")" $'delayed\nwork'
}
