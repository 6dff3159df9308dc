#!/usr/bin/env bats
# Groups of logs: LOG/GROUP as a queue that is fed from a log.

load ../helper

log_of() { # LOG COUNT: a log of so many lines
    mq-log create "$1"
    seq "$2" | mq-send -q -l "$1"
}

@test "a group delivers each message of its log once, to any of its consumers, and other groups get them too" {
    log_of clicks 1000
    mq-send -q clicks alone
    run -66 mq-recv -a --no-wait clicks/billing # it is not made by looking
    [[ $stderr$output == *"no such group of the log"*--create* ]]
    [ ! -e "$MQ_SPOOL/clicks/groups" ]
    mq-recv --create -a -l -n 300 clicks/billing >one
    mq-recv -a -l -n 400 clicks/billing >two
    mq-recv -a -l -n 301 clicks/billing >three
    cat one two three | diff - <(seq 1000; echo alone)
    run -1 mq-recv -a --no-wait clicks/billing
    mq-queue create clicks/audit max-attempts=2
    [ "$(mq-recv -j -a -n 1001 clicks/audit | jq -c '[.offset, .body, .queue]' | tail -n 2)" = \
        $'[999,"1000","clicks/audit"]\n[1000,"alone","clicks/audit"]' ]
    [ "$(mq-queue config clicks/audit max-attempts)" = 2 ]
    [ "$(mq-queue list | sort)" = $'clicks/audit\nclicks/billing' ]
    mq-queue check
}

@test "a group's claims, retries, dead letters, workers and transactions are those of a queue" {
    log_of clicks 6
    mq-queue create clicks/billing max-attempts=2 retry-delay=1ms
    receipt=$(mq-recv clicks/billing | head -n 1)
    [[ $receipt == clicks/billing/* ]]
    mq-ack "$receipt"
    mq-recv clicks/billing | head -n 1 | mq-ack --nack --delay 0 -
    [ "$(mq-recv -j --no-wait clicks/billing | jq -c '[.offset, .attempts]')" = "[1,2]" ] # at its place in the log
    mq-queue peek -j --state inflight clicks/billing | jq -e '.attempts == 2'
    run mq-recv -n 5 clicks/billing -- sh -c 'read -r n; [ "$n" != 3 ]' # one poisoned message stops nobody
    [ "$(mq-dlq list -j clicks/billing | jq -r .preview)" = 3 ]
    [ "$(mq-recv --create --once -n 1 clicks/audit -- cat)" = 1 ]
    mq-send -q jobs x && mq-recv -a -q jobs
    mq-recv --tx -n 1 clicks/audit -- sh -c 'mq-send -q jobs "done $(cat)"'
    [ "$(mq-recv -a --no-wait jobs)" = "done 2" ]
    [ "$(mq-recv -a --no-wait clicks/audit)" = 3 ]
    mq-dlq retry --all clicks/billing
    [ "$(mq-recv -j -a --no-wait clicks/billing | jq -c '[.offset, .body]')" = '[2,"3"]' ]
    mq-queue purge --all clicks/billing
    mq-queue check
}

@test "a group that waits is woken by what is appended" {
    mq-log create clicks
    mq-recv --create -a -w 10s clicks/billing >got &
    for ((i = 0; i < 200; i++)); do
        ! compgen -G "$MQ_SPOOL/clicks/groups/billing/waiters/bell" >/dev/null || break
        sleep 0.01
    done
    sleep 0.05
    begun=$(date +%s%N)
    mq-send -q clicks hello
    wait
    (($(date +%s%N) - begun < 600000000)) # the leader looks by itself after more than a second
    [ "$(cat got)" = hello ]
}

@test "seek replays and skips, while claims are held; a dry run moves nothing" {
    log_of clicks 100
    mq-recv --create --from 50 -j -a clicks/billing | jq -e '.offset == 50'
    held=$(mq-recv clicks/billing | head -n 1)
    [ "$(mq-log seek --dry-run clicks/billing 10)" = "clicks/billing: from 100 back to 10: 90 messages come again" ]
    [ "$(mq-recv -a --no-wait clicks/billing)" = 53 ]
    mq-log seek -q clicks/billing 10
    [ "$(mq-recv -a -l -n 90 clicks/billing | sort -n | head -n 2 | xargs)" = "11 12" ]
    mq-ack "$held"
    mq-log seek clicks/billing end
    mq-queue purge --all clicks/billing
    run -1 mq-recv -a --no-wait clicks/billing
    mq-log seek -q clicks/billing -1
    [ "$(mq-recv -a --no-wait clicks/billing)" = 100 ]
    seq 101 5000 | mq-send -q -l clicks
    mq-log seek -q clicks/billing 4095 # an entry that lies in two buckets
    [ "$(mq-recv -j -n 3 clicks/billing | jq .offset | xargs)" = "4095 4096 4097" ]
    mq-queue check clicks/billing
    run -65 mq-log seek clicks/billing 5001
    run -64 mq-log seek clicks/billing yonder
    run -64 mq-log seek clicks 0
    run -66 mq-log seek clicks/none 0
    run -64 mq-recv --from end clicks/billing
    run -64 mq-recv --create --from end clicks
    run -65 mq-recv --create --from 5001 -a clicks/late
}

@test "lag is exact: what waits in the log counts as ready, in text, JSON, metrics and conditions" {
    log_of clicks 1000
    mq-recv --create -a -l -n 10 clicks/billing >/dev/null
    mq-recv clicks/billing >/dev/null
    [ "$(mq-stat --format '{ready} {inflight} {lag} {next} {missed}' clicks/billing)" = "989 1 990 256 0" ]
    mq-stat -j | jq -e 'select(.queue == "clicks/billing") | .lag == 990 and .lag_seconds >= 0 and .ready == 989'
    mq-stat --prometheus | grep -qx 'mq_consumer_lag{queue="clicks/billing"} 990'
    mq-stat --prometheus | grep -q '^mq_consumer_lag_seconds{queue="clicks/billing"} [0-9]'
    mq-stat --check 'lag>1000'
    run -2 mq-stat --check 'lag>900'
    mq-log list -j clicks | jq -e '.groups[0] | .group == "billing" and .lag == 990 and .inflight == 1 and .dead == 0'
    mq-log list | grep -q '^clicks/billing  *256  *990'
    mq-recv -a -l -n 989 clicks/billing >/dev/null
    [ "$(mq-stat --format '{ready} {lag}' clicks/billing)" = "0 1" ]
}

@test "retention keeps what a group has not passed, and with keep-unread=no a group that was overtaken says so" {
    log_of clicks 10000
    mq-log config clicks retain-count=10
    mq-recv --create -a -n 1 clicks/billing >/dev/null
    mq-log trim clicks
    [ "$(mq-log list -j clicks | jq .begin)" = 0 ]
    mq-recv -a -l -n 4500 clicks/billing >/dev/null
    mq-log trim clicks
    (($(mq-log list -j clicks | jq .begin) > 4000))
    mq-recv --create --from beginning clicks/late >held
    mq-log config clicks keep-unread=no
    mq-log seek -q clicks/billing beginning
    mq-queue purge --all clicks/billing
    begin=$(mq-log list -j clicks | jq .begin)
    mq-log trim clicks
    now=$(mq-log list -j clicks | jq .begin)
    ((now > begin))
    [ "$(mq-stat --format '{ready}' clicks/billing)" = $((10000 - now)) ]
    run --separate-stderr mq-recv -j -a clicks/billing
    [ "$(jq .offset <<<"$output")" = "$now" ]
    [[ $stderr == *"messages were removed from the log before this group came to them"* ]]
    (($(mq-stat --format '{missed}' clicks/billing) > 0))
    mq-ack "$(head -n 1 held)" # its file is the group's, too
}

@test "bad input: names, queues, damage, planted names, two cursors and none" {
    log_of clicks 10
    mq-send -q jobs x
    for name in clicks/ /billing clicks/.. clicks/a/b "clicks/$(printf 'x%.0s' {1..129})" clicks/-a; do
        run -64 mq-recv --create -a "$name"
        run -64 mq-stat "$name"
        run -64 mq-queue create "$name"
    done
    long=$(printf 'x%.0s' {1..128})
    mq-recv --create -a "clicks/$long" >/dev/null
    mq-recv "clicks/$long" | head -n 1 | mq-ack -
    run -66 mq-recv --create -a jobs/billing
    [[ $output == *"is a queue: only logs have groups"* ]]
    run -66 mq-recv --create -a none/billing
    run -64 mq-send clicks/billing x
    [[ $output == *"send to clicks"* ]]
    run -64 mq-queue create clicks/billing --mode 0660
    mq-recv --create -a clicks/billing >/dev/null
    mq-send -q other x
    mq-recv other | head -n 1 | mq-ack --reject -
    run ! mq-dlq retry --all --to clicks/billing other
    cursor=$MQ_SPOOL/clicks/groups/billing/cursor
    touch "$cursor/noise" "$cursor/0000000000000003.zz.0"
    mq-queue purge --all clicks/billing # what was taken of the log is gone, and nothing else
    mq-send -q clicks more
    [ "$(mq-recv -a --no-wait clicks/billing)" = more ]
    cp "$cursor"/00000000*a* "$cursor/0000000000000002.0000000000000001.0000000000000000" 2>/dev/null ||
        cp "$(find "$cursor" -name '0*' -size 0 ! -name '*zz*' | head -n 1)" "$cursor/0000000000000002.0000000000000001.0000000000000000"
    run -65 mq-recv -a --no-wait clicks/billing
    [[ $output == *"mq-queue check --repair"* ]]
    run mq-queue check --repair clicks/billing
    [[ $output == *"a second cursor"* && $output == *"not a cursor's name"* ]]
    [ "$(mq-recv -a --no-wait clicks/billing)" = 3 ]
    rm "$cursor"/*
    mq-queue purge --all clicks/billing
    run -65 mq-recv -w 0s clicks/billing -- cat
    run mq-queue check --repair clicks/billing
    mq-queue purge --all clicks/billing
    [ "$(mq-recv -a --no-wait clicks/billing)" = 1 ]
    printf 'noise' >"$(find "$MQ_SPOOL/clicks/log" -type f -name '*a')"
    mq-queue purge --all clicks/billing
    run mq-recv -a --no-wait clicks/billing # the damaged entry is a dead letter, and nothing waits for it
    [ "$(mq-stat --format "{dead} {died_corrupt}" clicks/billing)" = "1 1" ]
}

@test "what a killed consumer had decided is delivered by the next, and what it had not is swept" {
    log_of clicks 3
    mq-queue create clicks/billing
    group=$MQ_SPOOL/clicks/groups/billing
    old=$(ls "$group/cursor")
    entry=$(find "$MQ_SPOOL/clicks/log" -type f)
    zero=0000000000000000
    # Decided: the cursor has moved, and the link is still in tmp/.
    new=0000000000000003.00000000000000aa.$zero.$zero.$zero.${old:17:16}
    ln "$entry" "$group/tmp/take-$new"
    mv "$group/cursor/$old" "$group/cursor/$new"
    # Too late: no cursor can be moved by it any more.
    ln "$entry" "$group/tmp/take-0000000000000003.00000000000000bb.$zero.$zero.$zero.${old:17:16}"
    [ "$(mq-recv -a -l -n 3 clicks/billing | xargs)" = "1 2 3" ]
    run -1 mq-recv -a --no-wait clicks/billing
    mq-queue sweep clicks/billing
    [ -z "$(ls "$group/tmp")" ]
}

@test "a group beyond the end, after a power cut: its offsets are not given again" {
    log_of clicks 5
    mq-recv --create --from end -a --no-wait clicks/billing || true
    group=$MQ_SPOOL/clicks/groups/billing
    old=$(ls "$group/cursor")
    mv "$group/cursor/$old" "$group/cursor/0000000000000009${old:16}"
    rm "$MQ_SPOOL/clicks/hint"
    run -1 mq-recv -a --no-wait clicks/billing
    [ "$(mq-send -v clicks next 2>&1 >/dev/null | grep -o 'offset [0-9]*')" = "offset 9" ]
    [ "$(mq-recv -j -a --no-wait clicks/billing | jq .offset)" = 9 ]
    mq-log read -j clicks | jq -s -e 'map(.offset) == [0,1,2,3,4,9]'
}

@test "check tells of a group beyond the end, and repair goes on behind it, or goes back" {
    log_of clicks 5
    mq-recv --create --from end -a --no-wait clicks/billing || true
    group=$MQ_SPOOL/clicks/groups/billing
    old=$(ls "$group/cursor")
    touch "$MQ_SPOOL/clicks/groups/stray"
    mv "$group/cursor/$old" "$group/cursor/0000000000000009${old:16}"
    run -65 mq-queue check clicks/billing
    [ "$output" = "clicks/billing/cursor: the group is beyond the end of the log" ]
    run mq-queue check --repair
    [[ $output == *"beyond the end"* && $output == *"clicks/groups/stray: not a group's name"* ]]
    mq-queue check
    [ "$(mq-log list -j clicks | jq .end)" = 9 ]
    mq-send -q clicks next
    [ "$(mq-recv -j -a --no-wait clicks/billing | jq .offset)" = 9 ]
    mv "$group"/cursor/* "$group/cursor/7fffffffffffff00${old:16}" # no power cut explains that
    rm "$MQ_SPOOL/clicks/hint"
    mq-send -q clicks another
    mq-queue check --repair clicks/billing
    mq-queue check
    mq-send -q clicks last
    [ "$(mq-recv -j -a --no-wait clicks/billing | jq -c '[.offset, .body]')" = '[11,"last"]' ]
    # What a take of a group in an order is on its way in belongs there; so does what a killed process has left.
    mkdir "$group/tmp/take-0000000000000003.00000000000000bb.0000000000000000.0000000000000000.0000000000000000.0000000000000001"
    mq-queue check
    rm -r "$group/cursor" && touch "$group/cursor"
    run -65 mq-queue check clicks/billing
    mq-queue check --repair clicks/billing
    mq-queue check clicks/billing
}

@test "an event and a warning of the worker tell how many messages a group has missed" {
    mq-log create clicks durability=none keep-unread=no retain-count=1
    mq-queue create clicks/billing
    mq-queue create clicks/audit
    seq 5000 | mq-send -q -l clicks
    mq-log trim clicks
    begin=$(mq-log list -j clicks | jq .begin)
    ((begin > 4000))
    mq-queue events -v -j clicks/billing >events 2>following &
    events=$!
    for ((i = 0; i < 300; i++)); do
        ! grep -q following following || break
        sleep 0.01
    done
    run --separate-stderr mq-recv --fair --until-empty -n 20 clicks/billing clicks/audit -- cat
    kill "$events"
    wait "$events" || true
    [ "$(wc -l <<<"$stderr")" = 2 ] # once for each group
    [[ $stderr == *"clicks/billing: $begin messages were removed from the log before this group came to them"* ]]
    [[ $stderr == *"clicks/audit: $begin messages were removed"* ]]
    [ "$(grep overtaken events | jq -c '[.queue, .event, .count]')" = "[\"clicks/billing\",\"overtaken\",$begin]" ]
}

@test "deleting: a group, a log with groups, and a log under its groups" {
    log_of clicks 5
    mq-recv --create clicks/billing >/dev/null
    run -75 mq-queue delete clicks/billing
    mq-queue delete --force clicks/billing
    run -66 mq-recv -a clicks/billing
    mq-recv --create -a -n 5 clicks/billing >/dev/null
    mq-queue delete clicks/billing
    mq-log create empty
    mq-queue create empty/billing
    mq-log delete empty
    [ ! -e "$MQ_SPOOL/empty" ]
    mq-queue create clicks/billing
    spawn follower mq-recv -a -f clicks/billing
    for ((i = 0; i < 300; i++)); do
        [ "$(mq-stat --format '{lag}' clicks/billing)" != 0 ] || break
        sleep 0.01
    done
    run -75 mq-log delete clicks
    mq-log delete --force clicks
    local status=0
    wait "${spawned[-1]}" || status=$?
    assert_equal "$status" 66
    grep -q 'clicks/billing.*gone' follower.err
}

@test "a consumer that is killed at any step of a take loses nothing and takes nothing twice" {
    needs_strace
    mq-log create clicks
    for _ in {1..10}; do
        seq 2 | mq-send -q -l --no-sync clicks
    done
    mq-queue create clicks/billing
    local call left=20 now status
    for call in linkat:when=1 linkat:when=2 renameat2:when=1 renameat2:when=2 renameat2:when=3 renameat2:when=4 unlinkat:when=1; do
        status=0
        strace -qq -o /dev/null -e inject="$call":signal=KILL mq-recv -a -n 1 --no-wait clicks/billing >/dev/null || status=$?
        mq-queue sweep clicks/billing
        now=$(mq-stat --exact --format '{lag}' clicks/billing)
        ((status != 0 ? now == left : now == left - 1))
        left=$now
    done
    run ! compgen -G "$MQ_SPOOL/clicks/groups/billing/tmp/take-*"
}

# ---- groups that keep an order --------------------------------------------------------------

ordered_log() { # LOG COUNT KEY…: so many messages of each key, in turn
    mq-log create "$1"
    local i key
    for ((i = 1; i <= $2; i++)); do
        for key in "${@:3}"; do
            echo "{\"body\": \"$key$i\", \"group\": \"$key\", \"headers\": {\"Routing-Key\": \"odd$((i % 2))\"}}"
        done
    done | mq-send -q -j --no-sync "$1"
}

bodies() { # GROUP: in the order of their delivery, without waiting
    local body all=
    while body=$(mq-recv -a -w 0 "$1"); do
        all+="$body "
    done
    echo "${all% }"
}

@test "a group with an order feeds its groups of messages: in order by key, in parallel between keys" {
    ordered_log clicks 3 a b
    mq-send -q clicks free
    mq-queue create clicks/billing order=group retry-delay=1h durability=none
    [ "$(mq-recv -j clicks/billing | jq -c '[.offset, .body]')" = '[0,"a1"]' ]
    [ "$(mq-recv -j clicks/billing | jq -c '[.offset, .body]')" = '[1,"b1"]' ]
    [ "$(mq-recv -a -w 0 clicks/billing)" = free ] # it has no key, and waits for nothing
    run -1 mq-recv -w 0 clicks/billing             # both keys are at work
    [ "$(mq-stat --format '{ready} {inflight} {lag}' clicks/billing)" = "4 2 6" ]
    mq-queue create clicks/parallel order=group retry-delay=1h durability=none
    mq-recv clicks/parallel | head -n 1 | mq-ack --nack - # a backs off, b goes on
    [ "$(bodies clicks/parallel)" = "b1 b2 b3 free" ]
    mq-queue create clicks/dead order=group max-attempts=1 durability=none
    mq-recv clicks/dead | head -n 1 | mq-ack --reject -
    [ "$(bodies clicks/dead | tr ' ' '\n' | grep a | xargs)" = "a2 a3" ]
    mq-dlq retry --all clicks/dead
    [ "$(mq-recv -j -a -w 0 clicks/dead | jq -c '[.offset, .body]')" = '[0,"a1"]' ]
    mq-queue create clicks/all order=strict durability=none
    mq-recv clicks/all >held
    run -1 mq-recv -w 0 clicks/all
    mq-ack "$(head -n 1 held)"
    [ "$(bodies clicks/all)" = "b1 a2 b2 a3 b3 free" ]
    mq-queue create --from 2 clicks/odd order=group order-by=Routing-Key
    [ "$(mq-recv -j clicks/odd | jq .body)" = '"a2"' ]
    [ "$(mq-recv -j clicks/odd | jq .body)" = '"a3"' ]
    [ "$(mq-recv -a -w 0 clicks/odd)" = free ]
    mq-log seek -q clicks/all 3
    [ "$(bodies clicks/all)" = "b2 a3 b3 free" ]
    mq-queue check
    mq-queue sweep
    run ! compgen -G "$MQ_SPOOL/clicks/groups/*/tmp/*"
    [ -z "$(ls "$MQ_SPOOL/clicks/groups/all/lanes")" ]
}

@test "the order of a group is fixed when it is made" {
    ordered_log clicks 1 a
    mq-queue create --from end clicks/billing order=group order-by=Routing-Key
    mq-queue create clicks/billing order=group order-by=Routing-Key max-attempts=3
    [ "$(mq-queue config clicks/billing order order-by max-attempts | xargs)" = "group Routing-Key 3" ]
    [ "$(mq-stat --format '{lag}' clicks/billing)" = 0 ]
    run -78 mq-queue create clicks/billing order=strict
    [[ $output == *"fixed when"* ]]
    run -78 mq-queue create clicks/billing order=group order-by=User
    run -78 mq-queue config clicks/billing order=none
    run -78 mq-queue config clicks/billing order-by=Group
    run -78 mq-queue create clicks/x order-by=User
    [[ $output == *"order=group"* ]]
    run -78 mq-queue create clicks/x order=strict order-by=User
    run -78 mq-queue create clicks/x order=group order-by='a b'
    run -78 mq-queue create jobs order-by=User
    run -64 mq-queue create --from end jobs
    [ "$(mq-queue list)" = clicks/billing ]
    mq-recv --create -a -w 0 clicks/plain >/dev/null
    run -78 mq-queue create clicks/plain order=group
    mq-queue create jobs order=group order-by=User # a queue, too
    mq-send -q -H 'User: u' -g x jobs 1
    mq-send -q -H 'User: u' -g y jobs 2
    mq-recv jobs >/dev/null
    run -1 mq-recv -w 0 jobs
}

@test "messages of long ids and damaged entries find their way through an ordered group" {
    local long i
    long=$(printf 'x%.0s' {1..60})
    mq-log create clicks
    for i in 1 2 3; do
        echo "{\"id\": \"$long$i\", \"body\": \"b$i\", \"group\": \"a\"}"
    done | mq-send -q -j clicks
    mq-send -q clicks damaged
    mq-send -q -g a clicks b4
    printf noise >"$(find "$MQ_SPOOL/clicks/log" -type f -name '*3')"
    mq-queue create clicks/billing order=group durability=none
    [ "$(bodies clicks/billing)" = "b1 b2 b3 b4" ]
    [ "$(mq-stat --format "{dead} {died_corrupt}" clicks/billing)" = "1 1" ]
    mq-log seek -q clicks/billing 0
    [ "$(mq-recv -j clicks/billing | jq -r .id)" = "${long}1" ]
}

@test "a consumer of an ordered group that is killed at any step of a take loses nothing, and no order" {
    needs_strace
    ordered_log clicks 2 a b
    local call when status groups=() kills=0 group step=${KILL_STEP:-4} # 1: at each
    for call in mkdirat linkat renameat2 unlinkat; do
        for ((when = 1; when <= 16; when += step)); do
            group=clicks/$call$when status=0
            mq-queue create "$group" order=group durability=none
            strace -qq -o /dev/null -e inject="$call:when=$when:signal=KILL" mq-recv -w 0 -t 1s "$group" >/dev/null || status=$?
            groups+=("$group")
            ((status != 0)) || break
            kills=$((kills + 1))
        done
    done
    ((kills >= 24 / step)) || fail "$kills kills"
    sleep 2.1 # the time that a process is given to move a token on
    for group in "${groups[@]}"; do
        mq-stat --exact --format '{lag}' "$group" | grep -qx 4 || fail "$group: $(mq-stat --exact "$group")"
        bodies "$group" >got
        for key in a b; do
            assert_equal "$group $(tr ' ' '\n' <got | grep "$key" | xargs)" "$group ${key}1 ${key}2"
        done
        mq-queue sweep "$group"
        run -0 mq-queue check "$group"
    done
    run ! compgen -G "$MQ_SPOOL/clicks/groups/*/tmp/take-*"
}

@test "workers of an ordered group that are killed keep the order of each key, and what was acked does not come back" {
    ordered_log clicks 12 a b c
    mq-queue create clicks/billing order=group durability=none ack-timeout=400ms retry-delay=1ms max-attempts=none
    local i
    # shellcheck disable=SC2016 # the command's own variables
    for i in {1..6}; do
        spawn worker mq-recv -q -P 2 -f clicks/billing -- sh -c 'read -r m; echo "$m" >>log; sleep 0.01'
        spawn worker mq-recv -q -f clicks/billing -- sh -c 'read -r m; echo "$m" >>log'
        sleep 0.1
        ((i == 6)) || kill -KILL "${spawned[@]: -2}"
    done
    wait_until 10 eval "[ \"\$(mq-stat --exact --format '{lag}' clicks/billing)\" = 0 ]"
    kill -TERM "${spawned[@]: -2}"
    for key in a b c; do # a message may come again until it is acked, not after a later one
        assert_equal "$(grep "$key" log | uniq | xargs)" "$(seq -f "$key%g" 12 | xargs)"
    done
}
