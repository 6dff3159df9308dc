# mq-send: its input, what it puts into the queue, its output.
# shellcheck disable=SC2154 # stderr and spawned are set by others
load ../helper

readonly UUID7='^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'

# Microseconds since the epoch at which the first message of delayed/ is due.
due() {
    local name
    name=$(files jobs delayed | head -n 1)
    echo $((16#${name:0:13}))
}

seconds_from_now() { # MICROSECONDS
    echo $((($1 - $(now_us)) / 1000000))
}

# Run a command; the names of its system calls of those listed are then in the file `called`, in order.
trace() { # CALL,CALL… COMMAND…
    needs_strace
    strace -f -o trace -e "trace=$1" "${@:2}" >/dev/null
    sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' trace >called
}

@test "a message is sent, its queue made, and its id printed" {
    run -0 --separate-stderr mq-send jobs hello
    assert_regex "$output" "$UUID7"
    assert_equal "$stderr" ''
    assert_equal "$(depth jobs ready)" 1
    id=$output
    take_json jobs
    assert_json ".id == \"$id\"" '.body == "hello"' '.queue == "jobs"'
}

@test "a message is a file that cat shows: headers, a blank line, the body" {
    id=$(mq-send --type=greeting -p 7 -H 'X-Trace: 9' jobs hello)
    file=$(echo "$MQ_SPOOL"/jobs/ready/*/*)
    sed '/^$/q' "$file" >headers
    assert_file_contains headers "^Id: $id\$"
    assert_file_contains headers '^Timestamp: [0-9]\{4\}-[0-9][0-9]-[0-9][0-9]T[0-9:.]*Z$'
    assert_file_contains headers '^Type: greeting$'
    assert_file_contains headers '^X-Trace: 9$'
    assert_file_contains headers '^Priority: 7$'
    assert_file_contains headers '^Content-Length: 5$'
    assert_equal "$(sed '1,/^$/d' "$file")" hello
}

@test "body words are joined by single spaces, without a newline" {
    mq-send -q jobs one 'two  three' four
    printf 'one two  three four' >want
    take jobs
    cmp got want
}

@test "what follows -- is body, even where it looks like options" {
    mq-send -q jobs -- -p --help
    take jobs
    assert_equal "$(<got)" '-p --help'
}

@test "an empty body argument is an empty message, and stdin is left alone" {
    mq-send -q jobs '' <<<'not this'
    take jobs
    assert_file_empty got
}

@test "without a body, stdin is the message, byte for byte" {
    head -c 200000 /dev/urandom >want
    mq-send -q jobs <want
    take jobs
    cmp got want
}

@test "bodies around the size of a buffer arrive whole" {
    for size in 0 1 65535 65536 65537 131072; do
        head -c "$size" /dev/urandom >want
        mq-send -q --no-sync jobs <want
        take jobs
        cmp got want || fail "a body of $size bytes"
    done
}

@test "a body from a slow pipe is waited for to its end" {
    { printf one; wait_until 10 test -e go; printf two; } | mq-send -q jobs 3>&- &
    register $!
    wait_until 10 test -d "$MQ_SPOOL/jobs/ready" # the queue is made while it reads, so it has begun
    assert_equal "$(depth jobs ready)" 0
    touch go
    wait_until 10 has_depth jobs ready 1
    take jobs
    assert_equal "$(<got)" onetwo
}

@test "a large body needs little memory" {
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers need the address space'
    mq-queue create jobs max-size=1G
    head -c 100M /dev/zero | (ulimit -v 50000 && mq-send -q --no-sync jobs)
    assert_equal "$(mq-recv -a --no-wait jobs | wc -c)" $((100 << 20))
}

@test "each -f file is a message, and - is stdin" {
    printf 1 >one
    printf 3 >three
    run -0 --separate-stderr mq-send -f one --file=- -f three jobs <<<two
    assert_equal "${#lines[@]}" 3
    run -0 --separate-stderr mq-recv -aj -n 3 --no-wait jobs
    assert_equal "$(jq -c .body <<<"$output" | paste -sd,)" '"1","two\n","3"'
}

@test "with -f the words that follow are files too, as a pattern of the shell gives them" {
    printf 1 >1.txt
    printf 2 >2.txt
    mq-send -q jobs -f ./*.txt
    run -0 --separate-stderr mq-recv -al -n 3 --no-wait jobs
    assert_output $'1\n2'
}

@test "a file that cannot be read is named, and is no message" {
    for file in missing "$BATS_TEST_TMPDIR"; do
        run ! --separate-stderr mq-send -f "$file" jobs
        assert_complains "mq-send: "
        assert_regex "$stderr" "$file"
        assert_equal "$output" ''
    done
    touch empty
    mq-send -q -f empty jobs # makes the queue where it was not made
    assert_equal "$(depth jobs ready)" 1
}

@test "with -l each line is a message: empty ones too, and a last one without its newline" {
    run -0 --separate-stderr bash -c 'printf "one\n\n three \nlast" | mq-send -l jobs'
    assert_equal "${#lines[@]}" 4
    assert_equal "$(sort -u <<<"$output" | wc -l)" 4
    run -0 --separate-stderr mq-recv -aj -n 4 --no-wait jobs
    assert_equal "$(jq -c .body <<<"$output" | paste -sd,)" '"one",""," three ","last"'
    assert_equal "$(depth jobs ready)" 0
}

@test "with -0 each NUL-terminated record is a message, newlines included" {
    run -0 --separate-stderr bash -c 'printf "a\nb\0\0c" | mq-send -0 jobs'
    assert_equal "${#lines[@]}" 3
    run -0 --separate-stderr mq-recv -aj -n 3 --no-wait jobs
    assert_equal "$(jq -c .body <<<"$output" | paste -sd,)" '"a\nb","","c"'
}

@test "lines are read from -f files as well, in their order" {
    printf '1\n2\n' >first
    printf '3\n' >second
    mq-send -q --lines -f first -f second jobs
    run -0 --separate-stderr mq-recv -al -n 3 --no-wait jobs
    assert_output $'1\n2\n3'
}

@test "no records are no messages" {
    run -0 --separate-stderr mq-send -l jobs </dev/null
    assert_output ''
    run -0 --separate-stderr mq-send -j jobs </dev/null
    assert_output ''
    [[ ! -d $MQ_SPOOL/jobs ]] || assert_equal "$(depth jobs ready)" 0
}

@test "lines are sent as they come, not when the input ends" {
    mkfifo pipe
    spawn sender bash -c 'exec mq-send -l jobs <pipe'
    exec {pipe}>pipe
    echo first >&"$pipe"
    wait_until 10 test -s sender.out
    take jobs
    assert_equal "$(<got)" first
    exec {pipe}>&-
}

@test "a JSON line says everything of a message" {
    run -0 --separate-stderr mq-send -j jobs <<<'{"id": "my-1", "body": "h\u00e9\u0000", "priority": 8, "ttl": "1h", "headers": {"Type": "t", "X-A": "b"}}'
    assert_output my-1
    take_json jobs
    assert_json '.id == "my-1"' '.body == "hé\u0000"' '.priority == 8' '.headers == {"Type": "t", "X-A": "b"}'
    assert_json '(.expires[:19] + "Z" | fromdate) - now | . > 3500 and . < 3601'
}

@test "a JSON body may be base64, or absent" {
    mq-send -q -j jobs <<<'{"body_base64": "AP/+Cg=="}'$'\n''{}'
    take jobs
    assert_equal "$(od -An -tx1 got | tr -d ' ')" 00fffe0a
    take jobs
    assert_file_empty got
}

@test "a JSON delay is a duration or a number of seconds, and expires a moment" {
    mq-send -q -j jobs <<<'{"delay": "2h"}'
    [[ $(seconds_from_now "$(due)") -ge 7100 && $(seconds_from_now "$(due)") -le 7200 ]]
    mq-queue purge --all jobs
    mq-send -q -j jobs <<<'{"delay": 90.5}'
    [[ $(seconds_from_now "$(due)") -ge 80 && $(seconds_from_now "$(due)") -le 90 ]]
    mq-send -q -j jobs <<<'{"expires": "2100-01-02T03:04:05Z"}'
    take_json jobs
    assert_json '.expires | startswith("2100-01-02T03:04:05")'
}

@test "what mq-recv -j prints can be sent again as it is" {
    mq-send -q -p 6 -H 'X-A: b' --type=t -i again jobs 'the body'
    run -0 --separate-stderr mq-recv -j jobs
    was=$output
    mq-send -q -j other <<<"$was"
    take_json other
    for member in .id .body .priority .headers; do
        assert_equal "$(jq -c "$member" <<<"$output")" "$(jq -c "$member" <<<"$was")"
    done
    assert_json '.attempts == 1' '.queue == "other"'
}

@test "options are the defaults of JSON lines that do not say otherwise" {
    mq-send -q -j -p 2 --type=plain -H 'X-A: default' jobs <<<'{"priority": 3, "headers": {"X-A": "own"}}'$'\n''{}'
    take_json jobs
    assert_json '.priority == 3' '.headers["X-A"] == "own"' '.headers.Type == "plain"'
    take_json jobs
    assert_json '.priority == 2' '.headers["X-A"] == "default"' '.headers.Type == "plain"'
}

@test "one JSON line's headers do not stick to the next" {
    mq-send -q -j jobs <<<'{"headers": {"X-A": "1"}, "priority": 9}'$'\n''{"headers": {"X-B": "2"}}'
    take_json jobs
    take_json jobs
    assert_json '.headers == {"X-B": "2"}' '.priority == 4'
}

@test "headers are kept, those with an option of their own too" {
    mq-send -q -H 'X-One: 1' --header='X-Two:2: two' -H 'Empty:' --type=user.signup --content-type=text/plain \
        --correlation-id=req-7 --reply-to=answers jobs body
    take_json jobs
    assert_json '.headers["X-One"] == "1"' '.headers["X-Two"] == "2: two"' '.headers.Empty == ""' \
        '.headers.Type == "user.signup"' '.headers["Content-Type"] == "text/plain"' \
        '.headers["Correlation-Id"] == "req-7"' '.headers["Reply-To"] == "answers"'
}

@test "headers that the message itself writes are refused" {
    for header in 'Id: x' 'timestamp: now' 'Content-Length: 3' 'Priority: 9' 'Expires: never' 'Mq-Anything: 1'; do
        run -65 --separate-stderr mq-send -H "$header" jobs body
        assert_complains 'mq-send: '
        assert_regex "$stderr" "${header%%:*}"
    done
    [[ ! -d $MQ_SPOOL/jobs ]] || assert_equal "$(depth jobs ready)" 0
}

@test "the highest priority is received first, 4 where none is given" {
    mq-send -q -p 0 jobs p0
    mq-send -q jobs p4
    mq-send -q --priority=9 jobs p9
    mq-send -q -p 5 jobs p5
    mq-send -q -p 3 jobs p3
    run -0 --separate-stderr mq-recv -al -n 5 --no-wait jobs
    assert_output $'p9\np5\np4\np3\np0'
}

@test "priorities other than 0 to 9 are refused" {
    for priority in 10 -1 x '' 4.5 99999999999999999999; do
        run -64 --separate-stderr mq-send --priority="$priority" jobs body
        assert_complains 'mq-send: '
    done
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "a delayed message is not received before it is due, and then is" {
    mq-send -q -d 2h jobs later
    [[ $(seconds_from_now "$(due)") -ge 7100 && $(seconds_from_now "$(due)") -le 7200 ]]
    run -1 --separate-stderr mq-recv -a --no-wait jobs
    age jobs delayed
    # the delay was so long that nobody looks again within the second
    run -0 --separate-stderr mq-recv -a -w 5s jobs
    assert_output later
}

@test "--at takes a moment as UTC, with an offset, as local time, and as seconds" {
    local -A moments=([2099-11-24T10:30:00Z]=4099199400 [2099-11-24T10:30:00+05:30]=4099179600
        [2099-11-24T10:30:00]=4099228200 [@4099199400]=4099199400)
    for moment in "${!moments[@]}"; do
        TZ=UTC+8 mq-send -q --at="$moment" jobs later
        assert_equal "$moment $(($(due) / 1000000))" "$moment ${moments[$moment]}"
        mq-queue purge --all jobs
    done
}

@test "--at HH:MM is the next such local time" {
    export TZ=UTC-5:30
    for minutes in -2 2; do
        at=$(date -d "$minutes minutes" +%H:%M)
        mq-send -q --at "$at" jobs later
        assert_equal "$(date -d "@$(($(due) / 1000000))" +%H:%M:%S)" "$at:00"
        left=$(seconds_from_now "$(due)")
        ((left >= 0 && left < 86400)) || fail "$at is in $left seconds"
        mq-queue purge --all jobs
    done
}

@test "a moment that has passed means now" {
    mq-send -q --at 2001-01-01T00:00:00Z jobs now
    take jobs
    assert_equal "$(<got)" now
}

@test "moments that are none are refused" {
    for moment in tomorrow 2099-13-01T00:00:00Z 2099-02-30T00:00:00Z 25:00 12:60 @x @-1 '' 2099-01-01T00:00:00Zzz; do
        run -64 --separate-stderr mq-send --at="$moment" jobs body
        assert_complains 'mq-send: '
    done
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "--ttl sets when a message expires, whatever the queue says" {
    mq-queue create jobs ttl=7d
    mq-send -q --ttl=1h jobs body
    take_json jobs
    assert_json '(.expires[:19] + "Z" | fromdate) - now | . > 3500 and . < 3601'
    mq-send -q jobs body
    take_json jobs
    assert_json '(.expires[:19] + "Z" | fromdate) - now | . > 604700 and . < 604801'
}

@test "a message keeps the id it is given" {
    run -0 --separate-stderr mq-send -i order_17-b jobs body
    assert_output order_17-b
    take_json jobs
    assert_json '.id == "order_17-b"'
}

@test "one id is not given to many messages" {
    touch one two
    for options in '-l' '-0' '-j' '-f one -f two'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-send -i x $options jobs </dev/null
        assert_complains 'mq-send: '
    done
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "options that contradict each other are refused" {
    touch file
    for options in '-l -0 jobs' '-l -j jobs' '-0 -j jobs' '-l jobs body' '-0 jobs body' '-j jobs body' \
        '-d 1s --at 12:00 jobs body'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-send $options <<<line
        assert_complains 'mq-send: '
    done
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "a mistake in record 3 names record 3 and says that 2 were sent" {
    printf '{"body":"1"}\n{"body":"2"}\n{"body":\n{"body":"4"}\n' >lines
    run -65 --separate-stderr mq-send -j jobs <lines
    assert_complains 'mq-send: jobs: record 3: '
    assert_regex "$stderr" '2 sent'
    assert_equal "${#lines[@]}" 2
    run -0 --separate-stderr mq-recv -al -n 9 --no-wait jobs
    assert_output $'1\n2'
}

@test "a line over max-size names its record too" {
    mq-queue create jobs max-size=10
    run -65 --separate-stderr mq-send -l jobs <<<$'short\nmuch too long\nshort'
    assert_complains 'mq-send: jobs: record 2: '
    assert_regex "$stderr" '1 sent'
    assert_equal "$(depth jobs ready)" 1
}

@test "an id is printed after its message is durable, not before" {
    trace sync_file_range,fdatasync,fsync,linkat,write mq-send jobs body
    # What follows the last sync is the printing, and nothing is printed before.
    grep -oE '(sync_file_range|fdatasync|fsync|linkat|write\(1,)' trace | sed 's/(1,//' | uniq | paste -sd' ' >order
    assert_regex "$(<order)" '^(write )?(fsync )*(fdatasync|sync_file_range) linkat fsync write$' || fail "$(<trace)"
    assert_equal "$(grep -c 'write(1,' trace)" 1
}

@test "--no-sync waits for no disk" {
    mq-queue create jobs
    trace fsync,fdatasync,sync,syncfs mq-send --no-sync jobs body
    assert_file_empty called
    trace fsync,fdatasync mq-send jobs body
    assert_file_not_empty called
}

@test "with durability = none no message waits for the disk" {
    mq-queue create jobs durability=none
    trace fsync,fdatasync,sync,syncfs mq-send jobs body
    assert_file_empty called
}

@test "a full queue refuses with 75 and stays as it is" {
    mq-queue create jobs max-depth=2
    mq-send -q jobs 1
    mq-send -q -d 1h jobs 2
    run -75 --separate-stderr mq-send jobs 3
    assert_complains 'mq-send: jobs: '
    assert_output ''
    assert_equal "$(depth jobs ready) $(depth jobs delayed)" '1 1'
    mq-queue purge --all jobs
    mq-send -q jobs 3
}

@test "a full queue whose configuration says so ends its oldest messages instead" {
    bodies() { # QUEUE [STATE]
        mq-queue peek -j --state="${2-ready}" "$1" | jq -r .body | tr '\n' ' '
    }
    figures() { # QUEUE FIGURE...
        mq-stat -j "$1" | jq -r "\"$(printf '\\(.%s) ' "${@:2}")\""
    }
    mq-queue create jobs max-depth=3 overflow=drop-oldest durability=none
    mq-send -q -d 1h jobs later
    seq 4 | mq-send -q -l --batch=1 jobs
    assert_equal "$(bodies jobs) $(figures jobs ready delayed dropped)" '3 4  2 1 2 '
    claim jobs # what is worked on does not count, and stays
    mq-send -q -b -p9 jobs urgent
    assert_equal "$(bodies jobs)" 'urgent 4 '
    mq-send -q -p0 jobs trifle # the oldest of the lowest priority is itself
    assert_equal "$(bodies jobs) $(figures jobs dropped inflight)" 'urgent 4  3 1 '
    seq 100 | mq-send -q -l jobs # a batch of which most is too much; the later one goes last
    assert_equal "$(bodies jobs) $(figures jobs delayed dropped)" 'urgent 100  1 103 '

    mq-queue create morgue max-depth=2 overflow=dead-oldest durability=none
    seq 5 | mq-send -q -l morgue
    mq-queue create small max-bytes=320 overflow=drop-oldest durability=none
    mq-topic create events
    for queue in jobs morgue small; do mq-topic bind events "$queue"; done
    for i in 1 2 3; do mq-send -q events "event $i"; done
    assert_equal "$(bodies jobs)" 'urgent event 3 '
    assert_equal "$(bodies morgue) $(bodies morgue dead)" 'event 2 event 3  1 2 3 4 5 event 1 '
    assert_equal "$(figures morgue dropped died died_overflow dead)" '0 6 6 6 '
    assert_equal "$(mq-dlq -j list morgue | jq -r .reason | sort -u)" overflow
    assert_equal "$(bodies small)" 'event 1 event 2 event 3 '
    mq-send -q small "$(printf '%0100d' 1)"
    assert_equal "$(figures small ready dropped)" '2 2 '
    assert_equal "$(mq-queue check jobs morgue small)" ''

    # What is sent into a transaction ends the oldest when that is committed, and nothing before.
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" morgue sixth
    assert_equal "$(bodies morgue)" 'event 2 event 3 '
    mq-tx commit "$tx"
    assert_equal "$(bodies morgue)" 'event 3 sixth '
    mq-queue config morgue max-depth=1
    mq-queue sweep -q morgue
    assert_equal "$(bodies morgue)" 'sixth '
}

@test "max-bytes limits the bytes of what waits" {
    mq-queue create jobs max-bytes=1000 durability=none
    run -65 --separate-stderr mq-send jobs "$(printf '%01000d' 1)"
    assert_complains 'mq-send: jobs: '
    assert_regex "$stderr" 'larger than max-bytes'
    mq-send -q jobs "$(printf '%0500d' 1)"
    run -75 --separate-stderr mq-send jobs "$(printf '%0500d' 2)"
    assert_complains 'mq-send: jobs: '
    assert_regex "$stderr" 'is full'
    receipt=$(claim jobs)
    mq-send -q jobs "$(printf '%0500d' 3)"
    mq-ack --release "$receipt" # it comes back all the same
    run -75 mq-send jobs 4
    take jobs
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" jobs "$(printf '%0200d' 5)"
    run -75 mq-send --tx "$tx" jobs "$(printf '%0200d' 6)"
    mq-tx commit "$tx"
    assert_equal "$(depth jobs ready)" 2
}

@test "claimed and dead messages do not fill a queue" {
    mq-queue create jobs max-depth=1
    mq-send -q jobs 1
    claim jobs
    mq-send -q jobs 2
    mq-ack --reject "$(claim jobs)"
    mq-send -q jobs 3
}

@test "a sender with --block waits until there is room" {
    mq-queue create jobs max-depth=1
    mq-send -q jobs 1
    spawn sender mq-send --block jobs 2
    sender=$!
    wait_until 10 is_asleep "$sender"
    assert_equal "$(<sender.out)" ''
    take jobs
    wait "$sender"
    assert_regex "$(<sender.out)" "$UUID7"
    take jobs
    assert_equal "$(<got)" 2
}

@test "--block=DURATION gives up with 75 when the time is over" {
    mq-queue create jobs max-depth=1
    mq-send -q jobs 1
    start=$(now_us)
    run -75 --separate-stderr timeout 20 mq-send --block=200ms jobs 2
    took=$((($(now_us) - start) / 1000))
    ((took >= 200 && took < 5000)) || fail "it took $took ms"
    assert_complains 'mq-send: jobs: '
    assert_equal "$(depth jobs ready)" 1
}

@test "a signal ends the wait for room, and nothing was sent" {
    mq-queue create jobs max-depth=1
    mq-send -q jobs 1
    for signal in INT TERM; do
        spawn sender env --default-signal=INT,TERM mq-send -b jobs 2
        sender=$!
        wait_until 10 is_asleep "$sender"
        kill -"$signal" "$sender"
        wait_until 10 bash -c "! kill -0 $sender"
        status=0
        wait "$sender" || status=$?
        ((status != 0))
        assert_equal "$(<sender.out)" ''
    done
    assert_equal "$(depth jobs ready)" 1
}

@test "-q prints no id, and -v says what is done on stderr" {
    run -0 --separate-stderr mq-send -q jobs body
    assert_equal "$output$stderr" ''
    run -0 --separate-stderr mq-send -v jobs body
    assert_regex "$output" "$UUID7"
    assert_regex "$stderr" '^mq-send: '
}

@test "an id that cannot be printed is an error, but the message was sent" {
    run -74 --separate-stderr bash -c 'mq-send jobs body >/dev/full'
    assert_complains 'mq-send: '
    run -74 --separate-stderr bash -c 'mq-send jobs body >&-'
    assert_complains 'mq-send: '
    mkfifo pipe
    # shellcheck disable=SC2094 # the reading end is there only to open the other
    exec {reader}<>pipe {writer}>pipe {reader}>&-
    run -74 --separate-stderr bash -c "mq-send jobs body >&$writer"
    assert_complains 'mq-send: '
    exec {writer}>&-
    assert_equal "$(depth jobs ready)" 3
    take jobs
    assert_equal "$(<got)" body
}

@test "-S says where the spool is, before \$MQ_SPOOL" {
    mq-send -q -S "$BATS_TEST_TMPDIR/elsewhere/deep" jobs body
    assert_not_exists "$MQ_SPOOL"
    assert_equal "$(MQ_SPOOL=$BATS_TEST_TMPDIR/elsewhere/deep mq-recv -a --no-wait jobs)" body
}

@test "racing senders make one good queue and lose nothing" {
    for i in {1..12}; do
        spawn "sender$i" mq-send jobs "$i"
    done
    wait "${spawned[@]}"
    run -0 --separate-stderr mq-recv -al -n 12 --no-wait jobs
    assert_equal "$(sort -n <<<"$output" | paste -sd' ')" '1 2 3 4 5 6 7 8 9 10 11 12'
    run -0 --separate-stderr mq-queue check jobs
    assert_equal "$(ls -A "$MQ_SPOOL")" jobs
}

@test "more messages than a bucket takes come out in the order they went in" {
    seq 600 >want
    mq-send -q --no-sync --batch 1 -l jobs <want
    (($(find "$MQ_SPOOL/jobs/ready" -mindepth 1 -type d | wc -l) > 1))
    mq-recv -al -n 600 --no-wait jobs >got
    cmp got want
}

@test "--version and --help answer, other options are refused with 64" {
    run -0 --separate-stderr mq-send --version
    assert_output --regexp '^mq-send \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-send --help
    assert_line --regexp '^Usage: mq-send '
    for arguments in '' '--no-such-option jobs' '--priority'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-send $arguments
        assert_complains 'mq-send: '
    done
}

# ---- descriptors that others do not wait for ------------------------------------------------

# nonblocking IN OUT COMMAND…: as bash cannot open them, with O_NONBLOCK; no others.
nonblocking() {
    exec python3 -c 'import os, sys
os.dup2(os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK), 0)
os.dup2(os.open(sys.argv[2], os.O_WRONLY | os.O_NONBLOCK), 1)
os.closerange(3, 1000)
os.execvp(sys.argv[3], sys.argv[3:])' "$@"
}

@test "input with O_NONBLOCK is waited for as any other" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    mkfifo input
    for option in -q -ql -qj; do
        exec {feed}<>input
        spawn sender nonblocking input /dev/null mq-send $option jobs
        wait_until 10 is_asleep_as "${spawned[-1]}" mq-send
        echo '{"body": "work"}' >&"$feed"
        exec {feed}>&-
        wait "${spawned[-1]}"
        mq-recv -q -a --no-wait jobs
    done
}

@test "output with O_NONBLOCK is waited for as any other" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    mkfifo ids
    seq 5000 >lines
    exec {ids}<>ids
    spawn sender nonblocking lines ids mq-send -l --no-sync jobs
    wait_until 10 is_asleep_as "${spawned[-1]}" mq-send
    assert_equal "$(head -n 5000 <&"$ids" | grep -cE "$UUID7")" 5000
    wait "${spawned[-1]}"
}

# ---- where options end -------------------------------------------------------------

# sends BODY WORD…: `mq-send jobs` and these words send this body.
sends() {
    run -0 --separate-stderr mq-send jobs "${@:2}"
    assert_regex "$output" "$UUID7"
    take jobs
    assert_equal "$(<got)" "$1"
}

@test "the first word of the body ends the options: what follows is text" {
    sends 'convert -q 80 photo.jpg' convert -q 80 photo.jpg
    sends 'sleep -d 5' sleep -d 5
    sends 'tar --help -f x --no-such-option' tar --help -f x --no-such-option
    sends 'one -- two -l' one -- two -l
    sends '-q -v' -- -q -v
    sends 'run -5' -p 9 run -5
    sends ' -j' '' -j
    env POSIXLY_CORRECT=1 mq-send jobs -q sleep -q 5
    take jobs
    assert_equal "$(<got)" 'sleep -q 5'
    run -0 --separate-stderr mq-send -d 1h jobs -q -p 9 --id=later sleep -i 5
    assert_equal "$output" ''
    assert_equal "$(depth jobs delayed)" 1
    run -0 mq-queue peek -i later jobs
    assert_line 'Priority: 9'
    assert_line 'sleep -i 5'
    run -0 mq-send -- jobs convert -q
    take jobs
    assert_equal "$(<got)" 'convert -q'
}

@test "options count before the queue and up to the body, and among files" {
    echo one >one
    echo two >two
    run -0 --separate-stderr mq-send jobs -f one two -q
    assert_equal "$output" ''
    mq-recv -a -n 2 jobs >got
    assert_equal "$(<got)" $'one\ntwo'
    run -64 --separate-stderr mq-send jobs -5
    run -64 --separate-stderr mq-send jobs -l word
    assert_complains 'mq-send: a body among the arguments excludes --lines'
}

@test "- alone as the body is standard input" {
    local words
    for words in '-' '-- -' '-p 4 -'; do
        # shellcheck disable=SC2086 # words
        echo hello | mq-send -q jobs $words
        take jobs
        assert_equal "$(<got)" hello
    done
    sends '- -q' - -q
    seq 3 | mq-send -q -l jobs -
    mq-recv -a -l -n 3 jobs >got
    assert_equal "$(<got)" $'1\n2\n3'
}

@test "-q prints no id, whatever -v says" {
    local options
    for options in -qv -vq '-q -v'; do
        # shellcheck disable=SC2086 # options
        run -0 --separate-stderr mq-send $options jobs body
        assert_equal "$output" ''
        run -0 --separate-stderr mq-send $options -l jobs < <(seq 3)
        assert_equal "$output" ''
    done
    run -0 --separate-stderr mq-send -qv jobs body
    assert_regex "$stderr" 'sent '
}

@test "the version, and help, that cannot be printed are an error" {
    local program option
    for program in mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue; do
        for option in --version --help --usage; do
            run -0 --separate-stderr "$program" "$option"
            run -74 --separate-stderr bash -c '"$@" >/dev/full' - "$program" "$option"
            assert_complains "$program: cannot write the output: "
        done
    done
}

# ---- JSON of all kinds -------------------------------------------------------------

# as_json BODY OBJECT: OBJECT sends this body, as JSON.
as_json() {
    run -0 --separate-stderr mq-send -q -j jobs <<<"$2"
    take_json jobs
    assert_equal "$(jq -r .body <<<"$output")" "$1"
    assert_equal "$(jq -r '.headers["Content-Type"]' <<<"$output")" application/json
}

@test "any value of JSON is a body, exactly as it is written, and says what it is" {
    as_json '{"a":[1,"b c",{"d":null}]}' ' { "body" : { "a" : [ 1 , "b c" , {"d" : null} ] } , "priority" : 7 } '
    as_json '[]' '{"body":[]}'
    as_json 17 '{"body":17}'
    as_json false '{"priority":4,"body":false}'
    as_json null '{"body":null}'
    as_json '{"n":1.10,"big":123456789012345678901234567890,"e":1e3}' \
        '{"body":{"n":1.10, "big":123456789012345678901234567890, "e":1e3}}'
    as_json '{"z":1,"a":"\u00e9\"}\\","body":"no"}' '{"headers":{"body":"x"},"body":{"z":1,"a":"\u00e9\"}\\","body":"no"}}'
    as_json '[1]' '{"b\u006fdy":[1]}'
    as_json '{"a":1}' $'{"body":\t{"a":1}}\r'
}

@test "a body of JSON keeps the content type that was said, and a string gets none" {
    mq-send -q -j jobs <<<'{"headers":{"content-type":"text/x-json"},"body":[1]}'
    take_json jobs
    assert_json '.headers == {"content-type":"text/x-json"}'
    mq-send -q -j --content-type application/vnd.acme+json jobs <<<'{"body":[1]}'
    take_json jobs
    assert_json '.headers == {"Content-Type":"application/vnd.acme+json"}'
    mq-send -q -j jobs <<<'{"body":"[1]"}'
    take_json jobs
    assert_json '.headers == {}' '.body == "[1]"'
    run -65 --separate-stderr mq-send -j jobs <<<'{"body":[1],"body_base64":"aGk="}'
    assert_complains 'mq-send: jobs: record 1: body_base64: there is a body already'
}

@test "blank lines among objects are no objects, however many" {
    run -0 --separate-stderr mq-send -j jobs < <(printf '\n{"body":"one"}\n\n \t\r\n{"body":"two"}\n\n')
    assert_equal "${#lines[@]}" 2
    run -65 --separate-stderr mq-send -j jobs < <(printf '\n\n{"body":"three"}\n\n{bad\n')
    assert_complains 'mq-send: jobs: record 2: invalid JSON: '
    assert_regex "$stderr" '; 1 sent$'
    yes '' | head -n 3000000 | timeout 60 mq-send -q -j jobs
    assert_equal "$(depth jobs ready)" 3
}

@test "an object that takes several lines, and several that share one, are refused and say what to do" {
    run -65 --separate-stderr mq-send -j jobs < <(jq . <<<'{"body":"one"}')
    assert_complains 'mq-send: jobs: record 1: invalid JSON: it ends too early: '
    assert_regex "$stderr" 'jq -c'
    run -65 --separate-stderr mq-send -j jobs <<<'{"body":"one"} {"body":"two"}'
    assert_complains 'mq-send: jobs: record 1: invalid JSON: more than an object, '
    run -65 --separate-stderr mq-send -j jobs <<<'{"Body":"one"}'
    assert_regex "$stderr" 'Body: no such member: there are body, '
    assert_equal "$(depth jobs ready)" 0
}

@test "a header that is given twice, in whatever case, is refused: none is lost" {
    run -65 --separate-stderr mq-send -j jobs <<<'{"headers":{"Tenant":"a","X":"1","tenant":"b"}}'
    assert_complains 'mq-send: jobs: record 1: headers: tenant: given twice'
    run -64 --separate-stderr mq-send -H 'Tenant: a' -H 'tenant: b' jobs body
    assert_complains "mq-send: the header 'tenant' is given "
    run -64 --separate-stderr mq-send --type a -H 'Type: b' jobs body
    assert_complains "mq-send: the header 'Type' is given "
    assert_not_exists "$MQ_SPOOL/jobs/ready/0"
    mq-send -q -j -H 'Tenant: a' jobs <<<'{"headers":{"tenant":"b"}}'
    take_json jobs
    assert_json '.headers == {"tenant":"b"}'
}

# ---- clocks that change ------------------------------------------------------------

# due_at NOW AT MOMENT: at NOW (UTC), in the time zone $TZ, --at AT is MOMENT (UTC).
due_at() {
    local id=at-${1//[^0-9]/}-${2//[^0-9]/} now
    now=$(date -u -d "$1" +%s)
    faketime -f "$(printf '%+d' $((now - EPOCHSECONDS)))s" mq-send -q -i "$id" --at "$2" jobs later
    run -0 --separate-stderr mq-queue peek -j --state all -i "$id" jobs
    assert_json ".due == \"$3.000000Z\"" || fail "at $1 --at $2 is not $3"
}

@test "--at HH:MM is the first moment at which clocks show it, also where they are put back or forward" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    export TZ='CET-1CEST,M3.5.0,M10.5.0/3' # Berlin's
    # Clocks are put back there on 2026-10-25 at 01:00 UTC, from 03:00 to 02:00.
    due_at '2026-10-24 23:00:00' 02:30 2026-10-25T00:30:00
    due_at '2026-10-25 00:20:00' 02:30 2026-10-25T00:30:00
    due_at '2026-10-25 00:40:00' 02:30 2026-10-25T01:30:00
    due_at '2026-10-25 01:20:00' 02:30 2026-10-25T01:30:00
    due_at '2026-10-25 01:40:00' 02:30 2026-10-26T01:30:00
    due_at '2026-10-25 00:40:00' 02:10 2026-10-25T01:10:00
    due_at '2026-10-25 00:40:00' 01:50 2026-10-26T00:50:00
    due_at '2026-10-25 00:40:00' 03:00 2026-10-25T02:00:00
    due_at '2026-10-25 00:20:00' 2026-10-25T02:30 2026-10-25T00:30:00
    due_at '2026-10-25 00:40:00' 2026-10-25T02:30 2026-10-25T01:30:00
    # They are put forward on 2026-03-29 at 01:00 UTC, from 02:00 to 03:00.
    due_at '2026-03-29 00:20:00' 02:30 2026-03-30T00:30:00
    due_at '2026-03-29 00:20:00' 03:00 2026-03-29T01:00:00
    due_at '2026-03-28 22:30:00' 01:59 2026-03-29T00:59:00
    due_at '2026-03-29 00:20:00' 2026-03-29T02:30 2026-03-29T01:30:00
}

@test "--at HH:MM is right where midnight is put back, or a day is passed over" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    # From 00:01 to 23:01 of the day before, as clocks in St. John's once were.
    export TZ='NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01'
    due_at '2026-11-01 02:30:30' 23:30 2026-11-01T03:00:00
    due_at '2026-11-01 02:15:00' 23:30 2026-11-01T03:00:00
    due_at '2026-11-01 01:59:00' 23:30 2026-11-01T02:00:00
    # Samoa had no 30th of December 2011.
    if [[ -e /usr/share/zoneinfo/Pacific/Apia ]]; then
        export TZ=Pacific/Apia
        due_at '2011-12-29 23:00:00' 12:00 2011-12-30T22:00:00
    fi
}

@test "a message that repairs a queue without its ready/ is counted once" {
    mq-queue create jobs
    rm -r "$MQ_SPOOL/jobs/ready"
    mq-send -q jobs hello
    assert_equal "$(depth jobs ready)" 1
    run -0 --separate-stderr mq-stat --json jobs
    assert_json '.ready == 1'
}
