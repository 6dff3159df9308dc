#!/usr/bin/env bats
# Hostile input: what was found before is replayed and changed a little; `make fuzz` tries random input for long.

load ../helper

teardown() {
    kill_spawned
    cd / && remove_public
}

@test "the seeds, what was ever found to fail, and changed forms of them do no harm" {
    local target mutations
    for target in "$MQ_ROOT"/tests/fuzz/corpus/*/; do
        mutations=150
        [[ $target != */log_entries/ ]] || mutations=30 # each is read through files, by a reader and by a group
        MUTATIONS=$mutations run -0 "$MQ_BUILD/tests/fuzz/$(basename "$target")" "$target"/*
    done
}

# Everything that is sent has a number for its body; what else is delivered came out of thin air.
@test "litter in a live queue is neither delivered, followed nor deleted, and nothing is lost" {
    local seconds=${LITTER:-2}
    mkdir outside
    echo secret >outside/file
    mq-queue create jobs durability=none max-attempts=none
    spawn litter "$MQ_ROOT/tests/fuzz/litter.py" "$MQ_SPOOL/jobs" "$PWD/outside/file" "$seconds"
    local litter=$! number=0
    spawn receiver1 mq-recv -a -l -f -w 5 jobs
    local receiver1=$!
    spawn receiver2 mq-recv -a -l -f -w 5 jobs
    local receiver2=$!
    while kill -0 $litter 2>/dev/null; do
        number=$((number + 1))
        mq-send -q jobs $number
    done
    wait $litter || fail "$(cat litter.out litter.err)"
    wait $receiver1 $receiver2 || true
    mq-queue sweep -q jobs
    mq-recv -a -l -f --no-wait jobs >last.out || true
    assert_equal "$(sort -n receiver1.out receiver2.out last.out | xargs)" "$(seq $number | xargs)"
    assert_equal "$(cat outside/file)" secret
    assert_equal "$(ls outside)" file
}

# take_as FORM: receive with one of the forms that there are; bodies go to `got`. Fails where others than 0, 1 (nothing came)
# and 123 (a command, or a message, failed) come out.
take_as() {
    local form=$1 receipt
    case $form in
    plain)
        mq-recv --no-wait jobs >one 2>>errors && {
            IFS= read -r receipt <one
            { tail -n +2 one && echo; } >>got
            mq-ack "$receipt" 2>>errors || (($? == 1))
        }
        ;;
    json) mq-recv -aj -n 5 --no-wait jobs 2>>errors >one && jq -r '.body // "base64"' one >>got ;;
    lines) mq-recv -a -l -n 9 --no-wait jobs 2>>errors >>got ;;
    command) mq-recv -q -n 3 -w 0.01 jobs -- sh -c 'cat; echo' 2>>errors >>got ;;
    parallel) mq-recv -q -n 5 -P 3 -w 0.01 --once --reply jobs -- sh -c 'cat; echo' 2>>errors >>got ;;
    file) mq-recv -q -n 3 -w 0.01 --body-file jobs -- sh -c 'cat "$MQ_BODY"; echo' 2>>errors >>got ;;
    esac || case $? in
    1 | 123) ;;
    *) fail "$form: status $?: $(tail -n 3 errors | cut -c 1-300)" ;;
    esac
}

# look_as STATUSES COMMAND…: a look, or some housekeeping. 65: something is corrupt; 75: there is a lease on something.
look_as() {
    local status=0
    timeout 60 "${@:2}" >looked 2>&1 || status=$?
    [[ " $1 " == *" $status "* ]] || fail "${*:2}: status $status: $(tail -n 3 looked | cut -c 1-300)"
}

@test "whoever may only send, and does all that he can, keeps nobody from what others send" {
    ((EUID == 0)) || skip "it takes root to be another user"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    [[ -x /usr/bin/python3 ]] || skip "no python3 is installed for all users"
    local seconds=${HOSTILE:-2} number=0 form
    public=$(mktemp -d /tmp/mq-test.XXXXXX)
    chmod 755 "$public"
    install -d -m 777 "$public/own"
    export MQ_SPOOL=$public
    mq-queue create --mode=622 jobs durability=none max-size=64K retry-delay=1ms retry-max-delay=2ms
    cp "$MQ_ROOT/tests/fuzz/hostile.py" "$public"
    spawn hostile sh -c 'cd "$0/own" && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' "$public" \
        /usr/bin/python3 "$public/hostile.py" "$public/jobs" "$seconds" ${SEED:+"$SEED"}
    local hostile=$!
    : >got
    while kill -0 $hostile 2>/dev/null; do
        for form in plain json lines command parallel file; do
            number=$((number + 1))
            mq-send -q jobs "honest $number" || fail "send: $?"
            take_as $form
        done
        look_as 0 mq-queue sweep jobs
        look_as 0 mq-stat -x jobs
        look_as 0 mq-queue peek --state all -n 20 jobs
        look_as '0 1 65 75' mq-queue peek --state all -n 20 -j jobs
        look_as 0 mq-dlq list jobs
        look_as '0 65 75' mq-queue check jobs
    done
    wait $hostile || fail "$(cat hostile.out hostile.err)"
    echo "$(cat hostile.out), $number honest"
    wait_until 60 honest_are_here $number
    look_as 0 mq-queue purge --state all jobs
    look_as 0 mq-queue check --repair jobs
    look_as 0 mq-queue sweep jobs
}

honest_are_here() { # NUMBER: each came once
    mq-queue sweep -q jobs
    take_as lines
    grep -a '^honest ' got | sort >came
    seq -f 'honest %.0f' "$1" | sort | diff - came >missing
}
