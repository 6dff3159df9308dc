#!/usr/bin/env bats
# mq-recv --save, mq-queue history and output: what became of a job; and mq-recv --output.

load ../helper

setup() {
    setup_spool
    mq-queue create jobs durability=none retry-delay=1ms
}

teardown() {
    kill_spawned
    remove_public
}

history() { # FILTER [WORD...]
    mq-queue history -j "${@:2}" jobs | jq -c "$1"
}

has_outcome() { # ID OUTCOME
    history "select(.id == \"$1\" and .outcome == \"$2\")" | grep -q .
}

# prints ID OUTPUT ERRORS: both streams are exactly these files.
prints() {
    mq-queue output jobs "$1" >printed 2>printed.err
    cmp printed "$2"
    cmp printed.err "$3"
}

# ---- what is kept --------------------------------------------------------------------

@test "what a command prints is kept byte for byte, with its status, signal and times, for each attempt" {
    head -c 200000 /dev/urandom >body
    head -c 70000 /dev/urandom >errors
    mq-send -q -i good jobs -f body
    mq-recv -w 20 --save jobs -- sh -c 'cat; cat errors >&2' >shown 2>shown.err
    assert_file_empty shown # its output is kept, its errors are passed on as well
    cmp shown.err errors
    prints good body errors
    mq-send -q -i bad jobs x
    run -123 mq-recv -n 2 -w 20 --save jobs -- sh -c 'echo $MQ_ATTEMPT; [ $MQ_ATTEMPT = 2 ] || exit 3; kill -9 $$'
    assert_equal "$(history '[.id,.attempt,.outcome,.exit_status,.signal,.stdout_bytes,.stderr_bytes,.queue]')" \
        '["good",1,"done",0,null,200000,70000,"jobs"]
["bad",1,"failed",3,null,2,0,"jobs"]
["bad",2,"failed",null,9,2,0,"jobs"]'
    assert_equal "$(history '.begun <= .ended' | sort -u)" true
    assert_equal "$(mq-queue output jobs bad)" 2
    assert_equal "$(mq-queue output --attempt=1 jobs bad)" 1
    run -0 mq-queue history jobs
    assert_line --regexp '^ID +ATTEMPT +OUTCOME +STATUS +BEGUN +TOOK +OUTPUT +ERRORS$'
    assert_line --regexp '^bad +2 +failed +KILL +[0-9]+s ago +[0-9.]+s +2 +0$'
    mq-recv -w 20 --save jobs -- true
    assert_equal "$(history .outcome --newest -n 1)" '"done"'
    run -0 mq-queue check
    assert_output ""
}

@test "outcomes: done, failed, rejected, timeout, stopped, interrupted" {
    for id in ok early no slow; do mq-send -q -i $id jobs $id; done
    run -123 mq-recv -n 4 -w 20 --save --timeout 200ms jobs -- sh -c '
        case $MQ_ID in no) exit 65 ;; slow) exec sleep 60 ;; early) mq-ack -q "$MQ_RECEIPT" ;; esac'
    assert_equal "$(history '[.id,.outcome]' | tr '\n' ' ')" \
        '["ok","done"] ["early","done"] ["no","rejected"] ["slow","timeout"] '
    assert_equal "$(history .id --failed | tr '\n' ' ')" '"no" "slow" '
    mq-queue purge -q --all --state=all jobs || true
    mq-send -q -i one jobs x
    spawn worker mq-recv --save --grace 0 jobs -- sleep 60
    wait_until 20 has_outcome one running
    kill -TERM "${spawned[-1]}"
    wait_until 20 has_outcome one stopped
    spawn worker mq-recv --save jobs -- sh -c 'echo begun; exec sleep 60'
    wait_until 20 has_outcome one running
    kill -9 "${spawned[-1]}"
    wait_until 20 has_outcome one interrupted
    assert_equal "$(mq-queue output --attempt=2 jobs one)" begun
    run -0 mq-queue check
}

@test "output -f follows a command, both of its streams, and ends with it" {
    mq-send -q -i long jobs x
    spawn worker mq-recv --save jobs -- sh -c '
        echo one; echo two >&2; until [ -e go ]; do sleep 0.02; done; echo three; echo four >&2'
    wait_until 20 has_outcome long running
    spawn follow mq-queue output -f jobs long
    wait_until 20 grep -q two follow.err
    assert_equal "$(<follow.out)" one
    touch go
    wait_until 20 has_outcome long "done"
    wait "${spawned[-1]}"
    assert_equal "$(<follow.out)" $'one\nthree'
    assert_equal "$(<follow.err)" $'two\nfour'
    assert_equal "$(mq-queue output -f jobs long 2>&1 | wc -l)" 4 # one that has ended is printed
}

@test "with --reply the reply is kept, with --tx and --once results are as without" {
    mq-send -q -i asked --reply-to answers jobs x
    mq-queue create answers
    mq-recv -w 20 --save --reply-any jobs -- echo answer
    assert_equal "$(mq-queue output jobs asked)" answer
    assert_equal "$(mq-recv -a --no-wait answers)" answer
    mq-send -q -i moved jobs x
    mq-recv -w 20 --save --tx --once jobs -- sh -c 'echo sent; mq-send -q answers "$MQ_ID"'
    assert_equal "$(mq-queue output jobs moved):$(mq-recv -a --no-wait answers)" sent:moved
}

@test "results of ordered queues, of groups of logs, and of several commands at once" {
    mq-queue create orders order=group durability=none
    seq -f 'o%g' 3 | while read -r id; do mq-send -q -i "$id" -g "$id" orders x; done
    mq-log create clicks durability=none
    mq-send -q -i c1 clicks x
    mq-recv -q --create --save -P 3 --until-empty orders clicks/billing -- sh -c 'echo "$MQ_ID"'
    for id in o1 o2 o3; do assert_equal "$(mq-queue output orders $id)" $id; done
    assert_equal "$(mq-queue output clicks/billing c1)" c1
    run -0 mq-queue check orders clicks/billing
}

@test "a background process that a command leaves behind loses nothing of the result and is not killed" {
    mq-send -q -i bg jobs x
    mq-recv -w 20 --save jobs -- sh -c 'echo first; (trap "echo died >died" PIPE; until [ -e go ]; do sleep 0.02; done; echo late; echo >over) &'
    assert_equal "$(mq-queue output jobs bg)" first
    touch go
    wait_until 20 test -e over -o -e died
}

# ---- what is not kept ----------------------------------------------------------------

@test "a message without a result: the reason is told, and the status is 1" {
    mq-send -q -i ready jobs x
    mq-send -q -d 1h -i later jobs x
    run -1 mq-queue output jobs ready
    assert_output --partial 'ready: it is ready, and was not worked on yet'
    run -1 mq-queue output jobs later
    assert_output --partial 'later: it is delayed'
    run -123 mq-recv -w 20 jobs -- false
    run -1 mq-queue output jobs ready
    assert_output --partial 'no result is kept'
    mq-recv -w 20 -j jobs >/dev/null
    run -1 mq-queue output jobs ready
    assert_output --partial 'it is in flight, and its consumer keeps no result'
    run -1 mq-queue output jobs nonesuch
    assert_output --partial 'or there is no such message'
    run -1 mq-queue output jobs "00000001-0000-7000-8000-000000000000"
    assert_output --partial 'older than keep-results'
    run -1 mq-queue history jobs
    run -1 mq-queue history jobs nonesuch ready
    assert_output --partial 'nonesuch: no result is kept'
    run -64 mq-queue output jobs ../x
    run -64 mq-queue output jobs
    run -64 mq-queue output --attempt=0 jobs ready
    run -66 mq-queue output nothing x
    run -66 mq-queue history nothing
    assert_equal "$(mq-queue history -j --failed jobs | wc -l)" 0
}

@test "results end by age and by size, with their buckets; one that runs stays" {
    for i in 1 2 3 4; do mq-send -q -i m$i jobs x; done
    mq-recv --until-empty --save jobs -- sh -c 'echo "$MQ_ID"; echo e >&2'
    assert_equal "$(history .id | wc -l)" 4
    mq-queue config jobs keep-results-size=20K # each is 4 KiB, and 4 for its errors
    mq-queue sweep jobs
    assert_equal "$(history .id | tr '\n' ' ')" '"m3" "m4" '
    assert_equal "$(find "$MQ_SPOOL/jobs/results" -type f | wc -l)" 4
    mq-send -q -i last jobs x
    spawn worker mq-recv --save jobs -- sh -c 'echo on; until [ -e go ]; do sleep 0.02; done'
    wait_until 20 has_outcome last running
    mq-queue config jobs keep-results=1us
    mq-queue sweep jobs
    assert_equal "$(history .id)" '"last"'
    touch go
    wait_until 20 has_outcome last "done"
    mq-queue sweep jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/results" | wc -l)" 1
    # A command that prints much is cut, and does not notice.
    mq-queue config jobs keep-results= keep-results-size=64K
    mq-send -q -i much jobs x
    mq-recv -w 20 --save jobs -- head -c 100000 /dev/zero
    assert_equal "$(history '[.id,.outcome,.stdout_bytes,.cut]')" '["much","done",16384,true]'
    assert_equal "$(mq-queue output jobs much | wc -c)" 16384
}

@test "strange things in results/ are reported, and nothing else is hurt" {
    mq-send -q -i ok jobs x
    mq-recv -w 20 --save jobs -- echo fine
    bucket=$(echo "$MQ_SPOOL"/jobs/results/*)
    file=$(basename "$bucket"/*)
    mkdir "$MQ_SPOOL/jobs/results/surprise" "$bucket/dir"
    ln -s /etc/passwd "$bucket/6612b28d271a8.evil.a1.k6068f941"
    touch "$bucket/odd" "$bucket/6612b28d271a8.../x" 2>/dev/null || true
    run -0 mq-queue history -j jobs
    assert_equal "${#lines[@]}" 1
    run -1 mq-queue output jobs evil
    run -65 mq-queue check jobs
    assert_equal "${#lines[@]}" 4
    assert_line "jobs/results/surprise: not a bucket's name"
    mq-queue check --repair jobs >/dev/null
    run -0 mq-queue check jobs
    assert_equal "$(mq-queue output jobs ok)" fine
    : >"$bucket/$file"
    run -65 mq-queue output jobs ok
    assert_output --partial 'a part of what it printed is lost'
}

@test "those who may look read results of a shared queue, and what root runs in a private queue is its owner's" {
    make_public
    export MQ_SPOOL=$public/spool
    mq-queue create --mode=604 shared && chmod 711 "$MQ_SPOOL"
    mq-send -q -i seen shared x
    mq-recv -w 20 --save shared -- sh -c 'echo result; echo error >&2'
    assert_equal "$(stat -c %a "$MQ_SPOOL/shared/results" "$MQ_SPOOL/shared/results"/*/*[0-9] | tr '\n' ' ')" '2705 664 '
    assert_equal "$(as_nobody mq-queue -S "$MQ_SPOOL" output shared seen 2>/dev/null)" result
    ((EUID == 0)) || return 0
    as_nobody mq-send -q -S "$public/own" -i own own x 2>/dev/null || as_nobody sh -c "mq-queue -S $public/own create own && mq-send -q -S $public/own -i own own x"
    mq-recv -S "$public/own" -w 20 --save own -- sh -c 'echo result; echo error >&2'
    assert_equal "$(find "$public/own/own/results" -user 0 | wc -l)" 0
    assert_equal "$(as_nobody mq-queue -S "$public/own" output own own 2>&1 | wc -l)" 2
}

# ---- how output is passed on ---------------------------------------------------------

# print_in_parts: a command that prints its lines in two parts, while others do the same.
print_in_parts='printf "a-"; sleep 0.05; echo "$MQ_ID"; printf "b-" >&2; sleep 0.05; echo "$MQ_ID" >&2; printf end'

@test "--output=interleave keeps lines whole, tag tells whose they are, group keeps a command's together" {
    four() { seq -f 'm%g' 4 | while read -r id; do mq-send -q -i "$id" jobs x; done; }
    four
    mq-recv --until-empty -P 4 --output=interleave jobs -- sh -c "$print_in_parts" >out 2>err
    assert_equal "$(sort out | tr '\n' ' ')" 'a-m1 a-m2 a-m3 a-m4 end end end end '
    assert_equal "$(sort err | tr '\n' ' ')" 'b-m1 b-m2 b-m3 b-m4 '
    four
    mq-recv --until-empty -P 4 --output=tag jobs -- sh -c "$print_in_parts" >out 2>err
    assert_equal "$(sort out | tr '\t\n' '= ')" 'm1=a-m1 m1=end m2=a-m2 m2=end m3=a-m3 m3=end m4=a-m4 m4=end '
    assert_equal "$(sort err | tr '\t\n' '= ')" 'm1=b-m1 m2=b-m2 m3=b-m3 m4=b-m4 '
    four
    mq-recv --until-empty -P 4 --output=group --save jobs -- sh -c "$print_in_parts; echo" >out 2>err
    assert_equal "$(paste -d= - - <out | sort | tr '\n' ' ')" 'a-m1=end a-m2=end a-m3=end a-m4=end '
    for id in m1 m2 m3 m4; do assert_equal "$(mq-queue output jobs $id 2>&1 | sort | tr '\n' ' ')" "a-$id b-$id end "; done
    run -64 mq-recv --output=nothing jobs -- true
    run -64 mq-recv --save jobs
    run -64 mq-recv --output=tag -a jobs
}

@test "--output=group of much, by commands at once, to a slow reader: whole, and one behind the other" {
    for i in 1 2 3; do mq-send -q -i m$i jobs x; done
    mq-recv --until-empty -P 3 --output=group jobs -- sh -c 'seq -f "$MQ_ID-%.0f" 20000' | (sleep 0.3; cat) >out
    for i in 1 2 3; do seq -f "m$i-%.0f" 20000 >expected.$i; done
    assert_equal "$(cut -d- -f1 out | uniq | sort | tr '\n' ' ')" 'm1 m2 m3 '
    for i in 1 2 3; do grep "^m$i-" out | cmp - expected.$i; done
}

@test "--output whose reader ends early: the work goes on" {
    for i in 1 2 3; do mq-send -q jobs x; done
    mq-recv --until-empty --output=tag jobs -- sh -c 'seq 50000; echo >>did' | head -n 1 >/dev/null
    assert_equal "$(wc -l <did)" 3
}

# ---- bars ----------------------------------------------------------------------------

@test "a history of 10,000 results takes less than 100 ms of processor" {
    mq-send -q -i one jobs x
    mq-recv -w 20 --save jobs -- true
    file=$(echo "$MQ_SPOOL"/jobs/results/*/*)
    name=$(basename "$file")
    (cd "$(dirname "$file")" && seq -f "${name%%.*}.one.a%.0f.${name#*.one.a1.}" 2 10000 | xargs touch)
    assert_equal "$(mq-queue history -j jobs | wc -l)" 10000
    TIMEFORMAT='%3U %3S'
    for _ in 1 2 3 4 5; do
        { time mq-queue history -n 10 --newest jobs >shown; } 2>>times
    done
    best=$(tr -d . <times | awk '{ print $1 + $2 }' | sort -n | head -n 1)
    ((best < 100)) || fail "$best ms"
    assert_equal "$(sed -n '2s/  .*//p' shown)" one
}
