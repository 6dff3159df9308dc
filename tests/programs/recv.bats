# mq-recv: claiming, waiting, and the three forms of its output.
# shellcheck disable=SC2154 # stderr and spawned are set by others
load ../helper

# Microseconds since the epoch at which the only claim of a queue ends.
deadline() { # QUEUE
    local name
    name=$(files "$1" inflight)
    echo $((16#${name:0:13}))
}

is_gone() { # PID
    ! kill -0 "$1" 2>/dev/null
}

# A receiver beside the test, asleep by now; its id is in $receiver. Signals that a shell makes its jobs ignore are as usual.
spawn_receiver() { # NAME OPTION…
    spawn "$1" env --default-signal=INT,HUP,TERM mq-recv "${@:2}"
    receiver=$!
    wait_until 10 is_waiting "$receiver"
}

# It waits for a message, not for something else: it has begun to watch, or made its FIFO.
is_waiting() { # PID
    [[ $(readlink "/proc/$1/exe") == */mq-recv ]] && is_asleep "$1" &&
        find "/proc/$1/fd" -lname '*inotify*' -o -lname '*/waiters/*' | grep -q .
}

@test "the receipt is the first line, the body follows byte for byte, and the message is claimed" {
    printf 'first line\n\0last' >want
    mq-send -q jobs <want
    mq-recv jobs >out
    assert_equal "$(head -n 1 out | tr -d '\0')" "jobs/$(files jobs inflight)"
    tail -n +2 out >got
    cmp got want
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '0 1'
}

@test "the idiom of the shell works: read takes the receipt, the rest is the body" {
    mq-send -q jobs 'the body'
    mq-recv jobs | { read -r receipt && cat >got && mq-ack "$receipt"; }
    assert_equal "$(<got)" 'the body'
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '0 0'
}

@test "messages of one priority come in the order they were sent" {
    seq 20 | mq-send -q -l jobs
    for want in {1..20}; do
        take jobs
        assert_equal "$(<got)" "$want"
    done
}

@test "a claimed message is not received by anybody else" {
    mq-send -q jobs body
    claim jobs
    run -1 --separate-stderr mq-recv --no-wait jobs
    assert_equal "$output$stderr" ''
}

@test "-a prints the body alone and acks it" {
    mq-send -q jobs body
    run -0 --separate-stderr mq-recv -a jobs
    assert_equal "$output$stderr" body
    assert_equal "$(depth jobs ready) $(depth jobs inflight) $(depth jobs dead)" '0 0 0'
}

@test "with nothing there, --no-wait and a wait that runs out are status 1 and silence" {
    mq-queue create jobs
    run -1 --separate-stderr mq-recv --no-wait jobs
    assert_equal "$output$stderr" ''
    start=$(now_us)
    run -1 --separate-stderr timeout 20 mq-recv --wait=150ms jobs
    took=$((($(now_us) - start) / 1000))
    ((took >= 150 && took < 2000)) || fail "it took $took ms"
    assert_equal "$output$stderr" ''
    run -1 --separate-stderr mq-recv -v --no-wait jobs
    assert_complains 'mq-recv: jobs: '
}

@test "a receiver waits until a message is sent" {
    mq-queue create jobs
    spawn_receiver waiting -a jobs
    mq-send -q jobs body
    wait "$receiver"
    assert_equal "$(<waiting.out)" body
}

@test "a waiting receiver wakes by itself when a message is due, promptly" {
    mq-queue create jobs
    spawn_receiver waiting -al -n 3 -w 20s jobs
    for delay in 150 300 450; do
        mq-send -q -d "${delay}ms" jobs "$(($(now_us) + delay * 1000))"
    done
    least=5000
    while read -r due; do
        late=$((($(now_us) - due) / 1000))
        ((late >= 0 && late < 5000)) || fail "$late ms after it was due"
        least=$((late < least ? late : least))
    done < <(tail -n +1 -f --pid="$receiver" waiting.out 3>&-)
    wait "$receiver"
    assert_equal "$(wc -l <waiting.out)" 3
    ((least < 400)) || fail "$least ms after it was due at the least"
}

@test "a waiting receiver wakes by itself when a claim's deadline passes" {
    mq-send -q jobs body
    claim -t 300ms jobs
    run -0 --separate-stderr timeout 20 mq-recv -j jobs
    assert_json '.body == "body"' '.attempts == 2'
    run -1 mq-ack "$(head -n 1 claimed)"
}

@test "the message of a holder that was killed comes back when its claim ends" {
    mq-send -q jobs body
    claim jobs
    run -1 mq-recv --no-wait jobs
    age jobs inflight
    # Nobody announced it, as a deadline by the clock is: whoever waits finds it within a second.
    run -0 --separate-stderr mq-recv -aj -w 5s jobs
    assert_json '.body == "body"' '.attempts == 2'
}

@test "after max-attempts claims a message is dead, not received" {
    mq-queue create jobs max-attempts=2
    mq-send -q jobs body
    for _ in 1 2; do
        mq-recv -w 5s jobs >got
        age jobs inflight
    done
    run -1 --separate-stderr mq-recv -w 1500ms jobs
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason == "max-attempts"' '.attempts == 2'
}

@test "-n receives so many messages and leaves the rest" {
    seq 5 | mq-send -q -l jobs
    run -0 --separate-stderr mq-recv -a -l -n 3 jobs
    assert_output $'1\n2\n3'
    assert_equal "$(depth jobs ready)" 2
}

@test "-n with fewer there is success, with none it is 1" {
    seq 2 | mq-send -q -l jobs
    run -0 --separate-stderr mq-recv -a -l -n 3 --no-wait jobs
    assert_output $'1\n2'
    run -1 --separate-stderr mq-recv -a -l -n 3 --no-wait jobs
    run -1 --separate-stderr mq-recv -a -l -n 3 -w 50ms jobs
}

@test "-f goes on until a signal, which is then no failure" {
    mq-queue create jobs
    for signal in TERM INT; do
        spawn_receiver follower -f -a -l jobs
        echo "1 $signal" | mq-send -q -l jobs
        wait_until 10 grep -q "1 $signal" follower.out
        echo "2 $signal" | mq-send -q -l jobs
        wait_until 10 grep -q "2 $signal" follower.out
        wait_until 10 is_waiting "$receiver"
        kill -"$signal" "$receiver"
        wait_until 10 is_gone "$receiver"
        wait "$receiver"
    done
}

@test "-f with a wait that runs out ends: with 0 after messages, with 1 without" {
    mq-queue create jobs
    run -1 --separate-stderr timeout 20 mq-recv -f -a -l -w 50ms jobs
    seq 3 | mq-send -q -l jobs
    run -0 --separate-stderr timeout 20 mq-recv -f -a -l -w 50ms jobs
    assert_output $'1\n2\n3'
}

@test "several messages are framed by newlines, by NULs, or not at all" {
    printf 'a\nb' | mq-send -q -l jobs
    mq-recv -a -l -n 2 jobs | od -An -c | tr -d ' ' >got
    printf 'a\nb' | mq-send -q -l jobs
    mq-recv -a -0 -n 2 jobs | od -An -c | tr -d ' ' >>got
    printf 'a\nb' | mq-send -q -l jobs
    mq-recv -a -n 2 jobs | od -An -c | tr -d ' ' >>got
    assert_equal "$(<got)" $'a\\nb\\n\na\\0b\\0\nab'
}

@test "options that would give output nobody could take apart are refused" {
    mq-send -q jobs body
    for options in '-n 2' '-f' '-l' '-0' '-a -l -0' '-a -l -j' '-n 0 -a' '-n x -a' '-n -1 -a' '--wait=1s --no-wait'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-recv $options jobs </dev/null
        assert_complains 'mq-recv: '
        assert_output ''
    done
    assert_equal "$(depth jobs ready)" 1
}

@test "a claim lasts as long as -t says, else as long as the queue says" {
    mq-queue create jobs ack-timeout=2h
    mq-send -q jobs body
    claim jobs
    left=$((($(deadline jobs) - $(now_us)) / 1000000))
    ((left > 7100 && left <= 7200)) || fail "$left s"
    mq-ack "$(head -n 1 claimed)"
    mq-send -q jobs body
    claim --ack-timeout=10m jobs
    left=$((($(deadline jobs) - $(now_us)) / 1000000))
    ((left > 500 && left <= 600)) || fail "$left s"
}

@test "-j prints all that is known of a message as one object" {
    mq-send -q -i my-1 -p 7 --ttl 1h -H 'X-A: ü' --type=t jobs 'the body'
    run -0 --separate-stderr mq-recv -j jobs
    assert_json 'keys == ["attempts", "body", "expires", "headers", "id", "priority", "queue", "receipt", "timestamp"]'
    assert_json '.id == "my-1"' '.priority == 7' '.attempts == 1' '.queue == "jobs"' '.body == "the body"' \
        '.headers == {"X-A": "ü", "Type": "t"}' \
        '.timestamp | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]+Z$")' \
        '((.timestamp[:19] + "Z" | fromdate) - now) | . > -60 and . < 1' \
        '.expires | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]+Z$")'
    mq-ack "$(jq -r .receipt <<<"$output")"
    assert_equal "$(depth jobs inflight)" 0
}

@test "-j with -a prints no receipt, and no expiry where there is none" {
    mq-send -q jobs body
    take_json jobs
    assert_json 'has("receipt") | not' 'has("expires") | not' '.headers == {}'
    assert_equal "$(depth jobs inflight)" 0
}

@test "-j gives a body that is not UTF-8 as base64" {
    printf '\0\377\376\n' | mq-send -q jobs
    take_json jobs
    assert_json '.body_base64 == "AP/+Cg=="' 'has("body") | not'
    printf 'gr\303\274n\0"\\\n' | mq-send -q jobs
    take_json jobs
    assert_json '.body == "grün\u0000\"\\\n"' 'has("body_base64") | not'
}

@test "-j alone may claim several messages, each with its receipt" {
    seq 3 | mq-send -q -l jobs
    run -0 --separate-stderr mq-recv -j -n 3 jobs
    assert_equal "${#lines[@]}" 3
    assert_equal "$(depth jobs inflight)" 3
    jq -r .receipt <<<"$output" | mq-ack
    assert_equal "$(depth jobs inflight)" 0
}

@test "a queue that does not exist is 66, and is not made" {
    run -66 --separate-stderr mq-recv --no-wait jobs
    assert_complains 'mq-recv: jobs: '
    assert_not_exists "$MQ_SPOOL"
}

@test "--create makes the queue for a consumer that starts before its producers" {
    run -1 --separate-stderr mq-recv --create --no-wait jobs
    run -0 mq-queue list
    assert_output jobs
    spawn_receiver early --create -a other
    mq-send -q other body
    wait "$receiver"
    assert_equal "$(<early.out)" body
}

@test "a signal ends a waiting receiver at once, by that signal, with nothing held" {
    mq-queue create jobs
    for signal in TERM INT HUP; do
        spawn_receiver waiting jobs
        kill -"$signal" "$receiver"
        status=0
        wait "$receiver" || status=$?
        assert_equal "$signal $status" "$signal $((128 + $(kill -l "$signal")))"
        assert_equal "$(<waiting.out)$(<waiting.err)" ''
        assert_equal "$(ls "$MQ_SPOOL/jobs/waiters")" bell
    done
    mq-send -q jobs body
    take jobs
    assert_equal "$(<got)" body
}

@test "what cannot be written goes back to its place, its attempt not counted" {
    printf '1\n2\n' | mq-send -q -l jobs
    for options in '' '-a' '-j' '-a -j' '-a -l -n 2'; do
        run -74 --separate-stderr bash -c "mq-recv $options jobs >/dev/full"
        assert_complains 'mq-recv: '
        assert_equal "$(depth jobs ready) $(depth jobs inflight)" '2 0'
    done
    take_json jobs
    assert_json '.attempts == 1' '.body == "1"'
}

@test "a reader that has gone away loses nothing" {
    mq-send -q jobs body
    mkfifo pipe
    # shellcheck disable=SC2094 # the reading end is there only to open the other
    exec {reader}<>pipe {writer}>pipe {reader}>&-
    for options in '' '-a' '-j'; do
        # shellcheck disable=SC2086 # none or one word
        run -74 --separate-stderr bash -c 'mq-recv '"$options"' jobs >&'"$writer"
        assert_complains 'mq-recv: '
    done
    exec {writer}>&-
    run -74 --separate-stderr bash -c 'mq-recv -a jobs >&-'
    take_json jobs
    assert_json '.attempts == 1'
}

@test "a large body needs little memory" {
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers need the address space'
    mq-queue create jobs max-size=1G
    truncate -s 100M large
    mq-send -q --no-sync jobs <large
    (ulimit -v 50000 && mq-recv -a jobs) >got
    cmp got large
}

@test "a message past its expiry is dead, not received" {
    mq-send -q --ttl 1h jobs old
    mq-send -q jobs new
    old=$(files jobs ready | head -n 1)
    expire "$old"
    take jobs
    assert_equal "$(<got)" new
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.reason == "expired"' '.preview == "old"'
}

@test "with on-expiry = drop an expired message leaves nothing" {
    mq-queue create jobs on-expiry=drop
    mq-send -q --ttl 1h jobs old
    expire "$(files jobs ready)"
    run -1 --separate-stderr mq-recv --no-wait jobs
    assert_equal "$(depth jobs ready) $(depth jobs dead)" '0 0'
}

# Let the message in ready/ of that name have expired in 2001.
expire() { # NAME
    local path
    path=$(echo "$MQ_SPOOL"/jobs/ready/*/"$1")
    # shellcheck disable=SC2001 # no pattern of the shell can do that
    mv "$path" "$(sed -E 's/\.x[0-9a-f]{13}/.x0038d7ea4c680/' <<<"$path")"
}

@test "competing receivers get each message once" {
    seq 100 >want
    mq-send -q --no-sync -l jobs <want
    for i in 1 2 3 4; do
        spawn "receiver$i" mq-recv -a -l -f -w 0.2s jobs
    done
    for pid in "${spawned[@]}"; do
        wait "$pid" || true # one that came late found nothing
    done
    sort -n receiver?.out >got
    cmp got want
}

@test "a message wakes somebody even where the waiting leader was killed or stopped" {
    mq-queue create jobs
    spawn_receiver killed -a jobs
    kill -KILL "$receiver"
    spawn_receiver stopped -a jobs
    kill -STOP "$receiver"
    spawn_receiver alive -a jobs
    mq-send -q jobs body
    wait_until 3 is_gone "$receiver"
    assert_equal "$(<alive.out)" body
    assert_equal "$(depth jobs ready)" 0
}

@test "waiting works by polling where there is no inotify, and -v says so" {
    needs_strace
    mq-queue create jobs
    spawn polling strace -f -o trace -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE mq-recv -v -a jobs
    wait_until 10 grep -q INJECTED trace
    mq-send -q jobs body
    wait_until 5 grep -q body polling.out
    assert_equal "$(grep -c '^mq-recv: jobs: .*inotify' polling.err)" 1
}

@test "output into a file ends where the file system takes nothing at once, as on xfs" {
    needs_strace
    seq 20000 | tee all | mq-send -q -l jobs
    spawn receiving strace -o trace -e trace=pwritev2 -e inject=pwritev2:error=EAGAIN mq-recv -a -l -n 20000 jobs
    wait_until 10 cmp -s all receiving.out
    wait "${spawned[0]}"
    grep -q INJECTED trace
}

@test "messages moved in by hand are seen by who waits" {
    mq-send -q jobs body
    mv "$MQ_SPOOL"/jobs/ready/*/* .
    moved=$(echo 5*.a0)
    spawn_receiver waiting -a jobs
    bucket=$MQ_SPOOL/jobs/ready/5-${moved:1:13}
    mkdir -p "$bucket"
    mv "./$moved" "$bucket/"
    wait_until 5 grep -q body waiting.out
}

@test "nothing is read from stdin" {
    mq-send -q jobs body
    { mq-recv -a jobs >got; cat; } <<<untouched >rest
    assert_equal "$(<got) $(<rest)" 'body untouched'
}

@test "--version and --help answer, misuse is refused with 64" {
    run -0 --separate-stderr mq-recv --version
    assert_output --regexp '^mq-recv \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-recv --help
    assert_line --regexp '^Usage: mq-recv '
    mq-send -q jobs body
    for arguments in '' '--no-such-option jobs' 'jobs jobs' 'jobs --' '--wait jobs'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-recv $arguments </dev/null
        assert_complains 'mq-recv: '
    done
    assert_equal "$(depth jobs ready)" 1
}

# ---- a reader that ends early ----------------------------------------------------------

@test "with --ack-every=1 what the reader of a pipe has not taken goes back, even from the pipe" {
    seq 256 | mq-send -q -l jobs
    run --separate-stderr bash -c 'mq-recv -a -l -f --ack-every=1 jobs | grep -m 1 -x 100'
    assert_output 100
    assert_equal "$(mq-stat -x --format='{ready} {inflight}' jobs)" '156 0'
    take jobs
    assert_equal "$(<got)" 101
    # One by one, as a shell reads.
    run --separate-stderr bash -c 'mq-recv -a -l -f --ack-every=1 jobs | { read -r one; read -r two; echo "$one $two"; }'
    assert_output '102 103'
    take jobs
    assert_equal "$(<got)" 104
    # The reader that takes nothing at all.
    run --separate-stderr bash -c 'mq-recv -a -l -f --ack-every=1 jobs | sleep 0.2'
    take jobs
    assert_equal "$(<got)" 105
}

@test "with --ack-every=1 a signal waits until the reader has taken what was written, and a second one gives it back" {
    local ended
    seq 3 | mq-send -q -l jobs
    mkfifo pipe
    spawn first bash -c 'exec mq-recv -a -l -f --ack-every=1 jobs >pipe'
    exec {reader}<pipe
    wait_until 10 has_depth jobs inflight 3
    kill -TERM "$!"
    read -r line <&"$reader"
    assert_equal "$line" 1
    wait "${spawned[-1]}"
    assert_equal "$(mq-stat -x --format='{ready} {inflight}' jobs)" '2 0'
    spawn second bash -c 'exec mq-recv -a -l -f --ack-every=1 jobs >pipe'
    wait_until 10 has_depth jobs inflight 2
    kill -TERM "$!"
    kill -HUP "$!"
    wait "${spawned[-1]}"
    exec {reader}<&-
    take jobs
    assert_equal "$(<got)" 2
}

@test "a reader that goes away leaves in the pipe what goes back, where it was not acked yet" {
    seq -f '%02000.0f' 100 | mq-send -q --no-sync -l jobs
    run --separate-stderr bash -c 'mq-recv -a -l -f jobs | head -c 20010 | wc -l'
    assert_output 10
    take jobs
    assert_equal "$(sed "s/^0*//" got)" 11
}

# ---- a terminal ------------------------------------------------------------------------

@test "on a terminal, and only there, a body without a newline is ended with one" {
    needs_terminal
    printf 'first' | mq-send -q jobs
    printf 'second\n' | mq-send -q jobs
    printf '' | mq-send -q jobs
    printf 'fourth' | mq-send -q jobs
    script -qec 'mq-recv -a -n 3 jobs; echo -n "prompt> "' /dev/null </dev/null | tr -d '\r' >shown
    diff shown <(printf 'first\nsecond\nprompt> ')
    script -qec 'mq-recv jobs; echo -n "prompt> "' /dev/null </dev/null | tr -d '\r' | tail -n +2 >shown
    diff shown <(printf 'fourth\nprompt> ')
    printf 'fifth' | mq-send -q jobs
    script -qec 'mq-recv -a0 jobs' /dev/null </dev/null >shown
    diff shown <(printf 'fifth\0')
    printf 'sixth' | mq-send -q jobs
    mq-recv -a jobs >got
    diff got <(printf 'sixth')
}

@test "a body that is too large for the memory at hand fails, attempt by attempt, and keeps nobody from the next" {
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers need the address space'
    mq-queue create jobs max-size=1G max-attempts=2 retry-delay=1ms
    truncate -s 100M large
    mq-send -q --no-sync -i much jobs <large
    mq-send -q jobs small
    (ulimit -v 50000 && exec mq-recv -aj -n 1 --no-wait jobs) >got 2>said
    run -0 jq -r .body got
    assert_output small
    [[ $(<said) == 'mq-recv: jobs: much: attempt 1: cannot deliver: '* ]]
    wait_until 10 bash -c 'mq-queue sweep -q jobs; ! (ulimit -v 50000 && exec mq-recv -aj -n 1 --no-wait jobs) 2>/dev/null
        mq-dlq list -j jobs | grep -q max-attempts'
    # A terabyte is too large for any memory, which is known without trying.
    truncate -s 1T large 2>/dev/null || skip "no file is so large here"
    mq-send -q -i holes jobs x
    truncate -s 1T "$MQ_SPOOL"/jobs/ready/*/*holes*
    mq-send -q jobs small
    run --separate-stderr timeout 20 mq-recv -aj -n 1 --no-wait jobs
    assert_json '.body == "small"'
}

@test "a batch of which one message is too large is delivered but for that one" {
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers need the address space'
    mq-queue create jobs max-size=8M batch-size=8M retry-delay=1h
    { echo one; head -c 3M /dev/zero | tr '\0' '\1'; echo; echo three; } >lines
    mq-send -q -l jobs <lines
    assert_equal "$(files jobs ready | wc -l)" 1
    (ulimit -v 32000 && exec mq-recv -aj -n 3 --no-wait jobs) >got 2>said || true
    assert_equal "$(jq -r .body got | tr '\n' ' ')" 'one three '
    assert_equal "$(depth jobs delayed)" 1
    [[ $(files jobs delayed) == *.a1.* ]]
}

@test "a body that is cut short while it is read ends its record, and keeps nobody from the next" {
    mq-queue create jobs max-size=1M max-attempts=1
    mq-send -q jobs first
    head -c 900000 /dev/zero | tr '\0' x | mq-send -q -i cut jobs
    mq-send -q jobs last
    cut_and_read() {
        wait_until 10 has_depth jobs inflight 1 && wait_until 10 is_asleep_as "$(<id)" mq-recv
        truncate -s 100 "$MQ_SPOOL"/jobs/inflight/*/*.cut.*
        timeout 20 cat >got
    }
    timeout 20 sh -c 'echo $$ >id; exec mq-recv -a -l -n 3 --no-wait jobs' 2>said | cut_and_read
    assert_equal "$(grep -cE '^x+$' got) $(grep -v x got | xargs)" '1 first last'
    [[ $(<said) == 'mq-recv: jobs: cut: attempt 1: cannot deliver: it is cut short' ]]
    [[ $(files jobs dead) == *.cut.a1.rmax-attempts ]]
}

@test "a body that is too large for TMPDIR fails, attempt by attempt, and the worker goes on" {
    mq-queue create jobs max-size=1G max-attempts=2 retry-delay=1ms
    mkdir small
    if ! mount -t tmpfs -o size=1M none small 2>/dev/null; then
        skip "it takes root to make a small file system"
    fi
    head -c 3M /dev/zero | mq-send -q -i large jobs
    mq-send -q jobs small
    TMPDIR=$PWD/small run --separate-stderr timeout 20 mq-recv --until-empty --body-file jobs -- sh -c 'cat "$MQ_BODY"'
    local seen="$status $output"
    wait_until 10 bash -c 'TMPDIR=$PWD/small mq-recv -q --until-empty --body-file jobs -- true; mq-dlq list -j jobs | grep -q large'
    # Where nothing can be kept no message is to blame.
    head -c 300K /dev/zero | mq-send -q -i middle jobs
    head -c 2M /dev/zero >small/full || true
    TMPDIR=$PWD/small run --separate-stderr timeout 20 mq-recv --until-empty --body-file jobs -- sh -c 'cat "$MQ_BODY"'
    umount small
    assert_equal "$seen" '123 small'
    assert_equal "$status" 75
    [[ $(files jobs ready) == *.middle.a0 ]]
}

# ---- several queues --------------------------------------------------------------------

@test "several queues: the first that has a message, or in turn; each message is settled in its own" {
    local name
    for name in urgent normal low; do
        seq -f "$name-%g" 3 | mq-send -q --batch=1 -l "$name"
    done
    assert_equal "$(mq-recv -a -l -n 4 low urgent | xargs)" 'low-1 low-2 low-3 urgent-1'
    seq -f 'low-%g' 2 | mq-send -q -l low
    assert_equal "$(mq-recv -aj --fair -n 2 urgent normal low | jq -r '.queue + " " + .body' | xargs)" \
        'urgent urgent-2 normal normal-1'
    # By receipt, and by a command: both know the queue.
    mq-recv low normal >got
    assert_equal "$(sed -n 's,/.*,,p;2q' got) $(sed 1d got)" 'low low-1'
    mq-ack "$(head -n 1 got)"
    mq-send -q --batch=1 low bad
    # shellcheck disable=SC2016 # for the command
    run -123 --separate-stderr mq-recv --until-empty -P 2 urgent low normal -- \
        sh -c 'read -r body; echo "$MQ_QUEUE $body" >>all; case $body in bad) exit 65;; esac'
    assert_equal "$(sort all | xargs)" "$(printf '%s\n' 'urgent urgent-3' 'low low-2' 'low bad' 'normal normal-2' \
        'normal normal-3' | sort | xargs)"
    assert_equal "$(depth low dead) $(depth urgent ready) $(depth normal ready)" '1 0 0'
    assert_equal "${stderr%%:*}: $(depth urgent inflight)$(depth low inflight)" 'mq-recv: 00'
    run -1 mq-recv -a --no-wait urgent low normal
}

@test "several queues: one that is missing, named twice, deleted meanwhile, and a hundred of them" {
    local n
    mq-send -q here body
    run -66 --separate-stderr mq-recv --no-wait -a here missing
    assert_complains 'mq-recv: missing: no such queue'
    run -64 --separate-stderr mq-recv --no-wait -a here missing here
    assert_complains 'mq-recv: here is named'
    run -64 mq-recv --no-wait -a here ../here
    assert_equal "$(depth here ready)" 1
    run -0 --separate-stderr mq-recv --no-wait --create -a missing here
    assert_output body
    spawn gone mq-recv -f -a -l here missing
    wait_until 5 is_waiting_in_poll $!
    mq-queue delete missing
    local status=0
    wait $! || status=$?
    assert_equal "$status $(<gone.err)" '66 mq-recv: missing: cannot receive: the queue is gone'
    for n in {1..100}; do echo "q$n"; done >names
    mapfile -t names <names
    mq-recv --create --no-wait "${names[@]}" || true
    # An ordinary limit of descriptors is enough, and few instances of inotify are taken.
    (ulimit -Sn 1024 && exec mq-recv -a -n 2 -l "${names[@]}" >many.out) 3>&- &
    register $!
    wait_until 10 is_waiting_in_poll $!
    mq-send -q q77 one
    wait_until 10 grep -q one many.out
    # Once the wait has lasted it also watches.
    wait_until 10 has_inotify $!
    mq-send -q q100 two
    wait $!
    assert_equal "$(xargs <many.out)" 'one two'
}

has_inotify() {
    [[ $(find "/proc/$1/fd" -lname 'anon_inode:inotify' | wc -l) == 1 ]]
}

# ---- a template ----------------------------------------------------------------------

@test "--format prints messages by a template, and a wrong one is refused before anything is received" {
    mq-queue create jobs durability=none
    mq-send -q -i one -p 7 -H 'Type: user.signup' -H 'X-No: 5' jobs 'a {body} \n'
    mq-send -q -i two jobs ''
    mq-recv -a -n 2 --no-wait --format='{id}|{queue}|{priority}|{attempt}|{size}|{header.Type}|{header.x-no}|{body}|{{\t}}|\\n\q' jobs >got
    assert_equal "$(<got)" $'one|jobs|7|1|11|user.signup|5|a {body} \\n|{\t}|\\n\\q\ntwo|jobs|4|1|0||||{\t}|\\n\\q'
    head -c 300000 /dev/urandom >body
    mq-queue config jobs max-size=1M
    mq-send -q jobs -f body
    mq-recv -a -0 --no-wait --format='{body}{header.None}' jobs >got
    { cat body; printf '\0'; } | cmp - got
    mq-send -q -k a.b -H 'Sent: no' -i three jobs x
    mq-recv --no-wait --format='{key} {offset}{expires}{sent} {receipt}' jobs >got
    assert_regex "$(<got)" '^a\.b 20[0-9-]+T[0-9:.]+Z jobs/[^ ]+$'
    mq-ack "$(cut -d ' ' -f 3 got)"
    mq-send -q jobs x
    for wrong in '{nothing}' '{id' 'id}' '{header.}' '{header.a b}' '{body}{body}' '{}' '{{}' '{id{body}'; do
        run -64 mq-recv -a --no-wait --format="$wrong" jobs
        assert_output --partial -- --format
    done
    run -64 mq-recv --no-wait --format='{body}' jobs
    assert_output --partial 'without {receipt} needs --auto-ack'
    run -64 mq-recv -a -j --format='{body}' jobs
    run -64 mq-recv --format='{body}' jobs -- true
    assert_equal "$(depth jobs ready)" 1
}

@test "--together: what was sent together has one receipt, by which all of it is settled" {
    mq-queue create jobs
    seq 5 | mq-send -q -l jobs
    mq-send -q jobs 6
    run -0 mq-recv -j --together -n 4 --no-wait jobs # five that were sent together: one by itself, and the rest
    assert_equal "$(jq -c '[.body, .receipt != null]' <<<"$output" | xargs)" '[1,true] [2,false] [3,false] [4,false] [5,true]'
    jq -r '.receipt // empty' <<<"$output" | mq-ack --release
    run -0 mq-recv -j --together -n 100 --no-wait jobs
    assert_equal "$(jq -c '[.body, .receipt != null]' <<<"$output" | xargs)" '[1,true] [2,false] [3,false] [4,false] [5,true] [6,true]'
    jq -r '.receipt // empty' <<<"$output" | mq-ack
    seq 5 | mq-send -q -l jobs
    mq-send -q jobs 6
    run -0 mq-recv -j --together -n 5 --no-wait jobs
    assert_equal "$(jq -c '[.body, .receipt != null]' <<<"$output" | xargs)" '[1,false] [2,false] [3,false] [4,false] [5,true]'
    jq -r '.receipt // empty' <<<"$output" | mq-ack --release
    assert_equal "$(mq-stat -x --format '{ready} {inflight}' jobs)" '6 0'
    run -0 mq-recv -j --together -n 5 --no-wait jobs
    jq -r '.receipt // empty' <<<"$output" | mq-ack
    assert_equal "$(mq-stat -x --format '{ready} {inflight} {acked}' jobs)" '1 0 11'
    run -64 mq-recv --together jobs
    run -64 mq-recv -aj --together jobs
}
