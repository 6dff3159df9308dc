# Blocked receivers: leaders, followers, receivers that are killed, and waiting without inotify.

load ../helper

waiter_count() {
    compgen -G "$MQ_SPOOL/jobs/waiters/waiter-*" | wc -l
}

has_waiters() {
    (($(waiter_count) == $1))
}

# One leads without a FIFO, the others follow with one each.
start_receivers() {
    local n
    for ((n = 1; n <= $1; n++)); do
        spawn "r$n" "${@:2}"
    done
    wait_until 10 has_waiters $(($1 - 1))
}

received() {
    (($(cat r*.out | wc -l) == $1))
}

@test "every blocked receiver gets its message, and all FIFOs are gone afterwards" {
    mq-queue create jobs
    start_receivers 10 mq-recv -a -l -w 20 jobs
    seq 1 10 | mq-send -q -l --no-sync jobs
    wait "${spawned[@]}"
    assert_equal "$(cat r*.out | sort -n | xargs)" "$(seq 1 10 | xargs)"
    assert_equal "$(waiter_count)" 0
}

@test "receivers wake one after the other, each by the one before it, not by their slow looks" {
    mq-queue create jobs
    local round begun waited=0
    for round in {1..5}; do
        start_receivers 2 mq-recv -a -l -w 20 jobs
        mq-send -q --no-sync jobs 1
        wait_until 5 received 1
        begun=$(now_us)
        mq-send -q --no-sync jobs 2
        wait_until 5 received 2
        waited=$((waited + $(now_us) - begun))
        wait "${spawned[@]}"
    done
    echo "waited $waited us in all"
    # By looking once a second it would be half a second each time: five of them are hardly ever less than half of that.
    ((waited < 1200000))
}

@test "followers that were killed are passed over, and their FIFOs removed" {
    mq-queue create jobs
    start_receivers 12 mq-recv -a -l -f -w 30 jobs
    local pid killed=0
    for pid in "${spawned[@]}"; do
        if ((killed < 8)) && has_fifo "$pid"; then
            kill -KILL "$pid"
            killed=$((killed + 1))
        fi
    done
    ((killed == 8))
    for n in {1..20}; do
        mq-send -q --no-sync jobs "$n"
        wait_until 0.9 received "$n"
    done
    # Those that no ring has met yet go with the sweep; one of the four that live leads without a FIFO.
    mq-queue sweep jobs
    wait_until 5 has_waiters 3
}

has_fifo() {
    [[ -n $(find "/proc/$1/fd" -lname '*/waiters/waiter-*' 2>/dev/null) ]]
}

@test "a leader that is killed is followed by another" {
    mq-queue create jobs
    start_receivers 3 mq-recv -a -l -w 20 jobs
    local pid
    for pid in "${spawned[@]}"; do
        has_fifo "$pid" || kill -KILL "$pid"
    done
    seq 1 2 | mq-send -q -l --no-sync jobs
    wait_until 3 received 2
}

@test "a message that is moved in by hand is seen at once" {
    mq-send -q jobs by-hand
    mkdir aside
    mv "$MQ_SPOOL"/jobs/ready/* aside/
    spawn r1 mq-recv -a jobs
    local receiver=$!
    wait_until 5 is_asleep $receiver
    mv aside/* "$MQ_SPOOL/jobs/ready/"
    wait_until 3 received_text by-hand
}

received_text() {
    [[ $(cat r1.out) == "$1" ]]
}

@test "where inotify is not to be had receivers poll, and say so once with -v" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    mq-queue create jobs
    # Use up this user's inotify instances.
    spawn hog python3 -c '
import ctypes, time
libc = ctypes.CDLL(None)
while libc.inotify_init() >= 0: pass
print("full", flush=True)
time.sleep(60)'
    wait_until 20 grep -q full hog.out
    mq-send -q --no-sync jobs work
    mkdir aside
    mv "$MQ_SPOOL"/jobs/ready/* aside/
    spawn r1 mq-recv -v -a -w 20 jobs
    local receiver=$!
    # It polls once it has waited for a second.
    wait_until 5 has_switched $receiver 20 # far more often than once a second
    mv aside/* "$MQ_SPOOL/jobs/ready/"
    wait_until 2 received_text work
    wait $receiver
    assert_equal "$(grep -c inotify r1.err)" 1
}

has_switched() { # PID TIMES
    (($(switches "$1") >= $2))
}

@test "SIGINT, SIGTERM and SIGHUP end a waiting receiver at once, with nothing held" {
    mq-queue create jobs
    local signal
    for signal in INT TERM HUP; do
        # Background processes of a shell without job control ignore SIGINT: the trap is set back.
        spawn r1 python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp("mq-recv", ["mq-recv", "jobs"])'
        local receiver=$!
        wait_until 5 is_waiting_in_poll $receiver
        kill -$signal $receiver
        local status=0
        wait $receiver || status=$?
        assert_equal "$status" $((128 + $(kill -l $signal)))
    done
    mq-send -q jobs work
    assert_equal "$(mq-recv -j jobs | jq .attempts)" 1
}

@test "an idle receiver wakes about once a second, no more" {
    mq-queue create jobs
    spawn r1 mq-recv jobs
    local receiver=$!
    wait_until 5 is_asleep $receiver
    # Of some whiles of 3 seconds: its start may reach into the first.
    wait_until 20 is_idle_for_3_seconds $receiver
}

is_idle_for_3_seconds() {
    local before begun
    before=$(switches "$1")
    begun=$(now_us)
    wait_until 5 eval "((\$(now_us) - $begun > 3000000))"
    (($(switches "$1") - before <= 5))
}

switches() {
    awk '/^voluntary/ { print $2 }' "/proc/$1/status"
}

@test "a blocked receive ends as soon as it has its message" {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers cost time of their own"
    needs_strace
    mq-queue create jobs
    local round slow=0
    for round in {1..3}; do
        rm -f trace
        spawn r1 strace -r -o trace mq-recv -a jobs
        wait_until 10 grep -qs 'ppoll.*fd=' trace
        mq-send -q --no-sync jobs work
        wait "$!"
        [[ $(<r1.out) == work ]]
        # No descriptor of inotify: it is its close that takes long.
        ! grep -q inotify_init1 trace || slow=$((slow + 1))
    done
    # A machine that has other work may be so slow that a receiver has waited for a second.
    ((slow < 3))
}

@test "a request ends as soon as it has its reply" {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers cost time of their own"
    needs_strace
    mq-queue create jobs durability=none
    spawn service mq-recv -f --reply jobs -- cat
    local round slow=0
    for round in {1..3}; do
        strace -o trace mq-send --request=20s jobs work >got
        [[ $(<got) == work ]]
        ! grep -q inotify_init1 trace || slow=$((slow + 1))
    done
    ((slow < 3))
}

@test "a send rings only where somebody waits" {
    needs_strace
    mq-queue create jobs
    strace -o trace mq-send -q --no-sync jobs 1
    ! grep -q waiters trace
    mq-recv -a --no-wait jobs
    start_receivers 2 mq-recv -a -l -f -w 20 jobs
    strace -o trace mq-send -q --no-sync jobs 2
    grep -q 'waiters/bell' trace
    wait_until 5 received 1
    kill -TERM "${spawned[@]}"
    wait "${spawned[@]}" || true
    strace -o trace mq-send -q --no-sync jobs 3
    ! grep -q waiters trace
}

@test "where the leader was killed the next sender rings a follower" {
    needs_strace
    mq-queue create jobs
    start_receivers 2 mq-recv -a -l -w 20 jobs
    local pid leader
    for pid in "${spawned[@]}"; do
        has_fifo "$pid" || leader=$pid
    done
    kill -KILL "$leader"
    strace -o trace mq-send -q --no-sync jobs 1
    # Either the follower leads already, since it looked by itself, or it is rung by its own FIFO.
    grep -q 'waiters/bell' trace
    wait_until 2 received 1
}

@test "64 idle receivers wake up to 8 times a second, all together" {
    mq-queue create jobs
    start_receivers 64 mq-recv -a jobs
    # Of some whiles of 4 seconds: they begin by looking once each.
    wait_until 60 are_idle_for_4_seconds
}

are_idle_for_4_seconds() {
    local before begun
    before=$(switches_of_all)
    begun=$(now_us)
    wait_until 6 eval "((\$(now_us) - $begun > 4000000))"
    (($(switches_of_all) - before <= 32))
}

switches_of_all() {
    local pid files=()
    for pid in "${spawned[@]}"; do files+=("/proc/$pid/status"); done
    awk '/^voluntary/ { sum += $2 } END { print sum }' "${files[@]}"
}

@test "who waits on several queues is woken by each, sees what is moved in, and passes on what it leaves" {
    local n names=(q1 q2 q3 q4 q5 q6 q7 jobs) begun waited=0
    for n in "${names[@]}"; do mq-queue create "$n" durability=none; done
    mkfifo pipe
    mq-recv -a -l -f "${names[@]}" >pipe 3>&- &
    local receiver=$! got out
    register "$receiver"
    exec {out}<pipe
    wait_until 5 is_waiting_in_poll "$receiver"
    for n in "${names[@]}"; do
        mq-send -q "$n" "$n"
        begun=${EPOCHREALTIME/[.,]/}
        read -rt 5 -u "$out" got
        waited=$((waited + ${EPOCHREALTIME/[.,]/} - begun))
        assert_equal "$got" "$n"
    done
    exec {out}<&-
    echo "waited $waited us in all"
    ((waited < 2000000)) # by the slow looks it would be half a second each
    kill -TERM "$receiver"
    wait "$receiver" || true
    # One leads in jobs, and leaves for a message of another queue: its follower there leads from then on.
    spawn r2 mq-recv q1 jobs
    local first=$!
    wait_until 5 is_waiting_in_poll $first
    spawn r3 mq-recv -a -l jobs
    wait_until 5 has_waiters 1
    mq-send -q q1 elsewhere
    wait $first
    wait_until 5 has_waiters 0
    mq-send -q jobs here
    wait_until 3 grep -q here r3.out
    # By hand, into any of them.
    mq-send -q q2 by-hand
    mkdir aside
    mv "$MQ_SPOOL"/q2/ready/* aside/
    spawn r4 mq-recv -a -l q1 q2
    wait_until 5 is_waiting_in_poll $!
    mv aside/* "$MQ_SPOOL/q2/ready/"
    wait_until 3 grep -q by-hand r4.out
}
