# mq-queue: creating, configuring, inspecting, purging, sweeping, checking and deleting queues.
# shellcheck disable=SC2154,SC2012 # stderr is set by run; names without surprises
load ../helper

states() { # QUEUE
    echo "$(depth "$1" ready) $(depth "$1" delayed) $(depth "$1" inflight) $(depth "$1" dead)"
}

# One message in each state: dead, claimed, later, waiting are their ids.
fill() { # QUEUE
    mq-send -q -i dead "$1" body-dead
    mq-ack --reject "$(claim "$1")"
    mq-send -q -i claimed "$1" body-claimed
    claim "$1" >receipt
    mq-send -q -i later -d 1h "$1" body-later
    mq-send -q -i waiting "$1" body-waiting
}

# Microseconds that the time in the name of the only message of a state is in the future.
ahead() { # STATE
    local name
    name=$(files jobs "$1")
    echo $((16#${name:0:13} - $(now_us)))
}

# ---- create, list, delete ----------------------------------------------------------

@test "create makes a queue, and one that is there is left as it is" {
    run -0 --separate-stderr mq-queue create jobs
    assert_equal "$output$stderr" ''
    run -0 mq-queue list
    assert_output jobs
    mq-send -q jobs body
    run -0 --separate-stderr mq-queue create jobs
    assert_equal "$(depth jobs ready)" 1
}

@test "create takes settings" {
    mq-queue create jobs ttl=7d max-size=2M
    run -0 mq-queue config jobs ttl max-size
    assert_output $'7d\n2M'
    run -78 --separate-stderr mq-queue create other ttl=1h nonsense=1
    assert_complains 'mq-queue: other: '
    assert_regex "$stderr" nonsense
    run -78 --separate-stderr mq-queue create other ttl=1h max-size=x
    assert_complains 'mq-queue: other: '
    assert_regex "$stderr" max-size
    run -64 --separate-stderr mq-queue create other more
    assert_complains 'mq-queue: '
}

@test "list prints the queues in order, plainly or as JSON" {
    run -66 --separate-stderr mq-queue list
    mkdir "$MQ_SPOOL"
    run -0 --separate-stderr mq-queue list
    assert_equal "$output$stderr" ''
    for queue in b a a.b; do mq-queue create "$queue"; done
    mkdir "$MQ_SPOOL/.hidden" "$MQ_SPOOL/no-queue"
    run -0 --separate-stderr mq-queue list
    assert_output $'a\na.b\nb'
    run -0 --separate-stderr mq-queue list -j
    assert_equal "$(jq -c . <<<"$output")" $'{"queue":"a"}\n{"queue":"a.b"}\n{"queue":"b"}'
}

@test "list leaves no queue out for want of descriptors" {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers are libraries, which cannot be loaded without any"
    mq-queue create one
    mq-queue create two
    for most in {3..9}; do
        run --separate-stderr bash -c "ulimit -n $most; exec mq-queue list"
        if ((status == 0)); then
            assert_output $'one\ntwo'
        else
            assert_equal "$status $output" '75 '
        fi
        seen[status]=1
    done
    assert_equal "${!seen[*]}" '0 75'
}

@test "delete removes an empty queue without a trace" {
    mq-send -q jobs body
    take jobs
    run -0 --separate-stderr mq-queue delete jobs
    assert_equal "$output$stderr" ''
    assert_equal "$(ls -A "$MQ_SPOOL")" ''
}

@test "delete refuses a queue that holds a message in whatever state" {
    fill jobs
    for state in ready delayed inflight dead; do
        run -75 --separate-stderr mq-queue delete jobs
        assert_complains 'mq-queue: jobs: '
        assert_regex "$stderr" '--force'
        assert_equal "$(ls -A "$MQ_SPOOL")" jobs
        rm "$MQ_SPOOL/jobs/$state"/*/*
    done
    mq-queue delete jobs
}

@test "delete --force removes everything" {
    fill jobs
    mq-send -q other body
    run -0 --separate-stderr mq-queue delete --force jobs
    assert_equal "$output$stderr" ''
    assert_equal "$(ls -A "$MQ_SPOOL")" other
    mq-send -q jobs new
    assert_equal "$(states jobs)" '1 0 0 0'
}

# feed LINE: the sender of lines that begin_feed has started gets another one.
begin_feed() { # QUEUE
    mkfifo lines
    spawn sender bash -c "exec mq-send -l $1 <lines"
    exec {feed}>lines
}

feed() {
    echo "$1" >&"$feed"
}

has_lines() { # FILE NUMBER
    (($(wc -l <"$1") == $2))
}

@test "a running sender goes on in a new queue when its own was deleted" {
    begin_feed jobs
    for n in 1 2 3; do
        feed "$n"
        wait_until 10 has_lines sender.out "$n"
        take jobs
        assert_equal "$(<got)" "$n"
        mq-queue delete jobs
    done
    exec {feed}>&-
    wait "${spawned[0]}"
    assert_equal "$(ls -A "$MQ_SPOOL")" ''
}

@test "senders lose nothing to somebody who deletes the queue whenever it is empty" {
    seq 300 >in
    spawn sender bash -c 'while read -r n; do mq-send --no-sync jobs "$n" || exit; done <in'
    spawn lines bash -c 'mq-send --no-sync -l jobs <in'
    spawn deleter bash -c 'while :; do mq-queue delete -q jobs 2>>complaints; done'
    spawn receiver bash -c 'while :; do mq-recv -a -l -f --create -w 100ms jobs; done'
    wait "${spawned[@]:0:2}"
    wait_until 30 has_lines receiver.out 600
    kill_spawned
    diff <(sort -n receiver.out) <(sort -n in in)
}

@test "a receiver whose queue is deleted ends with 66, and with --create goes on in a new one" {
    mq-queue create jobs
    spawn ends mq-recv -a -l -f jobs
    wait_until 10 is_asleep "${spawned[0]}"
    mq-queue delete jobs
    status=0
    wait "${spawned[0]}" || status=$?
    assert_equal "$status" 66
    assert_equal "$(<ends.err)" 'mq-recv: jobs: cannot receive: the queue is gone'
    # By itself: what it makes anew has the name, and the other one would go on there.
    spawn goes_on mq-recv -a -l -f --create jobs
    wait_until 10 is_asleep "${spawned[1]}"
    mq-queue delete jobs
    mq-send -q jobs body
    wait_until 10 has_lines goes_on.out 1
}

# A deleter that is killed after its first rename, before it removes anything, and leaves the queue held, or gone.
kill_deleter() { # OPTION… QUEUE
    needs_strace
    run strace -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=SIGKILL:when=1 mq-queue delete "$@"
    assert_equal "$status" 137
    assert_not_exists "$MQ_SPOOL/${*: -1}"
}

@test "a sender that had the queue open sends to what has its name once a deleter by force was killed" {
    begin_feed jobs
    feed before
    wait_until 10 has_lines sender.out 1
    kill_deleter --force jobs
    feed behind
    wait_until 10 has_lines sender.out 2
    take jobs
    assert_equal "$(<got)" behind
}

@test "where another queue has the name, that is where it sends to, also when it was stopped before its link" {
    needs_strace
    for batch in 1 2; do
        mq-queue create jobs
        printf 'one\ntwo\n' >in
        spawn sender strace -o trace -e trace=linkat -e inject=linkat:delay_enter=1500ms mq-send -f in -l --batch=$batch jobs
        wait_until 10 eval '[[ -n $(find "$MQ_SPOOL"/jobs/ready -mindepth 1 -type d) ]]'
        kill_deleter --force jobs
        mq-queue create jobs
        wait "${spawned[-1]}"
        mq-recv -a -l -n 2 --no-wait jobs >got
        assert_equal "$(sort got | paste -sd' ')" 'one two'
        mq-queue delete --force jobs
    done
}

@test "a receiver that had the queue open receives what is sent to the one that has its name" {
    mq-queue create jobs
    spawn receiver mq-recv -a -l -f --create jobs
    wait_until 10 is_asleep $!
    kill_deleter --force jobs
    mq-send -q jobs new
    wait_until 10 has_lines receiver.out 1
}

@test "a queue that a killed deleter held comes back with its messages to whoever asks for it" {
    needs_strace
    for command in 'mq-recv -a -l --no-wait jobs' 'mq-queue create jobs' 'mq-queue config jobs ttl=1h' 'mq-send -q jobs further'; do
        mq-queue create jobs
        mq-queue config jobs max-attempts=7
        kill_deleter jobs
        mv "$MQ_SPOOL"/.held-jobs-* "$MQ_SPOOL/jobs" # a message that was sent by somebody who had it open
        mq-send -q jobs body
        mv "$MQ_SPOOL/jobs" "$MQ_SPOOL/.held-jobs-0123456789abcdef"
        $command >out
        assert_equal "$(mq-queue config jobs max-attempts)" 7
        [[ $command == mq-recv* ]] || take jobs
        assert_regex "$(cat out got 2>/dev/null)" body
        assert_equal "$(ls -A "$MQ_SPOOL")" jobs
        rm -f got
        mq-queue delete --force jobs
    done
}

@test "a claim survives that its queue is held: it is acked where it lies" {
    mq-send -q jobs body
    local receipt
    receipt=$(claim jobs)
    mv "$MQ_SPOOL/jobs" "$MQ_SPOOL/.held-jobs-0123456789abcdef"
    mq-ack "$receipt"
    assert_equal "$(states jobs)" '0 0 0 0'
}

@test "a sweep that cannot look into a held queue keeps it" {
    needs_strace
    command -v faketime >/dev/null || skip 'faketime is not installed'
    mq-send -q jobs body
    local nth error
    for nth in 1 2 3 4; do
        mv "$MQ_SPOOL/jobs" "$MQ_SPOOL/.held-jobs-0123456789abcdef"
        run strace -f -o trace -P "$MQ_SPOOL/.held-jobs-0123456789abcdef" -e trace=openat,openat2,getdents64 \
            -e inject=openat,openat2,getdents64:error=ENFILE:when="$nth" faketime -f +2d "$MQ_BUILD/dynamic/mq-queue" sweep
        grep -q INJECTED trace
        if [[ ! -e $MQ_SPOOL/jobs ]]; then
            assert_equal "$status" 75 # it says so, and the next one does what it could not
            run -0 --separate-stderr faketime -f +2d "$MQ_BUILD/dynamic/mq-queue" sweep -v
            assert_regex "$stderr" ': 1 [a-z ]* removed or put back$'
        fi
        assert_exists "$MQ_SPOOL/jobs"
        assert_equal "$(states jobs)" '1 0 0 0'
    done
}

# ---- healing -------------------------------------------------------------------------

@test "what a cleaner removed of a queue is made again by whoever meets the lack" {
    local part command
    for part in ready delayed inflight dead tmp waiters host; do
        for command in 'mq-send -q jobs body' 'mq-recv -a --no-wait jobs' 'mq-recv -a -w 10ms jobs' 'mq-queue create jobs' \
            'mq-queue check --repair jobs' 'mq-queue sweep jobs' 'mq-queue config jobs ttl=1h'; do
            mq-queue create jobs
            rm -r "$MQ_SPOOL/jobs/$part"
            run --separate-stderr $command
            ((status != 66 && status != 74)) || fail "$part: $command: $status: $stderr"
            mq-send -q jobs one
            mq-send -q -d 1ms jobs two
            wait_until 5 mq-recv -a -w 1 jobs
            wait_until 5 mq-recv -a -w 1 jobs
            mq-queue delete --force jobs
        done
    done
}

@test "find -empty -delete leaves a queue that create makes whole, and check tells what is missing" {
    mq-queue create jobs
    mq-queue config jobs ttl=1h
    mq-send -q jobs body
    take jobs
    find "$MQ_SPOOL" -type d -empty -delete
    run -65 mq-queue check jobs
    assert_line --regexp '^jobs/ready: .*missing'
    run -0 mq-queue create jobs
    run -0 mq-queue check jobs
    assert_equal "$(mq-queue config jobs ttl)" 1h
    mq-send -q jobs body
    take jobs
}

@test "an empty directory becomes a queue by create and by send, and one of other things does not" {
    mkdir -p "$MQ_SPOOL/jobs" "$MQ_SPOOL/logs" "$MQ_SPOOL/mine/things"
    run -0 mq-queue create jobs
    mq-send -q jobs body
    mq-send -q logs body
    assert_equal "$(mq-queue list | paste -sd' ')" 'jobs logs'
    run mq-queue create mine
    ((status != 0))
    assert_equal "$(ls -A "$MQ_SPOOL/mine")" things
}

@test "a queue of overlayfs' lower layer is deleted" {
    ((EUID == 0)) || skip "it takes root to mount"
    local -x MQ_SPOOL=$BATS_TEST_TMPDIR/lower
    mq-queue create jobs
    mq-queue create other
    mq-queue create full
    mq-send -q full body
    mkdir mem
    run unshare -m bash -ec '
        mount -t tmpfs none mem
        mkdir mem/{upper,work,spool}
        mount -t overlay overlay -o "lowerdir=$MQ_SPOOL,upperdir=mem/upper,workdir=mem/work" mem/spool || exit 77
        export MQ_SPOOL=$PWD/mem/spool
        mq-queue delete jobs
        mq-queue delete --force other
        ! mq-queue delete full 2>/dev/null
        mq-recv -a -l --no-wait full
        mq-queue delete full
        mq-queue create jobs
        mq-send -q jobs new
        mq-recv -a -l --no-wait jobs
        ls -A "$MQ_SPOOL"'
    ((status != 77)) || skip "overlayfs is not to be had"
    assert_output $'body\nnew\njobs'
}

# ---- config --------------------------------------------------------------------------

@test "config prints the defaults that the manual promises" {
    mq-queue create jobs
    run -0 --separate-stderr mq-queue config jobs
    for setting in 'durability = full' 'ack-timeout = 30s' 'max-attempts = 5' 'retry-delay = 1s' 'retry-max-delay = 1h' \
        'ttl = none' 'max-size = 256K' 'max-depth = none' 'dead-ttl = none'; do
        assert_line "$setting"
    done
    lines_out=${#lines[@]}
    run -0 --separate-stderr mq-queue config -j jobs
    assert_json '."ack-timeout" == "30s"' '.ttl == "none"' "length == $lines_out"
}

@test "config sets, prints one key, and returns it to its default" {
    mq-queue create jobs
    run -0 --separate-stderr mq-queue config jobs ttl=1h ack-timeout=2m
    assert_equal "$output$stderr" ''
    run -0 mq-queue config jobs ack-timeout
    assert_output 2m
    mq-queue config jobs ack-timeout=90s
    run -0 mq-queue config jobs ack-timeout
    assert_output 90s
    run -0 --separate-stderr mq-queue config jobs ack-timeout=
    run -0 mq-queue config jobs ack-timeout ttl
    assert_output $'30s\n1h'
    assert_equal "$(ls "$MQ_SPOOL/jobs/tmp")" ''
}

@test "the configuration is a file that people may write, with comments" {
    mq-queue create jobs
    printf '# ours\n\n  max-attempts=7   # seven\r\nttl = none\n' >"$MQ_SPOOL/jobs/config"
    run -0 mq-queue config jobs max-attempts ttl
    assert_output $'7\nnone'
    mq-queue config jobs max-attempts=8
    assert_file_contains "$MQ_SPOOL/jobs/config" '^# ours$'
    run -0 mq-queue config jobs max-attempts
    assert_output 8
}

@test "what is printed can be set again" {
    mq-queue create jobs ack-timeout=1500ms max-size=1000 retry-delay=0.25s
    mq-queue create copy
    mapfile -t settings < <(mq-queue config jobs | sed 's/ = /=/')
    mq-queue config copy "${settings[@]}"
    diff <(mq-queue config jobs) <(mq-queue config copy)
}

@test "an unknown key or a bad value is 78, naming the key, and nothing is changed" {
    mq-queue create jobs ttl=1h
    window=$(mq-queue config jobs dedup-window)
    for setting in nonsense=1 ttl=soon ttl=-1s max-attempts=0 max-attempts=1.5 max-size=-1 durability=maybe \
        ack-timeout=0 ack-timeout=none max-depth=0 retry-delay=99999999999999999999d; do
        run -78 --separate-stderr mq-queue config jobs "$setting"
        assert_complains 'mq-queue: jobs: '
        assert_regex "$stderr" "${setting%%=*}"
        run -78 --separate-stderr mq-queue config jobs dedup-window=2h "$setting"
        run -0 mq-queue config jobs ttl
        assert_output 1h
        run -0 mq-queue config jobs dedup-window
        assert_output "$window"
    done
    run -78 --separate-stderr mq-queue config jobs nonsense
    assert_complains 'mq-queue: jobs: '
}

@test "a bad line in the file is 78, naming line and key" {
    mq-queue create jobs
    printf 'ttl = 1h\nmax-size = huge\n' >"$MQ_SPOOL/jobs/config"
    for command in 'mq-queue config jobs' 'mq-send jobs body' 'mq-recv --no-wait jobs' 'mq-stat jobs'; do
        # shellcheck disable=SC2086 # several words
        run -78 --separate-stderr $command
        assert_complains "${command%% *}: jobs: "
        assert_regex "$stderr" 'line 2: max-size'
    done
}

@test "settings have their effect on running programs" {
    mq-queue create jobs
    mkfifo pipe
    spawn sender bash -c 'exec mq-send -l jobs <pipe'
    exec {pipe}>pipe
    echo one >&"$pipe"
    wait_until 10 has_depth jobs ready 1
    mq-queue config jobs ttl=1h
    has_expiring() { files jobs ready | grep -q '\.x'; }
    # The file is read again about once a second.
    for _ in {1..60}; do
        echo more >&"$pipe"
        ! wait_until 0.1 has_expiring || break
    done
    has_expiring
    exec {pipe}>&-
}

@test "ack-timeout, retry-delay and retry-max-delay are the times of a claim and of its return" {
    mq-queue create jobs ack-timeout=100s retry-delay=500s retry-max-delay=600s
    mq-send -q jobs body
    receipt=$(claim jobs)
    (($(ahead inflight) > 90000000 && $(ahead inflight) <= 100000000))
    mq-ack --nack "$receipt"
    (($(ahead delayed) > 490000000 && $(ahead delayed) <= 600000000))
}

@test "max-attempts = none never gives up" {
    mq-queue create jobs max-attempts=none
    mq-send -q jobs body
    for _ in {1..7}; do
        mq-ack --nack --delay=0 "$(claim jobs)"
    done
    assert_equal "$(states jobs)" '1 0 0 0'
}

@test "max-size is the most that a body may have" {
    mq-queue create jobs max-size=10
    mq-send -q jobs 1234567890
    run -65 --separate-stderr mq-send jobs 12345678901
    assert_complains 'mq-send: jobs: '
    assert_equal "$(states jobs)" '1 0 0 0'
}

@test "dead letters past dead-ttl are buried" {
    mq-queue create jobs
    mq-send -q jobs body
    mq-ack --reject "$(claim jobs)"
    age jobs dead 7200
    mq-queue sweep jobs
    assert_equal "$(depth jobs dead)" 1
    mq-queue config jobs dead-ttl=1h
    mq-queue sweep jobs
    assert_equal "$(depth jobs dead)" 0
}

# ---- peek ----------------------------------------------------------------------------

@test "peek shows what would be received next, and changes nothing" {
    printf '%s\n' {1..12} | mq-send -q -l jobs
    mq-send -q -p 9 -i first jobs 'the first'
    find "$MQ_SPOOL/jobs/ready" | sort >before
    run -0 --separate-stderr mq-queue peek jobs
    assert_equal "$stderr" ''
    assert_equal "${#lines[@]}" 11 # with the titles
    assert_regex "${lines[1]}" '^ready +first +9 +0 .* 9 +the first$'
    find "$MQ_SPOOL/jobs/ready" | sort >after
    cmp before after
    run -0 --separate-stderr mq-queue peek -n 2 jobs
    assert_equal "${#lines[@]}" 3
}

@test "peek looks into any state" {
    fill jobs
    local -A wants=([ready]=waiting [delayed]=later [inflight]=claimed [dead]=dead)
    for state in "${!wants[@]}"; do
        run -0 --separate-stderr mq-queue peek --state="$state" jobs
        assert_equal "${#lines[@]}" 2
        assert_regex "${lines[1]}" "^$state +${wants[$state]} "
        run -0 --separate-stderr mq-queue peek -j --state="$state" jobs
        assert_json ".state == \"$state\"" ".id == \"${wants[$state]}\"" ".body == \"body-${wants[$state]}\"" \
            '.queue == "jobs"' 'has("receipt") == (.state == "inflight")'
    done
    run -0 --separate-stderr mq-queue peek --state=all jobs
    assert_equal "${#lines[@]}" 5
    assert_equal "$(states jobs)" '1 1 1 1'
}

@test "peek --id shows messages whole, wherever they are" {
    fill jobs
    for id in waiting later claimed dead; do
        run -0 --separate-stderr mq-queue peek --id="$id" jobs
        assert_line "Id: $id"
        assert_equal "${lines[-1]}" "body-$id"
    done
    run -0 --separate-stderr mq-queue peek -j -i dead -i later jobs
    assert_equal "$(jq -r .id <<<"$output" | sort | paste -sd' ')" 'dead later'
    run -1 --separate-stderr mq-queue peek -j -i missing -i later jobs
    assert_complains 'mq-queue: jobs: missing: '
    assert_json '.id == "later"'
}

@test "peek into what is empty is 1" {
    mq-queue create jobs
    run -1 --separate-stderr mq-queue peek -j jobs
    assert_output ''
    mq-send -q -d 1h jobs later
    run -1 --separate-stderr mq-queue peek -j jobs
    assert_output ''
}

@test "peek shows no control characters in its table" {
    mq-send -q jobs $'\e[31m red\nsecond\t'
    run -0 --separate-stderr mq-queue peek jobs
    assert_equal "${#lines[@]}" 2
    [[ ${output//$'\n'/} != *[[:cntrl:]]* ]] || fail "$(printf '%q' "$output")"
}

# ---- purge ---------------------------------------------------------------------------

@test "purge removes what waits, and neither claims nor dead letters" {
    fill jobs
    run -0 --separate-stderr mq-queue purge --all jobs
    assert_equal "$output$stderr" ''
    assert_equal "$(states jobs)" '0 0 1 1'
}

@test "purge --state removes from that state" {
    local -A wants=([ready]='0 1 1 1' [delayed]='1 0 1 1' [inflight]='1 1 0 1' [dead]='1 1 1 0' [all]='0 0 0 0')
    for state in "${!wants[@]}"; do
        fill "$state"
        mq-queue purge --state="$state" "$state"
        assert_equal "$state $(states "$state")" "$state ${wants[$state]}"
    done
}

@test "purge --older-than spares what is younger" {
    mq-send -q jobs old
    touch -d '2 hours ago' "$MQ_SPOOL"/jobs/ready/*/*
    mq-send -q jobs new
    mq-queue purge --older-than=3h jobs
    assert_equal "$(states jobs)" '2 0 0 0'
    mq-queue purge --older-than=1h jobs
    take jobs
    assert_equal "$(<got)" new
}

@test "purge says how many with -v and -j" {
    fill jobs
    run -0 --separate-stderr mq-queue purge -j --all jobs
    assert_json '.queue == "jobs"' '.purged == 2'
    run -0 --separate-stderr mq-queue purge -j --all jobs
    assert_json '.purged == 0'
    run -0 --separate-stderr mq-queue purge -v --state=all jobs
    assert_regex "$stderr" '^mq-queue: jobs: .*2'
}

# ---- sweep ---------------------------------------------------------------------------

@test "sweep does what time has brought in every queue" {
    for queue in jobs other; do
        fill "$queue"
        age "$queue" delayed
        age "$queue" inflight
    done
    mq-queue config other max-attempts=1
    run -0 --separate-stderr mq-queue sweep -j
    assert_equal "$(jq -c '[.queue, .due, .lapsed, .expired]' <<<"$output" | paste -sd' ')" '["jobs",1,1,0] ["other",1,1,0]'
    assert_equal "$(states jobs) $(states other)" '3 0 0 1 2 0 0 2'
    run -0 --separate-stderr mq-queue sweep
    assert_equal "$output$stderr" ''
}

@test "sweep puts away what has expired" {
    mq-send -q --ttl=1h jobs body
    file=$(echo "$MQ_SPOOL"/jobs/ready/*/*)
    mv "$file" "$(sed -E 's/\.x[0-9a-f]{13}/.x0038d7ea4c680/' <<<"$file")"
    run -0 --separate-stderr mq-queue sweep -j jobs
    assert_json '.expired == 1'
    assert_equal "$(states jobs)" '0 0 0 1'
}

@test "sweep removes what dead writers left in tmp, and spares the live ones" {
    mq-queue create jobs
    touch "$MQ_SPOOL/jobs/tmp/live"
    touch -d '25 hours ago' "$MQ_SPOOL/jobs/tmp/slow"
    touch -d '37 hours ago' "$MQ_SPOOL/jobs/tmp/dead"
    run -0 --separate-stderr mq-queue sweep -j jobs
    assert_json '.leftovers == 1'
    assert_equal "$(ls "$MQ_SPOOL/jobs/tmp" | paste -sd' ')" 'live slow'
}

# sweep_all_but CALL NAMES ARGUMENT…: let a CALL fail that concerns one of the NAMES, one after the other. `litter` makes
# what there is to sweep, `left_over` lists it. A sweep that has left something must say so.
sweep_all_but() {
    local call=$1 names=$2 nth left sweep=("$MQ_BUILD/dynamic/mq-queue" sweep "${@:3}")
    litter
    faketime -f +2d strace -o trace -e trace="$call" "${sweep[@]}"
    assert_equal "$(left_over)" ''
    for nth in $(grep -nE "$names" trace | cut -d: -f1); do
        litter
        run --separate-stderr faketime -f +2d strace -o trace -e trace="$call" \
            -e inject="$call:error=EIO:when=$nth" "${sweep[@]}"
        grep -q INJECTED trace
        left=$(left_over)
        if [[ -n $left && $status$stderr != 74*': cannot sweep'*': Input/output error' || $(wc -l <<<"$left") -gt 2 ]]; then
            echo "$call $nth: exit status $status, $stderr, left: $left"
            return 1
        fi
    done
}

@test "a sweep that leaves something says so, and sweeps the rest" {
    needs_strace
    command -v faketime >/dev/null || skip 'faketime is not installed'
    mq-queue create jobs
    local queue=$MQ_SPOOL/jobs
    litter() {
        mkdir -p "$queue/done/0000000000000" "$queue/failures" "$queue/delayed/0000001000000" \
            "$queue/tmp/bucket-0123456789abcdef"
        touch "$queue/tmp/one" "$queue/failures/gone" "$queue/done/0000000000000/order-17"
        [[ -p $queue/waiters/waiter-0123456789abcdef ]] || mkfifo -m 600 "$queue/waiters/waiter-0123456789abcdef"
    }
    left_over() {
        (cd "$queue" && ls -d tmp/* waiters/* failures/* done/* done/*/* delayed/0000001000000 2>/dev/null) || true
    }
    local names='"(one|bucket-.*|waiter-.*|gone|order-17|0000001000000)"|done.*"0000000000000"'
    sweep_all_but unlinkat "$names" jobs
    sweep_all_but newfstatat "$names" jobs
    sweep_all_but openat '"waiter-' jobs
}

@test "a sweep of the spool that leaves something says so, and sweeps the rest" {
    needs_strace
    command -v faketime >/dev/null || skip 'faketime is not installed'
    litter() {
        mkdir -p "$MQ_SPOOL"/{_reply-0123456789abcdef,.gone-other-0123456789abcdef,.new-other-0123456789abcdef}
    }
    left_over() {
        ls -A "$MQ_SPOOL"
    }
    local call
    for call in newfstatat unlinkat openat flock; do
        sweep_all_but "$call" '"[._][a-z]+-.*0123456789abcdef|LOCK_EX'
    done
}

@test "sweep removes the FIFOs of dead waiters and spares those of live ones" {
    mq-queue create jobs
    for name in leader dead alive; do
        spawn "$name" mq-recv jobs
        pid[${#pid[@]}]=$!
        wait_until 10 is_asleep $!
    done
    wait_until 10 bash -c "(( \$(find '$MQ_SPOOL/jobs/waiters' -name 'waiter-*' | wc -l) == 2 ))"
    kill -KILL "${pid[1]}"
    wait "${pid[1]}" || true
    mq-queue sweep jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/waiters" -name "waiter-*" | wc -l)" 1
}

@test "sweep removes queues that were never finished or half deleted, once they are old" {
    command -v faketime >/dev/null || skip 'faketime is not installed'
    mq-queue create jobs
    mkdir -p "$MQ_SPOOL/.new-other-0123456789abcdef/ready" "$MQ_SPOOL/.gone-other-0123456789abcdef/dead" "$MQ_SPOOL/.mine"
    mq-queue sweep
    assert_equal "$(find "$MQ_SPOOL" -mindepth 1 -maxdepth 1 | wc -l)" 4
    faketime -f +2d mq-queue sweep
    assert_equal "$(ls -A "$MQ_SPOOL" | paste -sd' ')" '.mine jobs'
}

# ---- check ---------------------------------------------------------------------------

@test "check of a sound queue finds nothing" {
    fill jobs
    spawn waiter mq-recv other --create
    wait_until 10 is_asleep $!
    for i in jobs other; do
        run -0 --separate-stderr mq-queue check "$i"
        assert_equal "$output$stderr" ''
    done
}

@test "check prints what does not belong, each on a line, and is then 65" {
    fill jobs
    mq-queue create sound
    touch "$MQ_SPOOL/jobs/ready/stray" "$MQ_SPOOL/jobs/unknown"
    : >"$MQ_SPOOL/jobs/dead"/*/"$(files jobs dead)"
    run -65 --separate-stderr mq-queue check
    assert_equal "${#lines[@]}" 3
    assert_line --regexp '^jobs/ready/stray: .+'
    assert_line --regexp '^jobs/unknown: .+'
    assert_line --regexp "^jobs/dead/[0-9a-f]+/$(files jobs dead): .+"
    run -65 --separate-stderr mq-queue check -j jobs
    assert_equal "$(jq -r .path <<<"$output" | sort | sed 1d | paste -sd' ')" 'ready/stray unknown'
    assert_json '.queue == "jobs"' '.problem | length > 0'
    assert_exists "$MQ_SPOOL/jobs/ready/stray"
}

@test "check --repair moves what does not belong aside and deletes nothing" {
    fill jobs
    echo precious >"$MQ_SPOOL/jobs/ready/stray"
    mkdir "$MQ_SPOOL/jobs/inflight/stray"
    echo dear >"$MQ_SPOOL/jobs/inflight/stray/file"
    run -0 --separate-stderr mq-queue check --repair jobs
    assert_equal "${#lines[@]}" 2
    run -0 --separate-stderr mq-queue check jobs
    assert_output ''
    assert_equal "$(cat "$MQ_SPOOL"/jobs/aside/stray*  2>/dev/null)" precious
    assert_equal "$(cat "$MQ_SPOOL"/jobs/aside/stray*/file)" dear
    assert_equal "$(states jobs)" '1 1 1 1'
}

# ---- all of them ---------------------------------------------------------------------

@test "a queue that is missing is 66 for every command, and is not made" {
    for command in 'config missing' 'config missing ttl=1h' 'peek missing' 'purge --all missing' 'delete missing' \
        'delete --force missing' 'sweep missing' 'check missing'; do
        # shellcheck disable=SC2086 # several words
        run -66 --separate-stderr mq-queue $command
        assert_complains 'mq-queue: missing: '
        assert_output ''
    done
    assert_not_exists "$MQ_SPOOL/missing"
}

@test "output that cannot be written is status 74" {
    fill jobs
    touch "$MQ_SPOOL/jobs/stray"
    for command in list 'list -j' 'config jobs' 'config -j jobs' 'peek jobs' 'peek -j jobs' 'peek -i dead jobs' \
        'sweep -j' 'purge -j --all jobs'; do
        run -74 --separate-stderr bash -c "mq-queue $command >/dev/full"
        assert_complains 'mq-queue: '
    done
}

@test "--version and --help answer, misuse is refused with 64" {
    run -0 --separate-stderr mq-queue --version
    assert_output --regexp '^mq-queue \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-queue --help
    assert_line --regexp '^Usage: mq-queue '
    fill jobs
    for arguments in '' create delete 'dance jobs' 'peek --state=odd jobs' 'peek -n x jobs' 'purge --older-than=-1h jobs' \
        'delete --no-such-option jobs' 'delete jobs jobs' 'peek'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-queue $arguments
        assert_complains 'mq-queue: '
    done
    assert_equal "$(states jobs)" '1 1 1 1'
}

# ---- the spool -----------------------------------------------------------------------

@test "a user's own spool is in XDG_STATE_HOME, or else in HOME" {
    make_public
    for place in "XDG_STATE_HOME=$public/state HOME=/nowhere" "XDG_STATE_HOME= HOME=$public/home"; do
        # shellcheck disable=SC2086 # two settings
        as_nobody env -u MQ_SPOOL $place mq-queue create jobs
    done
    assert_dir_exists "$public/state/mq/jobs/ready"
    assert_dir_exists "$public/home/.local/state/mq/jobs/ready"
    run -78 --separate-stderr as_nobody env -u MQ_SPOOL -u XDG_STATE_HOME -u HOME mq-queue create jobs
    assert_complains 'mq-queue: '
}

teardown() {
    kill_spawned
    remove_public
}

# ---- what removes more than it names -----------------------------------------------------

@test "purge without saying what is refused, and removes nothing" {
    fill jobs
    run -64 --separate-stderr mq-queue purge jobs
    assert_complains 'mq-queue: purge: say which: '
    run -64 --separate-stderr mq-queue purge --dry-run jobs
    run -64 --separate-stderr mq-queue purge --all --older-than=1h jobs
    run -64 --separate-stderr mq-queue purge --all --id=x jobs
    assert_equal "$(states jobs)" '1 1 1 1'
}

@test "purge takes ids, tells which one is not there, and leaves the others" {
    local id
    for id in one two three; do
        mq-send -q -i "$id" jobs "$id"
    done
    run -1 --separate-stderr mq-queue purge -i one -i missing -i three jobs
    assert_complains 'mq-queue: jobs: missing: no such '
    assert_equal "$(states jobs)" '1 0 0 0'
    run -0 mq-queue purge -j -i two jobs
    assert_json '.purged == 1'
    mq-send -q -i four -p 9 jobs four
    claim jobs
    run -1 --separate-stderr mq-queue purge -i four jobs
    mq-queue purge --state inflight -i four jobs
    assert_equal "$(states jobs)" '0 0 0 0'
}

@test "--dry-run prints the ids of what would go, and removes nothing" {
    fill jobs
    mq-send -q -i one jobs one
    touch -d '2 hours ago' "$MQ_SPOOL"/jobs/ready/*/*.one*
    mq-send -q -l jobs < <(seq 3)
    local before
    before=$(find "$MQ_SPOOL/jobs" ! -path '*/host/*' | sort)
    run -0 --separate-stderr mq-queue purge --dry-run --older-than=1h jobs
    assert_equal "$output$stderr" one
    run -0 --separate-stderr mq-queue purge --dry-run -v --all jobs
    assert_equal "${#lines[@]}" 6
    assert_regex "$stderr" '^mq-queue: jobs: 6 would be purged$'
    run -0 mq-queue purge --dry-run --state all jobs
    assert_equal "${#lines[@]}" 8
    run -0 mq-queue purge --dry-run -j --all jobs
    assert_json '.purged == 6' '.dry_run'
    run -75 --separate-stderr mq-queue delete --dry-run jobs
    assert_equal "${#lines[@]}" 8
    assert_complains 'mq-queue: jobs: not empty'
    run -0 --separate-stderr mq-queue delete --dry-run --force jobs
    assert_equal "${#lines[@]}" 8
    assert_equal "$(find "$MQ_SPOOL/jobs" ! -path '*/host/*' | sort)" "$before"
    mq-queue create empty
    run -0 --separate-stderr mq-queue delete --dry-run empty
    assert_equal "$output$stderr" ''
    assert_exist "$MQ_SPOOL/empty"
    run -66 --separate-stderr mq-queue delete --dry-run missing
}

# ---- spools ----------------------------------------------------------------------------

@test "a spool that cannot be made is 73 and told by its path" {
    local command
    touch file
    for command in 'mq-send jobs body' 'mq-recv --create --no-wait jobs' 'mq-queue create jobs' \
        'mq-queue create --mode=660 jobs'; do
        # shellcheck disable=SC2086 # words
        MQ_SPOOL=/proc/no/such/spool run -73 --separate-stderr $command
        assert_complains "${command%% *}: cannot make the spool /proc/no/such/spool: "
        # shellcheck disable=SC2086
        MQ_SPOOL=$PWD/file/spool run -73 --separate-stderr $command
        assert_complains "${command%% *}: cannot make the spool $PWD/file/spool: "
    done
}

@test "what would make a missing queue is told where it would help" {
    run -66 --separate-stderr mq-recv --no-wait jobs
    assert_regex "$stderr" "no such queue in $MQ_SPOOL: --create makes it\$"
    run -66 --separate-stderr mq-queue config jobs ttl=1h
    assert_regex "$stderr" 'mq-queue create makes it$'
    for command in 'mq-topic config events durability=none' 'mq-topic bind events jobs' 'mq-log config history max-size=1M'; do
        run -66 --separate-stderr $command
        assert_regex "$stderr" "no such (topic|log) in $MQ_SPOOL: ${command%% *} create makes it\$"
    done
    mq-queue create jobs
    run -66 --separate-stderr mq-dlq retry --to missing jobs
    assert_regex "$stderr" 'missing: no such queue .*: mq-queue create makes it$'
    run -66 --separate-stderr mq-dlq list missing
    refute_regex "$stderr" 'makes it'
}

@test "a shared queue that others cannot come to is made with a warning" {
    chmod 755 .
    local public
    public=$(mktemp -d /tmp/mq-test.XXXXXX)
    chmod 711 "$public"
    mkdir -m 700 "$public/spool"
    run -0 --separate-stderr mq-queue -S "$public/spool" create --mode=660 jobs
    assert_equal "$stderr" "mq-queue: jobs: warning: others cannot come to it, since $public/spool has mode 700"
    chmod 710 "$public/spool"
    run -0 --separate-stderr mq-queue -S "$public/spool" create --mode=660 jobs
    assert_equal "$stderr" ''
    if ((EUID == 0)); then
        run -0 --separate-stderr mq-queue -S "$public/spool" create --mode=622 requests
        assert_regex "$stderr" 'spool has mode 710$'
    fi
    chmod 711 "$public/spool"
    chmod 700 "$public"
    run -0 --separate-stderr mq-queue -S "$public/spool" create --mode=660 jobs
    assert_equal "$stderr" "mq-queue: jobs: warning: others cannot come to it, since $public has mode 700"
    run -0 --separate-stderr mq-queue -S "$public/spool" create private
    assert_equal "$stderr" ''
    rm -rf "$public"
}

@test "a message whose file another host removes while it is read is gone, and no error" {
    needs_strace
    mq-queue create jobs
    mq-send -q jobs one
    strace -qq -o trace -e trace=pread64 -e inject=pread64:error=ESTALE mq-queue check jobs
    [[ $(<trace) == *ESTALE* ]]
    run -0 --separate-stderr strace -qq -o trace -e trace=pread64 -e inject=pread64:error=ESTALE mq-queue peek jobs
    [[ $(<trace) == *ESTALE* && $output != *$'\n'* && -z $stderr ]]
    run -1 --separate-stderr strace -qq -o trace -e trace=pread64 -e inject=pread64:error=ESTALE mq-recv --no-wait jobs
    [[ $(<trace) == *ESTALE* && -z $output$stderr ]]
}

@test "a check that lacks descriptors says so, and what it could not see is not sound" {
    mq-queue create jobs
    mq-send -q jobs body
    touch "$MQ_SPOOL/jobs/ready/junk"
    for options in '' --repair; do
        # As many as lets it list, and not open a message.
        for limit in 7 8 9; do
            # shellcheck disable=SC2086 # none or one word
            run -75 --separate-stderr bash -c 'ulimit -n '$limit'; exec mq-queue check '"$options"' jobs'
        done
    done
    run -0 --separate-stderr mq-queue check --repair jobs
    run -0 --separate-stderr mq-queue check jobs
    assert_equal "$(depth jobs ready)" 1
}

@test "sweeping a queue whose figures are right waits for nothing" {
    needs_strace
    mq-queue create jobs
    mq-send -q jobs body
    run -0 strace -qq -o trace -e trace=poll,ppoll,clock_nanosleep mq-queue sweep jobs
    run ! grep -E 'poll\(NULL|nanosleep' trace
}

# ---- doctor ----------------------------------------------------------------------------

doctor() { # STATUS LINE…: it ends so, and says these
    run -"$1" --separate-stderr mq-queue doctor
    assert_equal "$stderr" ''
    local line
    for line in "${@:2}"; do
        assert_line --partial "$line"
    done
}

@test "the doctor says what is wrong with a spool, why, and what to do about it" {
    doctor 0 "ok        spool: $MQ_SPOOL, as MQ_SPOOL says" 'it does not exist yet'
    [[ ! -e $MQ_SPOOL ]]
    env -u MQ_SPOOL HOME="$PWD" XDG_STATE_HOME="$PWD/state" mq-queue doctor -S "$PWD/a"$'\e' >said
    grep -q 'a\\x1b, as -S says' said
    mq-queue create jobs
    # The file system of the test may be any, and its disk nearly full.
    run mq-queue doctor
    grep -vE '^[a-z]+ +(file system|room|inotify): ' <<<"$output" >said
    run ! grep -v '^ok ' said
    local before
    before=$(find "$MQ_SPOOL" | sort)
    mq-queue config jobs retry-delay=2h retry-max-delay=1h max-size=2M max-bytes=1M ttl=1m
    touch "$MQ_SPOOL/jobs/host/other"
    mq-send -q jobs bad
    mq-recv jobs | head -n 1 | mq-ack --reject
    printf 'nonsense\n' >>"$(mq-queue create broken && echo "$MQ_SPOOL/broken/config")"
    chmod o+w "$MQ_SPOOL"
    mq-tx begin -t 1ms >/dev/null
    touch -d '+1 day' "$MQ_SPOOL"
    doctor 2 'warning   jobs: its retry-delay is more than retry-max-delay' 'jobs: its max-size is more than max-bytes' \
        'jobs: its retry-delay is more than ttl' 'warning   jobs: it has pages of 2 hosts' \
        'warning   jobs: dead letters: 1; see `mq-dlq list jobs`' \
        'critical  broken: its configuration is malformed' 'critical  rights: every user' 'warning   clock: ' \
        'warning   transactions: decided or past their deadline, and not carried out: 1'
    run -2 mq-queue doctor -q
    run ! grep '^ok' <<<"$output"
    run -2 mq-queue doctor -j
    assert_json '.level == "ok" or (.finding | length > 9)' 'has("advice")' \
        'if .subject == "rights" and .level == "critical" then .advice == "chmod +t or chmod o-w" else true end'
    mq-log create clicks
    seq 3 | mq-send -q -l clicks
    mq-queue create clicks/fast && mq-queue create clicks/slow
    mq-recv -q -a -n 3 clicks/fast >/dev/null
    doctor 2 'ok        clicks/slow: 3 ready'
    find "$MQ_SPOOL/clicks/log" -type f -exec touch -d '2 hours ago' {} +
    doctor 2 'ok        clicks/fast: ' \
        'warning   clicks/slow: it lags behind its log by 3 messages, the first is 2h old; run more consumers; if nobody'
    rm -r "$MQ_SPOOL" && touch "$MQ_SPOOL"
    doctor 2 'it is no directory; name another one'
    run -64 mq-queue doctor jobs
}

# ---- wait ------------------------------------------------------------------------------

is_watching() { # PID
    is_asleep_as "$1" mq-queue
}

@test "wait ends when the messages are settled, and tells how" {
    local id other ids status=0 begun
    id=$(mq-send jobs one)
    run -1 mq-queue wait -t 0.1 jobs "$id"
    spawn waiter mq-queue wait jobs "$id" "$id"
    wait_until 5 is_watching $!
    begun=$(now_us)
    # A failed attempt settles nothing.
    mq-recv -q --no-wait jobs -- false || true
    run -1 mq-queue wait -t 0.1 jobs "$id"
    wait_until 5 has_depth jobs delayed 1
    age jobs delayed
    mq-recv -a jobs
    wait $!
    # An id that mq-send made was sent; another may be wrong, unless it is remembered.
    mq-queue wait jobs "$id"
    run -66 --separate-stderr mq-queue wait jobs "$id" chosen
    assert_complains 'mq-queue: jobs: chosen: '
    mq-send -q -i chosen jobs two
    mq-recv --once --no-wait jobs -- true
    mq-queue wait jobs chosen
    # Dead, before and while it waits; purged.
    id=$(mq-send jobs three)
    other=$(mq-send jobs four)
    spawn waiter mq-queue wait jobs "$other" "$id"
    wait_until 5 is_watching $!
    mq-recv -q --no-wait jobs -- sh -c 'printf "no\tgood" >&2; exit 65' || true
    run -65 --separate-stderr mq-queue wait jobs "$id"
    assert_complains "mq-queue: jobs: $id: it is a dead letter: exit"
    mq-recv -a jobs
    wait $! || status=$?
    assert_equal "$status $(wc -l <waiter.err)" '65 1'
    id=$(mq-send -d 1h jobs five)
    spawn waiter mq-queue wait jobs "$id"
    wait_until 5 is_watching $!
    mq-queue purge --all jobs
    status=0
    wait $! || status=$?
    assert_equal "$status" 65
    # Many that share files, taken one by one; the queue deleted meanwhile.
    mapfile -t ids < <(seq 300 | mq-send -l jobs)
    spawn waiter mq-queue wait jobs "${ids[@]:100}"
    wait_until 5 is_watching $!
    mq-recv -a -l -n 3 jobs >/dev/null
    mq-recv -a -l -n 297 jobs >/dev/null
    wait $!
    spawn waiter mq-queue wait jobs "$(mq-send -d 1h jobs six)"
    wait_until 5 is_watching $!
    mq-queue delete --force jobs
    status=0
    wait $! || status=$?
    assert_equal "$status $(<waiter.err)" '66 mq-queue: jobs: cannot look: the queue is gone'
}

@test "wait refuses what is no id, and wakes seldom" {
    local id before n
    run -64 --separate-stderr mq-queue wait jobs
    id=$(mq-send -d 1h jobs one)
    run -64 --separate-stderr mq-queue wait jobs "$id" $'a\nb'
    assert_complains 'mq-queue: jobs: '
    run -66 mq-queue wait other "$id"
    spawn waiter mq-queue wait jobs "$id"
    wait_until 5 is_watching $!
    # What happens to others does not make it list the queue.
    before=$(awk '/syscr/ { print $2 }' "/proc/$!/io")
    for n in {1..20}; do mq-send -q --no-sync jobs "$n"; done
    (($(awk '/syscr/ { print $2 }' "/proc/$!/io") - before < 100))
}
