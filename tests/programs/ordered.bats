# Ordered queues: the order within a message group, and everything that a queue can do in one.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

setup() {
    setup_spool
    mq-queue create orders order=group durability=none retry-delay=10ms
}

send() { # GROUP BODY [OPTION…]
    mq-send -q -g "$1" "${@:3}" orders "$2"
}

figures() { # FIELD,… [OPTION…]: of orders
    mq-stat --format="{${1//,/\} \{}}" "${@:2}" orders
}

bodies() { # in the order of their delivery, without waiting
    local body all=
    while body=$(mq-recv -a -w 0 "${1:-orders}"); do
        all+="$body "
    done
    echo "${all% }"
}

of() { # GROUP FILE: its part of what bodies has written
    tr ' ' '\n' <"$2" | grep "^$1" | paste -sd ' '
}

id_of() { # BODY QUEUE
    mq-queue peek -n 1000 -j "$2" | jq -r --arg body "$1" 'select(.body == $body).id'
}

clean() { # nothing is left, and nothing is wrong
    run -0 mq-queue check orders
    assert_equal "$output" ''
    run find "$MQ_SPOOL"/orders/lanes "$MQ_SPOOL"/orders/ready "$MQ_SPOOL"/orders/inflight "$MQ_SPOOL"/orders/tmp -type f
    assert_equal "$output" ''
    assert_equal "$(ls "$MQ_SPOOL"/orders/lanes)" ''
}

@test "messages of a group come in order, one at a time, and groups take turns" {
    for i in 1 2 3; do send a "a$i"; done
    for i in 1 2 3; do send b "b$i"; done
    mq-send -q orders alone
    assert_equal "$(figures ready)" 7
    first=$(mq-recv -w 0 orders) second=$(mq-recv -w 0 orders)
    assert_equal "$(sed 1d <<<"$first") $(sed 1d <<<"$second")" 'a1 b1'
    assert_equal "$(bodies)" alone
    mq-ack "$(head -n1 <<<"$first")"
    assert_equal "$(bodies)" 'a2 a3'
    mq-ack "$(head -n1 <<<"$second")"
    assert_equal "$(bodies)" 'b2 b3'
    clean
}

@test "the order is fixed when the queue is made" {
    run -78 --separate-stderr mq-queue config orders order=strict
    assert_complains 'mq-queue: orders: order: it is fixed'
    run -78 mq-queue create orders order=strict
    run -0 mq-queue create orders order=group
    run -0 mq-queue config orders order=group
    mq-queue create plain
    run -78 mq-queue config plain order=group
    run -78 mq-queue create wrong order=some
    run -64 mq-queue create --mode=620 shared order=group
    assert_equal "$(mq-queue config orders order)" group
}

@test "a strict queue is one group; a queue without an order takes -g as a header; priorities are refused" {
    mq-queue create line order=strict durability=none
    mq-send -q line 1 && mq-send -q -g x line 2 && mq-send -q line 3
    receipt=$(claim line)
    run -1 mq-recv -w 0 line
    mq-ack "$receipt"
    assert_equal "$(bodies line)" '2 3'
    run -64 --separate-stderr mq-send -p 5 line x
    assert_complains 'mq-send: line: cannot publish: an ordered queue has no'
    run -64 mq-send -p 5 orders x
    mq-queue create plain
    mq-send -q -g k -p 7 plain x
    assert_equal "$(mq-queue peek -j plain | jq -r .headers.Group)" k
    mq-send -q plain y
    assert_equal "$(bodies plain)" 'x y'
    clean
}

# refused WHAT COMMAND…: for this reason, and nothing is left of it.
refused() {
    run -64 --separate-stderr "${@:2}"
    assert_complains "$1"
}

@test "what is sent once into a group comes once, in its place" {
    send a a1
    for _ in 1 2; do
        mq-send -q --once -i id2 -g a orders a2
        mq-send -q --once -g b orders b1
        mq-send -q --once orders single
        printf 'l1\nl2\n' | mq-send -q -l --once -g c orders
    done
    send a a3
    assert_equal "$(figures ready,duplicates) $(figures ready --exact)" '7 5 7'
    bodies >got
    assert_equal "$(of a got) $(of b got) $(of l got) $(of s got)" 'a1 a2 a3 b1 l1 l2 single'
    run -64 --separate-stderr mq-send --once -p 1 -g a orders x
    clean
}

@test "transactions send into groups in order, and take claims of groups: committed, aborted, carried out by a sweep" {
    local tx receipt
    send a a1
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" -g a orders a2
    mq-send -q --tx "$tx" -g b --delay=1h orders b1 # it keeps its place: b2 waits for it
    mq-send -q --tx "$tx" -g b orders b2
    seq -f a%g 3 5 | mq-send -q -l --tx "$tx" -g a orders
    mq-send -q --tx "$tx" orders x
    receipt=$(claim orders)
    assert_equal "$(figures ready,inflight)" '0 1'
    mq-tx commit "$tx" --ack "$receipt"
    assert_equal "$(figures ready,delayed,inflight)" '6 1 0'
    assert_equal "$(figures ready,delayed,inflight --exact)" '6 1 0'
    bodies >got
    assert_equal "$(of a got)" 'a2 a3 a4 a5'
    mq-queue purge -q --all orders
    clean

    send a a1 && send a a2
    mq-recv -w 0 --tx orders -- false || true # aborted: the message comes again, before a2
    assert_equal "$(mq-recv -a -w 5 orders) $(bodies)" 'a1 a2'
    clean

    send a a1 && send a a2
    run -0 mq-recv --tx orders -- sh -c 'mq-send -q -g a orders "after $(cat)"'
    assert_equal "$(mq-recv -a -w 0 orders)" a2
    assert_equal "$(bodies)" 'after a1'
    clean
}

@test "a claim that lies in a transaction has its group's token with it" {
    send a a1 && send a a2
    mkfifo go
    mq-recv --tx orders -- sh -c 'echo >begun; cat go >/dev/null' 3>&- &
    wait_until 10 test -e begun
    run -0 mq-queue sweep -q orders # it must not give the lane another token
    assert_equal "$(mq-queue check orders)" ''
    assert_equal "$(figures ready,inflight --exact)" '1 1'
    run -1 mq-recv -w 0 orders
    echo >go
    wait $!
    assert_equal "$(bodies)" a2
    clean
}

@test "topics pass on to ordered queues, each message into its group; dead letters go on from and to ordered queues" {
    mq-topic create events
    mq-topic bind events orders -k '#'
    mq-topic bind events other -k all
    seq -f a%g 3 | mq-send -q -l -k one -g a events
    mq-send -q -k all -g b events b1
    seq -f b%g 2 4 | mq-send -q -l -k all -g b -p 7 events
    assert_equal "$(mq-stat --format='{ready}' orders other)" $'7\n4'
    mq-ack --nack --delay=1h "$(claim orders)"
    assert_equal "$(bodies)" 'b1 b2 b3 b4'
    assert_equal "$(bodies other)" 'b2 b3 b4 b1' # by priority
    mq-queue purge -q --all orders
    clean

    mq-queue create last order=group durability=none
    mq-queue config orders dead-letter=last max-attempts=1
    for i in 1 2 3; do send a "a$i"; done
    mq-ack --reject "$(claim orders)"
    mq-ack --nack "$(claim orders)"
    assert_equal "$(bodies) $(bodies last)" 'a3 a1 a2'
    clean
}

@test "a sender whose queue is made anew with an order meanwhile sends nothing" {
    needs_strace
    local sender status=0
    mq-queue create late durability=none
    strace -q -o trace -e trace=writev -e inject=writev:signal=STOP:when=1 mq-send late x 2>said &
    sender=$!
    wait_until 20 grep -q 'stopped by SIGSTOP' trace
    mq-queue delete --force late
    mq-queue create late order=strict
    kill -CONT "$(pgrep -P "$sender")"
    wait "$sender" || status=$?
    assert_equal "$status $(<said)" '75 mq-send: late: cannot publish: Device or resource busy'
    assert_equal "$(mq-stat --format='{ready} {delayed} {inflight}' late)" '0 0 0'
}

@test "a group waits while its first message backs off, and the others go on" {
    send a a1 && send a a2 && send b b1
    mq-ack --nack --delay=1h "$(claim orders)"
    assert_equal "$(bodies)" b1
    run -2 mq-stat --check 'blocked>0' orders
    assert_equal "$(figures groups_waiting,groups_blocked,groups_inflight,ready,delayed)" '0 1 0 1 1'
    send a a3
    send b b2
    assert_equal "$(bodies)" b2
}

@test "a nack, a lapse and a release bring the same message back first" {
    send a a1 && send a a2
    mq-ack --nack --delay=0s "$(claim orders)"
    claim -t 1ms orders >/dev/null
    sleep 0.02
    receipt=$(claim orders)
    mq-ack --release "$receipt"
    run -0 mq-recv -w 0 orders
    assert_equal "${lines[1]}" a1
    run -0 mq-ack --extend=1m "${lines[0]}"
    receipt=${lines[0]:-}
    assert_equal "$(figures inflight)" 1
}

@test "a dead letter lets the group go on, and comes first again when it is retried" {
    for i in 1 2 3; do send a "a$i"; done
    mq-ack --reject "$(claim orders)"
    assert_equal "$(mq-dlq list -j orders | jq -r .reason)" rejected
    mq-dlq retry orders --all
    assert_equal "$(figures ready,dead)" '3 0'
    assert_equal "$(bodies)" 'a1 a2 a3'
    clean
    mq-queue config orders max-attempts=1
    send a a1 && send a a2
    mq-ack --nack "$(claim orders)"
    assert_equal "$(bodies)" a2
    assert_equal "$(mq-dlq list -j orders | jq -r .reason)" max-attempts
    mq-dlq purge -q orders --all
    clean
}

@test "expired and corrupt messages do not stop their group" {
    send a a1 --ttl=1ms && send a a2 && send a a3
    sleep 0.01
    file=$(grep -l '^a2$' -r "$MQ_SPOOL"/orders/lanes)
    cp "$file" copy && echo more >>copy && mv copy "$file"
    assert_equal "$(bodies)" a3
    assert_equal "$(mq-dlq list -j orders | jq -r .reason | sort | paste -sd' ')" 'corrupt expired'
    mq-dlq purge -q orders --all
    clean
}

@test "a delayed message keeps its place" {
    send a a1 -d 1h && send a a2 && send b b1 && send b b2 -d 1h && send b b3
    assert_equal "$(bodies)" b1
    assert_equal "$(figures ready,delayed)" '2 2'
    assert_equal "$(figures ready,delayed --exact)" '2 2'
    mq-queue purge --all --state=delayed orders
    assert_equal "$(bodies | tr ' ' '\n' | sort | paste -sd' ')" 'a2 b3'
    clean
}

@test "keys are any header value" {
    long=$(printf 'k%.0s' {1..60000})
    keys=(A a '/../x' '.' $'\xc3\xa4' ' ' '' "$long" "${long}1")
    for key in "${keys[@]}"; do send "$key" 1; done
    assert_equal "$(ls "$MQ_SPOOL"/orders/lanes | wc -l)" "${#keys[@]}"
    for key in "${keys[@]}"; do send "$key" 2; done
    assert_equal "$(bodies | tr -d ' ')" 111111111222222222
    run -65 mq-send -g $'a\nb' orders x
    clean
}

is_idle() {
    [[ $(figures ready,inflight,groups_waiting,groups_inflight) == '0 0 0 0' ]]
}

@test "a group that is emptied again and again rests, and its next message comes at once" {
    spawn got mq-recv -a -l -f orders
    for i in 1 2 3; do
        send a "a$i"
        wait_until 5 grep -q "a$i" got.out
    done
    note="$MQ_SPOOL/orders/lanes/*/rest.*"
    wait_until 5 compgen -G "$note"
    kill -STOP "${spawned[0]}"
    send a a4
    assert_equal "$(depth orders ready)" 1 # the sender has found the token
    send a a5
    kill -CONT "${spawned[0]}"
    wait_until 5 grep -q a5 got.out
    wait_until 5 is_idle
    assert_equal "$(paste -sd' ' got.out)" 'a1 a2 a3 a4 a5'
    assert_equal "$(mq-queue check orders)" ''
    kill_spawned
    compgen -G "$note"
    mq-queue delete orders
    assert_equal "$(ls -A "$MQ_SPOOL")" ""
}

@test "lines and JSON go into their groups; several of a group come in order" {
    seq 20 | mq-send -q -l --linger 1m -g a orders
    printf '{"body":"%s","headers":{"Group":"b"}}\n' 1 2 3 | mq-send -q -j orders
    printf '{"body":"%s","group":"b"}\n' 4 | mq-send -q -j orders
    mq-recv -a -l -n 24 -w 0 orders >got
    assert_equal "$(sort -n got | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" \
        "21 22 23 24 $(seq -s' ' -f1%g 5 20)"
    clean
}

# What the page says of the bytes that wait, without those of what is in flight, agrees with the directories: a sweep that
# counts them has nothing to correct, and the queue takes as much as it did before.
@test "max-bytes limits what waits in groups: behind a head too, and what comes back" {
    local size receipt
    mq-queue create sized order=group durability=none retry-delay=10ms
    mq-send -q -g a sized "$(printf '%0100d' 1)"
    size=$(mq-stat --format='{bytes}' sized)
    mq-queue config sized max-bytes=$((3 * size))
    mq-send -q -g a sized "$(printf '%0100d' 2)"
    mq-send -q -g b sized "$(printf '%0100d' 3)"
    full() { run -75 mq-send -q -g "$1" sized "$(printf '%0100d' 4)"; }
    full a && full c
    receipt=$(claim sized)
    mq-send -q -g a sized "$(printf '%0100d' 4)" # what is in flight does not count
    full a
    mq-queue sweep -q sized
    full a
    mq-ack "$receipt"
    full a
    mq-ack --nack --delay=1h "$(claim sized)" # b: it comes back
    full a
    mq-recv -a -w 0 sized >/dev/null
    mq-send -q -g c sized "$(printf '%0100d' 5)"
    full c
    mq-ack --reject "$(claim sized)" # the rest of a: a dead letter does not wait
    mq-send -q -g c sized "$(printf '%0100d' 6)"
    full c
    mq-dlq retry -q sized 2>/dev/null # an administrator may; then it is over its limit
    mq-recv -a -w 0 sized >/dev/null
    full c
    mq-recv -a -w 0 sized >/dev/null
    mq-send -q -g c sized "$(printf '%0100d' 7)"
    full c
    mq-send -q --block=20s -g d sized "$(printf '%0100d' 8)" 3>&- & # it waits for room
    mq-recv -a -w 0 sized >/dev/null
    wait $!
    mq-queue purge -q --all --state=delayed sized
    mq-queue purge -q --all sized
    # several messages in one file: each as it is taken
    mq-queue config sized max-bytes=$((4 * size))
    seq -f '%0100.0f' 4 | mq-send -q -l --linger 1m -g a sized
    receipt=$(claim sized)
    mq-send -q -g b sized "$(printf '%0100d' 9)"
    mq-ack --nack --delay=0 "$receipt"
    assert_equal "$(bodies sized | wc -w)" 5
    for i in 1 2 3 4; do mq-send -q -g "$i" sized "$(printf '%0100d' 1)"; done
    full a
    # the oldest end
    mq-queue config sized overflow=drop-oldest
    for i in 5 6 7; do mq-send -q -g 1 sized "$(printf '%0100d' "$i")"; done
    assert_equal "$(mq-stat --format='{ready}' --exact sized)" 4
}

@test "max-depth counts the messages of all groups; a sender is refused or waits; what is in flight does not count" {
    needs_strace
    mq-queue config orders max-depth=3
    send a a1 && send a a2 && send b b1
    run -75 send c c1
    receipt=$(claim orders)
    send c c1
    run -75 send a a3
    mq-send -q --block=20s -g a orders a3 3>&- &
    mq-ack "$receipt"
    assert_equal "$(mq-recv -a -w 0 orders)" b1
    wait $!
    receipt=$(claim orders) # of c, whose token waits longer
    # A killed sender leaves the count too high: the directories are counted, and the head in flight does not wait.
    strace -o /dev/null -e trace=linkat -e inject=linkat:signal=KILL:when=1 mq-send -q -g a orders x 2>/dev/null || true
    wait_until 5 send b b2 2>/dev/null # the directories are counted once a second
    run -75 send b b3
    mq-ack "$receipt"
    assert_equal "$(figures ready,inflight) $(figures ready,inflight --exact)" '3 0 3 0'
    bodies >got
    assert_equal "$(of a got) $(of b got)" 'a2 a3 b2'
    clean
}

@test "several commands at once work on several groups, never two on one; a group that halts stops no other" {
    local group
    for i in 1 2 3; do for group in a b c; do send "$group" "$group$i"; done; done
    mkdir run
    cat >work <<'END'
mkdir "run/$MQ_HEADER_GROUP" || echo "$MQ_HEADER_GROUP" >>wrong
at=0
until [ -e together ] || [ "$(ls run | wc -l)" = 3 ] || [ $((at += 1)) = 100 ]; do sleep 0.05; done
[ "$at" = 100 ] || touch together
body=$(cat)
echo "$body" >>"seen.$MQ_HEADER_GROUP"
rmdir "run/$MQ_HEADER_GROUP"
[ "$body" != b2 ] || [ ! -e fails ]
END
    work_until() { # READY
        wait_until 20 eval 'mq-recv -q -f --no-wait -P 3 orders -- sh ./work; [[ $(figures ready,inflight) == "'"$1"' 0" ]]'
    }
    work_until 0
    assert_file_exist together
    assert_file_not_exist wrong
    for group in a b c; do assert_equal "$(paste -sd ' ' "seen.$group")" "${group}1 ${group}2 ${group}3"; done
    clean

    mq-queue config orders on-dead=halt max-attempts=1
    rm seen.*
    touch fails
    for i in 1 2 3; do for group in a b c; do send "$group" "$group$i"; done; done
    work_until 1
    assert_file_not_exist wrong
    assert_equal "$(paste -sd ' ' seen.a) $(paste -sd ' ' seen.b) $(paste -sd ' ' seen.c)" 'a1 a2 a3 b1 b2 c1 c2 c3'
    rm fails
    mq-dlq retry -q orders
    work_until 0
    assert_equal "$(paste -sd ' ' seen.b)" 'b1 b2 b2 b3'
    clean
}

@test "after a failure nothing later of the group comes, however many are taken at once" {
    seq -f a%g 6 | mq-send -q -l --linger 1m -g a orders
    send b b1
    run sh -c 'mq-recv -a -l -w 0 -n 5 orders >/dev/full'
    run -0 mq-recv -w 0 -n 1 orders
    mq-ack --release "${lines[0]}"
    touch fails
    mq-recv -q -w 0 -n 5 orders -- sh -c 'b=$(cat); echo "$b" >>seen; [ "$b" != a2 ] || [ ! -e fails ]' || true
    assert_equal "$(grep a seen | sort -u | paste -sd ' ')" 'a1 a2'
    rm fails
    while [[ $(figures ready,delayed) != '0 0' ]]; do
        mq-recv -a -l -n 5 -w 5 orders >>rest
    done
    assert_equal "$(grep a rest | paste -sd ' ') $(cat seen rest | grep -c b1)" 'a2 a3 a4 a5 a6 1'
    clean
}

@test "a group of very many holds up no other; requests are answered from a group; a key may have every byte of a header" {
    local key
    seq 2000 | mq-send -q -l --linger 1m -g a orders
    send b b1
    assert_equal "$(mq-recv -a -w 0 orders) $(mq-recv -a -w 0 orders)" '1 b1'
    mq-queue purge -q --all orders
    clean
    spawn service mq-recv -q -f --reply orders -- tr a-z A-Z
    assert_equal "$(mq-send --request=20s -g a orders hello)" HELLO
    kill_spawned
    clean
    key=$(for i in {32..126}; do printf '%b' "\\x$(printf %x "$i")"; done)äß€
    send "$key" 1 && send "$key" 2 && send "${key%?}" 3
    assert_equal "$(ls "$MQ_SPOOL/orders/lanes" | wc -l)" 2
    assert_equal "$(bodies)" '1 3 2'
    clean
}

@test "the oldest messages of a full ordered queue end: the first of each group, and none while the one before it is in flight" {
    mq-queue config orders max-depth=3 overflow=drop-oldest
    for i in 1 2 3; do send a "a$i"; done
    for i in 1 2; do send b "b$i"; done
    assert_equal "$(figures ready --exact)" 3
    bodies >got
    assert_equal "$(of a got) $(of b got)" 'a2 a3 b2' # of b when it was its turn
    clean
    send a a1
    receipt=$(claim orders)
    for i in 2 3 4 5 6; do send a "a$i"; done
    assert_equal "$(figures ready --exact)" 5
    mq-ack "$receipt"
    mq-queue sweep -q orders
    send a a7
    assert_equal "$(bodies)" 'a5 a6 a7'
    clean
}

@test "peek, purge and delete know the messages behind the head" {
    for i in 1 2 3; do send a "a$i" -i "id$i"; done
    assert_equal "$(mq-queue peek -j orders | jq -r '.id + .headers.Group' | paste -sd' ')" 'id1a id2a id3a'
    receipt=$(claim orders)
    assert_equal "$(mq-queue peek --state=inflight -j orders | jq -r .headers.Group)" a
    assert_equal "$(mq-stat --inflight -j orders | jq -r .group)" a
    run -0 mq-queue peek orders
    assert_regex "${lines[0]}" '^STATE +ID +GROUP '
    assert_regex "${lines[1]}" '^ready +id2 +a +0 .* a2$'
    run -75 mq-queue delete orders
    mq-queue purge --all orders
    assert_equal "$(figures ready,inflight)" '0 1'
    mq-ack "$receipt"
    clean
    mq-queue delete orders
}

@test "what is planted in lanes is found, and put right" {
    send a a1 && send a a2 && send b b1
    cd "$MQ_SPOOL/orders" || return
    token=$(find ready -name '*.g*' | sort | head -n1)
    cp "$token" "${token/.a0/.a1}"
    run -65 mq-queue check orders
    assert_output --partial 'a second token of a lane'
    run -0 mq-queue check --repair orders
    run -0 mq-queue check orders
    rm "$(find ready -name '*.g*' | sort | head -n1)"
    mkdir lanes/half lanes/AAAAAAAAAAAAAAAA && touch lanes/x "$(dirname "$(find lanes -name 'gen.*' | head -n1)")"/y
    cp "$(find ready -name '*.g*' | head -n1)" ready/tmp && mv ready/tmp \
        "$(find ready -name '*.g*' | head -n1 | sed 's/\.g....../.gZZZZZZ/')"
    run -0 mq-queue check --repair orders
    assert_output --partial 'a lane without a token'
    assert_output --partial 'a token without a lane'
    assert_output --partial 'lanes/AAAAAAAAAAAAAAAA: a lane that is half made or half gone'
    assert_output --partial "lanes/half: not a lane's name"
    assert_output --partial 'not a part of a lane'
    sleep 0.02
    assert_equal "$(bodies | tr ' ' '\n' | sort | paste -sd' ')" 'a1 a2 b1'
    rm -rf aside
    clean
}

# ---- killed at each call ------------------------------------------------------------

CALLS=renameat2,linkat,unlinkat,mkdirat,mknodat,symlinkat

# Kill a command at each of the calls that change something, each time in an ordered queue of its own, which `stage` fills.
# Prints a line for each: the queue, and whether the command was done.
stage_part() { # the first of several messages in one file
    printf '%s\n' a1 a2 a3 | mq-send -q -l --linger 1m -g a "$1"
    claim -t 10m "$1"
}

stage_cut() { # prints the id of the second of them
    printf '%s\n' a1 a2 a3 | mq-send -q -l --linger 1m -g a "$1"
    id_of a2 "$1"
}

stage_held() { stage_cut "$1" && mq-recv -w 0 -t 2s "$1" >/dev/null; }

stage_moved() {
    mq-queue create "$1-to" durability=none >/dev/null
    stage_cut "$1"
}

stage_passed() {
    mq-queue remove -q "$1" "$(stage_cut "$1")"
    mq-recv -a -w 0 "$1" >/dev/null
}

stage_once() { :; }

kill_at_each() { # NAME COMMAND…: QUEUE and RECEIPT in it stand for those
    local name=$1 at=1 status=137 receipt
    shift
    while [[ $status == 137 ]]; do
        local queue=$name$at words=("$@")
        mq-queue create "$queue" order=group durability=none >/dev/null
        receipt=$("stage_$name" "$queue")
        words=("${words[@]//QUEUE/$queue}")
        status=0
        strace -o /dev/null -f -e trace="$CALLS" -e inject="$CALLS:signal=KILL:when=$at" \
            "${words[@]//RECEIPT/$receipt}" >/dev/null 2>&1 || status=$?
        echo "$queue $status"
        ((++at < 40)) || fail "$name does not end"
    done
}

stage_birth() { :; }
stage_join() { mq-send -q -g a "$1" a1; }
stage_claim() { mq-send -q -g a "$1" a1 && mq-send -q -g a "$1" a2; }
stage_ack() { stage_claim "$1" && mq-recv -w 0 -t 10m "$1" | head -n1; }
stage_last() { mq-send -q -g a "$1" a1 && mq-recv -w 0 -t 10m "$1" | head -n1; }
stage_reject() { stage_ack "$1"; }
stage_nack() { stage_ack "$1"; }

@test "whoever is killed at any call leaves a lane whose messages all come, in order" {
    needs_strace
    kill_at_each birth mq-send -q -g a QUEUE a1 >killed
    kill_at_each join mq-send -q -g a QUEUE a2 >>killed
    kill_at_each claim mq-recv -w 0 -t 1s QUEUE >>killed
    kill_at_each ack mq-ack RECEIPT >>killed
    kill_at_each last mq-ack RECEIPT >>killed
    kill_at_each reject mq-ack --reject RECEIPT >>killed
    kill_at_each part mq-ack --reject RECEIPT >>killed
    kill_at_each once mq-send -q --once -i one -g a QUEUE x >>killed
    kill_at_each nack mq-ack --nack --delay=0 RECEIPT >>killed
    kill_at_each cut mq-queue remove QUEUE RECEIPT >>killed
    if [[ -n ${LONG-} ]]; then
        kill_at_each held mq-queue remove QUEUE RECEIPT >>killed
        kill_at_each moved mq-queue move QUEUE QUEUE-to RECEIPT >>killed
    fi
    kill_at_each passed mq-recv -w 0 -t 1s QUEUE >>killed
    assert_equal "$(grep -c ' 0$' killed)" $((11 + 2 * (${LONG:-0} != 0)))
    [[ $(grep -c " 137$" killed) -ge 15 ]] || fail "$(cat killed)"
    local queue status left
    sleep 2.1 # the time that a process is given to move a token on
    while read -r queue status; do
        [[ $queue != once* ]] || mq-send -q --once -i one -g a "$queue" x
        left=$(bodies "$queue")
        case $queue:$status in
        birth*:0) assert_equal "$left" a1 ;;
        birth*) [[ -z $left || $left == a1 ]] || fail "$queue: $left" ;;
        join*:0) assert_equal "$left" 'a1 a2' ;;
        join*) [[ $left == a1 || $left == 'a1 a2' ]] || fail "$queue: $left" ;;
        claim*) assert_equal "$queue $left" "$queue a1 a2" ;;
        ack*:0 | reject*:0) assert_equal "$queue $left" "$queue a2" ;;
        nack*:0) assert_equal "$queue $left" "$queue a1 a2" ;;
        ack* | reject* | nack*)
                [[ $left == a2 || $(mq-stat --inflight -j "$queue" | jq -s length) == 1 ]] || fail "$queue: '$left'"
            ;;
        last*) assert_equal "$queue $left" "$queue " ;;
        cut*:0 | held*:0) assert_equal "$queue $left" "$queue a1 a3" ;;
        cut* | held*) [[ $left == 'a1 a2 a3' || $left == 'a1 a3' ]] || fail "$queue: '$left'" ;;
        moved*) # it is in one of the two
            case $left+$(bodies "$queue-to") in
            'a1 a3+a2') ;;
            'a1 a2 a3+') [[ $status == 137 ]] || fail "$queue" ;;
            *) fail "$queue $status: $left" ;;
            esac
            ;;
        passed*) assert_equal "$queue $left" "$queue a3" ;;
        once*) assert_equal "$queue $left" "$queue x" ;;
        part*)
            [[ $(mq-stat --inflight -j "$queue" | jq -s length) == 1 ]] ||
                assert_equal "$queue $left $(mq-stat --format={dead} --exact "$queue")" "$queue a2 a3 1"
            ;;
        esac
        [[ $status != 0 || $queue == claim* || $queue == passed* ]] || assert_equal "$queue$(ls "$MQ_SPOOL/$queue/lanes")" "$queue"
        run -0 mq-queue check "$queue"
    done <killed
}

@test "whatever call fails while a message is taken out of a shared file: it is told, or the message is out" {
    needs_strace
    local call error when id status left commands=(move remove) targets=(q-to '')
    local times=${LONG:+1 2 3} errors=${LONG:+EIO ENOSPC}
    for call in symlinkat linkat renameat2 unlinkat; do
        for when in ${times:-1}; do
            for error in ${errors:-EIO}; do
                mq-queue create q order=group durability=none >/dev/null
                mq-queue create q-to durability=none >/dev/null
                id=$(stage_cut q) status=0
                # shellcheck disable=SC2086 # the second queue may be no word
                strace -o /dev/null -e trace=$call -e inject=$call:error=$error:when=$when \
                    mq-queue "${commands[when % 2]}" q ${targets[when % 2]} "$id" >/dev/null 2>&1 || status=$?
                left=$(bodies q)+$(bodies q-to)
                case $status:$left in
                0:a1\ a3+ | 0:a1\ a3+a2 | [1-9]*:'a1 a2 a3+' | [1-9]*:'a1 a3+a2') ;;
                *) fail "$call $when $error $status: $left" ;;
                esac
                assert_equal "$(mq-queue check q)" ''
                mq-queue delete -q --force q && mq-queue delete -q --force q-to
            done
        done
    done
}

@test "a queue that a deleter held keeps its groups: put back, taken in by an ordered queue, and by one that is not" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    [[ -z ${SANITIZE-} ]] || skip "the sanitizers want to be loaded before faketime"
    local held=$MQ_SPOOL/.held-orders-0123456789abcdef order
    for i in 1 2 3; do send a "a$i" && send b "b$i"; done
    run -75 mq-queue delete orders
    mv "$MQ_SPOOL/orders" "$held"
    assert_equal "$(figures ready)" 6
    mv "$MQ_SPOOL/orders" "$held"
    rm "$held"/ready/*/* # as a loss of power may leave it
    run -0 mq-queue sweep -q orders
    bodies >got
    assert_equal "$(of a got) $(of b got)" 'a1 a2 a3 b1 b2 b3'
    clean
    for order in group none; do
        for i in 1 2 3; do send a "a$i" && send b "b$i"; done
        send c later --delay=72h
        printf '%s\n' d1 d2 d3 | mq-send -q -l --linger 1m -g d orders
        mq-queue remove -q orders "$(id_of d2 orders)"
        claim orders >receipt # the claim of a group ends
        mv "$MQ_SPOOL/orders" held
        mq-queue create orders order="$order" durability=none
        send b b4
        mv held "$held"
        faketime -f +2d "$MQ_BUILD/dynamic/mq-queue" sweep -q
        assert_equal "$(ls -A "$MQ_SPOOL")" orders
        assert_equal "$(mq-queue check orders)" ''
        run -1 mq-ack "$(<receipt)"
        [[ $order == none ]] || age orders inflight
        mq-queue sweep -q orders
        assert_equal "$(figures ready,delayed,inflight)" '9 1 0'
        bodies >got
        assert_equal "$(of a got) $(of '[a-b][1-3]' got | tr ' ' '\n' | grep b | paste -sd ' ')" 'a1 a2 a3 b1 b2 b3'
        assert_equal "$(of d got)" 'd1 d3'
        mq-queue delete --force orders
        mq-queue create orders order=group durability=none
    done
}

@test "with on-dead=halt a group waits until its dead letter is retried, removed or sent on; others go on" {
    needs_strace
    local id
    mq-queue config orders on-dead=halt max-attempts=1
    for i in 1 2 3; do send a "a$i" && send b "b$i"; done
    mq-ack --reject "$(claim orders)"
    assert_equal "$(bodies)" 'b1 b2 b3'
    assert_equal "$(figures ready,delayed,inflight,dead,blocked)" '2 0 0 1 1'
    assert_equal "$(figures ready,delayed,inflight,dead --exact)" '2 0 0 1'
    mq-queue sweep -q orders
    assert_equal "$(mq-queue check orders)$(bodies)" ''
    send a a4
    mq-dlq retry -q orders
    assert_equal "$(mq-recv -a -w 0 orders)" a1
    mq-ack --nack "$(claim orders)" # the last attempt of a2
    assert_equal "$(bodies)" ''
    mq-dlq purge -q --all orders
    assert_equal "$(mq-recv -a -w 0 orders)" a3
    mq-ack --reject "$(claim orders)"
    send a a5
    rm "$MQ_SPOOL"/orders/dead/*/* # by hand
    assert_equal "$(bodies)" ''
    mq-queue sweep -q orders
    mq-ack --reject "$(claim orders)"
    send a a6
    mq-queue config orders on-dead=continue
    mq-queue sweep -q orders
    assert_equal "$(bodies)" a6
    # Of several in one file, too: it comes before those behind it, and once, whoever is killed in between.
    mq-queue config orders on-dead=halt
    mq-dlq purge -q --all orders
    printf '%s\n' b1 b2 b3 | mq-send -q -l --linger 1m -g b orders
    mq-ack --reject "$(claim orders)"
    mq-dlq retry -q orders
    assert_equal "$(figures ready,dead) $(figures ready,dead --exact) $(bodies)" '3 0 3 0 b1 b2 b3'
    printf '%s\n' b1 b2 b3 | mq-send -q -l --linger 1m -g b orders
    assert_equal "$(mq-recv -a -w 0 orders)" b1
    for id in 1 2; do
        mq-ack --nack "$(claim orders)"
        strace -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=2 mq-dlq retry orders || true
        mq-queue sweep -q orders
    done
    assert_equal "$(figures ready,dead --exact) $(bodies)" '2 0 b2 b3'
    mq-queue create last
    mq-queue config orders on-dead=halt dead-letter=last
    send a a7 && send a a8
    mq-ack --reject "$(claim orders)"
    assert_equal "$(mq-recv -a -w 20 orders) $(bodies last)" 'a8 a7'
    clean
}

@test "lines of one group share files, and come in order: one by one, several at once, after failures, as dead letters" {
    local receipt
    seq -f a%g 10 | mq-send -q -l --linger 1m -g a orders
    assert_equal "$(find "$MQ_SPOOL/orders/lanes" -path '*/q/*' -type f | wc -l)" 1
    assert_equal "$(figures ready,inflight) $(figures ready,inflight --exact)" '10 0 10 0'
    assert_equal "$(mq-queue peek -j orders | jq -r .body | paste -sd ' ')" "$(seq -f a%g 10 | paste -sd ' ')"
    receipt=$(claim orders)
    run -1 mq-recv -w 0 orders
    assert_equal "$(figures ready,inflight) $(figures ready,inflight --exact)" '9 1 9 1'
    assert_equal "$(mq-queue peek -j orders | jq -r .body | paste -sd ' ')" "$(seq -f a%g 2 10 | paste -sd ' ')"
    mq-ack "$receipt"
    mq-ack --nack --delay=0 "$(claim orders)"
    assert_equal "$(mq-recv -a -w 0 orders)" a2
    mq-ack --reject "$(claim orders)"
    assert_equal "$(figures ready,inflight,dead) $(figures ready,inflight,dead --exact)" '7 0 1 7 0 1'
    assert_equal "$(mq-recv -a -w 0 -l -n 3 orders | paste -sd ' ')" 'a4 a5 a6'
    assert_equal "$(mq-recv -a -w 0 -l -n 2 orders | paste -sd ' ')" 'a7 a8'
    mq-dlq retry -q orders
    assert_equal "$(mq-recv -a -w 0 -l -n 9 orders | sort | paste -sd ' ')" 'a10 a3 a9'
    clean

    seq -f a%g 4 | mq-send -q -l --linger 1m -g a orders
    send a last
    mq-queue config orders max-attempts=1
    mq-recv -w 0 -n 4 orders -- false || true # all of it fails, message by message
    bodies >got
    assert_equal "$(<got)$(figures ready,dead)" "last0 4"
    assert_equal "$(mq-queue peek -j --state=dead orders | jq -r .body | paste -sd ' ')" 'a1 a2 a3 a4'
    mq-dlq purge -q --all orders
    clean

    # With a max-attempts of their own they share none: there would be no room for it in the name of the token.
    seq -f a%g 3 | mq-send -q -l --linger 1m -g a --max-attempts=1000000 orders
    seq -f '{"body":"a%g","headers":{"Group":"a"},"max_attempts":7}' 4 6 | mq-send -q -j --linger 1m orders
    assert_equal "$(mq-recv -a -l -w 0 -n 9 orders | paste -sd ' ')" 'a1 a2 a3 a4 a5 a6'
    clean

    seq -f a%g 4 | mq-send -q -l --linger 1m -g a --ttl=1ms orders
    send a last
    wait_until 5 test "$(bodies)" = last
    assert_equal "$(figures dead,bytes --exact)" "4 $(figures bytes)"
    mq-dlq purge -q --all orders
    clean
}

whole() { # FIGURES BODIES: what waits, as the page and the directories say, and as it is shown
    assert_equal "$(figures ready,inflight,dead) $(figures ready,inflight,dead --exact)" "$1 $1"
    assert_equal "$(figures bytes)" "$(figures bytes --exact)"
    assert_equal "$(mq-queue peek -n 1000 -j orders | jq -r .body | paste -sd ' ')" "$2"
    run -0 mq-queue check orders
}

are_dead() { # NUMBER
    mq-queue sweep -q orders
    [[ $(figures dead) == "$1" ]]
}

@test "one message is taken out of a file that its group shares, whatever is claimed; the others stay, in order" {
    local receipt id
    mq-queue create to durability=none
    printf '%s\n' a1 a2 a3 a4 a5 a6 a7 a8 | mq-send -q -l --linger 1m -g a orders
    printf '%s\n' b1 b2 b3 | mq-send -q -l --linger 1m -g a orders
    id=$(id_of a2 orders)
    mq-queue remove -q orders "$(id_of a3 orders)"
    whole '10 0 0' 'a1 a2 a4 a5 a6 a7 a8 b1 b2 b3'
    receipt=$(claim orders)
    mq-queue remove -q orders "$id" "$(id_of b2 orders)" # behind the claim, and behind the head
    run -1 mq-queue remove orders "$id"
    whole '7 1 0' 'a4 a5 a6 a7 a8 b1 b3'
    mq-queue move -q orders to "$(id_of a5 orders)" "$(id_of b3 orders)"
    mq-queue copy -q orders to "$(id_of a6 orders)"
    assert_equal "$(bodies to)" 'a5 b3 a6'
    mq-ack --nack --delay=0 "$receipt"
    assert_equal "$(mq-recv -a -w 0 orders)" a1
    whole '5 0 0' 'a4 a6 a7 a8 b1'
    mq-queue move -q orders to "$(id_of a4 orders)" # the head itself
    assert_equal "$(bodies to)" a4
    assert_equal "$(mq-recv -a -w 0 -l -n 3 orders | paste -sd ' ')" 'a6 a7 a8'
    whole '1 0 0' b1
    mq-queue remove -q orders "$(id_of b1 orders)"
    assert_equal "$(bodies)" ''
    clean

    printf '%s\n' a1 a2 a3 a4 | mq-send -q -l --linger 1m -g a orders
    send a a5
    receipt=$(claim orders)
    mq-queue purge -q --all orders # what shares its file with the claim, too
    whole '0 1 0' ''
    mq-ack --reject "$receipt"
    assert_equal "$(bodies)" ''
    mq-dlq retry -q orders
    assert_equal "$(bodies)" a1
    clean

    for id in a1 a2 a3 a4; do printf '%s%040000d\n' $id 0; done | mq-send -q -l --linger 1m -g a orders
    id=$(mq-queue peek -j orders | jq -r .id | sed -n 2p)
    mkfifo pipe
    exec 8<>pipe
    mq-recv -a -w 0 -l -n 4 orders >pipe 8<&- & # waits for a reader, with all of them claimed
    wait_until 5 test "$(figures inflight)" = 4
    mq-queue purge -q --state=inflight --id="$id" orders
    assert_equal "$(mq-queue peek -j --state=inflight orders | jq -r .body | cut -c1-2 | paste -sd ' ')" 'a1 a3 a4'
    head -n 4 <&8 >/dev/null
    wait
    exec 8<&-
    assert_equal "$(figures ready,inflight,bytes) $(figures ready,inflight,bytes --exact)" '0 0 0 0 0 0'
    clean

    printf '%s\n' a1 a2 a3 | mq-send -q -l --linger 1m -g a --ttl=1s orders
    send a last
    mq-queue remove -q orders "$(id_of a2 orders)"
    wait_until 5 are_dead 2
    assert_equal "$(figures ready,dead) $(figures ready,dead --exact)" '1 2 1 2'
    assert_equal "$(bodies)" last
    assert_equal "$(mq-queue peek -j --state=dead orders | jq -r .body | paste -sd ' ')" 'a1 a3'
    mq-dlq purge -q --all orders
    clean
}

@test "what is selected is removed or moved whole, although the messages come forward meanwhile; moved ones keep their order" {
    local n
    mq-queue create to order=group durability=none
    for n in 1 2 3; do send a "a$n" -H 'Kind: old'; done
    printf '%s\n' b1 b2 b3 | mq-send -q -l --linger 1m -g b -H 'Kind: old' orders
    send a a4
    mq-queue move -q -m Kind=old orders to
    assert_equal "$(mq-queue peek -n 9 -j orders | jq -r .body)" a4
    bodies to >got
    assert_equal "$(of a got) $(of b got)" 'a1 a2 a3 b1 b2 b3'
    for n in 5 6; do send a "a$n"; done
    mq-queue remove -q --all orders
    for n in 1 2 3; do send a "d$n" --delay=1h; done
    mq-queue remove -q --state=delayed --all orders
    assert_equal "$(figures ready,delayed) $(figures ready,delayed --exact)" '0 0 0 0'
    assert_equal "$(bodies)" '' # a receiver that comes by ends what is left of the lanes
    clean
}

@test "a dead letter or a message with a long id, whose file others share, goes into its group in an ordered queue" {
    local long n
    long=$(printf '%060d' 0)
    mq-log create -q clicks
    mq-queue create clicks/jobs durability=none
    for n in 1 2 3 4; do
        echo "{\"id\": \"$long$n\", \"body\": \"a$n\", \"group\": \"a\"}"
    done | mq-send -q -j --linger 1m clicks
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" 1
    send a a0
    mq-ack --reject "$(claim clicks/jobs)"
    mq-dlq retry -q --to orders clicks/jobs
    mq-queue move -q clicks/jobs orders "${long}2"
    assert_equal "$(find "$MQ_SPOOL/orders/lanes" -path '*/q/*' -type f | wc -l)" 3
    assert_equal "$(mq-recv -a -w 0 orders)" a0
    mq-ack --nack --delay=0 "$(claim orders)"
    mq-ack --reject "$(claim orders)"
    mq-dlq retry -q orders # in place
    assert_equal "$(bodies)" 'a1 a2'
    assert_equal "$(bodies clicks/jobs)" 'a3 a4'
    clean
}

# calls_each GROUPS: how many system calls the removal of each of 40 selected messages takes, among so many groups.
calls_each() {
    local queue=of$1
    mq-queue create "$queue" order=group durability=none
    {
        seq 20 | sed 's/.*/{"body":"h&","headers":{"Group":"h","Type":"x"}}/' # a head and what shares its file
        seq "$1" | sed 's/.*/{"body":"&","headers":{"Group":"g&"}}/'
        seq 20 | sed 's/.*/{"body":"w&","headers":{"Group":"g&","Type":"x"}}/' # behind a head each
    } | mq-send -q -j "$queue"
    strace -qq -c -S calls -o dry mq-queue remove -q -m 'Type: x' --dry-run "$queue" >/dev/null
    strace -qq -c -S calls -o wet mq-queue remove -q -m 'Type: x' "$queue"
    assert_equal "$(mq-stat --format '{ready}' "$queue")" "$1"
    echo $((($(awk '$NF == "total" { print $4 }' wet) - $(awk '$NF == "total" { print $4 }' dry)) / 40))
}

@test "removing by selection costs no more for a message where there are many groups" {
    needs_strace
    local few many
    few=$(calls_each 200)
    many=$(calls_each 2000)
    ((few > 0 && many <= few * 5 / 4)) || fail "$few, $many"
}

@test "whoever claims and whoever removes or moves at the same time: each message ends once" {
    local id
    mq-queue create to durability=none
    for id in a b; do seq -f $id%g 100 | mq-send -q -l --linger 1m -g $id orders; done
    mq-queue peek -n 1000 -j orders | jq -r .id | shuf >ids && split -n l/5 ids ids.
    while mq-recv -a -w 0 orders; do echo; done >one &
    while mq-recv -a -w 0 -l -n 3 orders; do :; done >several &
    xargs -n 4 mq-queue remove -q orders <ids.aa 2>not-removed &
    xargs -n 4 mq-queue remove -q orders <ids.aa 2>not-removed-too &
    xargs -n 4 mq-queue move -q orders to <ids.ab 2>not-moved &
    wait
    bodies | tr ' ' '\n' >rest
    bodies to | tr ' ' '\n' >moved
    assert_equal "$(cat one several rest moved | grep . | sort | uniq -d)" ''
    local removed=$((2 * $(wc -l <ids.aa) - $(cat not-removed not-removed-too | wc -l)))
    assert_equal "$(($(cat one several rest moved | grep -c .) + removed))" 200
    assert_equal "$(grep -c . moved)" "$(($(wc -l <ids.ab) - $(wc -l <not-moved)))"
    for id in a b; do
        grep "^$id" one | sort -c -k1.2n
        grep "^$id" several | sort -c -k1.2n
    done
    assert_equal "$(figures ready,inflight,dead,bytes)" '0 0 0 0'
    clean
}

@test "JSON lines of several groups, in any order, share a file for each group, and come in order; the ids are the lines'" {
    local i
    mq-queue config orders durability=full # several files at once
    for i in {1..60}; do
        jq -cn --arg group "g$((i % 3))" --argjson i "$i" '{body: "\($group)-\($i)", group: $group} |
            if $i % 5 == 0 then {body: "none-\($i)"} else . end'
    done >lines
    mq-send -j orders <lines >ids
    assert_equal "$(find "$MQ_SPOOL/orders" -name '*.n*' ! -name '*.g*' ! -name 'gen.*' | wc -l)" 4
    mq-queue peek -n 60 -j orders | jq -r '.id + " " + .body' | sort >peeked
    paste -d ' ' ids <(jq -r .body lines) | sort | diff - peeked
    mq-recv -a -l -w 0 -n 60 orders >got
    for i in 0 1 2; do assert_equal "$(grep "g$i-" got | sort -c -t- -nk2 && echo sorted)" sorted; done
    assert_equal "$(sort got | paste -sd ' ')" "$(jq -r .body lines | sort | paste -sd ' ')"

    # Those without a group do not take the others with them.
    jq -cn '{body: "1"}, {body: "2"}, {body: "a1", group: "a"}, {body: "a2", group: "a"}' | mq-send -q -j orders
    assert_equal "$(find "$MQ_SPOOL/orders/lanes" -path '*/q/*' -type f | wc -l)" 1
    assert_equal "$(bodies)" '1 2 a1 a2'

    # Another schedule is another file, and what has an id a file of its own: the order stays.
    jq -cn '{body: "a1", group: "a"}, {body: "b1", group: "b"}, {body: "a2", group: "a", id: "own"},
            {body: "b2", group: "b", ttl: "1h"}, {body: "a3", group: "a"}, {body: "b3", group: "b"}' | mq-send -q -j orders
    bodies >got
    assert_equal "$(of a got) $(of b got)" 'a1 a2 a3 b1 b2 b3'
    clean
}

@test "JSON lines of several groups that cannot all be sent: the first ones are, and no others" {
    needs_strace
    local i status=0
    for i in {1..12}; do jq -cn --arg group "g$((i % 3))" --arg i "$i" '{body: $i, group: $group}'; done >lines
    mq-send -q -g g0 orders before
    strace -f -qq -o trace -e trace=linkat -e inject=linkat:error=ENOSPC:when=3+ mq-send -j orders <lines >ids 2>said || status=$?
    assert_equal "$status" 75
    assert_equal "$(mq-queue peek -n 60 -j orders | jq -r .body | sort | paste -sd ' ')" "$(seq "$(wc -l <ids)" | cat - <(echo before) | sort | paste -sd ' ')"
    assert_equal "$(figures ready)" "$(figures ready --exact)"
    mq-queue config orders max-depth=6
    mq-queue purge -q --all orders
    run -75 mq-send -j orders <lines
    assert_equal "$(mq-queue peek -j orders | jq -r .body | sort -n | paste -sd ' ')" '1 2 3 4 5 6'
}

@test "what is shown as a message's group is the header that order-by names" {
    mq-queue create users order=group order-by=User-Id
    mq-send -q -H 'User-Id: u1' -H 'Group: wrong' users hello
    run -0 mq-queue peek users
    assert_output --regexp 'ready +[0-9a-f-]+ +u1 '
    run -0 mq-queue peek --format='{group} {header.Group}' users
    assert_output 'u1 wrong'
    run -0 mq-recv --format='{group} {receipt}' users
    assert_output --regexp '^u1 users/'
    run -0 mq-stat -j --inflight users
    assert_json '.group == "u1"'
}
