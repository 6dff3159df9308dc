#!/usr/bin/env bats
# mq-send --once: of one id one message is sent within the dedup-window, whoever is killed and sends again.

load ../helper

setup() {
    setup_spool
    mq-queue create jobs durability=none
}

teardown() {
    kill_spawned
    cd / && remove_public
}

# once ARGUMENT…: send once; what was printed in $output.
once() {
    run -0 --separate-stderr mq-send --once -v "$@"
}

sent() {
    [[ $stderr == *"mq-send: jobs: sent $1" ]] || fail "not sent: $stderr"
}

duplicate() {
    [[ $stderr == *"mq-send: "*": duplicate of $1, not sent again" ]] || fail "no duplicate: $stderr"
}

bodies() { # in order, and nothing is left
    mq-recv -a -l --no-wait -n 1000 jobs 2>/dev/null || true
}

figures() { # ready, delayed, sent and duplicates
    mq-stat -j -x jobs | jq -c '[.ready, .delayed, .sent, .duplicates]'
}

# What the tests below shift: the file that says which slot is current.
slot() {
    basename "$MQ_SPOOL"/jobs/sent/slot/*
}

set_slot() { # NUMBER BEGIN UNTIL: differences to what they are, in microseconds
    local number begin until spread
    IFS=- read -r number begin until spread < <(slot)
    mv "$MQ_SPOOL/jobs/sent/slot/"* "$MQ_SPOOL/jobs/sent/slot/$(printf '%013x-%013x-%013x%s' \
        $((0x$number + $1)) $((0x$begin + $2)) $((0x$until + $3)) "${spread:+-$spread}")"
}

shift_slot() { # SECONDS, into the past
    set_slot 0 -$(($1 * 1000000)) -$(($1 * 1000000))
}

@test "what is sent again within the window is a duplicate: the same id, status 0, and counted" {
    once -i order-17 jobs first
    assert_output order-17
    sent order-17
    once -i order-17 -p 9 jobs second
    assert_output order-17
    duplicate order-17
    once -i order-18 jobs third
    sent order-18
    mq-send -q -i order-17 jobs plain # neither looked for nor remembered
    assert_equal "$(figures)" '[3,0,3,1]'
    assert_equal "$(bodies)" $'first\nthird\nplain'
    once -i order-17 jobs again # also when it was received
    duplicate order-17
    assert_equal "$(bodies)" ''
    run -0 mq-queue check jobs
    assert_output ''
    run -0 ls -A "$MQ_SPOOL/jobs/tmp"
    assert_output ''
}

@test "without an id, one is made of the headers and the body, in whatever way they come" {
    local expected
    expected=$(printf '\nhello\n' | sha256sum | cut -d' ' -f1)
    once jobs < <(echo hello)
    assert_output "$expected"
    echo hello >file
    once jobs -f file file
    assert_output "$expected"$'\n'"$expected"
    once jobs $'hello\n'
    duplicate "$expected"
    echo '{"body":"hello\n"}' | once -j jobs
    once -j jobs < <(echo '{"body":"hello\n"}')
    duplicate "$expected"
    expected=$(printf 'content-type: text/plain\nzone: a\n\nhello' | sha256sum | cut -d' ' -f1)
    once -H 'Zone: a' --content-type text/plain jobs hello
    assert_output "$expected"
    sent "$expected"
    once -j jobs < <(echo '{"body":"hello","headers":{"CONTENT-TYPE":"text/plain","zone":"a"}}')
    duplicate "$expected"
    # A body that is read bit by bit, beyond what fits into a buffer; the file says its id, too.
    mq-queue config jobs max-size=1M
    head -c 300000 /dev/zero | tr '\0' x >large
    expected=$( (echo && cat large) | sha256sum | cut -d' ' -f1)
    once jobs < <(cat large)
    assert_output "$expected"
    mq-queue check jobs
    once jobs "$(head -c 100000 large)"
    once jobs < <(head -c 100000 large)
    assert_equal "$(figures | jq -c '.[0]')" 4
}

@test "each record is sent once for itself" {
    once -l jobs < <(printf '%s\n' a b a c b)
    assert_equal "${#lines[@]}" 5
    assert_equal "${lines[0]} ${lines[1]}" "${lines[2]} ${lines[4]}"
    once -0 jobs < <(printf 'c\0d\0')
    once -j jobs < <(printf '{"id":"%s","body":"e"}\n' x y x)
    assert_output $'x\ny\nx'
    [[ $stderr == *'duplicate of x'* ]]
    assert_equal "$(bodies)" $'a\nb\nc\nd\ne\ne'
    assert_equal "$(figures)" '[0,0,6,4]'
    once -l jobs < <(printf '%s\n' a b a c b)
    assert_equal "$(figures)" '[0,0,6,9]'
    run -65 mq-send --once -j jobs < <(printf '%s\n' '{"id":"z"}' '{"id":"z"}' nonsense)
    assert_output --partial 'record 3: invalid JSON'
    assert_output --partial '2 sent'
}

take_all_delayed() {
    mq-queue purge -y --state delayed jobs >/dev/null 2>&1 || mq-queue purge --state delayed jobs
}

# The rename of a draft is the first of a sender that finds all directories.
killed_at_delivery() {
    strace -qq -o trace -e trace=renameat2 -e inject=renameat2:signal=KILL mq-send -q --once "$@"
}

@test "a delayed message, its priority and its expiry are as the first sender said, whoever delivers it" {
    needs_strace
    once -i first -d 1h jobs body # makes all directories
    take_all_delayed
    run -137 killed_at_delivery -i x -d 1h -p 7 --ttl 2h jobs body
    assert_equal "$(figures | jq -c '.[:2]')" '[0,0]'
    once -i x jobs other
    duplicate x
    assert_equal "$(figures)" '[0,1,2,1]'
    run -0 mq-queue peek --state delayed -j jobs
    assert_json '.id == "x"' '.priority == 7' '.body == "body"' '.expires != null'
}

@test "processes that send the same id at the same instant send one message" {
    for n in 1 2 3 4 5 6 7 8; do
        spawn "send$n" mq-send --once -i order-17 jobs "$n"
    done
    wait "${spawned[@]}"
    assert_equal "$(cat send?.out | sort | uniq -c | xargs)" '8 order-17'
    assert_equal "$(figures)" '[1,0,1,7]'
}

# ---- topics ----------------------------------------------------------------------

make_topic() { # QUEUE…
    local queue
    mq-topic create events
    for queue; do
        mq-topic bind events "$queue"
    done
}

waiting_in() { # QUEUE: the bodies, in order
    mq-queue peek -j "$1" | jq -r .body | xargs
}

@test "what is sent once to a topic goes to all queues or to none, whatever is bound when it is sent again" {
    needs_strace
    make_topic one two
    once -i first events a
    [[ $stderr == *": sent first" ]]
    mq-topic bind events three
    once -i first events b
    duplicate first
    once -l events < <(printf '%s\n' c d c)
    assert_equal "$(grep -c duplicate <<<"$stderr")" 1
    assert_equal "$(waiting_in one)/$(waiting_in two)/$(waiting_in three)" "a c d/a c d/c d"

    run -137 killed_at_delivery -i x -H 'Type: killed' events e
    assert_equal "$(waiting_in one)/$(waiting_in two)/$(waiting_in three)" "a c d/a c d/c d"
    mq-topic unbind events three # the draft is as its sender saw the topic
    once -i x events other
    duplicate x
    assert_equal "$(waiting_in one)/$(waiting_in two)/$(waiting_in three)" "a c d e/a c d e/c d e"
    once -j events < <(printf '{"id": "%s", "body": "f"}\n' f f x)
    assert_equal "$(mq-stat --format='{published} {routed} {topic_duplicates}' events)" '4 10 5'

    run -64 mq-tx run -- mq-send --once -i y events z
    run -0 mq-topic config events dedup-window
    assert_output --partial 1h
    mq-topic config events dedup-window=30m
    run -78 mq-topic config events dedup-window=soon
}

@test "a sender to a topic that is killed when all is decided leaves the rest to others, and sends nothing again" {
    needs_strace
    make_topic one two
    once -i first events a
    mq-recv -aq --no-wait one && mq-recv -aq --no-wait two
    run -137 strace -qq -o trace -e trace=renameat2 -e inject=renameat2:signal=KILL:when=2 \
        mq-send -q --once -i x events b
    run -0 mq-recv -a -w 5s one
    assert_output b
    run -0 mq-recv -a -w 5s two
    assert_output b
    once -i x events b
    duplicate x
    run -1 mq-recv --no-wait one
}

@test "processes that send the same id to a topic at the same instant publish one message, and sweeps keep what is known" {
    make_topic one two
    for n in 1 2 3 4 5 6; do
        spawn "send$n" mq-send --once -i order-17 events "$n"
    done
    wait "${spawned[@]}"
    assert_equal "$(cat send?.out | sort | uniq -c | xargs)" '6 order-17'
    assert_equal "$(waiting_in one)" "$(waiting_in two)"
    assert_equal "$(waiting_in one | wc -w)" 1
    mq-queue sweep
    once -i order-17 events again
    duplicate order-17
    assert_equal "$(find "$MQ_SPOOL/events/feed/tmp" -mindepth 1 -name 'once-*' | wc -l)" 0
    mq-topic delete events
    assert_not_exist "$MQ_SPOOL/events"
}

@test "an id is remembered through the next slot, and no longer" {
    once -i x jobs 1
    shift_slot 3600 # its end has just come
    once -i x jobs 2
    duplicate x
    once -i y jobs 3
    assert_equal "$(find "$MQ_SPOOL/jobs/sent" -type l | wc -l)" 2
    shift_slot 3600
    once -i y jobs 4
    duplicate y
    once -i x jobs 5
    sent x
    # All that was sent before a window without any sending is of no interest.
    shift_slot 7300
    once -i x jobs 6
    sent x
    assert_equal "$(bodies)" $'1\n3\n5\n6'
    # The sweep removes what is of no use, and nothing else.
    mq-queue sweep jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/sent" -type l | wc -l)" 1
    shift_slot 7300
    mq-queue sweep jobs
    run -0 find "$MQ_SPOOL/jobs/sent" -mindepth 2 ! -path '*/slot/*'
    assert_output ''
}

@test "a clock that is set back forgets nothing" {
    once -i x jobs 1
    set_slot 0 1800000000 1800000000 # half an hour: the slot goes on
    before=$(slot)
    once -i x jobs 2
    duplicate x
    assert_equal "$(slot)" "$before"
    set_slot 0 86400000000 86400000000 # a day: it does not wait for that
    before=$(slot)
    once -i x jobs 3
    duplicate x
    [[ $(slot) != "$before" ]]
    once -i y jobs 4
    assert_equal "$(bodies)" $'1\n4'
}

@test "a changed dedup-window counts from the next slot on, and forgets nothing at once" {
    once -i x jobs 1
    mq-queue config jobs dedup-window=1s
    once -i x jobs 2
    duplicate x
    set_slot 0 -1500000 -1500000 # the slot has lasted a new window, and is over
    once -i x jobs 3
    duplicate x
    shift_slot 3
    once -i x jobs 4
    sent x
    mq-queue config jobs dedup-window=1us # as good as 100 ms
    once -i z jobs 5
    sent z
    mq-queue config jobs dedup-window=30000d # there is an end to what names can say
    once -i z jobs 6
    once -i z jobs 6
    duplicate z
}

@test "the draft of a sender that was killed is delivered or given up, and never swept by its age" {
    needs_strace
    once -i first jobs 1 # makes sent/
    run -137 killed_at_delivery -i x jobs 2
    run -0 ls -A "$MQ_SPOOL/jobs/tmp"
    assert_output --partial once-
    touch -d '3 days ago' "$MQ_SPOOL"/jobs/tmp/once-*
    mq-queue sweep jobs
    run -0 mq-queue check jobs
    once -i x jobs again
    duplicate x
    run -137 killed_at_delivery -i y jobs lost
    shift_slot 3600
    once -i y jobs 3 # the slot is over: the draft is void
    sent y
    assert_equal "$(bodies)" $'1\n2\n3'
    shift_slot 3600
    once -i z jobs 4
    shift_slot 3600
    once -i z jobs 5
    run -0 ls -A "$MQ_SPOOL/jobs/tmp"
    assert_output ''
}

# stopped_at CALL ID: a sender of that id is stopped at its first CALL.
stopped_at() {
    rm -f trace
    strace -qq -o trace -e trace="$1" -e inject="$1:signal=STOP:when=1" mq-send -q -v --once -i "$2" jobs late 2>late.err 3>&- &
    spawned+=($!)
    wait_until 10 grep -q SIGSTOP trace
}

# What it says.
go_on() {
    kill -CONT "$(pgrep -P "${spawned[-1]}")"
    wait "${spawned[-1]}"
    run -0 cat late.err
}

# late CALL ID: more than its slot passes, in which others send the id.
late() {
    stopped_at "$1" "$2"
    shift_slot 3600
    once -i other jobs between
    shift_slot 3600
    once -i "$2" jobs new
    sent "$2"
    go_on
    assert_output "mq-send: jobs: duplicate of $2, not sent again"
    assert_equal "$(bodies)" $'between\nnew'
    shift_slot 36000
}

@test "a sender that was stopped while its slot ended sends nothing that was sent meanwhile" {
    needs_strace
    once -i first jobs 1
    bodies >/dev/null
    late getdents64 a # it knows its slot, and has no draft yet
    late faccessat2 b # it has made sure that its slot is current
    # Another queue has got the name meanwhile: what was reported is there.
    stopped_at faccessat2 c
    mq-queue create other durability=none
    mv "$MQ_SPOOL/jobs" "$MQ_SPOOL/.held-jobs-0123456789abcdef"
    mv "$MQ_SPOOL/other" "$MQ_SPOOL/jobs"
    go_on
    assert_output "mq-send: jobs: sent c"
    assert_equal "$(bodies)" late
}

# records FIRST LAST: one of each number, as JSON.
records() {
    seq "$1" "$2" | sed 's/.*/{"id":"m-&","body":"&"}/'
}

# each_once FIRST LAST: they are all in the queue, once, and then no more.
each_once() {
    assert_equal "$(bodies | sort -n)" "$(seq "$1" "$2")"
    run -0 mq-queue check jobs
    assert_output ''
}

@test "records that are sent once share a file, and each is sent once, whoever is killed, stopped or sends the same" {
    mq-send -q --once -j jobs < <(records 1 10)
    assert_equal "$(find "$MQ_SPOOL"/jobs/ready -type f | wc -l)" 1
    assert_equal "$(find "$MQ_SPOOL"/jobs/sent -type l -printf '%i\n' | uniq -c | awk '{ print $1 }')" 10
    once -j jobs < <(records 6 15 && records 12 13)
    assert_equal "$(grep -c duplicate <<<"$stderr")" 7
    assert_equal "$(figures)" '[15,0,15,7]'
    each_once 1 15
    once -i m-7 jobs again
    duplicate m-7
    needs_strace
    local call n first=0
    # Before its fourth mark, and before the rename that sends them: nothing is sent, and no id is blocked.
    for call in linkat:signal=KILL:when=4 renameat2:signal=KILL; do
        first=$((first + 100))
        run -137 strace -qq -o trace -e trace="${call%%:*}" -e inject="$call" mq-send -q --once -j jobs < <(records $first $((first + 9)))
        assert_equal "$(bodies)" ''
        once -j jobs < <(records $((first + 5)) $((first + 14)))
        [[ $stderr != *duplicate* ]] || fail "$stderr"
        once -j jobs < <(records $first $((first + 9)))
        assert_equal "$(grep -c duplicate <<<"$stderr")" 5
        each_once $first $((first + 14))
    done
    # One that is stopped when all marks are made, and goes on when others have sent some of them.
    strace -qq -o trace -e trace=faccessat2 -e inject=faccessat2:signal=STOP:when=1 \
        mq-send -q --once -j jobs < <(records 300 309) 3>&- &
    spawned+=($!)
    wait_until 10 grep -q SIGSTOP trace
    mq-send -q --once -j jobs < <(records 305 314)
    kill -CONT "$(pgrep -P "${spawned[-1]}")"
    wait "${spawned[-1]}"
    each_once 300 314
    # Several at the same instant, in both orders.
    for n in 1 2 3 4; do
        records 1000 1299 | if ((n % 2)); then cat; else tac; fi >records.$n
        spawn "send$n" bash -c "mq-send --once -j jobs <records.$n"
    done
    wait "${spawned[@]:1}"
    each_once 1000 1299
}

# in QUEUE: the bodies, in order.
all_in() {
    case $1 in
    clicks) mq-log read -l clicks ;;
    events) all_in one ;;
    *) mq-queue peek -n 1000 -j "$1" | jq -r .body ;;
    esac
}

@test "so do records to limited queues, logs and topics, whoever is killed, stopped or sends the same" {
    needs_strace
    mq-queue create limited durability=none max-depth=500
    mq-log create clicks durability=none
    make_topic one two
    mq-topic config events durability=none
    local queue call last files
    for queue in limited clicks events; do
        mq-send -q --once -j "$queue" < <(records 100 139)
        files=$(find "$MQ_SPOOL/$queue" "$MQ_SPOOL/one" -type f \( -path '*/ready/*/*' -o -path '*/log/*/*' \) | wc -l)
        assert_equal "$queue $files" "$queue 1"
        once -j "$queue" < <(records 131 160 && records 141 144)
        assert_equal "$queue $(grep -c duplicate <<<"$stderr")" "$queue 13"
        assert_equal "${#lines[@]} ${lines[0]} ${lines[33]}" '34 m-131 m-144'
        # Killed before a mark, and before a rename: sent again, by another who sends some of it.
        last=160
        for call in linkat:signal=KILL:when=4 renameat2:signal=KILL; do
            strace -qq -o trace -e trace="${call%%:*}" -e inject="$call" \
                mq-send -q --once -j "$queue" < <(records $((last + 1)) $((last + 10))) || true
            mq-send -q --once -j "$queue" < <(records $((last + 6)) $((last + 15)) && records $((last + 1)) $((last + 10)))
            last=$((last + 15))
        done
        # Stopped when all marks are made.
        rm -f trace
        strace -qq -o trace -e trace=faccessat2 -e inject=faccessat2:signal=STOP:when=1 \
            mq-send -q --once -j "$queue" < <(records 191 200) 3>&- &
        spawned+=($!)
        wait_until 10 grep -q SIGSTOP trace
        mq-send -q --once -j "$queue" < <(records 196 205)
        kill -CONT "$(pgrep -P "${spawned[-1]}")"
        wait "${spawned[-1]}"
        mq-queue sweep
        all_in "$queue" >all
        assert_equal "$queue $(sort all | xargs)" "$queue $(seq 100 205 | xargs)"
    done
    assert_equal "$(all_in two)" "$(all_in one)"
    run -0 mq-queue check
    assert_output ''
}

@test "records that are sent once fill a limited queue to the brim in few files, and its duplicates need no room" {
    mq-queue config jobs max-depth=100
    run -75 --separate-stderr mq-send -v --once -j jobs < <(records 1 120)
    [[ $stderr == *'record 101: '*'full; 100 sent'* ]] || fail "$stderr"
    (($(find "$MQ_SPOOL"/jobs/ready -type f | wc -l) <= 10))
    once -j jobs < <(records 1 100)
    assert_equal "$(figures)" '[100,0,100,100]'
    # To a topic as many as there is room for, also if the sender would wait for all of a file.
    make_topic jobs other
    mq-queue config jobs max-depth=110
    run -75 mq-send -q --block=10ms --once -j events < <(records 201 220)
    assert_equal "$(waiting_in other)" "$(seq 201 210 | xargs)"
    mq-queue config jobs max-depth=none
    once -j events < <(records 201 220)
    assert_equal "$(grep -c duplicate <<<"$stderr")" 10
    assert_equal "$(mq-queue peek -n 30 -j other | jq -r .body | xargs)" "$(seq 201 220 | xargs)"
}

@test "many marks of one slot are spread over directories from the next slot on, and none is forgotten" {
    once -i x jobs 1
    shift_slot 2700 # a quarter of it is left
    assert_equal "$(cd "$MQ_SPOOL/jobs/sent" && echo ????????????? | wc -w)" 1
    seq 20000 | mq-send -q -l --once jobs # so many that another slot begins before this one is over
    [[ $(slot) == *-16 ]]
    assert_equal "$(find "$MQ_SPOOL/jobs/sent" -name '*-?' | wc -l)" 16
    mq-queue check jobs
    seq 20000 | mq-send -q -l --once jobs
    once -i x jobs 2 # of the slot before, whose marks lie together
    duplicate x
    shift_slot 2700 # the new one lasts as long as any
    once -i x jobs 2
    duplicate x
    once -i y jobs 3
    assert_equal "$(figures)" '[20002,0,20002,20002]'
    shift_slot 1000 # x is forgotten, and what the new slot knows is not
    once -i x jobs 2
    sent x
    once -i y jobs 4
    duplicate y
    seq 20000 | tail -n 100 | mq-send -q -l --once jobs
    assert_equal "$(figures)" '[20003,0,20003,20103]'
    local place
    place=$(find "$MQ_SPOOL/jobs/sent" -name y)
    assert_equal "${place: -4}" -9/y # 0x79 is the sum of its bytes
    mkdir -p "${place%-9/y}-a"
    mv "$place" "${place%-9/y}-a/y"
    run -65 mq-queue check jobs
    assert_output --regexp '^jobs/sent/[0-9a-f]*-a/y: a mark in a directory that is not its own$'
    shift_slot 9000
    mq-queue sweep jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/sent" -type l | wc -l)" 0
}

@test "a mark that is garbage is told, and moved aside by a repair" {
    once -i x jobs 1
    for garbage in 'ln -s nonsense' 'ln -s ../../../ready' 'touch' 'mkdir' 'ln -s 6612308691ef0.56ded7aeaca1919d8.x1'; do
        rm -rf "$MQ_SPOOL"/jobs/sent/*/x
        $garbage "$(dirname "$MQ_SPOOL"/jobs/sent/*/.)/x" 2>/dev/null ||
            $garbage "$(echo "$MQ_SPOOL"/jobs/sent/[0-9a-f]*)/x"
        run -65 --separate-stderr mq-send --once -i x jobs 2
        assert_equal "$stderr" 'mq-send: jobs: cannot send once: the mark of this id in sent/ is damaged; mq-queue check --repair moves it aside'
        run -65 mq-queue check jobs
        assert_output --regexp '^jobs/sent/[0-9a-f]*/x: not a mark of a message that was sent once$'
        mq-queue check --repair jobs >/dev/null || true
        once -i x jobs 3
        sent x
    done
    assert_equal "$(find "$MQ_SPOOL/jobs/aside" -mindepth 1 -maxdepth 1 | wc -l)" 5
    mkdir "$MQ_SPOOL/jobs/sent/surprise"
    touch "$MQ_SPOOL/jobs/sent/slot/surprise"
    run mq-queue check --repair jobs
    assert_equal "${#lines[@]}" 2
    run -0 mq-queue check jobs
}

@test "a cleaner may remove whatever of it is empty or old" {
    once -i x jobs 1
    rm "$MQ_SPOOL"/jobs/sent/slot/*
    once -i x jobs 2
    rm -r "$MQ_SPOOL"/jobs/sent/slot
    once -i y jobs 3
    rm -r "$MQ_SPOOL"/jobs/sent/[0-9a-f]*
    once -i y jobs 4
    rm -r "$MQ_SPOOL"/jobs/sent
    once -i z jobs 5
    once -i z jobs 5
    duplicate z
    mq-queue check jobs
}

@test "a full queue takes no new message, and knows a duplicate" {
    mq-queue config jobs max-depth=1
    once -i x jobs 1
    run -75 mq-send --once -i y jobs 2
    once -i x jobs 3
    duplicate x
    bodies >/dev/null
    once -i y jobs 4
    sent y
    assert_equal "$(figures)" '[1,0,2,1]'
}

@test "with durability, what is reported is synced, also by the sender of a duplicate" {
    needs_strace
    mq-queue config jobs durability=full
    once -i x jobs 1
    strace -qq -o trace -e trace=fsync,fdatasync,syncfs,renameat2,write mq-send --once -i y jobs 2
    assert_regex "$(cat trace)" $'renameat2[^\n]*once-.*\nfsync.*\nwrite.1'
    strace -qq -o trace -e trace=syncfs,write mq-send --once -i y jobs 2
    assert_regex "$(cat trace)" $'syncfs.*\n.*write.1'
    run -74 strace -qq -o trace -e trace=syncfs -e inject=syncfs:error=EIO mq-send --once -i y jobs 2
    run -0 strace -qq -o trace -e trace=syncfs mq-send -q --once --no-sync -i y jobs 2
    run ! grep syncfs trace
    # Lines wait together, where the file system keeps the order of what was done before.
    seq 20 | strace -qq -o trace -e trace=syncfs,fsync mq-send -q --once -l jobs
    assert_equal "$(grep -c syncfs trace)" 1
    ! keeps_order || assert_equal "$(grep -c fsync trace)" 0
    # A message whose sync failed stays, and is a duplicate from then on.
    run -74 strace -qq -o trace -e trace=fsync -e inject=fsync:error=EIO:when="$(keeps_order && echo 1 || echo 3)" mq-send --once -i z jobs 3
    once -i z jobs 4
    duplicate z
}

@test "a queue that is deleted forgets; the options that make no sense are refused" {
    once -i x jobs 1
    mq-queue delete --force jobs
    once -i x jobs 2
    sent x
    run -64 mq-send --once --request jobs 1
    assert_output --partial '--request excludes --once'
    run -64 mq-send --once --batch=5 -l jobs </dev/null
    assert_output --partial '--batch excludes --once'
    run -65 mq-send --once -i a/b jobs 1
    MQ_TX=any run -64 mq-send --once jobs 1
    assert_output --partial '--once cannot be part of a transaction'
}

@test "a queue in which nothing is sent once pays nothing, and a plain send never does" {
    needs_strace
    mq-send -q jobs x
    mq-recv -q -a jobs
    assert_dir_not_exists "$MQ_SPOOL/jobs/sent"
    once -i x jobs 1
    strace -qq -f -o trace sh -c 'mq-send -q jobs x && mq-recv -q -a jobs'
    run ! grep '"sent\|once-' trace
}

@test "on both ends: each message of one queue leads to one of the next, whatever is done again" {
    seq 5 | mq-send -q -l jobs
    for n in 1 2 3; do # the worker dies after its work
        mq-recv -q --no-wait -n 2 jobs -- sh -c 'mq-send -q --once -i "made-$MQ_ID" other "$(cat)"; exit 1' || true
        mq-queue sweep jobs
        mq-queue config jobs retry-delay=1ms
    done
    mq-queue config jobs max-attempts=none
    wait_until 20 work_is_done
    assert_equal "$(mq-recv -a -l --no-wait -n 100 other | sort)" $'1\n2\n3\n4\n5'
}

work_is_done() {
    mq-recv -q --no-wait -n 10 jobs -- sh -c 'mq-send -q --once -i "made-$MQ_ID" other "$(cat)"' || true
    [[ $(figures | jq -c '.[:2]') == '[0,0]' && $(depth jobs inflight) == 0 ]]
}

# ---- others -------------------------------------------------------------------------------

@test "users with all rights send once together; those who may only send cannot" {
    ((EUID == 0)) || skip "it takes root to be several users"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    make_public
    export MQ_SPOOL=$public/spool
    mkdir -m 1777 "$MQ_SPOOL"
    cd "$public"
    as() { PATH=$public/bin:$PATH setpriv --reuid="$1" --regid=54399 --clear-groups "${@:2}"; }
    (umask 077 && as 54321 mq-queue create --mode=660 jobs)
    (umask 077 && as 54322 mq-send -q --once -i x jobs 1)
    (umask 077 && as 54321 mq-send -q --once -i x jobs 2)
    as 54321 mq-send -q --once -i y jobs 3
    as 54322 mq-send -q --once -i y jobs 4
    shift_slot 3600
    as 54322 mq-send -q --once -i y jobs 5
    as 54321 mq-send -q --once -i z jobs 6
    assert_equal "$(figures)" '[3,0,3,3]'
    as 54321 mq-queue sweep jobs
    as 54321 mq-queue create --mode=620 inbox
    run -77 --separate-stderr as 54322 mq-send --once inbox 1
    assert_equal "$stderr" 'mq-send: inbox: cannot send once: Permission denied; it takes all rights to the queue'
    as 54321 mq-send -q --once -i x inbox 1
    as 54322 mq-send -q inbox 2
    as 54321 mq-send -q --once -i x inbox 1
    assert_equal "$(as 54321 mq-recv -a -l -n 5 --no-wait inbox)" $'1\n2'
    run -0 as 54321 mq-queue check
    # Where nobody may rename the file of another user, its own user has to bring a draft out.
    ! command -v strace >/dev/null || draft_of_another_user
}

draft_of_another_user() {
    chmod +t spool/jobs/tmp
    run -137 as 54321 strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL mq-send -q --once -i s jobs 7
    run -75 --separate-stderr as 54322 mq-send --once -i s jobs 8
    [[ $output == '' && $stderr == 'mq-send: jobs: cannot '* ]] || fail "$output, $stderr"
    assert_equal "$(find spool/jobs/tmp -name 'once-*' | wc -l)" 1
    as 54321 mq-send -q --once -i s jobs 9
    run -0 as 54322 mq-send --once -i s jobs 10
    assert_output s
    assert_equal "$(as 54321 mq-recv -a -l -n 9 --no-wait jobs | tail -n 1)" 7
}
