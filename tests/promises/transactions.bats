#!/usr/bin/env bats
# mq-tx, mq-send --tx, mq-recv --tx: several moves happen all or not at all.

load ../helper

# bodies QUEUE: what can be received, one a line, and ack it.
bodies() {
    mq-recv --create -q -a -l -n 1000 --no-wait "$1" || true
}

@test "nothing of a transaction is seen before the commit, and all of it after" {
    local tx
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    seq 3 | MQ_TX=$tx mq-send -q -l b
    mq-send -q --tx="$tx" a two
    run -0 bodies a
    assert_output ""
    mq-tx commit "$tx"
    run -0 bodies a
    assert_output $'one\ntwo'
    run -0 bodies b
    assert_output $'1\n2\n3'
    run -0 mq-tx list -j
    assert_output ""
}

@test "an aborted transaction leaves nothing, and a message that it took is delivered again" {
    local tx receipt
    mq-send -q jobs work
    receipt=$(mq-recv jobs | head -n 1)
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    mq-tx abort "$tx"
    run -66 mq-tx commit "$tx"
    assert_output --partial "no such transaction"
    mq-ack "$receipt"
    run -0 bodies a
    assert_output ""
}

@test "what is not committed by its deadline is undone by whoever comes by" {
    local tx
    tx=$(mq-tx begin -t 1ms)
    mq-send -q --tx "$tx" a one
    run -0 mq-recv --no-wait a || true
    mq-queue sweep -q a
    run -0 mq-tx list -j
    assert_output ""
    run -66 mq-tx commit "$tx"
    run -66 mq-send --tx "$tx" a late
    run -0 bodies a
    assert_output ""
}

@test "a commit acks the claims of its receipts, or does nothing where one has ended" {
    local tx receipt
    mq-send -q jobs one
    mq-send -q jobs two
    receipt=$(mq-recv -q jobs | head -n 1)
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" out result
    mq-tx commit "$tx" --ack "$receipt"
    run -0 bodies out
    assert_output result
    run -1 mq-ack "$receipt"

    receipt=$(mq-recv -q -t 1ms jobs | head -n 1)
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" out never
    run -1 mq-tx commit "$tx" --ack "$receipt"
    assert_output --partial "has ended"
    run -0 bodies out
    assert_output ""
    run -0 bodies jobs
    assert_output two
}

# stopped_at CALL NTH COMMAND…: it is stopped at that call; go_on lets it end, and returns its status.
stopped_at() {
    strace -qq -o trace -e trace="$1" -e inject="$1:signal=STOP:when=$2" "${@:3}" 2>err 3>&- &
    spawned+=($!)
    wait_until 10 grep -q SIGSTOP trace
}

go_on() {
    kill -CONT "$(pgrep -P "${spawned[-1]}")"
    wait "${spawned[-1]}"
}

@test "a claim that ends at the last moment takes its transaction with it" {
    needs_strace
    local tx receipt status=0
    mq-send -q jobs work
    receipt=$(mq-recv -q jobs | head -n 1)
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" out never
    stopped_at faccessat2 1 mq-tx commit --ack "$receipt" "$tx" # it has found the claim, and not moved it yet
    mq-ack --release "$receipt"
    go_on || status=$?
    assert_equal "$status" 1
    run -0 bodies out
    assert_output ""
    run -0 bodies jobs
    assert_output work
}

@test "run commits when its command succeeds, and else says what the command said" {
    local receipt
    mq-send -q jobs work
    receipt=$(mq-recv -q jobs | head -n 1)
    run -0 mq-tx run --ack "$receipt" -- sh -c 'mq-send -q a one && cd / && mq-send -q b two'
    run -0 bodies a
    assert_output one
    run -0 bodies b
    assert_output two
    run -0 bodies jobs
    assert_output ""
    run -3 mq-tx run -- sh -c 'mq-send -q a never; exit 3'
    run -143 mq-tx run -- sh -c 'mq-send -q a never; kill $$'
    run -127 mq-tx run -- /nonexistent
    run -0 bodies a
    assert_output ""
    run -0 mq-tx list -j
    assert_output ""
}

@test "a relative spool is the same one for a command that goes elsewhere" {
    mkdir elsewhere
    (cd elsewhere && MQ_SPOOL=../spool mq-tx run -- sh -c 'cd / && mq-send -q a one')
    run -0 bodies a
    assert_output one
}

@test "a file is replaced with the commit, and not without it" {
    local tx
    echo old >state
    chmod 640 state
    ln -s state link
    run -1 mq-tx run -- sh -c 'echo never | mq-tx put $MQ_TX state; exit 1'
    assert_equal "$(<state)" old
    mq-tx run -- sh -c 'echo new | mq-tx put $MQ_TX link && echo made | mq-tx put $MQ_TX fresh && mq-send -q a changed'
    assert_equal "$(<state) $(<fresh) $(stat -c %a state)" "new made 640"
    [[ -L link ]]
    run -0 bodies a
    assert_output changed
    tx=$(mq-tx begin)
    run -65 mq-tx put "$tx" . <state
    run -66 mq-tx put "$tx" nowhere/file <state
    mq-tx abort "$tx"
}

@test "what is no transaction is told before anything is sent" {
    run -64 mq-send --tx nonsense a b
    assert_output --partial "not a transaction"
    run -66 mq-send --tx 0123456789abcdef a b
    MQ_TX=0123456789abcdef run -66 mq-send a b
    run -64 mq-tx commit ../../etc
    MQ_TX=0123456789abcdef run -0 mq-send --tx= a b
    run -64 mq-send --tx 0123456789abcdef --request a b
    assert_output --partial "cannot be part of a transaction"
    run -64 mq-tx run
    run -64 mq-tx begin -- true
}

@test "a full queue refuses a message before the commit, never after" {
    local tx
    mq-queue create a max-depth=2
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    mq-send -q --tx "$tx" a two
    run -75 mq-send --tx "$tx" a three
    mq-send -q a meanwhile
    mq-tx commit "$tx"
    run -0 bodies a
    assert_output $'meanwhile\none\ntwo'
}

@test "with --tx what a command sends is sent with the ack, or not at all" {
    local id
    mq-send -q jobs good
    mq-send -q jobs bad
    mq-queue config jobs max-attempts=1
    run -123 mq-recv --tx --until-empty jobs -- sh -c 'read -r body; mq-send -q out "did $body"; mq-send -q log x; [ $body = good ]'
    run -0 bodies out
    assert_output "did good"
    run -0 bodies log
    assert_output x
    run -0 mq-dlq list jobs
    assert_output --partial max-attempts
    run -0 mq-tx list -j
    assert_output ""
}

@test "a command that settles its message itself has sent nothing" {
    mq-send -q jobs work
    run -123 mq-recv --tx jobs -- sh -c 'mq-send -q out never; mq-ack $MQ_RECEIPT'
    assert_output --partial "its claim has ended: nothing of its transaction is done"
    run -0 bodies out
    assert_output ""
}

@test "replies and --once are part of it" {
    mq-send -q -i job-1 jobs work
    mq-recv --tx --once jobs -- sh -c 'mq-send -q out one'
    mq-send -q -i job-1 jobs work
    mq-recv --tx --once jobs -- sh -c 'mq-send -q out two'
    run -0 bodies out
    assert_output one
    spawn worker mq-recv --create --tx --reply -f calls -- sh -c 'mq-send -q out called; echo answer'
    run -0 mq-send --request=20s calls question
    assert_output answer
    run -0 bodies out
    assert_output called
}

@test "what was committed by a process that died is finished while somebody waits" {
    local tx
    mq-queue create a
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    mq-send -q --tx "$tx" b two
    mv "$MQ_SPOOL"/.outbox/*."$tx" "$MQ_SPOOL/.outbox/$tx.committed"
    run -0 mq-recv -a -w 5 b
    assert_output two
    run -0 bodies a
    assert_output one
}

@test "a queue that is deleted before the commit is made again" {
    local tx
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    mq-queue delete a
    mq-tx commit "$tx"
    run -0 bodies a
    assert_output one
}

@test "a queue that is deleted after the commit is made again, whatever was open of it" {
    needs_strace
    local tx
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    stopped_at renameat2 2 mq-tx commit "$tx" # after its decision it has made a bucket for the message
    assert_dir_exists "$(echo "$MQ_SPOOL"/a/ready/*)"
    mq-queue delete --force a
    go_on
    run -0 bodies a
    assert_output one
}

@test "what somebody put into a transaction by hand holds up nothing else, and is told" {
    local tx open
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    open=$(echo "$MQ_SPOOL"/.outbox/*."$tx")
    touch "$open/ stray" "$open/stray" # before and behind the others
    mkdir "$open/o:a:stray"
    mq-tx commit "$tx"
    run -0 bodies a
    assert_output one
    run -0 mq-tx list
    assert_output --partial committed
    run mq-tx begin
    assert_failure
    assert_output --partial "cannot carry out what was committed before"
    # A sweep reports it, and does the rest.
    touch -d '3 days ago' "$MQ_SPOOL/a/tmp/0123456789abcdef"
    run mq-queue sweep a
    assert_failure
    assert_not_exists "$MQ_SPOOL/a/tmp/0123456789abcdef"
    rm -r "$MQ_SPOOL"/.outbox/*/*stray
    run -0 mq-tx begin
    mq-send -q jobs work # a worker does not abort what it has committed, though it is not done with
    mq-recv -q --tx --no-wait jobs -- sh -c 'mq-send -q a two; mkdir "$(echo "$MQ_SPOOL"/.outbox/*."$MQ_TX")/stray"'
    assert_exists "$(echo "$MQ_SPOOL"/.outbox/*.committed)"
}

# no_sync COMMAND…: where the sync of the outbox fails. Without a single journal the rest is others' to carry out.
no_sync() {
    local status=0
    strace -f -qq -o trace -P "$MQ_SPOOL/.outbox" -e trace=fsync -e inject=fsync:error=EDQUOT "$@" || status=$?
    mq-queue sweep -q
    return $status
}

@test "a commit whose sync fails stands, is carried out, and says so" {
    local tx i
    needs_strace
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    run -71 no_sync mq-tx commit "$tx"
    assert_output "mq-tx: $tx: committed: a sync failed; a loss of power may undo it"
    run -0 bodies a
    assert_output one
    mq-send -q jobs work
    run -71 no_sync mq-recv --tx --until-empty jobs -- mq-send -q a result
    assert_output "mq-recv: jobs: the transaction is committed: a sync failed; a loss of power may undo it"
    run -0 bodies a
    assert_output result
    run -1 mq-recv --no-wait jobs
    mq-topic create events
    for i in a b c; do mq-topic bind events $i; done
    run -71 --separate-stderr no_sync mq-send events published
    assert_equal "$stderr" "mq-send: events: sent: a sync failed; a loss of power may undo it"
    assert_equal "$output" "$(mq-recv -aj --no-wait a | jq -r .id)"
    run -0 bodies b
    assert_output published
    # What was sent in groups is not sent again one by one.
    mq-topic create keys
    for i in a b; do mq-topic bind keys $i -k $i; done
    for i in a b a b; do echo "{\"body\":\"$i\",\"headers\":{\"Routing-Key\":\"$i\"}}"; done >lines
    run -71 no_sync mq-send -q -j keys <lines
    assert_output --partial "record 5: sent: a sync failed; a loss of power may undo it; 4 sent"
    run -0 bodies a
    assert_output $'a\na'
}

@test "what is committed and cannot be carried out yet is not undone" {
    local tx
    mq-send -q jobs work
    mq-recv --tx --until-empty jobs -- sh -c 'mq-send -q a one; mq-send -q b two; mv "$MQ_SPOOL/b" away; touch "$MQ_SPOOL/b"'
    run -0 bodies a
    assert_output one
    run -0 mq-tx list
    assert_output --partial committed
    rm "$MQ_SPOOL/b"
    mv away "$MQ_SPOOL/b"
    mq-queue sweep -q b
    run -0 bodies b
    assert_output two
    run -1 mq-recv --no-wait jobs
}

@test "a transaction that is killed at any of its calls is done whole or not at all" {
    needs_strace
    local calls=rename,renameat2,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,openat,close nth total receipt both=0 none=0
    mq-queue create jobs ack-timeout=1d max-attempts=none
    mq-queue create a
    mq-queue create b
    mq-send -q jobs work
    for ((nth = 1; nth < 200; nth++)); do
        receipt=$(mq-recv -q --no-wait jobs | head -n 1)
        tx=$(mq-tx begin)
        mq-send -q --tx "$tx" a "$nth"
        mq-send -q --tx "$tx" b "$nth"
        strace -qqq -o /dev/null -e trace="$calls" -e inject="$calls:signal=KILL:when=$nth" \
            mq-tx commit "$tx" --ack "$receipt" 2>/dev/null && break
        for open in "$MQ_SPOOL"/.outbox/*."$tx"; do # its deadline comes
            [[ ! -e $open ]] || mv "$open" "$MQ_SPOOL/.outbox/0000000000001.$tx"
        done
        mq-queue sweep -q
        total="$(bodies a)$(bodies b)"
        ! mq-ack "$receipt" 2>/dev/null || total+=held
        case $total in
        "$nth$nth")
            both=$((both + 1))
            mq-send -q jobs work
            ;;
        held | "")
            none=$((none + 1))
            [[ -z $total ]] || mq-send -q jobs work
            ;;
        *) fail "killed at call $nth: $total" ;;
        esac
        run -0 mq-tx list -j
        assert_output ""
    done
    ((nth < 200 && both > 3 && none > 3)) || fail "$nth calls, $both times all, $none times nothing"
}

@test "a check of the spool reports a transaction that nobody finishes, and a repair finishes it" {
    local tx
    tx=$(mq-tx begin)
    mq-send -q --tx "$tx" a one
    mq-queue check
    mv "$MQ_SPOOL"/.outbox/*."$tx" "$MQ_SPOOL/.outbox/$tx.committed"
    run -65 mq-queue check
    assert_output "transaction $tx of user $(id -u): committed, and not carried out"
    mq-queue check --repair
    run -0 bodies a
    assert_output one
}

@test "a queue whose message is in a transaction is not empty, and mq-stat counts it" {
    mq-queue create a
    mq-send -q a 1
    tx=$(mq-tx begin)
    claim a >/dev/null
    file=$(echo "$MQ_SPOOL"/a/inflight/*/*)
    IFS=. read -r _ position id attempts begun _ <<<"${file##*/}"
    mv "$file" "$(echo "$MQ_SPOOL"/.outbox/*."$tx")/i:a:${begun#b}.$position.$id.$attempts" # as its owner does before the commit
    assert_equal "$(mq-stat -j a | jq .inflight) $(mq-stat --exact -j a | jq .inflight)" '1 1'
    mq-queue sweep -q a # which counts anew
    assert_equal "$(mq-stat -j a | jq -c '[.inflight, .bytes]')" "$(mq-stat --exact -j a | jq -c "[1, $(stat -c %s "$MQ_SPOOL"/.outbox/*/i:*)]")"
    run -75 --separate-stderr mq-queue delete --dry-run a
    assert_complains 'mq-queue: a: '
    run -0 mq-queue delete --dry-run --force a
    run -75 --separate-stderr mq-queue delete a
    assert_complains 'mq-queue: a: '
    mq-queue purge -q --all a # what a transaction holds is not purged, and comes back
    mq-tx abort "$tx"
    assert_equal "$(take a && cat got)" 1
    mq-queue delete a
}
