#!/usr/bin/env bats
# mq-topic and mq-send to a topic: one message to many queues, all or none.

load ../helper

# bodies QUEUE: what can be received, one a line, and ack it.
bodies() {
    mq-recv --create -q -a -l -n 1000 --no-wait "$1" || true
}

@test "a message goes to every queue whose binding takes it, and once to each" {
    mq-topic create events
    mq-topic bind events audit
    mq-topic bind events jobs -k 'a.#' -k '*.b'
    mq-topic bind events vip -m 'Tenant: acme' -m Urgent
    mq-topic bind events some --any -m 'Tenant: acme' -m Urgent
    mq-send -q -k a.b events one
    mq-send -q -k c events two
    mq-send -q -k a -H 'Tenant: acme' events three
    mq-send -q -H 'Tenant: acme' -H 'Urgent: yes' events four
    run -0 bodies audit
    assert_output $'one\ntwo\nthree\nfour'
    run -0 bodies jobs
    assert_output $'one\nthree'
    run -0 bodies vip
    assert_output four
    run -0 bodies some
    assert_output $'three\nfour'
}

@test "the queues of a message have one file of it, with one id" {
    local id
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    id=$(mq-send events hello)
    run -0 mq-recv -aj --no-wait a
    assert_json ".id == \"$id\"" '.headers == {}' '.body == "hello"'
    id=$(mq-send -k x.y events again)
    assert_equal "$(stat -c %h "$MQ_SPOOL"/b/ready/*/*"$id"*)" 2
    run -0 mq-recv -aj --no-wait a
    assert_json ".id == \"$id\"" '.headers == {"Routing-Key": "x.y"}'
}

@test "lines stay batches, and JSON goes line by line, in order" {
    mq-topic create events
    mq-topic bind events all
    mq-topic bind events some -k a
    seq 600 | mq-send -q -l events
    assert_equal "$(find "$MQ_SPOOL/all/ready" -type f | wc -l)" 3
    run -0 bodies all
    assert_output "$(seq 600)"
    local i
    for i in 1 2 3 4 5 6; do
        printf '{"body":"%d","headers":{"Routing-Key":"%s"}}\n' $i "$([[ $i == [145] ]] && echo a || echo b)"
    done | mq-send -q -j events
    run -0 bodies all
    assert_output "$(seq 6)"
    run -0 bodies some
    assert_output $'1\n4\n5'
}

@test "topics are bound to topics, and a circle of them ends" {
    mq-topic create outer
    mq-topic create inner
    mq-topic bind outer inner -k 'x.#'
    mq-topic bind inner outer
    mq-topic bind inner q
    mq-topic bind outer q
    mq-send -q -k x outer one
    mq-send -q inner two
    run -0 bodies q
    assert_output $'one\ntwo'
    run -64 mq-topic bind inner inner
    assert_output --partial "not bound to itself"
}

@test "what nobody gets is refused, dropped or goes elsewhere" {
    mq-topic create events
    mq-topic bind events a -k a
    run -1 mq-send -k b events lost
    assert_output --partial "no binding takes it"
    run -1 mq-topic route events -k b
    mq-topic config events unroutable=drop
    run -0 mq-send -k b events lost
    run -66 mq-topic config events unroutable=nowhere
    run -78 mq-topic config events unroutable=-
    run -78 mq-topic config events unroutable=events
    mq-queue create others
    mq-topic config events unroutable=others
    run -0 mq-topic config events unroutable
    assert_output others
    mq-send -q -k b events found
    run -0 bodies others
    assert_output found
    mq-topic config events unroutable=
    run -1 mq-send -k b events lost
    run -0 bodies a
    assert_output ""
}

@test "a topic is made with its settings, and durability = none waits for no disk" {
    run -78 mq-topic create events unroutable=drop colour=red
    assert_output --partial "colour: no such key: there are unroutable, durability"
    run -78 mq-topic create events durability=half
    run -66 mq-topic create events unroutable=nowhere
    run -64 mq-topic create events unroutable
    run -66 mq-topic config events
    mq-topic create events unroutable=drop durability=none
    run -0 mq-topic config events
    assert_output $'unroutable = drop\ndurability = none\ndedup-window = 1h'
    run -0 mq-topic config events durability
    assert_output none
    mq-topic bind events a
    mq-topic bind events b -k x
    if strace -o /dev/null true 2>/dev/null; then
        strace -f -o trace -e trace=fsync,fdatasync,syncfs,sync_file_range mq-send -q -k x events both
        strace -f -A -o trace -e trace=fsync,fdatasync,syncfs,sync_file_range mq-send -q events one
        run -1 grep sync trace
        mq-topic config events durability=
        strace -f -o trace -e trace=fsync,fdatasync mq-send -q events safe
        grep -q sync trace
    fi
    mq-topic config events durability=full unroutable=
    run -0 mq-topic config events
    assert_output $'unroutable = refuse\ndurability = full\ndedup-window = 1h'
    echo "durability = some" >"$MQ_SPOOL/events/settings"
    run -78 mq-send events x
    assert_output --partial "settings: "
}

@test "route tells who would get a message, and sends nothing" {
    mq-topic create events
    mq-topic bind events a -k 'a.*'
    mq-topic bind events b -m 'Tenant: acme'
    run -0 mq-topic route events -k a.x -m 'Tenant: acme'
    assert_output $'a\nb'
    run -1 mq-topic route events -k a
    assert_output ""
    run -66 mq-topic route nothing
    run -0 bodies a
    assert_output ""
}

@test "if one queue refuses a message no queue gets it" {
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events z
    mq-queue config z max-depth=1 max-size=1K
    mq-send -q events one
    run -75 mq-send events two
    assert_output --partial "a queue it goes to is full"
    run -0 bodies z
    assert_output one
    head -c 2000 /dev/zero >large
    run -65 mq-send events -f large
    run -65 mq-send events <large
    assert_output --partial "larger than max-size of a queue"
    echo nonsense >"$MQ_SPOOL/z/config"
    run -78 mq-send events three
    rm "$MQ_SPOOL/z/config"
    run -0 bodies a
    assert_output one
    run -0 mq-tx list -j
    assert_output ""
}

@test "what a publication makes a full queue drop goes on as a dead letter at once" {
    mq-queue create morgue
    mq-queue create a max-depth=1 overflow=dead-oldest dead-letter=morgue
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    mq-send -q events old
    mq-send -q events new
    run -0 mq-recv -q -a --no-wait morgue
    assert_output old
    run -0 bodies a
    assert_output new
}

@test "a publication looks at its file once, and keeps the queue that it goes to open" {
    local i
    needs_strace
    mq-topic create events
    for i in 1 2 3 4 5; do mq-topic bind events a$i -k many; done
    mq-topic bind events one -k one
    seq 5 | strace -o trace -e trace=newfstatat,openat2 mq-send -q -l --no-sync --batch=1 -k many events
    # Links of one file, which is looked at by its name in the transaction. The first publication makes what is not there.
    assert_equal "$(grep -c '"o:a[0-9]:' trace)" 5
    seq 5 | strace -o trace -e trace=openat,openat2 mq-send -q -l --no-sync --batch=1 -k one events
    (($(grep -c '"host/' trace) < 5)) || fail "opened for each message"
}

@test "a queue that is deleted while a publication is on its way is made again, and gets it" {
    local nth sender
    needs_strace
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    mq-send -q events first
    strace -o trace -e trace=renameat2 mq-send -q events first
    nth=$(grep -n 'committed"' trace | cut -d: -f1)
    bodies a >/dev/null && bodies b >/dev/null
    strace -qq -o trace -e trace=renameat2 -e inject=renameat2:delay_enter=500000:when="$nth" mq-send -q events second 3>&- &
    sender=$!
    linked() { compgen -G "$MQ_SPOOL/.outbox/*/O:b:*" >/dev/null; }
    wait_until 10 linked
    mq-queue delete a
    mq-queue delete b
    wait "$sender"
    run -0 bodies a
    assert_output second
    run -0 bodies b
    assert_output second
}

@test "each queue has its own ttl for what comes from a topic" {
    mq-topic create events
    mq-topic bind events long
    mq-topic bind events short
    mq-queue config short ttl=1ms on-expiry=drop
    mq-send -q events one
    run -0 bodies long
    assert_output one
    run -0 bodies short
    assert_output ""
}

@test "a publication is part of a transaction" {
    local tx
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" events one
    run -0 bodies a
    assert_output ""
    mq-tx commit "$tx"
    run -0 bodies a
    assert_output one
    mq-send -q jobs work
    mq-recv --tx jobs -- sh -c 'seq 3 | mq-send -q -l events'
    run -0 bodies b
    assert_output $'one\n1\n2\n3'
}

@test "bindings that are garbage are told with their line, and nothing is sent" {
    mq-topic create events
    mq-topic bind events a
    echo "jobs to nowhere" >>"$MQ_SPOOL/events/bindings"
    run -78 mq-send events one
    assert_output --partial "line 2"
    run -78 mq-topic list events
    run -78 mq-topic bind events b
    run -0 bodies a
    assert_output ""
}

@test "bad patterns, conditions and names are refused" {
    mq-topic create events
    run -65 mq-topic bind events a -k "$(printf 'x%.0s' {1..256})"
    run -65 mq-topic bind events a -k $'a\tb'
    run -65 mq-topic bind events a -m 'no name: x'
    run -64 mq-topic bind events .a
    run -64 mq-topic bind events a -k x -m Y
    run -64 mq-topic bind events a --any
    run -66 mq-topic bind nothing a
    run -64 mq-send -k "$(printf 'x%.0s' {1..256})" events a
    run -0 mq-topic list -j
    assert_output ""
}

@test "bindings are removed one by one or all of a destination, and queues stay" {
    mq-topic create events
    mq-topic bind events a -k x -k y
    mq-topic bind events a -m Z
    mq-topic bind events a -k x
    assert_equal "$(wc -l <"$MQ_SPOOL/events/bindings")" 3
    mq-topic unbind events a -k x
    run -1 mq-topic unbind events a -k x
    run -0 mq-topic list -j events
    assert_json '.topic == "events"' '.destination == "a"'
    mq-topic unbind events a
    run -0 mq-topic list -j events
    assert_output ""
    mq-topic delete events
    run -66 mq-topic list events
    run -0 mq-queue list
    assert_output a
}

@test "a change that waits for its turn ends, though a cleaner removes what it waits for" {
    local inode status
    mq-topic create events
    inode=$(stat -c %i "$MQ_SPOOL/events/feed")
    exec 9<"$MQ_SPOOL/events/feed"
    flock 9
    timeout 20 mq-topic bind events one 9<&- 3>&- &
    wait_until 10 grep -qE -- "-> FLOCK .*:$inode 0 EOF" /proc/locks
    rm -r "$MQ_SPOOL/events/feed"
    exec 9<&-
    wait $! && status=0 || status=$?
    assert_not_equal "$status" 124
    run -0 mq-topic bind events one
}

@test "what a cleaner removed of a topic is made again by whoever meets the lack" {
    local command part
    mq-topic create events
    mq-topic bind events one
    for command in 'mq-send -q events a' 'mq-send -q --once events b' 'mq-topic bind events two' 'mq-send -q events c' \
        'mq-topic config events durability=none' 'mq-topic create events' 'mq-send -q --once events d'; do
        for part in feed/tmp feed; do
            rm -rf "$MQ_SPOOL/events/$part"
            run -0 --separate-stderr $command
            assert_equal "$output$stderr" ''
        done
    done
    assert_exists "$MQ_SPOOL/events/feed/tmp"
    run -0 mq-recv -a -l -f --no-wait one
    assert_equal "$(sort -u <<<"$output" | paste -sd' ')" 'a b c d'
    # Users who may send still may, whatever is left; if nothing is, the owner says it again.
    ((EUID == 0)) || return 0
    mq-topic create --mode=622 shared
    local modes
    modes=$(find "$MQ_SPOOL/shared" -type d -printf '%P %m\n' | sort)
    for part in feed/tmp feed/host; do
        rmdir "$MQ_SPOOL/shared/$part"
        mq-topic config shared durability=none
        mq-topic create shared
        assert_equal "$(find "$MQ_SPOOL/shared" -type d -printf '%P %m\n' | sort)" "$modes"
    done
    rm -r "$MQ_SPOOL/shared/feed"
    mq-topic create --mode=622 shared
    assert_equal "$(find "$MQ_SPOOL/shared" -type d -printf '%P %m\n' | sort)" "$modes"
}

@test "a topic that another one passes messages on to is not deleted" {
    mq-topic create outer
    mq-topic create inner
    mq-topic bind inner a
    mq-topic bind outer inner -k 'x.#'
    run -75 mq-topic delete inner
    assert_output --partial "the topic outer passes messages on to it: mq-topic unbind outer inner"
    assert_equal "$(mq-topic route outer -k x.y)" a
    mq-topic unbind outer inner
    mq-topic config outer unroutable=inner
    run -75 mq-topic delete inner
    # A topic that cannot be read may be bound to it.
    mq-topic config outer unroutable=
    cp "$MQ_SPOOL/outer/bindings" bindings
    echo 'a nonsense' >"$MQ_SPOOL/outer/bindings"
    run -78 mq-topic delete inner
    assert_output --partial "outer: bad bindings: line 1"
    cp bindings "$MQ_SPOOL/outer/bindings"
    mq-topic delete inner
    run -66 mq-topic list inner
    # Its own bindings do not keep a topic from being deleted.
    mq-topic bind outer a
    mq-topic delete outer
}

@test "a name is a queue's or a topic's" {
    mq-topic create events
    mq-topic create events
    mq-queue create jobs
    run -73 mq-topic create jobs
    assert_output --partial "there is a queue of that name"
    run -73 mq-queue create events
    assert_output --partial "it is a topic"
    run -66 mq-recv --no-wait events
    assert_output --partial "it is a topic"
    run -64 mq-send --request events question
    run -0 mq-queue list
    assert_output jobs
}

@test "processes that bind at once all succeed" {
    local i pids=()
    mq-topic create events
    for i in {1..12}; do
        mq-topic bind events "q$i" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    assert_equal "$(mq-topic list -j events | wc -l)" 12
}

@test "a publication that is killed at any of its calls reaches all of its queues or none" {
    needs_strace
    local call nth sent=0 total all=0 none=0
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    mq-topic bind events c
    for call in renameat2 linkat unlinkat mkdirat openat; do # each kind is counted by itself
        for ((nth = 1; nth < 100; nth++)); do
            sent=$((sent + 1))
            strace -qqq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$nth" \
                mq-send -q events "$sent" 2>/dev/null && break
            for open in "$MQ_SPOOL"/.outbox/*.????????????????; do # its deadline comes
                [[ ! -e $open ]] || mv "$open" "$MQ_SPOOL/.outbox/0000000000001.${open##*.}"
            done
            mq-queue sweep -q
            total="$(bodies a)$(bodies b)$(bodies c)"
            case $total in
            "$sent$sent$sent") all=$((all + 1)) ;;
            '') none=$((none + 1)) ;;
            *) fail "killed at $call $nth: $total" ;;
            esac
        done
        ((nth < 100))
        assert_equal "$(bodies a)$(bodies b)$(bodies c)" "$sent$sent$sent"
    done
    ((all > 3 && none > 3)) || fail "$all times all, $none times none"
}

@test "topics and bindings count what they pass on" {
    mq-topic create events
    mq-topic create inner
    mq-topic bind events a -k 'x.#' -k 'x.y'
    mq-topic bind events inner -k '#.z'
    mq-topic bind inner a
    mq-topic bind inner b
    mq-send -q -k x.y events one        # a
    mq-send -q -k x.z events two        # a, inner; inner leads to b, and a was known
    seq 300 | mq-send -q -l -k z events # inner: a, b
    run -1 mq-send -k nothing events three
    run -0 mq-topic list -j
    assert_json 'select(.pattern == "x.#").used == 2' 'select(.pattern == "x.y").used == 1' \
        'select(.pattern == "#.z").used == 301' 'select(.topic == "inner").used == 301'
    run -0 mq-stat -j events
    assert_json '. == {topic: "events", bindings: 3, published: 303, routed: 303, unroutable: 1, topic_duplicates: 0}'
    run -0 mq-stat -j inner
    assert_json '. == {topic: "inner", bindings: 2, published: 301, routed: 601, unroutable: 0, topic_duplicates: 0}'
    # A dry run counts nothing, and neither does what was not sent.
    mq-topic route events -k x.y
    mq-queue config b max-size=1
    run -65 mq-send -k z events four
    run -0 mq-stat --format published,routed events
    assert_line --index 1 --regexp '^ *303 +303$'
    # What was dropped or sent elsewhere was not routed by a binding.
    mq-topic config events unroutable=drop
    mq-send -q events five
    mq-queue create c
    mq-topic config events unroutable=c
    mq-send -q events six
    run -0 mq-stat -j events
    assert_json '.published == 305' '.routed == 304' '.unroutable == 3'
    # Without the file, or with noise in it, all goes on.
    rm "$MQ_SPOOL"/events/feed/host/*
    mq-send -q -k x events seven
    head -c 4096 /dev/urandom >"$(echo "$MQ_SPOOL"/inner/feed/host/*)"
    mq-send -q -k z inner 8
    run -0 mq-stat --format '{topic} {published}'
    assert_output $'events 1\ninner 1'
}

@test "counters of more bindings than a page has room for" {
    mq-topic create events
    for i in {1..400}; do printf 'q%d key %d\n' "$((i % 3))" "$i"; done >"$MQ_SPOOL/events/bindings"
    mq-send -q -k 1 events one
    for i in {401..1500}; do printf 'q%d key %d\n' "$((i % 3))" "$i"; done >>"$MQ_SPOOL/events/bindings"
    mq-send -q -k 1 events two
    mq-send -q -k 1500 events three
    run -0 mq-topic list -j events
    assert_equal "$(jq -c 'select(.used > 0) | [.pattern, .used]' <<<"$output")" $'["1",2]\n["1500",1]'
}

# followers TOPIC N: wait until so many are bound to it.
followers() {
    local end=$((SECONDS + 20))
    until [[ $(grep -c '^_reply-' "$MQ_SPOOL/$1/bindings") == "$2" ]]; do
        ((SECONDS < end)) || fail "$2 followers did not come: $(cat "$MQ_SPOOL/$1/bindings")"
    done
}

@test "a follower prints what comes, and its queue goes with it however it ends" {
    mq-topic create events
    mq-topic bind events audit -k other
    mq-topic follow -l -n 2 -k 'a.#' -k b events >got 3>&- &
    followers events 2
    run -1 mq-send -k c events nothing
    mq-send -q -k a.x events one
    mq-send -q -k other events two
    mq-send -q -k b events three
    wait $!
    assert_equal "$(<got)" $'one\nthree'
    assert_equal "$(<"$MQ_SPOOL/events/bindings")" 'audit key other'
    assert_equal "$(find "$MQ_SPOOL" -name '_reply-*')" ""
    # A signal, also with -n; objects; headers.
    mq-topic follow -j -n 5 -m 'Tenant: acme' events >got 3>&- &
    followers events 1
    mq-send -q -k other -H 'Tenant: acme' events four
    until [[ -s got ]]; do sleep 0.01; done
    kill -TERM $!
    wait $!
    assert_equal "$(jq -r '.body, has("receipt")' got)" $'four\nfalse'
    assert_equal "$(<"$MQ_SPOOL/events/bindings")" 'audit key other'
    # Killed: the next publication, listing or sweep finds out, and nothing is sent to it.
    local look
    for look in 'mq-send -q -k other events five' 'mq-topic list -j events' 'mq-queue sweep -q'; do
        mq-topic follow events >got 3>&- &
        followers events 1
        kill -KILL $!
        wait $! || true
        $look
        assert_equal "$(<"$MQ_SPOOL/events/bindings")" 'audit key other'
        assert_equal "$(find "$MQ_SPOOL" -name '_reply-*')" ""
    done
    run -0 bodies audit
    assert_output $'two\nfour\nfive'
    # The topic is deleted: what has come is printed, and that is the end, with a word.
    local ended=0
    mq-topic create short
    mq-topic follow -l short >got 2>words 3>&- &
    followers short 1
    mq-send -q short last
    mq-topic delete short
    wait $! || ended=$?
    assert_equal "$ended $(<got) $(<words)" "66 last mq-topic: short: the topic was deleted"
    assert_equal "$(find "$MQ_SPOOL" -name '_reply-*')" ""
    # One that is alone and dead takes nothing.
    mq-topic unbind events audit
    echo '_reply-0123456789abcdef' >"$MQ_SPOOL/events/bindings"
    run -1 mq-send events six
    assert_output --partial 'no binding takes it'
    run -1 mq-topic follow -w 10ms events
    run -66 mq-topic follow nothing
    run -65 mq-topic follow -k $'a\tb' events
    run -64 mq-topic follow -l -j events
    run -64 mq-topic bind -n 1 events a
}

@test "JSON lines with keys that alternate share files, in order, or go as far as they can" {
    local i all
    mq-topic create events
    mq-topic bind events a -k a -k c
    mq-topic bind events b -k b -k c
    for i in {1..100}; do
        printf '{"body":"%d","headers":{"Routing-Key":"%s"}}\n' "$i" "$( ((i % 2)) && echo a || echo b)"
    done >lines
    mq-send -j events <lines >ids
    assert_equal "$(sort -u ids | wc -l)" 100
    assert_equal "$(find "$MQ_SPOOL"/[ab]/ready -type f | wc -l)" 2
    assert_equal "$(mq-recv -aj --no-wait b | jq -r .id)" "$(sed -n 2p ids)"
    run -0 bodies a
    assert_output "$(seq 1 2 99)"
    run -0 bodies b
    assert_output "$(seq 4 2 100)"
    # What goes to both stands between the others.
    for i in c a b c a b c; do printf '{"body":"%s","headers":{"Routing-Key":"%s"}}\n' "$i" "$i"; done >lines
    mq-send -q -j events <lines
    assert_equal "$(bodies a | paste -sd' ') $(bodies b | paste -sd' ')" 'c a c a c c b c b c'
    # The fourth finds its queue full: what is before it is sent, and nothing of it or behind it.
    mq-queue config b max-depth=1
    for i in a b a b a; do printf '{"body":"%s","headers":{"Routing-Key":"%s"}}\n' "$i" "$i"; done >lines
    run -75 mq-send -q -j events <lines
    assert_output --partial 'record 4'
    assert_equal "$(bodies a | paste -sd' ') $(bodies b | paste -sd' ')" 'a a b'
    # So with one that no binding takes.
    for i in a b a x a; do printf '{"body":"%s","headers":{"Routing-Key":"%s"}}\n' "$i" "$i"; done >lines
    run -1 mq-send -q -j events <lines
    assert_output --partial 'record 4'
    assert_equal "$(bodies a | paste -sd' ') $(bodies b | paste -sd' ')" 'a a b'
    run -0 mq-topic list -j events
    assert_equal "$(jq -c '[.pattern, .used]' <<<"$output" | paste -sd' ')" '["a",56] ["c",3] ["b",54] ["c",3]'
}

@test "JSON lines whose commit is decided and then fails to be synced are not sent again" {
    needs_strace
    local nth
    mq-topic create events
    mq-topic bind events a -k a
    mq-topic bind events b -k b
    for i in a b a b; do printf '{"body":"%s","headers":{"Routing-Key":"%s"}}\n' "$i" "$i"; done >lines
    mq-send -q -j events <lines # makes what the next ones need not sync
    strace -y -o trace -e trace=fsync mq-send -q -j events <lines
    assert_equal "$(bodies a | paste -sd' ') $(bodies b | paste -sd' ')" 'a a a a b b b b'
    nth=$(grep -n '/\.outbox>' trace | head -n 1)
    run -71 strace -qq -o trace -e trace=fsync -e inject=fsync:error=EIO:when="${nth%%:*}" mq-send -q -j events <lines
    mq-queue sweep -q
    assert_equal "$(bodies a | paste -sd' ') $(bodies b | paste -sd' ')" 'a a b b'
}

@test "--block waits until all queues of a message have room" {
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b -k b
    mq-topic bind events c -k b
    mq-queue create b
    mq-queue config b max-depth=1
    mq-send -q b first
    run -75 mq-send -k b events none
    run -75 mq-send --block=50ms -k b events none
    run -1 mq-recv --no-wait a
    mq-send -q --block=30s -k b events second 3>&- &
    until compgen -G "$MQ_SPOOL/.outbox/*/*" >/dev/null; do sleep 0.01; done
    run -1 mq-recv --no-wait a
    run -0 bodies b
    assert_output first
    wait $!
    assert_equal "$(bodies a) $(bodies b) $(bodies c)" 'second second second'
    # Lines to one queue, which are sent as a whole.
    mq-send -q b first
    mq-topic unbind events c
    mq-topic unbind events a
    mq-queue config b max-depth=3
    printf '1\n2\n3\n' | mq-send -q -l --block=30s -k b events 3>&- &
    until compgen -G "$MQ_SPOOL/.outbox/*" >/dev/null; do sleep 0.01; done
    run -0 bodies b
    assert_output first
    wait $!
    run -0 bodies b
    assert_output $'1\n2\n3'
}

@test "a file that may have no more names is copied for the other queues" {
    needs_strace
    local queue
    mq-topic create events
    for queue in a b c d; do mq-topic bind events $queue; done
    strace -qqq -o /dev/null -e trace=linkat -e inject=linkat:error=EMLINK:when=3 mq-send -q events hello
    assert_equal "$(stat -c %i "$MQ_SPOOL"/?/ready/*/* | sort -u | wc -l)" 2
    for queue in a b c d; do assert_equal "$(bodies $queue)" hello; done
    assert_equal "$(find "$MQ_SPOOL/events/feed/tmp" -type f | wc -l)" 0
}

@test "a log is bound like a queue: whole batches in their order, and all or nothing" {
    mq-log create clicks
    mq-topic create events unroutable=clicks
    mq-send -q events nobody
    mq-topic bind events clicks -k 'a.#' -k b
    mq-topic bind events jobs -k '#'
    run -0 mq-topic route -k a.b events
    assert_output $'clicks\njobs'
    seq 3 | mq-send -q -l -k a events
    printf '{"body":"%s","headers":{"N":"1"}}\n{"body":"5"}\n' 4 | mq-send -q -j -k b events
    seq 6 7 | mq-send -q -l -k c events
    mq-send -q -p 7 --ttl 1h -k a events 8
    run -0 mq-log read -l clicks
    assert_output $'nobody\n1\n2\n3\n4\n5\n8'
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" 4
    assert_equal "$(bodies jobs | sort)" "$(seq 8)"
    run -64 mq-send -d 1h -k a events late
    assert_output 'mq-send: events: cannot publish: it goes to a log, which takes no delay'
    mq-log config clicks max-size=3
    run -65 mq-send -k a events long
    assert_equal "$(bodies jobs)" ""
    mq-topic unbind events jobs
    run -65 mq-send -k a events long
    seq 11 12 | mq-send -q -l -k a events
    run -0 mq-log read -l --from 7 clicks
    assert_output $'11\n12'
}

@test "ten thousand bindings, and a publication that goes to hundreds of queues" {
    local i
    mq-topic create events
    for i in {1..10000}; do printf 'q%d key #.%d.#\nall%d key all\n' "$i" "$i" "$((i % 100))"; done >"$MQ_SPOOL/events/bindings"
    run -0 mq-topic route -k a.77.b events
    assert_output q77
    mq-send -q -k a.77.b events hello
    assert_equal "$(bodies q77)" hello
    mq-send -q -k all events hello
    assert_equal "$(find "$MQ_SPOOL" -path '*/ready/*' -type f -links 100 | wc -l)" 100
    run -64 mq-topic bind events events
    assert_output --partial 'not bound to itself'
}

@test "check finds what is wrong with a topic, and repair mends it but for lines that are malformed" {
    mq-topic create news
    mq-topic create other --mode 0660
    mq-topic bind news a -k 'x.*'
    mq-topic bind news other
    mq-topic bind other b
    mq-queue create lost
    mq-topic config other unroutable=lost
    mq-send -q -k x.y news hi
    mq-send -q --once -k x.y other hi
    run -0 mq-queue check
    assert_output ''
    mq-queue delete -q --force a
    mq-queue delete -q --force lost
    mkdir "$MQ_SPOOL/news/feed/deep"
    touch "$MQ_SPOOL/news/junk" "$MQ_SPOOL/other/feed/sent/x"
    ln -s "$PWD" "$MQ_SPOOL/news/feed/host/x"
    chmod 0000 "$MQ_SPOOL/news/settings" "$MQ_SPOOL/news/feed/tmp" 2>/dev/null || true
    chmod 2700 "$MQ_SPOOL/other/feed"
    local wrong="news/junk: not a part of a topic
news/feed/tmp: its mode is 0000 and not 0700
news/feed/deep: not a part of a topic
news/feed/host/x: not a regular file
news/bindings: it leads to a, which is gone
other/feed: its mode is 2700 and not 2770
other/feed/sent/x: not a slot's number
other/settings: unroutable is lost, which is gone"
    ((EUID == 0)) || chmod 0700 "$MQ_SPOOL/news/feed/tmp" # else it cannot be listed
    ((EUID == 0)) || wrong=$(grep -v 0000 <<<"$wrong")
    run -65 mq-queue check
    assert_equal "$(sort <<<"$output")" "$(sort <<<"$wrong")"
    run -65 mq-queue check news
    assert_equal "$(sort <<<"$output")" "$(grep ^news <<<"$wrong" | sort)"
    run -0 mq-queue check --repair
    assert_equal "$(sort <<<"$output")" "$(sort <<<"$wrong")"
    run -0 mq-queue check
    assert_output ''
    assert_equal "$(find "$MQ_SPOOL"/news/aside "$MQ_SPOOL"/other/feed/aside -mindepth 1 | wc -l)" 4
    assert_equal "$(mq-stat --format '{queue} {ready}' a lost)" $'a 0\nlost 0'
    # What was moved aside keeps nobody from using it.
    mq-send -q -k x.y news hi
    assert_equal "$(mq-stat --format '{ready}' a)" 1
    # Its feed goes, and comes again.
    rm -r "$MQ_SPOOL/news/feed"
    run -65 mq-queue check news
    assert_output 'news/feed: a part of the topic that is missing'
    mq-queue check -q --repair news
    mq-queue check news
    echo 'a is not good' >>"$MQ_SPOOL/news/bindings"
    echo 'colour = red' >>"$MQ_SPOOL/other/settings"
    run -65 mq-queue check
    assert_line 'news/bindings: line 3: the word behind the destination is none of key, all, any'
    assert_line --partial 'other/settings: not a line `KEY = VALUE`'
    run -78 --separate-stderr mq-queue check --repair news
    assert_equal "$stderr" 'mq-queue: news: bad bindings: line 3: the word behind the destination is none of key, all, any'
    assert_equal "$(tail -n 1 "$MQ_SPOOL/news/bindings")" 'a is not good'
}
