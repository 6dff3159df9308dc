#!/usr/bin/env bats
# mq-recv QUEUE -- COMMAND: outcomes, leases, time-outs, parallel commands, shutdown, and commands that misbehave.

load ../helper

setup() {
    setup_spool
    mq-queue create jobs durability=none retry-delay=1ms
}

# script NAME: the command ./NAME, its text on standard input.
script() {
    { echo '#!/bin/bash'; cat; } >"$1"
    chmod +x "$1"
}

has_line() { # FILE LINE
    grep -qxF -- "$2" "$1"
}

has_lines() { # FILE NUMBER
    [[ -e $1 && $(wc -l <"$1") -eq $2 ]]
}

is_gone() { # PID: it has ended, though it may not be waited for yet
    [[ $(ps -o state= -p "$1") != [^Z]* ]]
}

# ended STATUS: the last process that was spawned has this exit status.
ended() {
    local status=0
    wait "${spawned[-1]}" || status=$?
    assert_equal "$status" "$1"
}

state_counts() {
    mq-stat -j -x jobs | jq -c '[.ready, .delayed, .inflight, .dead]'
}

# ---- what the command gets -----------------------------------------------------------

@test "the command gets the body on its standard input, byte for byte" {
    head -c 300000 /dev/urandom >body
    mq-queue config jobs max-size=1M
    mq-send -q jobs -f body
    mq-recv -w 20 jobs -- cat >got
    cmp body got
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "the environment tells everything about the message" {
    mq-send -q -i order-17 -p 7 --type user.signup -H 'X-Order-No: 5' --correlation-id c1 --reply-to answers jobs x
    mq-recv -w 20 jobs -- env >variables
    has_line variables MQ_QUEUE=jobs
    has_line variables MQ_ID=order-17
    has_line variables MQ_ATTEMPT=1
    has_line variables MQ_MAX_ATTEMPTS=5
    has_line variables MQ_PRIORITY=7
    has_line variables MQ_REPLY_TO=answers
    has_line variables MQ_CORRELATION_ID=c1
    has_line variables MQ_HEADER_TYPE=user.signup
    has_line variables MQ_HEADER_X_ORDER_NO=5
    has_line variables "MQ_SPOOL=$MQ_SPOOL"
    grep -qE '^MQ_RECEIPT=jobs/.*order-17' variables
    grep -qE '^MQ_TIMESTAMP=20..-..-..T..:..:..\.[0-9]{6}Z$' variables
}

@test "what another worker told its command, and the service manager's socket, is not passed on" {
    mq-send -q jobs x
    MQ_REPLY_TO=old MQ_BODY=old MQ_HEADER_OLD=old NOTIFY_SOCKET=/nowhere mq-recv -w 20 jobs -- env >variables
    run grep -E '^MQ_(REPLY_TO|BODY|HEADER_OLD)=|^NOTIFY' variables
    assert_output ''
}

@test "the spool of -S reaches the command as an absolute path" {
    mkdir elsewhere
    mq-send -q -S relative other x
    mq-recv -S relative -w 20 other -- sh -c 'cd elsewhere && mq-send -q other again && echo "$MQ_SPOOL"' >got
    assert_equal "$(cat got)" "$PWD/relative"
    assert_equal "$(mq-recv -S relative -a --no-wait other)" again
}

@test "--body-file hands the body as a file, also to what the command starts, and leaves nothing behind" {
    mkdir tmp
    head -c 200000 /dev/urandom >body
    mq-send -q jobs -f body
    TMPDIR=$PWD/tmp mq-recv -w 20 --body-file jobs -- bash -c 'exec 3>&- 4>&- 5>&-; sh -c "cat \"\$MQ_BODY\""' >got
    cmp body got
    run ls -A tmp
    assert_output ''
}

@test "standard output and standard error of commands are ours" {
    mq-send -q jobs x
    run -0 --separate-stderr mq-recv -w 20 jobs -- sh -c 'echo result; echo talk >&2'
    assert_output result
    assert_equal "$stderr" talk
}

# ---- outcomes ------------------------------------------------------------------------

@test "exit status 0 acks" {
    mq-send -q jobs x
    run -0 --separate-stderr mq-recv -w 20 jobs -- true
    assert_equal "$stderr" ''
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "exit status 99 acks, and no further message is claimed" {
    seq 3 | mq-send -q -l jobs
    run -0 mq-recv -w 20 -f jobs -- sh -c 'exit 99'
    assert_equal "$(state_counts)" '[2,0,0,0]'
}

@test "exit statuses 65 and 100, and those of --reject-on, make dead letters at once" {
    local code
    for code in 65 100 3 75; do
        mq-send -q -i "m$code" jobs x
        run -123 --separate-stderr mq-recv -w 20 --reject-on 3,70-79 jobs -- sh -c "exit $code"
        assert_complains "mq-recv: jobs: m$code: attempt 1: exit status"
    done
    assert_equal "$(mq-dlq list -j jobs | jq -r .reason | xargs)" \
        'exit status 65 exit status 100 exit status 3 exit status 75'
}

@test "any other exit status, and death by signal, is tried again until the attempts are used up" {
    mq-queue config jobs max-attempts=3
    mq-send -q jobs x
    run -123 --separate-stderr mq-recv -w 0.5 -f jobs -- sh -c 'echo $MQ_ATTEMPT; [ $MQ_ATTEMPT = 2 ] && kill -9 $$; exit 1'
    assert_output $'1\n2\n3'
    [[ $stderr == *'attempt 2: signal KILL'* ]]
    assert_equal "$(state_counts)" '[0,0,0,1]'
}

@test "retries back off: a failed message is delayed by the queue's policy" {
    mq-queue config jobs retry-delay=1h retry-max-delay=10h
    mq-send -q jobs x
    run -123 mq-recv -w 20 jobs -- false
    assert_equal "$(state_counts)" '[0,1,0,0]'
}

@test "a command that cannot be run costs no message an attempt, and stops the worker with a clear error" {
    touch not-executable
    mq-send -q jobs x
    run -127 --separate-stderr mq-recv -f jobs -- ./missing
    assert_complains 'mq-recv: jobs: cannot run ./missing: '
    run -126 --separate-stderr mq-recv -f jobs -- ./not-executable
    assert_complains 'mq-recv: jobs: cannot run ./not-executable: '
    printf '#!./no-interpreter\n' >bad-interpreter
    chmod +x bad-interpreter
    run -127 --separate-stderr mq-recv -f jobs -- ./bad-interpreter
    assert_complains 'mq-recv: jobs: cannot run ./bad-interpreter: '
    assert_equal "$(state_counts)" '[1,0,0,0]'
    take_json jobs
    assert_json '.attempts == 1'
}

@test "a command that acks, rejects or delays its message itself decides alone" {
    mq-send -q -i acked jobs x
    run -0 mq-recv -w 20 jobs -- sh -c 'mq-ack "$MQ_RECEIPT"; exit 1'
    mq-send -q -i rejected jobs x
    run -0 mq-recv -w 20 jobs -- sh -c 'mq-ack --reject --reason "no such user" "$MQ_RECEIPT"'
    mq-send -q -i delayed jobs x
    run -0 mq-recv -w 20 jobs -- sh -c 'mq-ack --nack --delay 1h "$MQ_RECEIPT"; exit 65'
    assert_equal "$(state_counts)" '[0,1,0,1]'
    assert_equal "$(mq-dlq list -j jobs | jq -r '.id + ": " + .reason')" 'rejected: no such user'
}

@test "the exit status tells: nothing received, all acked, some failed" {
    run -1 mq-recv --no-wait jobs -- true
    run -1 mq-recv -w 0.05 jobs -- true
    seq 3 | mq-send -q -l jobs
    run -0 mq-recv -n 2 jobs -- true
    run -123 mq-recv -q -n 1 jobs -- false
}

# ---- how long, how many --------------------------------------------------------------

@test "without more one message is worked on; -n takes so many" {
    seq 5 | mq-send -q -l jobs
    mq-recv jobs -- cat
    assert_equal "$(state_counts)" '[4,0,0,0]'
    mq-recv -n 3 jobs -- true
    assert_equal "$(state_counts)" '[1,0,0,0]'
}

@test "--until-empty drains the queue, with what its commands send" {
    mq-send -q jobs 3
    script count <<'END'
read -r n
echo "$n"
((n == 0)) || mq-send -q jobs $((n - 1))
END
    run -0 mq-recv --until-empty jobs -- ./count
    assert_output $'3\n2\n1\n0'
}

@test "-f goes on until SIGTERM, and exits with 0" {
    spawn worker mq-recv -f jobs -- cat
    mq-send -q jobs one
    wait_until 10 has_line worker.out one
    echo two | mq-send -q jobs
    wait_until 10 has_lines worker.out 1
    kill -TERM "${spawned[-1]}"
    ended 0
}

@test "so many commands as -P says run at once, started in the order of delivery" {
    script slow <<'END'
read -r n
echo "$n" >>started
until [[ -e go ]]; do sleep 0.02; done
END
    seq 9 | mq-send -q -l jobs
    spawn worker mq-recv --until-empty -P 4 jobs -- ./slow
    wait_until 10 has_lines started 4
    assert_equal "$(state_counts)" '[5,0,4,0]'
    assert_equal "$(sort started | xargs)" '1 2 3 4'
    touch go
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
    assert_equal "$(sort -n started | xargs)" "$(seq 9 | xargs)"
}

@test "--max-rate spaces the starts" {
    local begun
    seq 6 | mq-send -q -l jobs
    begun=$(now_us)
    mq-recv --until-empty -P 6 --max-rate 20/s jobs -- true
    (($(now_us) - begun >= 250000))
}

# ---- leases and time-outs ------------------------------------------------------------

@test "the lease is renewed while the command runs" {
    mq-send -q jobs x
    spawn worker mq-recv -t 400ms jobs -- bash -c 'echo started; until [[ -e go ]]; do sleep 0.02; done'
    wait_until 10 has_line worker.out started
    local first
    first=$(files jobs inflight)
    # So much later than the lease is long, it is still the worker's.
    wait_until 10 test_moved "$first"
    wait_until 10 test_moved "$(files jobs inflight)"
    wait_until 10 test_moved "$(files jobs inflight)"
    run -1 mq-recv -a --no-wait jobs
    touch go
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

test_moved() {
    [[ $(files jobs inflight) != "$1" ]]
}

@test "--timeout ends a command and whatever it started, and counts as a failure" {
    mq-send -q jobs x
    script long <<'END'
sleep 1000 >/dev/null 3>&- &
echo $! >child
wait
END
    run -123 --separate-stderr mq-recv -w 20 --timeout 300ms jobs -- ./long
    [[ $stderr == *'timeout after 300ms'* ]]
    wait_until 5 is_gone "$(cat child)"
    mq-recv -w 10 jobs -- true
}

@test "--kill-after kills what ignores TERM, all of its group" {
    mq-send -q jobs x
    script stubborn <<'END'
trap '' TERM
sleep 1000 >/dev/null 3>&- &
echo $! >child
while :; do sleep 0.1; done
END
    run -123 --separate-stderr mq-recv -w 20 --timeout 200ms --kill-after 100ms jobs -- ./stubborn
    [[ $stderr == *'timeout after 200ms'* ]]
    wait_until 5 is_gone "$(cat child)"
}

@test "a worker that is killed takes its command with it, and the message comes back when the lease ends" {
    mq-send -q jobs x
    # shellcheck disable=SC2016
    spawn worker mq-recv -t 1s jobs -- bash -c 'echo $$; while :; do sleep 0.1; done'
    wait_until 10 has_lines worker.out 1
    kill -KILL "${spawned[-1]}"
    wait_until 5 is_gone "$(cat worker.out)"
    run -0 mq-recv -w 10 jobs -- sh -c 'echo $MQ_ATTEMPT'
    assert_output 2
}

@test "a claim that lapsed while its worker was stopped is told" {
    mq-send -q jobs x
    spawn worker mq-recv -t 1s jobs -- bash -c 'echo started; until [[ -e go ]]; do sleep 0.02; done'
    wait_until 10 has_line worker.out started
    kill -STOP "${spawned[-1]}"
    age jobs inflight
    mq-recv -w 10 jobs -- true
    sleep 1.1 # the worker's own clock, by which it knows that it is late
    kill -CONT "${spawned[-1]}"
    wait_until 10 grep -q 'its claim lapsed' worker.err
    touch go
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "the clock is set back an hour while commands run" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    # shellcheck disable=SC2016
    local library
    library=$(faketime -f +0 bash -c 'echo "$LD_PRELOAD"')
    echo +0 >offset
    mq-send -q jobs x
    spawn worker env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$library" FAKETIME_NO_CACHE=1 \
        FAKETIME_TIMESTAMP_FILE="$PWD/offset" FAKETIME_DONT_FAKE_MONOTONIC=1 mq-recv -t 1s jobs -- \
        env -u LD_PRELOAD bash -c 'echo started; until [[ -e go ]]; do sleep 0.02; done'
    wait_until 20 has_line worker.out started
    echo -3600 >offset
    local first
    first=$(files jobs inflight)
    wait_until 10 test_moved "$first"
    touch go
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

# ---- shutdown ------------------------------------------------------------------------

# A command that tells when it begins, and ends once ./go is there.
waiting() {
    echo 'echo started; until [[ -e go ]]; do sleep 0.02; done'
}

@test "a first SIGTERM lets the running command end and claims nothing more" {
    seq 2 | mq-send -q -l jobs
    spawn worker mq-recv -f jobs -- bash -c "$(waiting)"
    wait_until 10 has_line worker.out started
    kill -TERM "${spawned[-1]}"
    wait_until 10 is_asleep "${spawned[-1]}"
    touch go
    ended 0
    assert_equal "$(state_counts)" '[1,0,0,0]'
    has_lines worker.out 1
}

@test "without --follow the worker dies of the signal once its command has ended" {
    mq-send -q jobs x
    spawn worker mq-recv jobs -- bash -c "$(waiting)"
    wait_until 10 has_line worker.out started
    kill -TERM "${spawned[-1]}"
    wait_until 10 is_asleep "${spawned[-1]}"
    touch go
    ended 143
    assert_equal "$(state_counts)" '[0,0,0,0]'
    spawn waiting mq-recv jobs -- true
    wait_until 10 is_asleep "${spawned[-1]}"
    kill -TERM "${spawned[-1]}"
    ended 143
}

@test "a second signal ends the command, whose message is ready again at once" {
    mq-send -q jobs x
    spawn worker mq-recv -f jobs -- bash -c 'echo started; while :; do sleep 0.05; done'
    wait_until 10 has_line worker.out started
    kill -TERM "${spawned[-1]}"
    sleep 0.1
    kill -TERM "${spawned[-1]}"
    ended 123
    assert_equal "$(state_counts)" '[1,0,0,0]'
    take_json jobs
    assert_json '.attempts == 2'
}

@test "--grace ends the command when it is over, with KILL where TERM does not help" {
    mq-send -q jobs x
    spawn worker mq-recv -f --grace 100ms --kill-after 100ms jobs -- \
        bash -c 'trap "" TERM; echo started; while :; do sleep 0.05; done'
    wait_until 10 has_line worker.out started
    kill -TERM "${spawned[-1]}"
    ended 123
    assert_equal "$(state_counts)" '[1,0,0,0]'
    mq-recv -a jobs >/dev/null
}

@test "a command that ends well after TERM has done its work" {
    mq-send -q jobs x
    spawn worker mq-recv -f --grace 0 jobs -- \
        bash -c 'trap "exit 0" TERM; echo started; while :; do sleep 0.05; done'
    wait_until 10 has_line worker.out started
    kill -TERM "${spawned[-1]}"
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

# ---- what commands do ----------------------------------------------------------------

@test "a command that does not read a large body is no failure" {
    mq-queue config jobs max-size=8M
    head -c 5000000 /dev/zero | mq-send -q jobs
    run -0 mq-recv -w 20 jobs -- true
    head -c 5000000 /dev/zero | mq-send -q jobs
    run -0 mq-recv -w 20 jobs -- sh -c 'exec <&-; sleep 0.1'
    head -c 5000000 /dev/zero | mq-send -q jobs
    run -0 mq-recv -w 20 jobs -- sh -c 'head -c 3 >/dev/null'
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "SIGPIPE and blocked signals are as usual for the command" {
    mq-send -q jobs x
    mq-recv -w 20 jobs -- sh -c 'grep -E "^Sig(Blk|Ign)" /proc/self/status' >status
    assert_equal "$(awk '$1 == "SigBlk:" { print $2 }' status)" 0000000000000000
    (((0x$(awk '$1 == "SigIgn:" { print $2 }' status) & 1 << 12) == 0))
}

@test "a daemon that keeps the pipes of its command open does not hold up the worker" {
    mq-send -q jobs x
    # Of standard input and error only: standard output is the caller's.
    script leave <<'END'
sleep 1000 >/dev/null 3>&- &
echo $! >daemon
echo "left it" >&2
END
    run -0 --separate-stderr timeout 20 mq-recv -w 20 jobs -- ./leave
    register "$(cat daemon)"
    assert_equal "$stderr" 'left it'
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "whatever amount of standard error is passed on whole, and held up while nobody reads it" {
    mq-send -q jobs x
    mkfifo talk.fifo
    exec 7<>talk.fifo
    mq-recv -t 1s jobs -- sh -c 'head -c 3000000 /dev/zero | tr "\0" x >&2; echo end >&2' 2>talk.fifo 3>&- &
    register $!
    # Longer than the lease nobody reads; the worker renews it all the same.
    wait_until 10 has_depth jobs inflight 1
    local first
    first=$(files jobs inflight)
    wait_until 10 test_moved "$first"
    wait_until 10 test_moved "$(files jobs inflight)"
    head -c 3000004 <&7 >heard
    exec 7>&-
    wait "${spawned[-1]}"
    assert_equal "$(tail -c 5 heard)" xend
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "headers that are too large for the environment make a dead letter, with that reason" {
    local n
    local -a headers=()
    for n in {1..60}; do
        headers+=(-H "X-$n: $(printf '%01000d' 0)")
    done
    # All of the room for an environment but 30 kB: enough for what every command gets, too little for these headers.
    script fill <<'END'
ulimit -s 8192
left=$(($(getconf ARG_MAX) - $(env -0 | wc -c) - 8 * $(env -0 | tr -dc '\0' | wc -c) - 30000))
for ((n = 0; left > 200; n++)); do
    size=$((left > 100200 ? 100000 : left - 100))
    printf -v "FILL_$n" "%0${size}d" 0
    export "FILL_$n"
    left=$((left - size - 20))
done
exec "$@"
END
    mq-send -q -i large "${headers[@]}" jobs x
    mq-send -q -i small jobs x
    run -123 --separate-stderr ./fill mq-recv --until-empty jobs -- true
    assert_complains 'mq-recv: jobs: large: attempt 1: '
    assert_equal "$(mq-dlq list -j jobs | jq -r '.id + ": " + .reason')" 'large: headers'
    assert_equal "$(state_counts)" '[0,0,0,1]'
}

@test "a queue that is deleted while commands run ends the worker with an error" {
    mq-send -q jobs x
    spawn worker mq-recv -f jobs -- bash -c "$(waiting)"
    wait_until 10 has_line worker.out started
    mq-queue delete --force jobs
    touch go
    ended 66
}

# ---- many workers --------------------------------------------------------------------

@test "a worker waits with one inotify instance, however many commands it may run" {
    spawn worker mq-recv -f -P 8 jobs -- true
    wait_until 10 has_inotify "${spawned[-1]}"
    seq 20 | mq-send -q -l jobs
    wait_until 20 has_depth jobs inflight 0
    wait_until 20 has_depth jobs ready 0
    (($(find "/proc/${spawned[-1]}/fd" -lname '*inotify*' | wc -l) == 1))
}

has_inotify() {
    [[ -n $(find "/proc/$1/fd" -lname '*inotify*') ]]
}

@test "an idle worker sleeps, but for the slow look once a second" {
    needs_strace
    [[ -z ${SANITIZE-} ]] || skip "sanitizers have memory of their own"
    spawn worker mq-recv -f -P 4 jobs -- true
    local pid=${spawned[-1]}
    mq-send -q jobs x
    wait_until 10 has_depth jobs ready 0
    wait_until 10 has_inotify "$pid"
    wait_until 10 is_asleep "$pid"
    timeout -s INT 4 strace -o trace -e trace=poll,ppoll,epoll_wait,epoll_pwait -p "$pid" || true
    # A look ends one sleep and begins another, and there may be a question in between.
    echo "$(wc -l <trace) calls in 4 s"
    (($(wc -l <trace) <= 16))
    (($(awk '/^Private/ { sum += $2 } END { print sum }' "/proc/$pid/smaps_rollup") < 2048))
}

# ---- the command line ----------------------------------------------------------------

@test "misuse is told, and claims nothing" {
    mq-send -q jobs x
    local -a line
    while read -ra line; do
        run -64 --separate-stderr mq-recv "${line[@]}"
        assert_complains 'mq-recv: '
    done <<'END'
jobs --
jobs jobs
-a jobs -- true
-j jobs -- true
-P 2 jobs
--once jobs
-P 0 jobs -- true
--max-rate 0 jobs -- true
--max-rate 5/d jobs -- true
--max-rate 5/s/s jobs -- true
--reject-on 0 jobs -- true
--reject-on 256 jobs -- true
--reject-on 5-3 jobs -- true
--reject-on 3,,4 jobs -- true
--timeout 0 jobs -- true
--until-empty -f jobs -- true
END
    assert_equal "$(state_counts)" '[1,0,0,0]'
    assert_equal "$(mq-recv -a -- jobs)" x
}

# ---- what a command may do to its worker ------------------------------------------------

@test "a command that ran and says 126 or 127 has failed like any other: counted, and the next message is taken" {
    mq-queue config jobs max-attempts=2
    mq-send -q jobs bad
    mq-send -q jobs good
    for code in 126 127; do
        run -123 --separate-stderr timeout 20 mq-recv -w 1s -f jobs -- sh -c "read -r body; [ \"\$body\" = good ] || exit $code"
        assert_complains 'mq-recv: jobs: '
        [[ $stderr == *"exit status $code"* ]]
        assert_equal "$(state_counts)" '[0,0,0,1]'
        assert_equal "$(mq-dlq list -j jobs | jq -r '.reason, .attempts')" $'max-attempts\n2'
        mq-dlq retry jobs
        mq-send -q jobs good
    done
    # A shell that does not find a command did start.
    run -123 mq-recv -q jobs -- sh -c './missing'
    # --reject-on takes them, too.
    run -123 mq-recv -q -w 20 --reject-on 127 jobs -- sh -c 'exit 127'
    assert_equal "$(mq-dlq list -j jobs | jq -r .reason)" 'exit status 127'
}

@test "--until-empty with nothing to do is no failure" {
    run -0 --separate-stderr mq-recv --until-empty jobs -- false
    assert_equal "$output$stderr" ''
    run -0 mq-recv --until-empty -w 0.05 -P 3 jobs -- false
    run -66 mq-recv --until-empty missing -- true
}

@test "a signal ends a worker whose own reports nobody reads" {
    seq 200 | mq-send -q -l jobs
    mkfifo reports
    exec {reader}<>reports
    make_small "$reader"
    spawn worker bash -c 'exec mq-recv -v -f jobs -- false 2>reports'
    wait_until 20 is_stuck "${spawned[-1]}"
    kill -TERM "${spawned[-1]}"
    kill -HUP "${spawned[-1]}"
    wait_until 10 is_gone "${spawned[-1]}"
    exec {reader}<&-
}

# There is no free page in the pipe, and it sleeps.
is_stuck() { # PID
    holds 1 "$reader" && is_asleep "$1"
}

# ---- what a terminal or a limit may do to a command ---------------------------------------

@test "a command that the terminal stops fails, and is told, and the worker goes on" {
    needs_terminal
    mq-queue config jobs max-attempts=1
    mq-send -q jobs first
    mq-send -q jobs second
    script ask <<'END_OF_SCRIPT'
body=$(cat)
[[ $body == second ]] || read -r answer </dev/tty
END_OF_SCRIPT
    run -123 timeout --foreground 20 script -qec 'mq-recv --until-empty jobs -- ./ask' /dev/null </dev/null
    assert_output --partial 'stopped by the terminal'
    assert_equal "$(state_counts)" '[0,0,0,1]'
    # What ignores TERM is killed.
    mq-dlq retry jobs
    run -123 timeout --foreground 20 script -qec \
        'mq-recv --kill-after 50ms jobs -- bash -c "trap : TERM; while :; do read -r answer </dev/tty; done"' /dev/null </dev/null
    assert_equal "$(state_counts)" '[0,0,0,1]'
}

@test "with tostop a command's output is shown all the same" {
    needs_terminal
    mq-send -q jobs body
    run -0 timeout --foreground 20 script -qec 'stty tostop; mq-recv jobs -- cat' /dev/null </dev/null
    assert_output --partial body
}

@test "a command that somebody stopped is told, and goes on when it is woken" {
    mq-send -q jobs x
    spawn worker mq-recv -w 20 jobs -- sh -c 'echo $$ >pid; kill -STOP $$'
    wait_until 10 grep -q 'was stopped by SIGSTOP' worker.err
    kill -CONT "$(<pid)"
    ended 0
    assert_equal "$(state_counts)" '[0,0,0,0]'
}

@test "a limit on the size of files is like a full disk, and the command has the signal as usual" {
    mq-send -q jobs x
    mq-recv jobs -- sh -c 'grep ^SigIgn /proc/self/status' >status
    (((0x$(awk '{ print $2 }' status) & 1 << 24) == 0))
    run -75 --separate-stderr bash -c 'ulimit -f 1; head -c 100000 /dev/zero | mq-send jobs'
    assert_complains 'mq-send: jobs: cannot publish: '
    head -c 100000 /dev/zero | mq-send -q jobs
    run -74 --separate-stderr bash -c 'ulimit -f 1; mq-recv -a jobs >body'
    assert_complains 'mq-recv: jobs: cannot deliver: '
    assert_equal "$(state_counts)" '[1,0,0,0]'
    run -75 --separate-stderr bash -c 'ulimit -f 1; mq-recv --body-file jobs -- true'
    assert_equal "$(state_counts)" '[1,0,0,0]'
}

# ---- what a command leaves running ---------------------------------------------------------

@test "what a command leaves in the background lives on and is heard as long as the worker, and keeps no job" {
    script leave <<'END_OF_SCRIPT'
body=$(cat)
{
    until [[ -e go ]]; do sleep 0.02; done
    echo "late $body" >&2
    until [[ -e stop ]]; do sleep 0.02; done
    echo "last $body" >&2
} >/dev/null 3>&- &
echo "early $body" >&2
END_OF_SCRIPT
    spawn worker mq-recv -f jobs -- ./leave
    wait_until 10 is_asleep_as "${spawned[-1]}" mq-recv
    local before
    before=$(pipes)
    mq-send -q jobs 1
    mq-send -q jobs 2
    wait_until 10 has_line worker.err 'early 2'
    wait_until 10 all_done
    touch go
    wait_until 10 has_line worker.err 'late 1'
    wait_until 10 has_line worker.err 'late 2'
    touch stop
    wait_until 10 has_line worker.err 'last 1'
    wait_until 10 has_line worker.err 'last 2'
    wait_until 10 has_pipes "$before"
    mq-send -q jobs 3
    wait_until 10 has_line worker.err 'last 3'
    kill -TERM "${spawned[-1]}"
    ended 0
    assert_equal "$(sort worker.err | paste -sd,)" 'early 1,early 2,early 3,last 1,last 2,last 3,late 1,late 2,late 3'
}

all_done() {
    [[ $(state_counts) == '[0,0,0,0]' ]]
}

pipes() { # of the worker
    find "/proc/${spawned[-1]}/fd" -lname 'pipe:*' | wc -l
}

has_pipes() { # NUMBER
    [[ $(pipes) == "$1" ]]
}
