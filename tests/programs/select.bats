# Messages by name: one way to select them, in mq-queue and mq-dlq, and what can be done with those that are selected.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

# The ids of a state, in order of delivery.
ids() { # QUEUE [STATE]
    { mq-queue peek -j -n 1000 --state="${2:-ready}" "$1" || true; } | jq -r .id | tr '\n' ' '
}

# Six messages in one file: a to f, of the types x and y in turn.
send_batch() { # QUEUE
    local id
    for id in a b c d e f; do
        printf '{"id":"%s","body":"%s","headers":{"Type":"%s"}}\n' $id $id "$([[ $id == [ace] ]] && echo x || echo y)"
    done | mq-send -q -j "$1"
}

@test "every command selects in the same way" {
    send_batch jobs
    mq-send -q -i g -H 'Type: x' -H 'Other: 1' -p 9 jobs g
    local selection expected
    while IFS=: read -r expected selection; do
        for command in peek remove purge 'set priority=1' release; do
            [[ $command != release ]] || selection+=' --state=ready'
            read -r command change <<<"$command"
            if [[ $command == release ]]; then
                run -64 --separate-stderr mq-queue "$command" --dry-run jobs --state=ready
                continue
            fi
            # shellcheck disable=SC2086 # several words
            if [[ $command == peek ]]; then
                run -0 --separate-stderr mq-queue peek -j jobs $selection
                output=$(jq -r .id <<<"$output")
            else
                run -0 --separate-stderr mq-queue "$command" --dry-run jobs $selection $change
            fi
            assert_equal "${output//$'\n'/ }|$stderr" "$expected|"
        done
    done <<'END'
c b:b c --newest
b c:-i c b c
g a c e:-m Type=x
g:-m type:x -m Other
g a:-m Type -n 2
g f:-n 2 --newest
END
    assert_equal "$(ids jobs)" 'g a b c d e f '
    for wrong in '-m =x' '-m a_b' '--all a' '-n 0' '--older-than=0' ''; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-queue remove jobs $wrong
        assert_complains 'mq-queue: '
    done
    run -1 --separate-stderr mq-queue remove -m 'Type: z' jobs
    assert_equal "$output$stderr" ''
    touch -d '2 hours ago' "$MQ_SPOOL"/jobs/ready/*/*.g.*
    run -0 mq-queue remove --dry-run --older-than 1h jobs
    assert_output g
}

@test "remove takes what waits, says where the others are, and leaves neighbours in the same file" {
    mq-send -q -i first -p 9 jobs first
    claim jobs >receipt
    mq-send -q -i dead -p 9 jobs dead
    mq-ack --reject "$(claim jobs)"
    send_batch jobs
    mq-send -q -i later -d 1h jobs later
    run -75 --separate-stderr mq-queue -v remove jobs b missing later b first dead e
    assert_equal "$stderr" 'mq-queue: jobs: missing: no such message
mq-queue: jobs: first: it is in flight: mq-queue release ends its claim
mq-queue: jobs: dead: it is a dead letter: mq-dlq is for these
mq-queue: jobs: 3 removed'
    assert_equal "$(ids jobs)$(ids jobs delayed)" 'a c d f '
    mq-ack "$(<receipt)"
    run -0 --separate-stderr mq-queue -j remove jobs c
    assert_json '. == {queue:"jobs",id:"c",state:"ready"}'
    mq-queue remove --state=dead jobs dead
    run -0 --separate-stderr mq-recv -a -n 3 -l --no-wait jobs
    assert_output $'a\nd\nf'
    run -1 --separate-stderr mq-queue remove --all jobs
    run -0 --separate-stderr mq-queue check
}

@test "set changes priority, delay and ttl of some messages of a file, in place" {
    send_batch jobs
    mq-queue set jobs e priority=9
    mq-queue set jobs c priority=9
    mq-queue set jobs b delay=1h ttl=1d
    mq-queue set jobs a ttl=500us
    assert_equal "$(ids jobs)$(ids jobs delayed)" 'e c a d f b '
    run -0 mq-queue peek -j -i b jobs
    # shellcheck disable=SC2016 # jq's
    assert_json '(.due | sub("[.].*"; "Z") | fromdate) - now | . > 3500 and . < 3700' \
        '(.expires | sub("[.].*"; "Z") | fromdate) - now > 86000'
    mq-queue set jobs b delay=0 ttl=none priority=0
    run -0 mq-queue peek -j -i b jobs
    assert_json '.state == "ready"' '.expires == null' '.priority == 0'
    run -0 --separate-stderr mq-recv -a -n 5 -l --no-wait jobs
    assert_output $'e\nc\nd\nf\nb'
    assert_equal "$(ids jobs dead)" 'a '
    run -1 --separate-stderr mq-queue set jobs a priority=1
    assert_complains 'mq-queue: jobs: a: it is a dead letter'
    for wrong in priority=10 delay=x ttl=0 'odd=1' 'a' ''; do
        run -64 --separate-stderr mq-queue set jobs a $wrong
        assert_complains 'mq-queue: set: '
    done
    run -0 --separate-stderr mq-queue check
    run -0 mq-stat -j jobs
    run -0 mq-stat -j --exact jobs
}

@test "release ends a claim, of which the JSON of what is in flight has the receipt" {
    send_batch jobs
    mq-recv -j -n 1 jobs | jq -r .receipt >receipt
    run -0 mq-queue peek -j --state=inflight jobs
    assert_equal "$(jq -r .receipt <<<"$output")" "$(<receipt)"
    run -0 mq-queue peek -j -i b jobs
    assert_json '.receipt == null'
    run -1 --separate-stderr mq-queue release jobs b missing
    assert_equal "$stderr" $'mq-queue: jobs: b: it is ready\nmq-queue: jobs: missing: no such message'
    run -0 --separate-stderr mq-queue -v release jobs a
    assert_equal "$stderr" 'mq-queue: jobs: 1 released'
    run -1 --separate-stderr mq-ack "$(<receipt)"
    run -0 mq-recv -j -n 1 --no-wait jobs
    assert_json '.id == "a"' '.attempts == 1'
    mq-queue release --all jobs
    run -1 --separate-stderr mq-queue release --all jobs
    assert_equal "$(ids jobs)" 'a b c d e f '
}

@test "in an ordered queue messages are removed in order and not changed" {
    mq-queue create orders order=group
    for body in 1 2 3; do mq-send -q -i "a$body" -g a orders "a$body"; done
    mq-send -q -i free orders free
    run -64 --separate-stderr mq-queue set orders free priority=9
    assert_complains 'mq-queue: orders: free: cannot set it: an ordered queue has no '
    for id in a1 a2; do
        run -64 --separate-stderr mq-queue set orders $id delay=1h
        assert_complains "mq-queue: orders: $id: cannot set it: it waits in its group"
    done
    mq-queue set orders free delay=1h
    mq-queue remove orders a2
    mq-recv -j -n 1 orders >/dev/null
    run -75 --separate-stderr mq-queue remove orders a1 a3
    assert_complains 'mq-queue: orders: a1: it is in flight'
    mq-queue release orders a1
    mq-queue remove orders a1
    assert_equal "$(ids orders)$(ids orders delayed)" 'free '
}

@test "mq-dlq selects in the same way" {
    send_batch jobs
    for _ in 1 2 3 4 5; do mq-ack --reject "$(claim jobs)"; done
    run -0 --separate-stderr mq-dlq show -j -m Type=y jobs
    assert_equal "$(jq -r .id <<<"$output" | tr '\n' ' ')" 'b d '
    run -0 --separate-stderr mq-dlq list -j -n 2 --newest jobs
    assert_equal "$(jq -r .id <<<"$output" | tr '\n' ' ')" 'e d '
    run -1 --separate-stderr mq-dlq list -m Type=z jobs
    run -1 --separate-stderr mq-dlq list jobs a f
    assert_complains 'mq-dlq: jobs: f: no such '
    mq-dlq purge -n 1 --newest jobs
    mq-dlq retry -n 1 -m Type jobs
    assert_equal "$(ids jobs)$(ids jobs dead)" 'a f b c d '
    run -64 --separate-stderr mq-dlq show jobs
    run -64 --separate-stderr mq-dlq purge --all -n 1 jobs
}
