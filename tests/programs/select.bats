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
    done >batch.json
    mq-send -q -j "$1" <batch.json
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
    for wrong in priority=10 delay=x ttl=0 'odd=1' 'a' '' 'priority=1 priority=2' 'ttl=1h b ttl=1h'; do
        run -64 --separate-stderr mq-queue set jobs a $wrong
        assert_complains 'mq-queue: set: '
    done
    # So it is with settings: of two values of one key none is taken.
    mq-topic create events
    mq-log create clicks
    for wrong in 'queue config jobs ttl=1h max-depth=7 ttl=2h' 'queue create more ttl=1h ttl=1h' 'topic config events dedup-window=1h dedup-window=2h' \
        'log config clicks max-age=1h max-age=2h'; do
        # shellcheck disable=SC2086 # words
        run -64 --separate-stderr mq-$wrong
        assert_regex "$stderr" "'[a-z-]+=[12]h': given twice"
    done
    assert_equal "$(mq-queue config jobs max-depth)" none
    mq-topic delete events
    mq-log delete clicks
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

# ---- pause and resume ----------------------------------------------------------------

@test "what is looked at is printed by a template, as what is received" {
    local receipt wrong
    mq-queue create jobs durability=none
    mq-send -q -i ready -H 'Type: a' -p 7 jobs 'one {body}'
    mq-send -q -i later --delay=1h jobs two
    receipt=$(mq-recv --format='{receipt}' jobs)
    printf 'esc\033[31m' | mq-send -q -i dead jobs
    mq-ack -q --reject --reason='a reason' "$(mq-recv --format='{receipt}' jobs)"
    run -0 mq-queue peek --state=all --format='{id}|{state}|{priority}|{attempt}|{header.Type}|{size}|{reason}|{receipt}|{body}' jobs
    assert_output "later|delayed|4|0||3|||two
ready|inflight|7|1|a|10||$receipt|one {body}
dead|dead|4|1||8|a reason||"$'esc\e[31m'
    run -0 mq-queue peek --format='{due}|{deadline}|{died}' jobs later ready dead
    assert_regex "$output" $'^20[^|]*Z\\|\\|\n\\|20[^|]*Z\\|\n\\|\\|20[^|]*Z$'
    run -0 mq-dlq list --format='{id} {reason} {body}' jobs
    assert_output "dead a reason "$'esc\e[31m'
    if has_terminal && command -v script >/dev/null; then
        script -qec "mq-dlq list --format='{body}' jobs; mq-queue peek --format='{id}{body}' jobs dead" /dev/null </dev/null >screen
        assert_equal "$(tr -d '\r' <screen)" $'esc\\x1b[31m\ndeadesc\\x1b[31m'
    fi
    # What is corrupt is listed as a dead letter, and no message to look at.
    chmod u+w "$MQ_SPOOL"/jobs/dead/*/*
    echo x >"$(echo "$MQ_SPOOL"/jobs/dead/*/*)"
    run -0 mq-dlq list --format='{id} {reason} {attempt}{body}{size}{header.Type}{sent}' jobs
    assert_output 'dead a reason 1'
    run -65 mq-queue peek --format='{id}' jobs dead
    for wrong in '{nothing}' '{id'; do
        run -64 mq-queue peek --format="$wrong" jobs
        run -64 mq-dlq list --format="$wrong" jobs
    done
    run -64 mq-queue peek -j --format='{id}' jobs
    run -64 mq-dlq list -j --format='{id}' jobs
    run -64 mq-dlq show --format='{id}' jobs dead
    run -64 mq-queue remove --format='{id}' jobs dead
}

@test "a queue paused for receivers is empty to them, and all else goes on" {
    local form
    mq-send -q -i a jobs a
    claim jobs >receipt
    mq-send -q -i b jobs b
    mq-send -q -i late -d 1us jobs late
    mq-queue pause --receive jobs
    run -0 mq-queue config jobs paused
    assert_output receive
    run -1 --separate-stderr mq-recv --no-wait jobs
    assert_equal "$stderr" 'mq-recv: jobs: paused for receivers: mq-queue resume ends that'
    mq-queue create other
    mq-queue create third
    mq-queue pause third
    for form in '' '-- true'; do # of several queues each that is paused says so, once
        # shellcheck disable=SC2086 # several words
        run -1 --separate-stderr mq-recv --no-wait jobs other third $form
        assert_equal "$stderr" "mq-recv: jobs: paused for receivers: mq-queue resume ends that"$'\n'"mq-recv: third: paused for receivers: mq-queue resume ends that"
    done
    run -1 --separate-stderr mq-recv -q -w 1ms -n 3 -a jobs
    assert_equal "$output$stderr" ''
    run -0 --separate-stderr mq-recv --until-empty jobs -- false
    assert_complains 'mq-recv: jobs: paused for '
    run -1 --separate-stderr mq-send --request=1ms jobs question
    mq-send -q -i c jobs c
    mq-ack "$(<receipt)"
    mq-queue remove jobs c
    assert_equal "$(ids jobs)" 'b late '
    mq-queue resume --send jobs
    run -1 --separate-stderr mq-recv --no-wait jobs
    mq-queue resume --receive jobs
    run -0 mq-recv -a -l -n 2 --no-wait jobs
    assert_output $'b\nlate'
}

@test "a queue paused for senders refuses them with 75, and lets those wait that block" {
    mq-queue create jobs
    mq-topic create events
    mq-topic bind events jobs
    mq-topic bind events others
    mq-queue -v pause --send jobs
    for command in 'mq-send jobs x' 'mq-send -l jobs' 'mq-send --once jobs x' 'mq-send events x' 'mq-send -l events' \
        'mq-send --request=9s jobs x' 'mq-send -b1ms jobs x'; do
        # shellcheck disable=SC2086 # several words
        run -75 --separate-stderr $command <<<x
        assert_regex "$stderr" 'is paused'
    done
    tx=$(mq-tx begin)
    run -75 --separate-stderr mq-send --tx "$tx" jobs x
    mq-tx abort "$tx"
    spawn sender mq-send -q --block jobs body
    run -1 mq-recv -w 50ms jobs
    mq-queue resume jobs
    wait "${spawned[0]}"
    run -0 mq-recv -a --no-wait jobs
    assert_output body
    run -1 mq-queue peek others
}

@test "pausing stops programs that run, and a receiver that waits goes on at once" {
    mq-queue create jobs
    spawn receiver mq-recv -a -l -n 3 jobs
    mq-send -q jobs 1
    wait_until 5 grep -q 1 receiver.out
    mq-queue pause jobs
    for _ in 1 2; do
        run -75 mq-send -q jobs no
    done
    mq-queue resume --send jobs
    mq-send -q jobs 2
    mq-send -q jobs 3
    assert_equal "$(depth jobs ready)" 2
    mq-queue resume jobs
    wait "${spawned[0]}"
    assert_equal "$(<receiver.out)" $'1\n2\n3'
}

@test "mq-stat shows what is paused, in every form" {
    mq-queue create jobs
    mq-queue create other paused=send
    mq-queue pause --receive jobs
    run -0 mq-stat
    assert_regex "${lines[0]}" 'SIZE +PAUSED$'
    assert_regex "${lines[1]}" '^jobs .* receive$'
    run -0 mq-stat -j jobs
    assert_json '.paused == "receive"'
    run -0 mq-stat --format='{queue} {paused}' --filter paused=send
    assert_output 'other send'
    run -2 mq-stat --check 'paused!=none' jobs
    run -0 mq-stat --prometheus
    assert_line 'mq_queue_paused{queue="jobs",direction="receive"} 1'
    assert_line 'mq_queue_paused{queue="jobs",direction="send"} 0'
    mq-queue resume jobs
    mq-queue resume other
    run -0 mq-stat
    refute_output --partial PAUSED
}

# ---- move and copy -------------------------------------------------------------------

@test "move takes messages to the end of another queue, with all that they are" {
    send_batch jobs
    mq-send -q -i late -d 1h -p 7 --ttl 1d jobs late
    mq-send -q -i first other first
    run -66 --separate-stderr mq-queue move jobs missing
    run -64 --separate-stderr mq-queue move jobs jobs
    run -64 --separate-stderr mq-queue move --state=all jobs other
    run -0 --separate-stderr mq-queue -j move jobs other d b
    assert_json '.queue == "jobs" and .to == "other" and .state == "ready"'
    assert_equal "$(ids jobs)/$(ids other)" "a c e f /first b d "
    run -0 --separate-stderr mq-queue -v move jobs other
    assert_equal "$stderr" 'mq-queue: jobs: 5 moved'
    assert_equal "$(ids other)" 'first b d a c e f '
    run -0 mq-queue peek -j --state=delayed other
    assert_json '.id == "late" and .priority == 7' '.due and .expires'
    run -1 --separate-stderr mq-queue move jobs other
    run -1 --separate-stderr mq-queue move other jobs missing
    assert_complains 'mq-queue: other: missing: no such '
    run -0 mq-stat --format='{queue} {ready} {delayed}' jobs other
    assert_output $'jobs 0 0\nother 7 1'
    run -0 mq-recv -a -l -n 7 other
    assert_output $'first\nb\nd\na\nc\ne\nf'
    run -0 --separate-stderr mq-queue check
}

@test "copy links, and both queues have the messages" {
    send_batch jobs
    mq-queue create other
    mq-recv -j -n 1 jobs >/dev/null
    mq-ack --reject "$(claim jobs)"
    mq-queue copy jobs other f c
    mq-queue copy --state=all jobs other a b
    assert_equal "$(ids jobs)/$(ids other)" 'c d e f /c f a b '
    assert_equal "$(stat -c %i "$MQ_SPOOL"/*/{ready,inflight,dead}/*/* | sort -u | wc -l)" 1
    run -0 mq-recv -a -l -n 4 other
    assert_output $'c\nf\na\nb'
    assert_equal "$(ids jobs)" 'c d e f '
    assert_equal "$(find "$MQ_SPOOL"/*/tmp -type f)" ''
    run -0 --separate-stderr mq-queue check
}

@test "the other queue's order, limits, and users hold for what comes there" {
    mq-queue create orders order=group
    mq-queue create small max-depth=2
    mq-queue create --mode=660 shared
    for i in 1 2 3; do mq-send -q -i "a$i" -g a jobs "a$i"; done
    run -75 --separate-stderr mq-queue copy jobs small
    assert_complains 'mq-queue: jobs: a3: cannot copy it: '
    mq-queue config small overflow=drop-oldest
    mq-queue copy jobs small a3
    assert_equal "$(ids small)" 'a2 a3 '
    mq-queue copy jobs shared
    assert_equal "$(stat -c %a "$MQ_SPOOL"/shared/ready/*/* | sort -u)" 660
    assert_equal "$(stat -c %a "$MQ_SPOOL"/jobs/ready/*/* | sort -u)" 600
    mq-queue move jobs orders
    claim orders >receipt
    run -1 mq-recv --no-wait orders
    mq-ack "$(<receipt)"
    mq-queue move orders jobs
    assert_equal "$(ids jobs)$(ids orders)" 'a2 a3 '
    mq-queue copy jobs orders
    run -0 mq-recv -a -l -n 2 orders
    assert_output $'a2\na3'
    mq-ack --reject "$(claim jobs)"
    mq-queue move --state=dead jobs shared
    assert_equal "$(ids shared)$(ids jobs dead)" 'a1 a2 a3 a2 '
    run -0 --separate-stderr mq-queue check
}

# ---- export and import ---------------------------------------------------------------

# The messages of a queue, without what import cannot bring back.
dump() { # QUEUE
    mq-queue export "$1" | jq -cS 'select(.id) | del(.queue, .deadline)'
}

@test "an export that is imported has all of every message" {
    send_batch jobs
    mq-send -q -i claimed -p 9 --max-attempts 7 -H 'X: ü' jobs $'in flight\ttab'
    claim jobs >receipt
    mq-send -q -i dead -p 9 jobs dead
    mq-ack --reject --reason 'because "so"' "$(claim jobs)"
    mq-send -q -i late -d 1h --ttl 2h -p 7 jobs late
    printf '\377\0binary\n' | mq-send -q -i binary jobs
    dump jobs >wanted
    mq-queue export jobs >export.json
    run -0 --separate-stderr mq-queue -v import other <export.json
    assert_equal "$output|$stderr" '|mq-queue: other: 10 imported, of which 0 had been there'
    assert_equal "$(depth other ready) $(depth other delayed) $(depth other inflight) $(depth other dead)" '8 1 0 1'
    diff <(sed 's/"inflight"/"ready"/' wanted | sort) <(dump other | sort)
    run -0 mq-queue export --state=dead other
    assert_equal "${#lines[@]}" 3
    mq-queue peek -j -i late jobs | mq-send -q -j sent
    assert_equal "$(ids sent delayed)" 'late '
    mq-queue import --once once <export.json
    run -0 --separate-stderr mq-queue -v import --once once <export.json
    assert_equal "$stderr" 'mq-queue: once: 10 imported, of which 10 had been there'
    assert_equal "$(depth once ready) $(depth once dead)" '8 1'
    run -0 --separate-stderr mq-queue check
    run -0 mq-stat -j --exact other
}

@test "an import that is malformed, cut, doubled or of a later version says where, and keeps what came before" {
    send_batch jobs
    mq-queue export jobs >export.json
    local expected
    check_import() { # LINES-IMPORTED PROBLEM
        run -65 --separate-stderr mq-queue import "to$1$RANDOM" <in
        assert_regex "$stderr" "^mq-queue: to[0-9]*: line [0-9]*: .*$2.*; $1 imported\$"
    }
    head -n 4 export.json >in && check_import 3 'ends too early'
    head -c 300 export.json >in && check_import 1 'invalid JSON'
    sed 's/"mq_export":1/"mq_export":2/' export.json >in && check_import 0 'another version'
    sed '$d' export.json | cat - export.json >in && check_import 6 'another one begins'
    sed 3d export.json >in && check_import 5 'has 6 messages, and 5 came'
    sed '3s/"id":"b"/"id":"a b"/' export.json >in && check_import 1 'not an id'
    sed '3s/"timestamp":"/&x/' export.json >in && check_import 1 'timestamp'
    sed '3s/"state"/"odd"/' export.json >in && check_import 1 'no such member'
    mq-queue create small max-size=3
    sed '4s/"body":"c"/"body":"cccc"/' export.json >in
    run -65 --separate-stderr mq-queue import small <in
    assert_equal "$stderr" 'mq-queue: small: line 4: cannot import: the body is larger than max-size; 2 imported'
    run -65 --separate-stderr mq-queue import small <.
    assert_equal "$stderr" 'mq-queue: small: line 1: cannot read it: Is a directory; 0 imported'
    mq-queue create full max-depth=4
    run -75 --separate-stderr mq-queue import --once full <export.json
    assert_complains 'mq-queue: full: line 6: cannot import: the queue is full; 4 '
    mq-queue config full max-depth=none
    mq-queue import --once full <export.json
    assert_equal "$(ids full)" 'a b c d e f '
}

# ---- require, max-attempts -------------------------------------------------------------

@test "a message that lacks a required header is refused in every form" {
    mq-queue create jobs require='Type, Schema-Version'
    for wrong in 'Type,' ', Type' 'a b' '' 'Ty_pe'; do
        run -78 --separate-stderr mq-queue create other require="$wrong,"
    done
    for command in 'mq-send jobs x' 'mq-send -l jobs' 'mq-send --once jobs x' 'mq-send --request=1s jobs x' \
        'mq-send -H Type:x jobs x'; do
        # shellcheck disable=SC2086 # several words
        run -65 --separate-stderr $command <<<x
        assert_regex "$stderr" 'it lacks a header that the queue requires: require = Type, Schema-Version'
    done
    printf '{"headers":{"type":"a","Schema-Version":"1"},"body":"%s"}\n' 1 2 >lines
    echo '{"headers":{"type":"a"},"body":"3"}' >>lines
    run -65 --separate-stderr mq-send -q -j jobs <lines
    assert_complains 'mq-send: jobs: record 3: cannot publish: it lacks'
    assert_equal "$(depth jobs ready)" 2
    mq-topic create events
    mq-topic bind events jobs
    mq-topic bind events open
    run -65 --separate-stderr mq-send -H Type:x events x
    assert_regex "$stderr" 'jobs, where it goes: it lacks a header'
    run -65 --separate-stderr mq-send -q -j events <lines
    mq-send -q -H Type:x -H Schema-Version:2 events x
    tx=$(mq-tx begin)
    run -65 --separate-stderr mq-send --tx "$tx" jobs x
    mq-tx abort "$tx"
    assert_equal "$(mq-queue peek -j -n 9 open | jq -r '.headers["Schema-Version"]' | sort -u)" 2
}

@test "a message has its own max-attempts" {
    mq-queue create jobs max-attempts=3 retry-delay=1us
    mq-send -q -i once --max-attempts 1 jobs once
    mq-send -q -i often --max-attempts 4 jobs often
    printf '{"id":"json","max_attempts":1,"body":"%s"}\n' 1 | mq-send -q -j jobs
    for _ in 1 2 3 4 5 6; do mq-ack --nack --delay=0 "$(claim jobs)"; done
    assert_equal "$(ids jobs dead)" 'once often json '
    run -0 mq-dlq show -j jobs often
    assert_json '.max_attempts == 4' '.attempts == 4'
    run -64 --separate-stderr mq-send --once --max-attempts 2 jobs x
    run -64 --separate-stderr mq-send --max-attempts 0 jobs x
}

# ---- backup ----------------------------------------------------------------------------

@test "a spool that is in use can be copied and restored with tar, cp and rsync" {
    seq 1000 | mq-send -q -l still
    mq-send -q -d 1h -i late still late
    busy() {
        for _ in {1..200}; do
            seq 20 | mq-send -q -l busy
            mq-recv -a -n 15 --no-wait busy >/dev/null || true
        done
    }
    mq-queue create busy
    busy 3>&- &
    register $!
    tar --warning=no-file-changed --warning=no-file-removed -C "$MQ_SPOOL" -cf spool.tar . || [[ $? == 1 ]]
    mkdir tar && tar -C tar -xpf spool.tar
    cp -a "$MQ_SPOOL" cp 2>/dev/null || true
    [[ ! -x $(command -v rsync) ]] || rsync -aH "$MQ_SPOOL/" rsync/ 2>/dev/null || [[ $? == 24 ]]
    kill_spawned
    for copy in tar cp rsync; do
        [[ -d $copy ]] || continue
        mq-queue -S "$copy" sweep
        run -0 mq-queue -S "$copy" check still
        run -0 mq-recv -S "$copy" -a -l -n 1001 --no-wait still
        assert_equal "$output" "$(seq 1000)"
        run -0 mq-stat -S "$copy" --format='{delayed}' still
        assert_output 1
        # No message is torn: each is a whole number.
        mq-recv -S "$copy" -a -l -n 100000 --no-wait busy >got || true
        run -1 grep -vxE '[0-9]+' got
    done
}
