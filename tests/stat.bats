# mq-stat: the figures of queues, as a table and as JSON.
# shellcheck disable=SC2154 # stderr is set by run
load helper

# One message in each state, and a second one ready.
fill() { # QUEUE
    mq-send -q "$1" dead
    mq-ack --reject "$(claim "$1")"
    mq-send -q "$1" claimed
    claim "$1" >receipt
    mq-send -q -d 1h "$1" later
    printf '1\n2\n' | mq-send -q -l "$1"
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
    assert_equal "$(row QUEUE)" 'QUEUE READY DELAYED INFLIGHT DEAD OLDEST SIZE'
    assert_regex "$(row jobs)" '^jobs 2 1 1 1 [0-9]+s [0-9.]+[KM]?$'
    assert_regex "$(row empty)" '^empty 0 0 0 0 - 0$'
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
        if (NF != 7) bad = 1
    }
    END { for (i = 1; i <= 7; i++) if (!left[i] && !right[i]) bad = 1; exit bad }' <<<"$output" || fail "$output"
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
    assert_json 'keys == ["acked", "bytes", "dead", "delayed", "delivered", "died", "expired", "inflight",
        "oldest_seconds", "queue", "ready", "retried", "sent"]'
    assert_json 'del(.queue, .oldest_seconds) | all(.[]; type == "number")'
    output=$(grep '"jobs"' <<<"$output")
    assert_json '.ready == 2' '.delayed == 1' '.inflight == 1' '.dead == 1' '.oldest_seconds | . >= 0 and . < 60' \
        ".bytes == $(bytes jobs)" '.sent == 5' '.delivered == 2' '.died == 1' '.acked == 0'
    run -0 --separate-stderr mq-stat -j empty
    assert_json '.oldest_seconds == null' '.bytes == 0' '.ready == 0'
}

@test "the counters grow with what is done, and the depths follow" {
    printf '1\n2\n3\n' | mq-send -q -l jobs
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

@test "ages and sizes are humane in the table" {
    mq-queue create jobs max-size=1G
    truncate -s 3500K large
    mq-send -q --no-sync jobs <large
    touch -d '3 hours ago' "$MQ_SPOOL"/jobs/ready/*/*
    run -0 --separate-stderr mq-stat jobs
    assert_regex "$(row jobs)" '^jobs 1 0 0 0 3h 3\.[45]M$'
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
    command -v strace >/dev/null || skip 'strace is not installed'
    seq 10 | mq-send -q --no-sync -l shallow
    seq 2000 | mq-send -q --no-sync -l deep
    for queue in shallow deep; do
        ASAN_OPTIONS=detect_leaks=0 strace -o "$queue.trace" mq-stat -j "$queue" >/dev/null 2>strace.err || skip "strace does not work here: $(<strace.err)"
    done
    shallow=$(wc -l <shallow.trace) deep=$(wc -l <deep.trace)
    ((deep <= shallow + 10)) || fail "$shallow system calls with 10 messages, $deep with 2000"
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

@test "a spool without queues, or none at all, is no failure" {
    run -0 --separate-stderr mq-stat -j
    assert_equal "$output$stderr" ''
    assert_not_exists "$MQ_SPOOL"
    mkdir "$MQ_SPOOL"
    run -0 --separate-stderr mq-stat
    assert_equal "$(row QUEUE)" 'QUEUE READY DELAYED INFLIGHT DEAD OLDEST SIZE'
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

@test "--version and --help answer, misuse is refused with 64" {
    run -0 --separate-stderr mq-stat --version
    assert_output --regexp '^mq-stat \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-stat --help
    assert_line --regexp '^Usage: mq-stat '
    run -64 --separate-stderr mq-stat --no-such-option
    assert_complains 'mq-stat: '
}
