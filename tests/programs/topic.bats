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
    run -0 mq-topic config events
    assert_output "unroutable = others"
    mq-send -q -k b events found
    run -0 bodies others
    assert_output found
    mq-topic config events unroutable=
    run -1 mq-send -k b events lost
    run -0 bodies a
    assert_output ""
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
    local calls=renameat2,linkat,unlinkat,mkdirat,fsync,openat,close nth total all=0 none=0
    mq-topic create events
    mq-topic bind events a
    mq-topic bind events b
    mq-topic bind events c
    for ((nth = 1; nth < 300; nth++)); do
        strace -qqq -o /dev/null -e trace="$calls" -e inject="$calls:signal=KILL:when=$nth" \
            mq-send -q events "$nth" 2>/dev/null && break
        for open in "$MQ_SPOOL"/.outbox/*.????????????????; do # its deadline comes
            [[ ! -e $open ]] || mv "$open" "$MQ_SPOOL/.outbox/0000000000001.${open##*.}"
        done
        mq-queue sweep -q
        total="$(bodies a)$(bodies b)$(bodies c)"
        case $total in
        "$nth$nth$nth") all=$((all + 1)) ;;
        '') none=$((none + 1)) ;;
        *) fail "killed at call $nth: $total" ;;
        esac
    done
    ((nth < 300 && all > 3 && none > 3)) || fail "$nth calls, $all times all, $none times none"
}
