#!/usr/bin/env bats
# Many workers at once: they are killed at random, there are more of them than inotify instances, they are as fast as xargs.
#
# STORM=5000 and MESSAGES=10000 are the full measure; the defaults take seconds.

load ../helper

setup() {
    setup_spool
    [[ ! -w /dev/shm ]] || MQ_SPOOL=$(mktemp -d /dev/shm/mq-test.XXXXXX)
    removal=$MQ_SPOOL
}

teardown() {
    kill_spawned
    [[ $removal != /dev/shm/* ]] || rm -rf "$removal"
}

# A command that tells when it finds another one at work on its message. A lock goes with its process, however that
# ends; work takes a while, so that many are killed in the middle of it.
write_command() {
    mkdir locks marks
    cat >work <<'END'
#!/bin/bash
exec 9>"locks/$MQ_ID"
flock -n 9 || echo "$MQ_ID" >>overlaps
sleep 0.01
: >"marks/$MQ_ID"
END
    chmod +x work
}

# storm MESSAGES: 8 workers, of which one is killed every 50 ms and started again, until all is done.
storm() {
    local -a workers=()
    local n victim
    for n in {0..7}; do
        spawn "w$n" mq-recv -q -f -t 5s jobs -- ./work
        workers[n]=$!
    done
    until (($(find marks -type f | wc -l) == $1)); do
        victim=$((RANDOM % 8))
        kill -KILL "${workers[victim]}" || fail "ended by itself: $(cat "w$victim.err")"
        wait "${workers[victim]}" 2>/dev/null || true
        spawn "w$victim" mq-recv -q -f -t 5s jobs -- ./work
        workers[victim]=$!
        sleep 0.05
    done
}

@test "a storm: of workers killed at random no message is lost, none dies, and none is worked on twice at once" {
    local count=${STORM:-150}
    mq-queue create jobs durability=none max-attempts=none
    write_command
    seq "$count" | mq-send -q -l jobs
    local begun
    begun=$(now_us)
    storm "$count"
    echo "# $count messages, ${#spawned[@]} workers, $((($(now_us) - begun) / 1000000)) s" >&3
    assert_file_not_exist overlaps
    # What was done and not acked comes back once its lease ends.
    wait_until 60 is_drained
    kill_spawned
    run -0 mq-queue check jobs
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .delayed, .inflight, .dead]')" '[0,0,0,0]'
}

is_drained() {
    [[ $(mq-stat -j -x jobs | jq '.ready + .delayed + .inflight') == 0 ]]
}

@test "200 workers share a queue, where a user has 128 inotify instances" {
    [[ -z ${SANITIZE-} ]] || skip "200 processes with sanitizers take too much memory"
    local n
    mq-queue create jobs durability=none
    for n in {1..200}; do
        spawn "w$n" mq-recv -q -f jobs -- sh -c "cat; echo"
    done
    wait_until 60 has_waiters
    seq 400 | mq-send -q -l jobs
    wait_until 60 is_drained
    assert_equal "$(cat w*.out | sort -nu | wc -l)" 400
    kill -TERM "${spawned[@]}"
    for n in "${spawned[@]}"; do
        wait "$n"
    done
}

has_waiters() {
    (($(compgen -G "$MQ_SPOOL/jobs/waiters/waiter-*" | wc -l) >= 150))
}

@test "a command for each message takes at most 1.5 times what xargs takes for as many lines" {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers cost time of their own"
    local try begun ours theirs
    mq-queue create jobs durability=none
    seq "${MESSAGES:-500}" >lines
    for try in 1 2 3 4 5; do
        mq-send -q -l --no-sync jobs <lines
        begun=$(now_us)
        mq-recv -q --until-empty -P 8 jobs -- true
        ours=$(($(now_us) - begun))
        begun=$(now_us)
        xargs -P 8 -n 1 true <lines
        theirs=$(($(now_us) - begun))
        echo "# mq-recv $((ours / 1000)) ms, xargs $((theirs / 1000)) ms" >&3
        ((ours * 10 > theirs * 15)) || return 0
    done
    return 1
}
