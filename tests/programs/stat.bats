# mq-stat: the figures of queues as a table, as JSON and in a format of the user's; and --check and --warn.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

# One message in each state, and a second one ready.
fill() { # QUEUE
    mq-send -q "$1" dead
    mq-ack --reject "$(claim "$1")"
    mq-send -q "$1" claimed
    claim "$1" >receipt
    mq-send -q -d 1h "$1" later
    printf '1\n2\n' | mq-send -q -l --batch 1 "$1"
}

# The bytes of all messages, by the file system.
bytes() { # QUEUE
    find "$MQ_SPOOL/$1"/{ready,delayed,inflight,dead} -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}

row() { # QUEUE: its row, blanks squeezed
    awk -v queue="$1" '$1 == queue { $1 = $1; print }' <<<"$output"
}

@test "the table shows every queue and its messages by state" {
    fill jobs
    mq-queue create empty
    run -0 --separate-stderr mq-stat
    assert_equal "$stderr" ''
    assert_equal "${#lines[@]}" 3
    assert_equal "$(row QUEUE)" 'QUEUE READY DELAYED INFLIGHT DEAD OLDEST IN/s OUT/s ERR% SIZE'
    assert_regex "$(row jobs)" "^jobs 2 1 1 1 [0-9]+ [0-9.]+ [0-9.]+ 100.000 $(bytes jobs)\$"
    assert_equal "$(row empty)" 'empty 0 0 0 0 - 0.000 0.000 - 0'
}

@test "the columns of the table line up" {
    mq-queue create a-queue-with-quite-a-long-name
    mq-queue create b
    seq 12 | mq-send -q -l b
    run -0 --separate-stderr mq-stat
    # Each column begins, or ends, at the same place in every line.
    awk '{
        line = $0; place = 0
        for (i = 1; i <= NF; i++) {
            start = place + index(line, $i); end = start + length($i)
            line = substr($0, end); place = end - 1
            if (NR == 1) { starts[i] = start; ends[i] = end; left[i] = right[i] = 1 }
            left[i] = left[i] && start == starts[i]; right[i] = right[i] && end == ends[i]
        }
        if (NF != 10) bad = 1
    }
    END { for (i = 1; i <= 10; i++) if (!left[i] && !right[i]) bad = 1; exit bad }' <<<"$output" || fail "$output"
}

@test "only the queues that are named are shown" {
    mq-queue create one
    mq-queue create two
    mq-queue create three
    run -0 --separate-stderr mq-stat -j three one
    assert_equal "$(jq -r .queue <<<"$output" | sort | paste -sd' ')" 'one three'
}

@test "-j prints an object a queue, with numbers as numbers" {
    fill jobs
    mq-queue create empty
    run -0 --separate-stderr mq-stat -j jobs empty
    assert_equal "${#lines[@]}" 2
    # Its members are those that the manual has, in its order.
    mq-topic create events
    jq -r keys_unsorted[] <<<"${lines[0]}" >members
    mq-stat -j events | jq -r keys_unsorted[] >>members
    printf '%s\n' transactions_{open,unfinished} >>members # only where there is any
    sed -n '/^\.Ss FIGURES/,/^\.Ss CONDITIONS/p' "$MQ_ROOT/man/mq-stat.1" | sed -n 's/^\.It Cm //p' | tr -s ' ,' '\n' >documented
    diff <(sort documented) <(sort members)
    assert_json 'del(.queue, .oldest_seconds, .lag_seconds, .held_seconds, .next, .missed, .paused) | with_entries(select(.key |
        startswith("errors") | not)) | all(.[]; type == "number")'
    output=$(grep '"jobs"' <<<"$output")
    assert_json '.ready == 2' '.delayed == 1' '.inflight == 1' '.dead == 1' '.oldest_seconds | . >= 0 and . < 60' \
        ".bytes == $(bytes jobs)" '.sent == 5' '.delivered == 2' '.died == 1' '.acked == 0'
    run -0 --separate-stderr mq-stat -j empty
    assert_json '.oldest_seconds == null' '.bytes == 0' '.ready == 0' '.lag_seconds == 0' '.errors_15m == null' \
        '.held_seconds == null'
}

@test "the counters grow with what is done, and the depths follow" {
    printf '1\n2\n3\n' | mq-send -q -l --batch 1 jobs
    take jobs
    mq-ack --nack --delay=0 "$(claim jobs)"
    mq-ack --reject "$(claim jobs)"
    mq-queue purge --state=ready jobs
    run -0 --separate-stderr mq-stat -j
    assert_json '.sent == 3' '.delivered == 3' '.acked == 1' '.retried == 1' '.died == 1' '.ready == 0' '.dead == 1' \
        ".bytes == $(bytes jobs)"
    mq-dlq purge --all jobs
    run -0 --separate-stderr mq-stat -j
    assert_json '.dead == 0' '.bytes == 0' '.died == 1'
}

# on_terminal COLUMNS COMMAND: what a terminal of that width gets, in the file `screen`.
on_terminal() {
    script -qec "stty cols $1 rows 24; $2" /dev/null </dev/null | tr -d '\r' >screen
}

plain() { # FILE: without control sequences
    sed 's/\x1b\[[0-9;]*m//g' "$1"
}

@test "ages and sizes are humane on a terminal, and plain numbers in a pipe" {
    needs_terminal
    mq-queue create jobs max-size=1G
    truncate -s 3500K large
    mq-send -q --no-sync jobs <large
    touch -d '3 hours ago' "$MQ_SPOOL"/jobs/ready/*/*
    on_terminal 100 'mq-stat jobs'
    output=$(plain screen)
    assert_regex "$(row jobs)" '^jobs 1 0 0 0 3h [0-9.]+ 0 - 3\.[45]M '
    run -0 --separate-stderr mq-stat jobs
    assert_regex "$(row jobs)" "^jobs 1 0 0 0 108[0-9][0-9] [0-9.]+ 0.000 - $(bytes jobs)\$"
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.oldest_seconds | . >= 10800 and . < 10860'
}

@test "the oldest message counts, whatever its priority" {
    mq-send -q -p 1 jobs old
    touch -d '2 hours ago' "$MQ_SPOOL"/jobs/ready/*/*
    mq-send -q -p 9 jobs new
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.oldest_seconds | . >= 7200 and . < 7260'
    run -0 --separate-stderr mq-stat -jx jobs
    assert_json '.oldest_seconds | . >= 7200 and . < 7260'
}

@test "--exact counts what lies there, whoever put it or took it away" {
    fill jobs
    rm "$MQ_SPOOL"/jobs/ready/*/"$(files jobs ready | head -n 1)" "$MQ_SPOOL"/jobs/dead/*/*
    run -0 --separate-stderr mq-stat --exact -j jobs
    assert_json '.ready == 1' '.delayed == 1' '.inflight == 1' '.dead == 0' ".bytes == $(bytes jobs)"
    mq-queue sweep jobs
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.ready == 1' '.dead == 0' ".bytes == $(bytes jobs)"
}

@test "the figures come at the same cost however deep the queue is" {
    needs_strace
    seq 10 | mq-send -q --no-sync -l shallow
    seq 2000 | mq-send -q --no-sync -l deep
    for queue in shallow deep; do
        strace -o "$queue.trace" mq-stat -j "$queue" >/dev/null
    done
    shallow=$(wc -l <shallow.trace) deep=$(wc -l <deep.trace)
    ((deep <= shallow + 10)) || fail "$shallow system calls with 10 messages, $deep with 2000"
}

# What can be seen of jobs, without what time changes.
see() { # COMMAND…
    "$@" | jq -c 'if type == "object" then [.queue, .ready, .delayed, .inflight, .dead, .bytes, .id] else . end'
}

@test "whatever cannot be looked at, what is shown as the answer is the whole of it" {
    needs_strace
    local command call nth
    fill jobs
    mq-queue create other
    for command in 'mq-stat -j --exact jobs' 'mq-stat -j' 'mq-dlq list -j jobs' 'mq-queue peek -j jobs' 'mq-queue list -j'; do
        # shellcheck disable=SC2086 # words
        see $command >whole
        for call in newfstatat faccessat2 getdents64 openat2; do
            for ((nth = 1; nth < 100; nth++)); do
                # shellcheck disable=SC2086 # words
                strace -qq -o trace -e "trace=$call" -e "inject=$call:error=EIO:when=$nth" $command >seen 2>err || [[ -s err ]]
                grep -q INJECTED trace || break
                [[ -s err ]] || see cat seen | diff whole - || fail "$command: $call $nth"
            done
            ((nth < 100))
        done
    done
}

@test "looking changes nothing" {
    fill jobs
    find "$MQ_SPOOL/jobs"/{ready,delayed,inflight,dead} | sort >before
    mq-stat >/dev/null
    mq-stat -x >/dev/null
    find "$MQ_SPOOL/jobs"/{ready,delayed,inflight,dead} | sort >after
    cmp before after
}

@test "a queue that is missing is 66, and the others are shown" {
    mq-queue create one
    mq-queue create two
    run -66 --separate-stderr mq-stat -j one missing two
    assert_complains 'mq-stat: missing: '
    assert_equal "$(jq -r .queue <<<"$output" | paste -sd' ')" 'one two'
    assert_not_exists "$MQ_SPOOL/missing"
}

@test "a spool that is not there is told, whatever is shown of it" {
    local options
    for options in '' -j -x --ages --inflight --capacity --prometheus -w '--format={queue}'; do
        # shellcheck disable=SC2086 # options
        run -66 --separate-stderr timeout 10 mq-stat $options
        assert_complains "mq-stat: there is no spool $MQ_SPOO"
    done
    run -3 --separate-stderr mq-stat --check 'dead>0'
    assert_output --partial 'MQ UNKNOWN'
    run -66 --separate-stderr mq-queue list
    run -66 --separate-stderr mq-queue check
    run -66 --separate-stderr mq-queue sweep
    local program
    for program in mq-log mq-topic mq-tx; do
        for options in '' -j; do
            # shellcheck disable=SC2086 # none or one word
            run -66 --separate-stderr "$program" list $options
            assert_complains "$program: there is no spool $MQ_SPOO"
            assert_equal "$output" ''
        done
    done
    assert_not_exists "$MQ_SPOOL"
    # Root's is there as a rule.
    if ((EUID != 0)); then
        HOME=$PWD MQ_SPOOL='' run -66 --separate-stderr mq-stat
        assert_complains "mq-stat: there is no spool $PWD/.local/state/mq"
        HOME=$PWD MQ_SPOOL='' run -0 --separate-stderr mq-queue sweep
        assert_equal "$output$stderr" ''
    fi
    touch file
    run -66 --separate-stderr mq-stat -S file
    assert_complains 'mq-stat: cannot look into the spool file: '
}

@test "the spool in force is told: where it holds nothing, with -v, and with --help" {
    mkdir "$MQ_SPOOL"
    run -0 --separate-stderr mq-stat
    assert_equal "$stderr" "mq-stat: no queues in $MQ_SPOOL"
    run -0 --separate-stderr mq-stat -q
    assert_equal "$stderr" ''
    mq-queue create jobs
    run -0 --separate-stderr mq-stat
    assert_equal "$stderr" ''
    run -0 --separate-stderr mq-stat --filter 'dead>0'
    assert_equal "$stderr" ''
    run -0 --separate-stderr mq-stat -v
    assert_equal "$stderr" "mq-stat: the spool is $MQ_SPOOL"
    local program
    for program in mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue; do
        run -0 "$program" --help
        assert_output --partial "$MQ_SPOOL."
        run -0 "$program" -S /somewhere --help
        assert_output --partial 'The spool in force is /somewhere.'
    done
}

@test "whoever became root is told that root has a spool of its own" {
    ((EUID == 0)) || skip "needs root"
    MQ_SPOOL='' SUDO_USER=alice run -0 mq-stat --help
    assert_output --partial 'alice'
    run -0 --separate-stderr env SUDO_USER=alice mq-stat --help
    refute_output --partial alice
    MQ_SPOOL='' SUDO_USER=alice run -66 --separate-stderr mq-recv --no-wait no-such-queue-of-this-name
    assert_regex "$stderr" '/var/spool/mq \(.*alice.*\): --create makes it$'
}

@test "an unknown figure, command or setting says which there are" {
    local options
    mq-queue create jobs
    for options in --format=queue,redy --sort=redy '--filter=redy>1' '--format={redy}'; do
        run -64 --separate-stderr mq-stat "$options"
        assert_regex "${stderr%%$'\n'*}" 'redy.*: no such figure: there are queue, ready, .*, transactions_unfinished$'
    done
    run -3 --separate-stderr mq-stat --check='redy>1'
    assert_regex "$stderr" 'there are queue, ready, '
    run -64 --separate-stderr mq-queue lsit
    assert_regex "$stderr" "'lsit': no such command: there are create, config, .*, events"
    run -64 --separate-stderr mq-dlq
    assert_regex "$stderr" 'no command is given: there are list, show, retry, purge'
    run -78 --separate-stderr mq-queue config jobs max-dept=3
    assert_regex "$stderr" 'max-dept: no such key: there are durability, .*max-depth'
}

@test "a spool without queues is no failure" {
    mkdir "$MQ_SPOOL"
    run -0 --separate-stderr mq-stat -j
    assert_equal "$output$stderr" ''
    run -0 --separate-stderr mq-stat
    assert_equal "$(row QUEUE)" 'QUEUE READY DELAYED INFLIGHT DEAD OLDEST IN/s OUT/s ERR% SIZE'
    assert_equal "${#lines[@]}" 1
}

@test "what is no queue in the spool is not shown" {
    mq-queue create jobs
    mkdir "$MQ_SPOOL/.hidden" "$MQ_SPOOL/lost+found" "$MQ_SPOOL/plain"
    touch "$MQ_SPOOL/file"
    run -0 --separate-stderr mq-stat -j
    assert_equal "$(jq -r .queue <<<"$output")" jobs
}

@test "figures that cannot be written are status 74" {
    mq-queue create jobs
    for options in '' '-j'; do
        run -74 --separate-stderr bash -c "mq-stat $options >/dev/full"
        assert_complains 'mq-stat: '
    done
}

@test "a terminal gets colours and a bar as far as it is wide, NO_COLOR none, a pipe no control sequences" {
    needs_terminal
    seq 8 | mq-send -q -l jobs
    seq 4 | mq-send -q -l half
    mq-queue create empty
    export TERM=xterm
    on_terminal 140 'mq-stat'
    grep -q $'\e\[' screen
    plain screen >lines
    bar() { grep "^$1 " lines | grep -o '█*' | head -n 1; }
    assert_equal "$(bar jobs)" "$(bar half)$(bar half)"
    refute grep -q '^empty.*█' lines
    NO_COLOR=1 on_terminal 140 'mq-stat'
    refute grep -q $'\e\[' screen
    grep -q '^jobs.*██' screen
    TERM=dumb on_terminal 140 'mq-stat'
    refute grep -q $'\e\[' screen
    LC_ALL=C on_terminal 140 'mq-stat'
    plain screen >lines
    refute grep -q '[^ -~]' lines
    grep -q '^jobs.* ####*$' <(plain screen)
    on_terminal 60 'mq-stat'
    plain screen >lines
    refute grep -q '.\{61\}' lines
    TERM=xterm mq-stat >piped
    refute grep -q '[^ -~]' piped
}

# ---- rates and counters ---------------------------------------------------------------

# near A B: two decimal numbers that differ by less than a tenth.
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b * 0.9 && a < b * 1.1) }'
}

@test "a single look shows the rates of the last 1, 5 and 15 minutes" {
    seq 900 | mq-send -q --no-sync -l jobs
    mq-recv -a -l -n 300 jobs >got
    mq-stat -j jobs >look
    near "$(jq .in_1m look)" 15
    near "$(jq .in_5m look)" 3
    near "$(jq .in_15m look)" 1
    near "$(jq .out_5m look)" 1
    near "$(jq .lag_seconds look)" 600
}

@test "rates decay by themselves, as load averages do" {
    command -v faketime >/dev/null || skip 'faketime is not installed'
    seq 900 | mq-send -q --no-sync -l jobs
    faketime -f +5m mq-stat -j jobs >look
    near "$(jq .in_5m look)" 1.104 # 3 / e
    near "$(jq .in_1m look)" 0.101 # 15 / e^5
    faketime -f +2d mq-stat -j jobs >look
    jq -e '.in_1m == 0 and .in_15m < 0.001' look
    # A look changes nothing: it is the same at once.
    near "$(mq-stat -j jobs | jq .in_5m)" 3
}

@test "redeliveries, failures and deaths are counted, by their cause" {
    mq-queue create jobs max-attempts=2 retry-delay=1ms
    mq-send -q jobs bad
    mq-ack --nack --delay=0 "$(claim jobs)"
    claim jobs >receipt # and that attempt was the last
    age jobs inflight
    mq-queue sweep jobs
    mq-send -q jobs worse
    mq-ack --reject --reason 'no such thing' "$(claim jobs)"
    mq-send -q --ttl 1ms jobs late
    mq-send -q jobs torn
    truncate -s 5 "$MQ_SPOOL"/jobs/ready/*/*"$(files jobs ready | tail -n 1)"
    sleep 0.01 # so that it is late
    run -1 mq-recv --no-wait jobs
    mq-send -q jobs good
    take jobs
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.redelivered == 1' '.failed == 3' '.retried == 1' '.died == 4' '.died_max_attempts == 1' \
        '.died_rejected == 1' '.died_expired == 1' '.died_corrupt == 1' '.acked == 1' '.expired == 1' \
        '.errors | . > 74.9 and . < 75.1'
}

@test "how long messages are held is measured from the claim, through extensions" {
    mq-send -q jobs work
    claim jobs >receipt
    age_claim() { # let the claim have been made a minute ago
        local file begun
        for file in "$MQ_SPOOL"/jobs/inflight/*/*; do
            printf -v begun '%013x' $(($(now_us) - 60000000))
            mv "$file" "$(sed "s/\.b[0-9a-f]*/.b$begun/" <<<"$file")"
        done
    }
    age_claim
    mq-ack --extend 1h "$(<receipt)"
    mq-ack "$(<receipt)"
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.held_seconds | . >= 60 and . < 70'
}

@test "the pages of all hosts are added up" {
    seq 3 | mq-send -q -l jobs
    take jobs
    cp "$MQ_SPOOL"/jobs/host/* "$MQ_SPOOL"/jobs/host/another
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.ready == 4' '.sent == 6' '.acked == 2'
}

@test "after processes were killed at random the figures are off by at most one file each, and a sweep puts them right" {
    local kills=0 round
    mq-queue create jobs durability=none ack-timeout=1h
    seq 400 | mq-send -q -l --batch 1 jobs
    for round in {1..12}; do
        spawn sender bash -c 'exec mq-send -q -l --batch 1 jobs < <(yes)'
        spawn receiver mq-recv -a -l -f jobs
        wait_until 20 test -s receiver.out
        kill_spawned
        kills=$((kills + 2))
    done
    mq-stat -j jobs >counted
    mq-stat -jx jobs >exact
    jq -es --argjson kills $kills '.[0] as $a | .[1] as $b |
        all("ready", "delayed", "inflight", "dead"; . as $state | $a[$state] - $b[$state] | fabs <= $kills)' counted exact
    mq-queue sweep jobs
    diff <(mq-stat -j jobs | jq '[.ready, .delayed, .inflight, .dead, .bytes]') \
        <(mq-stat -jx jobs | jq '[.ready, .delayed, .inflight, .dead, .bytes]')
}

@test "where nothing was killed the figures are exactly what lies there" {
    local state
    mq-queue create jobs max-attempts=2 retry-delay=1ms durability=none
    seq 300 | mq-send -q -l jobs
    seq 50 | mq-send -q -l -d 1h jobs
    mq-recv -a -l -n 100 jobs >/dev/null
    mq-recv -j -n 40 jobs | jq -r .receipt >receipts
    head -n 10 receipts | mq-ack
    sed -n 11,20p receipts | mq-ack --nack
    sed -n 21,30p receipts | mq-ack --reject
    sed -n 31,35p receipts | mq-ack --release
    mq-dlq purge --older-than 0s --all jobs 2>/dev/null || mq-dlq purge --all jobs
    mq-queue purge --state delayed jobs
    diff <(mq-stat -j jobs | jq '[.ready, .delayed, .inflight, .dead, .bytes]') \
        <(mq-stat -jx jobs | jq '[.ready, .delayed, .inflight, .dead, .bytes]')
}

# ---- as asked for ------------------------------------------------------------------------

three_queues() {
    seq 3 | mq-send -q -l small
    seq 30 | mq-send -q -l large
    mq-queue create empty
}

@test "--format chooses columns, members of objects, or a line of text" {
    three_queues
    run -0 --separate-stderr mq-stat --format=queue,depth,delivered
    assert_equal "$(row QUEUE)" 'QUEUE READY DELIVERED'
    assert_equal "$(row large)" 'large 30 0'
    run -0 --separate-stderr mq-stat -j --format=ready,queue small
    assert_output '{"ready":3,"queue":"small"}'
    run -0 --separate-stderr mq-stat --format='{queue}\t{ready} of {sent}, \\ {oldest}' empty small
    assert_line --index 0 $'empty\t0 of 0, \\ -'
    assert_line --index 1 --regexp $'^small\t3 of 3, \\\\ [0-9]+$'
    local bad
    for bad in nonsense 'queue,' 'ready,,dead' '{nonsense}' '{queue' ''; do
        run -64 --separate-stderr mq-stat --format="$bad"
        assert_complains 'mq-stat: '
    done
    run -64 --separate-stderr mq-stat -j --format='{queue}'
    assert_complains 'mq-stat: '
}

@test "--sort sorts by any figure, either way, and --filter leaves out what is not wanted" {
    three_queues
    names() { mq-stat --format '{queue}' "$@" | paste -sd' '; }
    assert_equal "$(names)" 'empty large small'
    assert_equal "$(names --sort ready)" 'empty small large'
    assert_equal "$(names --sort=-ready)" 'large small empty'
    assert_equal "$(names --sort=-queue)" 'small large empty'
    assert_equal "$(names --sort oldest)" 'empty large small' # none is least, and the youngest next
    assert_equal "$(names --filter 'depth>2' --filter 'ready<=3')" small
    assert_equal "$(names --filter 'queue!=large')" 'empty small'
    assert_equal "$(names --filter 'oldest<1h')" 'large small' # an empty queue has none
    assert_equal "$(names --filter 'size>=1T')" ''
    local bad
    for bad in depth '>3' 'depth>' 'depth>x' 'depth>3m' 'oldest>3x' 'depth!3' 'nonsense>3' 'queue>a' 'errors>-1' 'size>1X'; do
        run -64 --separate-stderr mq-stat --filter "$bad"
        assert_complains 'mq-stat: '
    done
    run -64 --separate-stderr mq-stat --sort nonsense
    assert_complains 'mq-stat: '
}

@test "options that do not go together are refused" {
    local options
    for options in '--ages --inflight' '--watch --capacity' '--output=x' '--check=depth>1 -j' '--prometheus -j' \
        '--ages --sort=ready' '--inflight --exact' '--capacity=0s' '--prometheus=xml' '--watch=0' '--check=depth>1 --ages'; do
        # shellcheck disable=SC2086 # options
        run --separate-stderr mq-stat $options
        [[ $status == 64 || ($status == 3 && $options == *--check*) ]]
        assert_complains 'mq-stat: '
    done
}

# ---- closer looks ------------------------------------------------------------------------

@test "--ages counts the messages of each state by age" {
    seq 4 | mq-send -q -l --batch 1 jobs
    touch -d '2 hours ago' "$(find "$MQ_SPOOL/jobs/ready" -type f | sort | head -n 1)"
    touch -d '20 days ago' "$(find "$MQ_SPOOL/jobs/ready" -type f | sort | tail -n 1)"
    mq-send -q -d 1h jobs later
    mq-queue create empty
    run -0 --separate-stderr mq-stat --ages
    assert_equal "$(row QUEUE)" 'QUEUE STATE TOTAL <10s 1m 5m 15m 1h 6h 1d 7d OLDER'
    assert_equal "$(row jobs | head -n 1)" 'jobs ready 4 2 0 0 0 0 1 0 0 1'
    assert_equal "${#lines[@]}" 3
    run -0 --separate-stderr mq-stat --ages -j jobs
    assert_json '.total == ([.[] | numbers] | add) - .total' '.queue == "jobs"'
    jq -es '.[1] | .state == "delayed" and .under_10s == 1' <<<"$output"
}

@test "--inflight tells who holds what, since when, and until when" {
    printf '%s\n' one two | mq-send -q -l jobs
    mkfifo pipe
    spawn holder bash -c 'mq-recv -t 10m jobs; read -r _ <pipe'
    local holder=$!
    wait_until 5 test -s holder.out
    run -0 --separate-stderr mq-stat --inflight
    assert_equal "$(row QUEUE)" 'QUEUE ID ATTEMPT OWNER HOST COMMAND HELD LEFT'
    assert_regex "$(row jobs)" "^jobs [0-9a-f-]+ 1 $holder here bash [0-9]+s (9m|10m)\$"
    run -0 --separate-stderr mq-stat --inflight -j
    assert_json ".owner == $holder" '.command == "bash"' '.attempts == 1' '(.host | length) <= 8' \
        '(.deadline | startswith("20")) and .deadline > .claimed'
    kill_spawned
    run -0 --separate-stderr mq-stat --inflight
    assert_regex "$(row jobs)" "^jobs [0-9a-f-]+ 1 $holder here ended "
    # Somebody who receives for himself holds it himself.
    spawn self bash -c 'exec mq-recv -a -f jobs >pipe'
    exec 5<>pipe
    local self=$!
    head -c 400000 /dev/zero | tr '\0' x >large
    mq-queue config jobs max-size=1M
    mq-send -q jobs <large
    wait_until 5 bash -c "mq-stat --inflight | grep -q ' $self  here  mq-recv '"
    exec 5<&-
}

@test "a page of another host that cannot be opened now is not taken for none" {
    local nth error
    needs_strace
    mq-send -q jobs one
    cp "$(echo "$MQ_SPOOL"/jobs/host/*)" "$MQ_SPOOL/jobs/host/another"
    assert_equal "$(mq-stat -j jobs | jq .sent)" 2
    strace -o trace -e trace=openat2 mq-stat jobs >/dev/null
    nth=$(grep -n '"host/another"' trace | cut -d: -f1)
    for error in EMFILE:75 EIO:74; do
        run "-${error#*:}" strace -o /dev/null -e trace=openat2 -e inject=openat2:error="${error%:*}":when="$nth" mq-stat jobs
        assert_output --partial "jobs: cannot count: "
    done
}

@test "a claim of another host, or one that says nothing of its owner, is shown as far as it goes" {
    mq-send -q -i one jobs one
    claim jobs >receipt
    for file in "$MQ_SPOOL"/jobs/inflight/*/*; do
        mv "$file" "$(sed -E 's/\.p[^.]*/.p77-feedbeef/' <<<"$file")"
    done
    run -0 --separate-stderr mq-stat --inflight
    assert_regex "$(row jobs)" '^jobs one 1 77 feedbeef - [0-9]+s [0-9]+s$'
    for file in "$MQ_SPOOL"/jobs/inflight/*/*; do
        mv "$file" "$(sed -E 's/\.b[^.]*\.p[^.]*//' <<<"$file")"
    done
    run -0 --separate-stderr mq-stat --inflight
    assert_regex "$(row jobs)" '^jobs one 1 - - - - [0-9]+s$'
    mq-ack "$(<receipt)" # and is as good as any
}

@test "what a process calls itself cannot write on the terminal" {
    cp "$(command -v sleep)" $'ev\e[31mil' 2>/dev/null
    mq-send -q jobs one
    spawn evil ./$'ev\e[31mil' 100
    claim jobs >receipt
    for file in "$MQ_SPOOL"/jobs/inflight/*/*; do
        mv "$file" "$(sed "s/\.p[0-9]*-/.p$!-/" <<<"$file")"
    done
    wait_until 5 grep -q evil <(tr -d '\033[31m' </proc/$!/comm) || true
    run -0 --separate-stderr mq-stat --inflight
    assert_output --partial 'ev\x1b[31mil'
    refute_output --partial $'\e'
}

@test "--capacity follows Little's law" {
    # 3,000 messages in, 1,500 out in the last minutes, each held for 2 seconds: 5 consumers at work, 10 needed.
    mq-queue create jobs durability=none max-depth=100000
    seq 3000 | mq-send -q -l jobs
    mq-recv -j -n 1500 jobs | jq -r .receipt >receipts
    local begun
    printf -v begun '%013x' $(($(now_us) - 2000000))
    sed -i "s/\.b[0-9a-f]*/.b$begun/" receipts
    mq-ack <receipts
    run -0 --separate-stderr mq-stat --capacity=1500s -j jobs
    assert_json '.backlog == 1500' '.in > 9 and .in < 10.1' '.out > 4.5 and .out < 5.1'
    assert_json '(.busy / (.out * .held_seconds)) | . > 0.99 and . < 1.01'
    assert_json '.needed == (.in * .held_seconds | ceil)' '.needed_for_backlog == ((.in + 1) * .held_seconds | ceil)'
    assert_json '.held_p50_seconds >= .held_seconds / 2' '.gone_seconds == null'
    # The queue is full first: at max-depth.
    assert_json '(.full_seconds - (100000 - 1500) / (.in - .out)) | fabs < 100'
    run -0 --separate-stderr mq-stat --capacity jobs
    assert_equal "$(row QUEUE)" 'QUEUE IN/s OUT/s HELD BUSY NEEDED CATCH-UP BACKLOG GONE FULL'
    assert_regex "$(row jobs)" ' 1500 never [0-9]+[smhd]$'
    mq-queue create idle
    run -0 --separate-stderr mq-stat --capacity idle
    assert_equal "$(row idle)" 'idle 0 0 - - - - 0 0s never'
}

# ---- complaining -------------------------------------------------------------------------

@test "--check and --warn answer as monitoring plugins do" {
    seq 12 | mq-send -q -l jobs
    mq-queue create calm
    run -2 --separate-stderr mq-stat --check 'depth>10' jobs
    assert_output "MQ CRITICAL - jobs ready is 12 (depth>10) | 'jobs_depth'=12;;10;0;"
    run -0 --separate-stderr mq-stat --check 'depth>12' --warn 'oldest>30m' calm jobs
    assert_output --regexp "^MQ OK - 2 queues \\| 'calm_depth'=0;;12;0; 'calm_oldest'=U;1800;;0; 'jobs_depth'=12;;12;0; 'jobs_oldest'=[0-9.]+s;1800;;0;\$"
    run -1 --separate-stderr mq-stat --check 'depth>20' --warn 'depth>10'
    assert_output --partial "MQ WARNING - jobs ready is 12 (depth>10) |"
    assert_output --partial "'jobs_depth'=12;10;20;0;"
    assert_output --partial "'calm_depth'=0;10;20;0;"
    run -2 --separate-stderr mq-stat --check 'depth>11' --warn 'depth>10'
    assert_output --partial "MQ CRITICAL - jobs ready is 12 (depth>11) |"
    run -2 --separate-stderr mq-stat --check 'depth<1'
    assert_output --partial "'jobs_depth'=12;;1:;0;"
    assert_equal "${#lines[@]}" 1
}

consumers() { # ALL WAITING WORKING
    [[ $(mq-stat --format consumers,consumers_waiting,consumers_working jobs | tail -n 1 | xargs) == "$*" ]]
}

@test "consumers are the processes that wait and those that hold a claim, each once" {
    mq-send -q jobs one
    consumers 0 0 0
    # Nobody holds it any more once its claim has passed its deadline.
    mq-recv -t 0.1 jobs >/dev/null
    wait_until 5 consumers 0 0 0
    mq-queue purge --all --state all jobs
    mq-send -q jobs two
    spawn w1 mq-recv -f -P 2 jobs -- sleep 60
    wait_until 10 consumers 1 1 1
    spawn w2 mq-recv -f jobs -- sleep 60
    spawn w3 mq-recv -f -a jobs
    local last=$!
    wait_until 10 consumers 3 3 1
    run -0 mq-stat --check 'consumers<1' jobs
    assert_equal "$(mq-stat -j jobs | jq -c '[.consumers, .consumers_waiting, .consumers_working]')" '[3,3,1]'
    mq-stat --prometheus | grep -Fqx 'mq_queue_consumers{queue="jobs"} 3'
    # A waiting process that was killed is not counted, be it the one that leads or another.
    kill -KILL "$last"
    wait_until 10 consumers 2 2 1
    kill -KILL "${spawned[@]}" || true
    wait_until 10 consumers 1 0 1
    mq-queue purge --state inflight jobs
    run -2 mq-stat --check 'consumers<1' jobs
    assert_output --partial consumers
}

@test "a check of errors, of ages and of sizes" {
    mq-queue create jobs
    run -0 mq-stat --check 'errors>1%' --check 'oldest>30m' --check 'size>1K'
    mq-send -q jobs one
    touch -d '31 minutes ago' "$MQ_SPOOL"/jobs/ready/*/*
    run -2 mq-stat --check 'oldest>30m'
    assert_output --partial 'jobs oldest_seconds is 31m (oldest>30m)'
    mq-ack --reject "$(claim jobs)"
    run -2 mq-stat --check 'errors_5m>1%'
    assert_output --partial "'jobs_errors_5m'=100%;;1;0;"
    run -0 mq-stat --check 'size>1K'
    assert_output --partial "'jobs_size'=$(bytes jobs)B;;1024;0;"
}

@test "what cannot be checked is unknown: a missing queue, a wrong command line, an output that fails" {
    seq 12 | mq-send -q -l jobs
    run -3 --separate-stderr mq-stat --check 'depth>100' jobs missing
    assert_output --partial 'MQ UNKNOWN - not every queue could be seen |'
    run -2 --separate-stderr mq-stat --check 'depth>1' jobs missing
    assert_output --partial 'MQ CRITICAL - jobs ready is 12 (depth>1), not every queue could be seen |'
    run -3 --separate-stderr mq-stat --check 'depth>x'
    assert_complains 'mq-stat: '
    run -3 --separate-stderr mq-stat --nonsense --warn 'depth>1'
    run -3 --separate-stderr bash -c "mq-stat --check 'depth>1' >/dev/full"
}

@test "--version and --help answer, misuse is refused with 64" {
    run -0 --separate-stderr mq-stat --version
    assert_output --regexp '^mq-stat \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-stat --help
    assert_line --regexp '^Usage: mq-stat '
    run -64 --separate-stderr mq-stat --no-such-option
    assert_complains 'mq-stat: '
}

@test "a terminal that obeys no control sequences gets none, also from --watch" {
    needs_terminal
    mq-send -q jobs body
    on_terminal 80 'TERM=dumb timeout 3 mq-stat -w100ms' || true
    run ! grep -q $'\e' screen
    (($(grep -c '^jobs ' screen) >= 2)) || fail "$(<screen)"
}

# On a file system that keeps such times and sizes, as tmpfs does.
look_at_extremes() {
    local second command size
    mq-queue create jobs
    for second in -9223372036854775808 -1 9223372036854775807; do
        mq-send -q -i "at$second" jobs body
        touch -d "@$second" "$MQ_SPOOL"/jobs/ready/*/*".at$second."* || return 100
    done
    for command in 'mq-stat -x jobs' 'mq-stat --ages jobs' 'mq-stat -j jobs' 'mq-queue peek jobs' 'mq-queue peek -j jobs'; do
        timeout 20 $command || return
    done
    for size in -1 9223372036854775807; do
        truncate -s 9223372036854775807 "$MQ_SPOOL"/jobs/ready/*/*".at$size."* || return 100
    done
    for command in 'mq-stat -x jobs' 'mq-queue sweep jobs' 'mq-stat jobs' 'mq-stat --ages jobs' 'mq-queue peek jobs'; do
        timeout 20 $command || return
    done
}

@test "times and sizes at the ends of their range overflow nothing" {
    [[ -d /dev/shm && -w /dev/shm ]] || skip "no /dev/shm is here"
    MQ_SPOOL=$(mktemp -d /dev/shm/mq-test.XXXXXX)
    run --separate-stderr look_at_extremes
    rm -rf "$MQ_SPOOL"
    ((status != 100)) || skip "this file system keeps no such time or size"
    assert_equal "$status $stderr" '0 '
    # No age or size is negative.
    run ! grep -E ' -[0-9]+[smhd]|"-|: *-[0-9]' <<<"$output"
}

@test "a delayed message that is sent when a queue is recounted is counted as delayed" {
    mq-queue create jobs max-depth=2
    mq-send -q jobs one
    mq-send -q jobs two
    rm "$MQ_SPOOL"/jobs/ready/*/* # as if they had been taken by a process that was killed before it counted
    mq-send -q -d 1h jobs three
    assert_equal "$(mq-stat -j jobs | jq -c '[.ready, .delayed]')" '[0,1]'
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .delayed]')" '[0,1]'
}

@test "topics and transactions have sections of their own" {
    mq-topic create events
    mq-topic bind events jobs
    run -0 mq-stat
    assert_line --index 0 --partial QUEUE
    assert_line --index 2 'TOPIC   BINDINGS  PUBLISHED  ROUTED  UNROUTABLE'
    assert_line --index 3 'events         1          0       0           0'
    refute_output --partial TX-OPEN
    tx=$(mq-tx begin)
    mq-send -q events hello
    run -0 mq-stat
    assert_line --index 4 'TX-OPEN  TX-UNFINISHED'
    run -0 mq-stat -j
    assert_equal "$(jq -c '[.queue, .topic, .transactions_open]' <<<"$output")" \
        $'["jobs",null,null]\n[null,"events",null]\n[null,null,1]'
    # A transaction past its deadline that nobody has undone.
    for open in "$MQ_SPOOL"/.outbox/*."$tx"; do mv "$open" "$MQ_SPOOL/.outbox/0000000000001.$tx"; done
    run -2 mq-stat --check 'published>0' --check 'transactions_unfinished>0' --warn 'routed>0' --warn 'ready>5'
    assert_output --partial 'events published is 1 (published>0), spool transactions_unfinished is 1'
    assert_output --partial "'events_routed'=1;0;;0;"
    # Figures that a thing does not have meet no condition, and queues that are named come without the spool.
    run -0 mq-stat --check 'published>=0' --check 'transactions_unfinished>0' jobs
    assert_output 'MQ OK - 1 queue |'
    run -0 mq-stat --filter 'unroutable<=0' -j
    assert_json '.topic == "events"'
    run -0 mq-stat --filter 'topic!=other' --format queue,topic
    assert_line --index 2 '-      events'
    run -66 mq-stat nothing
}
