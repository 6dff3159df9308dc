# The promises of mq(7), and for each what must never happen. The first, no loss, is tested in crash/, power/ and storm/.

load ../helper

total() {
    local state sum=0
    for state in ready delayed inflight dead; do
        sum=$((sum + $(depth "$1" $state)))
    done
    echo $sum
}

# ---- 2. No torn message ----------------------------------------------------------

@test "a message is not seen before its sender has it whole" {
    mkfifo input
    spawn sender bash -c 'exec mq-send jobs <input'
    exec {input}>input
    head -c 200000 /dev/zero >&$input
    wait_until 5 test -d "$MQ_SPOOL/jobs/ready"
    run -1 mq-recv -a --no-wait jobs
    assert_equal "$(depth jobs ready)" 0
    exec {input}>&-
    wait_until 5 has_depth jobs ready 1
    assert_equal "$(mq-recv -a jobs | wc -c)" 200000
}

@test "bodies of all sizes arrive byte for byte while senders and receivers race" {
    mq-queue create jobs durability=none max-size=1M
    local n size
    for n in 1 2 3; do
        for size in 0 1 4095 8192 65535 65536 65537 300000; do
            head -c $size /dev/urandom >"body.$n.$size"
        done
        spawn sender$n mq-send -q jobs -f body.$n.*
    done
    for n in 1 2 3; do
        spawn receiver$n mq-recv -a -j -n 8 -w 10 jobs
    done
    wait "${spawned[@]}"
    jq -r 'if .body_base64 then .body_base64 else (.body | @base64) end' receiver?.out |
        while read -r line; do base64 -d <<<"$line" | sha256sum; done | sort >got
    for n in body.*; do sha256sum <"$n"; done | sort >wanted
    diff got wanted
}

# ---- 3. One holder ---------------------------------------------------------------

@test "of many consumers exactly one gets a message" {
    local n
    mq-queue create jobs
    for n in {1..12}; do
        spawn r$n mq-recv -w 1 jobs
    done
    mq-send -q jobs once
    wait "${spawned[@]}" || true
    assert_equal "$(cat r*.out | grep -cx once)" 1
}

@test "once its deadline has passed a receipt is worthless and touches nobody else's claim" {
    mq-send -q jobs work
    local old new
    old=$(mq-recv -t 50ms jobs | head -n 1)
    new=$(mq-recv -t 1h -w 5 jobs | head -n 1)
    local verb
    for verb in '' --nack --reject --release --extend=1h; do
        # shellcheck disable=SC2086 # no verb is no word
        run -1 mq-ack $verb "$old"
    done
    assert_equal "$(depth jobs inflight)" 1
    run -0 mq-ack "$new"
    assert_equal "$(total jobs)" 0
}

@test "a receipt is worthless after ack, nack, reject and release" {
    local verb receipt
    for verb in --extend=1h --nack=now --reject --release --ack; do
        mq-send -q jobs work
        receipt=$(mq-recv jobs | head -n 1)
        case $verb in
        --nack=now) mq-ack --nack --delay 0 "$receipt" ;;
        --ack) mq-ack "$receipt" ;;
        --extend=1h) mq-ack --extend 1h "$receipt" && mq-ack "$receipt" ;;
        *) mq-ack $verb "$receipt" ;;
        esac
        run -1 mq-ack "$receipt"
        mq-queue purge jobs --state=all
    done
}

@test "a receipt past its deadline fails even where nobody has taken the message back yet" {
    mq-send -q jobs work
    local receipt file dir
    receipt=$(mq-recv -t 1ms jobs | head -n 1)
    run -1 mq-ack "$receipt"
    assert_equal "$(total jobs)" 1
}

# ---- 4. At least once, in order --------------------------------------------------

@test "what is not acked comes back, with its attempt counted" {
    mq-send -q jobs work
    assert_equal "$(mq-recv -j -t 50ms jobs | jq .attempts)" 1
    assert_equal "$(mq-recv -j -w 5 jobs | jq .attempts)" 2
}

@test "messages come by priority, then in the order sent, in all three ways of receiving" {
    local priority n
    for n in {1..40}; do
        printf '%s\n' "$n" >>wanted.0
    done
    for n in {1..40}; do
        mq-send -q --no-sync -p $((n % 3 * 4)) jobs "$((n % 3 * 4)) $n"
    done
    for priority in 8 4 0; do
        for n in {1..40}; do
            ((n % 3 * 4 != priority)) || echo "$priority $n"
        done
    done >wanted
    mq-queue peek -j -n 100 jobs | jq -r .body >peeked
    diff peeked wanted
    head -n 20 wanted | while read -r line; do
        [[ $(mq-recv -a jobs) == "$line" ]]
    done
    mq-recv -a -l -n 100 -w 0 jobs >rest
    diff rest <(tail -n 20 wanted)
}

@test "a message that comes back keeps its place" {
    mq-send -q jobs first
    mq-send -q jobs second
    local receipt
    receipt=$(mq-recv jobs | head -n 1)
    mq-ack --nack --delay 0 "$receipt"
    assert_equal "$(mq-recv -a jobs)" first
}

@test "one receiver gets a running sender's messages in exact order within each priority" {
    mq-queue create jobs durability=none
    seq 1 30000 >numbers
    spawn receiver mq-recv -a -l -n 30000 -w 10 jobs
    mq-send -q -l jobs <numbers
    wait "${spawned[@]}"
    diff receiver.out numbers
}

@test "order survives a clock that is set back" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    mq-send -q --no-sync jobs first
    faketime -f -1h mq-send -q --no-sync jobs second
    mq-send -q --no-sync jobs third
    run mq-recv -a -l -n 3 -w 0 jobs
    assert_output $'first\nsecond\nthird'
}

# ---- 5. Lock-free ----------------------------------------------------------------

@test "a stopped leader among the waiters delays a message by about a second at most" {
    mq-queue create jobs
    spawn leader mq-recv -a jobs
    local leader=$!
    wait_until 5 is_asleep $leader
    spawn follower mq-recv -a jobs
    local follower=$!
    wait_until 5 compgen -G "$MQ_SPOOL/jobs/waiters/waiter-*"
    kill -STOP $leader
    mq-send -q jobs work
    wait_until 3 grep -qx work follower.out
    wait $follower
}

# ---- 6. Cost does not grow with depth --------------------------------------------

# ratio A B: A / B in percent.
percent() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%d\n", 100 * a / b }'
}

@test "sending, receiving and mq-stat cost at most 1.5 times as much at a great depth as at ten" {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers cost time of their own"
    local deep=100000 shallow many ratio command
    if [[ -w /dev/shm ]] && (($(df --output=avail -k /dev/shm | tail -n 1) > 8000000)); then
        MQ_SPOOL=$(mktemp -d /dev/shm/mq-test.XXXXXX)
        register_removal "$MQ_SPOOL"
        deep=${DEEP:-200000} # make torture makes it a million
    fi
    mq-queue create deep durability=none
    mq-queue create shallow durability=none
    seq 1 "$deep" | mq-send -q -l --batch=1 deep
    seq 1 100 | mq-send -q -l shallow
    for command in 'mq-send -q' 'mq-recv -a'  mq-stat; do
        read -r shallow many < <("$MQ_BUILD/tests/bench/turns" 90 "$0" "$command shallow" "$command deep")
        ratio=$(percent "$many" "$shallow")
        echo "# $command: $many us at $deep, $shallow us at 100: $ratio %" >&3
        ((ratio <= 150))
        [[ $command != mq-stat ]] || ((${many%.*} < 20000)) # a look takes less than 20 ms
    done
}

register_removal() {
    removals+=("$1")
}

teardown() {
    kill_spawned
    rm -rf "${removals[@]}"
}

# ---- 7. Immutable messages -------------------------------------------------------

fingerprint() {
    find "$MQ_SPOOL/jobs" -path '*/*-*/*' -prune -o -type f -path '*.*' -print0 | xargs -0r sha256sum | cut -d' ' -f1
    find "$MQ_SPOOL/jobs" -type f -path '*.a[0-9]*' -exec stat -c '%i %Y %s' {} +
    find "$MQ_SPOOL/jobs" -type f -path '*.a[0-9]*' -exec sha256sum {} + | cut -d' ' -f1
}

@test "a message's file keeps its inode, time and content through its whole life" {
    mq-send -q -H 'X-Note: same' jobs "never changes"
    local before receipt
    before=$(fingerprint)
    receipt=$(mq-recv jobs | head -n 1)
    assert_equal "$(fingerprint)" "$before"
    mq-ack --extend 1h "$receipt"
    assert_equal "$(fingerprint)" "$before"
    mq-ack --nack --delay 1h "$receipt"
    assert_equal "$(fingerprint)" "$before"
    age jobs delayed
    receipt=$(mq-recv -w 5 jobs | head -n 1)
    mq-ack --reject "$receipt"
    assert_equal "$(fingerprint)" "$before"
    mq-dlq retry jobs
    assert_equal "$(fingerprint)" "$before"
    assert_equal "$(mq-recv -a jobs)" "never changes"
}
