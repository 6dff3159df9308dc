# mq-queue events: a line for everything that happens.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

# follow [QUEUE…]: in the background, and until it sees something.
follow() {
    spawn events mq-queue -v events "$@"
    events=$!
    wait_until 10 grep -q following events.err
}

follow_json() {
    spawn events mq-queue -v -j events "$@"
    events=$!
    wait_until 10 grep -q following events.err
}

# What happened, without times: "event id" words.
happened() {
    awk '{ print $3, $4 }' events.out
}

has_happened() { # EVENT ID: the last thing
    [[ $(happened | tail -n 1) == "$1 $2" ]]
}

see() { # EVENT ID
    wait_until 10 has_happened "$1" "$2" || fail "no $1 $2 at the end: $(<events.out)"
}

# Claim the next message, and ack it once the claim was seen: an ack at once may come before its new bucket is watched.
take_in_view() { # ID
    claim -t 1h jobs >receipt
    see claimed "$1"
    mq-ack "$(<receipt)"
    see acked "$1"
}

# A queue whose directories are all there and watched, so that nothing is made under our eyes.
settled() {
    mq-queue create jobs max-attempts=2 ack-timeout=1h
    mq-send -q -i first jobs first
    mq-send -q -d 1h -i later jobs later
    mq-ack --reject "$(claim jobs)"
    mq-send -q -i holder jobs holder
    claim jobs >held
}

@test "each transition has its line" {
    settled
    follow jobs
    mq-send -q -i one jobs one
    see sent one
    claim -t 1h jobs >receipt
    see claimed one
    mq-ack --extend 59m "$(<receipt)"
    see extended one
    mq-ack --nack --delay=0 "$(<receipt)"
    see retried one
    claim -t 1h jobs >receipt
    see claimed one
    mq-ack --release "$(<receipt)"
    see released one
    claim -t 1h jobs >receipt
    see claimed one
    mq-ack --nack --delay=0 "$(<receipt)"
    see dead one
    grep -q 'dead one attempts=2 from=inflight to=dead died=.* reason=max-attempts$' events.out
    mq-dlq retry jobs one
    see revived one
    take_in_view one
    mq-dlq purge --all jobs
    see removed first
    [[ $(awk '$3 == "left"' events.out) == '' ]] || fail "$(<events.out)"
}

@test "what time brings is told: due, lapsed, expired" {
    settled
    follow jobs
    mq-send -q -d 200ms -i soon jobs soon
    see sent soon
    spawn sweeper bash -c 'while sleep 0.05; do mq-queue sweep; done'
    see due soon
    take_in_view soon
    mq-send -q -i slow jobs slow
    claim -t 100ms jobs >receipt
    see lapsed slow
    grep -q 'lapsed slow attempts=1 from=inflight to=ready$' events.out
    take jobs
    mq-send -q --ttl 100ms -i late jobs late
    see expired late
    grep -q 'expired late attempts=0 from=ready to=dead died=.* reason=expired$' events.out
    mq-queue config jobs on-expiry=drop
    mq-send -q --ttl 100ms -i drop jobs drop
    wait_until 10 grep -q 'expired drop' events.out
}

@test "-j prints an object for each, with owner, deadline and reason" {
    settled
    follow_json jobs
    mq-send -q -p 7 -i one jobs one
    claim -t 1h jobs >receipt
    mq-ack --reject --reason $'bad\x01 thing' "$(<receipt)"
    wait_until 10 grep -q '"dead"' events.out
    run cat events.out
    assert_json '.queue == "jobs"' '.id == "one"' '.priority == 7' '(.time | startswith("20"))'
    assert_equal "$(jq -r .event events.out | paste -sd' ')" 'sent claimed dead'
    jq -es '.[0] | .from == null and .to == "ready"' events.out
    jq -es --argjson pid $$ '.[1] | .from == "ready" and .to == "inflight" and (.deadline > .time) and (.owner | type == "number")' events.out
    jq -es '.[2] | .reason == "bad\u0001 thing" and .died != null' events.out
}

@test "new buckets are watched as they are made: nothing that was sent is missed, and nothing told twice" {
    mq-queue create jobs durability=none
    follow jobs
    seq 2000 | mq-send -q -l --batch 1 jobs
    sent_all() { (($(grep -c ' sent ' events.out) >= 2000)); }
    wait_until 20 sent_all
    mq-send -q -i last jobs last
    see sent last
    assert_equal "$(grep -c ' sent ' events.out)" 2001
    assert_equal "$(awk '{ print $4 }' events.out | sort | uniq -d | wc -l)" 0
}

@test "messages that go together are one line, with their number" {
    mq-queue create jobs
    follow jobs
    seq 5 | mq-send -q -l jobs
    mq-recv --no-wait jobs >claimed
    mq-recv -a -l -n 4 jobs >rest
    wait_until 10 grep -q ' acked ' events.out
    assert_equal "$(awk '{ count = 1; if (match($0, / count=[0-9]+/)) count = substr($0, RSTART + 7); print $3, count + 0 }' events.out |
        paste -sd,)" 'sent 5,claimed 1,claimed 4,acked 4'
}

@test "what goes into a directory made for it is told whole" {
    mq-queue create jobs
    mq-send -q -i one jobs one
    follow jobs
    claim -t 1h jobs >receipt # the first claim with such a deadline
    see claimed one
    mq-ack --nack --delay=1h "$(<receipt)"
    see retried one
    mq-queue purge --all jobs
    see removed one
    mq-send -q -i two jobs two
    mq-ack --reject "$(claim jobs)" # the first dead letter
    see dead two
    grep -q 'claimed one attempts=1 from=ready to=inflight' events.out
    grep -q 'dead two attempts=1 from=inflight to=dead' events.out
    [[ $(awk '$3 == "left"' events.out) == '' ]] || fail "$(<events.out)"
}

@test "without a name all queues are followed, those too that are made later, until they are deleted" {
    mq-queue create jobs
    follow
    mq-send -q -i one jobs one
    see sent one
    mq-send -q -i two fresh two
    see sent two
    mq-send -q -i three fresh three
    see sent three
    claim fresh >receipt
    see claimed two
    mq-queue delete --force fresh
    wait_until 10 grep -q ' fresh deleted$' events.out
    refute grep -q ' fresh acked ' events.out # what was removed with it was not
    mq-send -q -i four jobs four
    see sent four
}

@test "a queue that is not empty stays followed when it cannot be deleted" {
    settled
    follow jobs
    run -75 mq-queue delete jobs
    mq-send -q -i one jobs one
    see sent one
    mq-ack "$(<held)"
    see acked holder
}

@test "it ends when the last of the named queues is deleted, and by a signal" {
    mq-queue create jobs
    mq-queue create logs
    follow jobs logs
    mq-queue delete jobs
    mq-queue delete logs
    wait "$events"
    rm events.err
    mq-queue create jobs
    follow jobs
    kill -TERM "$events"
    status=0
    wait "$events" || status=$?
    assert_equal "$status" 143
}

@test "more events than the kernel keeps are told as missed, and what follows is told again" {
    local most
    most=$(</proc/sys/fs/inotify/max_queued_events)
    ((most <= 20000)) || skip "the kernel keeps $most events here"
    mq-send -q jobs first
    follow jobs
    kill -STOP "$events"
    python3 - "$MQ_SPOOL"/jobs/ready/* "$most" <<'END'
import os, sys
for number in range(int(sys.argv[2])):
    name = os.path.join(sys.argv[1], "no-message-%d" % number)
    os.close(os.open(name, os.O_CREAT))
    os.unlink(name)
END
    kill -CONT "$events"
    wait_until 30 grep -q ' - missed$' events.out
    claim -t 1h jobs >receipt
    wait_until 20 grep -q ' claimed ' events.out
    mq-send -q -i after jobs after
    see sent after
}

# Where the programs are built with a sanitizer, it is what fails here.
@test "a queue that was deleted is not looked at again when events are missed" {
    local most
    most=$(</proc/sys/fs/inotify/max_queued_events)
    ((most <= 20000)) || skip "the kernel keeps $most events here"
    mq-queue create gone
    mq-send -q jobs first
    follow
    rm -r "$MQ_SPOOL/gone" # its directory keeps its name, other than with delete
    wait_until 20 grep -q ' gone deleted$' events.out
    kill -STOP "$events"
    python3 - "$MQ_SPOOL"/jobs/ready/* "$most" <<'END'
import os, sys
for number in range(int(sys.argv[2])):
    name = os.path.join(sys.argv[1], "no-message-%d" % number)
    os.close(os.open(name, os.O_CREAT))
    os.unlink(name)
END
    kill -CONT "$events"
    wait_until 30 grep -q ' - missed$' events.out
    mq-send -q -i after jobs after
    see sent after
    kill -TERM "$events"
    status=0
    wait "$events" || status=$?
    assert_equal "$status" 143
}

@test "following changes nothing" {
    settled
    find "$MQ_SPOOL/jobs"/{ready,delayed,inflight,dead,tmp,waiters} | sort >before
    follow jobs
    kill -TERM "$events"
    wait "$events" || true
    find "$MQ_SPOOL/jobs"/{ready,delayed,inflight,dead,tmp,waiters} | sort >after
    cmp before after
}

@test "a reason cannot write on the terminal, and misuse is refused" {
    settled
    follow jobs
    mq-send -q -i one jobs one
    mq-ack --reject --reason $'\e[31mred' "$(claim -t 1h jobs)"
    see dead one
    grep -qF 'reason=\x1b[31mred' events.out
    run -66 --separate-stderr mq-queue events missing
    assert_complains 'mq-queue: missing: '
    run -64 --separate-stderr mq-queue events --force jobs
    assert_complains 'mq-queue: '
    mq-send -q jobs more
    run --separate-stderr timeout 20 bash -c 'mq-queue events jobs >/dev/full & sleep 0.5; mq-send -q jobs x; wait $!'
    assert_equal "$status" 74
}

# ---- a reader that does not read -------------------------------------------------------

# Its pipe of a page has no room for a line, and it sleeps.
is_stuck() { # PID
    is_asleep "$1" && holds 1 "$reader"
}

@test "a signal ends it while its reader does not read, with no line torn, in both forms" {
    local options ended
    mq-queue create jobs durability=none
    for options in '' -j; do
        mkfifo "pipe$options"
        # shellcheck disable=SC2086 # none or a word
        spawn events env --default-signal=INT,HUP,TERM bash -c 'exec mq-queue -v $1 events jobs >"pipe$1"' follow "$options"
        exec {reader}<"pipe$options"
        make_small "$reader"
        wait_until 10 grep -q following events.err
        seq 200 | mq-send -q --batch 1 -l jobs
        wait_until 10 is_stuck "${spawned[-1]}"
        kill -TERM "${spawned[-1]}"
        wait_until 10 is_gone "${spawned[-1]}"
        ended=0
        wait "${spawned[-1]}" || ended=$?
        assert_equal "$ended" 143
        cat <&"$reader" >got
        exec {reader}<&-
        [[ -s got && $(tail -c 1 got) == '' ]]
    done
}

is_gone() { # PID
    [[ $(ps -o state= -p "$1") != [^Z]* ]]
}

@test "a signal ends it while events never end" {
    mq-queue create jobs durability=none
    spawn sender bash -c 'while :; do seq 2000 | mq-send -q --batch 1 -l jobs; mq-queue purge jobs || mq-queue purge --all jobs; done'
    follow jobs
    wait_until 10 test -s events.out
    kill -TERM "$events"
    wait_until 10 is_gone "$events"
}
