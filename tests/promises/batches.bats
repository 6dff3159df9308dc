# Several messages in one file: a user notices the speed, and nothing else.

load ../helper

# Lines A to B, without syncing; they share files.
send_lines() { # QUEUE A B
    seq "$2" "$3" | mq-send -q --no-sync -l --linger 1m "$1"
}

file_count() { # QUEUE STATE
    files "$1" "$2" | wc -l
}

states() { # QUEUE
    echo "$(depth "$1" ready) $(depth "$1" delayed) $(depth "$1" inflight) $(depth "$1" dead)"
}

# What mq-stat says of it, from its counters.
counted() { # QUEUE
    mq-stat -j "$1" | jq -r '"\(.ready) \(.delayed) \(.inflight) \(.dead)"'
}

has_lines() { # FILE NUMBER
    (($(wc -l <"$1") == $2))
}

# All that is ready, acked, a line each.
drain() { # QUEUE
    mq-recv -a -l -f --no-wait "$1" || (($? == 1))
}

assert_nothing_left() { # QUEUE
    assert_equal "$(states "$1")" '0 0 0 0'
    assert_equal "$(counted "$1")" '0 0 0 0'
    assert_equal "$(mq-stat -j "$1" | jq .bytes)" 0
    assert_equal "$(ls "$MQ_SPOOL/$1/tmp")" ''
}

# ---- sending -----------------------------------------------------------------------

@test "lines share files, up to 256 each, and come out in their order" {
    seq 600 >want
    mq-send --no-sync -l jobs <want >ids
    has_lines ids 600
    assert_equal "$(sort -u ids | wc -l)" 600
    assert_equal "$(file_count jobs ready)" 3
    assert_equal "$(states jobs)" '600 0 0 0'
    assert_equal "$(counted jobs)" '600 0 0 0'
    drain jobs >got
    cmp got want
    assert_nothing_left jobs
}

# Lines of all lengths, more than 16 MiB: many short ones, one longer than what is moved between blocks, one longer than a
# block, one longer than a file of several, and a last one without its newline.
make_lines() {
    {
        seq -f %0200.0f 20000
        head -c 200000 /dev/zero | tr '\0' a
        echo
        seq 20000
        head -c 3000000 /dev/zero | tr '\0' b
        echo
        seq -f %0200.0f 60000
        printf 'the last'
    } >lines
}

@test "a file of many lines is sent as it is, however long they are" {
    local queue
    make_lines
    for queue in jobs piped named; do mq-queue create "$queue" max-size=4M; done
    mq-send -q --no-sync -l jobs <lines
    mq-send -q --no-sync -l piped < <(cat lines)
    mq-send -q --no-sync -l named -f lines
    echo >>lines
    for queue in jobs piped named; do
        assert_equal "$(depth "$queue" ready)" "$(wc -l <lines)"
        drain "$queue" >got
        cmp got lines
    done
}

@test "a file is read by a thread of its own, or where there can be none without" {
    needs_strace
    [[ -z ${SANITIZE-} ]] || skip "sanitizers need the address space"
    local limit
    make_lines
    for limit in unlimited 12000; do
        mq-queue create "$limit" max-size=4M
        strace -f --seccomp-bpf -qq -o calls -e trace=clone,clone3 \
            bash -c 'ulimit -v "$1"; exec mq-send -q --no-sync -l "$1"' - "$limit" <lines
        threads[${#threads[@]}]=$(grep -c clone calls || true)
        drain "$limit" >got
        cmp got <(cat lines && echo)
    done
    assert_equal "${threads[*]}" '1 0'
}

@test "a pipe is widened once it is found full" {
    python3 -c 'import fcntl, os; fcntl.fcntl(os.pipe()[0], fcntl.F_SETPIPE_SZ, 1 << 19)' 2>/dev/null ||
        skip "no pipe may be as wide here"
    python3 - >sizes <<'EOF'
import fcntl, os, subprocess

def size_after(text):
    end, other = os.pipe()
    os.write(other, text)
    os.close(other)
    subprocess.run(["mq-send", "-q", "--no-sync", "-l", "jobs"], stdin=end, check=True)
    return fcntl.fcntl(end, fcntl.F_GETPIPE_SZ)

print(size_after(b"one line\n") > 65536, size_after(b"1234567\n" * 8192) > 65536)
EOF
    assert_equal "$(<sizes)" 'False True'
    assert_equal "$(depth jobs ready)" 8193
}

@test "a file that cannot be read to its end is told, and the lines before that are sent" {
    needs_strace
    local sent
    seq -f %0200.0f 100000 >lines
    run -74 --separate-stderr strace -f -qq -o calls -P "$PWD/lines" -e trace=read -e inject=read:error=EIO:when=3 \
        mq-send -q --no-sync -l jobs <lines
    assert_regex "$stderr" '^mq-send: jobs: record [0-9]+: cannot read the input: Input/output error; [0-9]+ sent$'
    sent=$(depth jobs ready)
    assert_regex "$stderr" "; $sent sent\$"
    drain jobs >got
    cmp got <(head -n "$sent" lines)
    ((sent > 0))
}

@test "the ids that are printed are those of the messages, in order" {
    seq 300 | mq-send --no-sync -l --linger 1m jobs >ids
    mq-recv -a -j -f --no-wait jobs | jq -r '"\(.id) \(.body)"' >got
    diff got <(paste -d' ' ids <(seq 300))
}

@test "records and JSON share files, too" {
    printf 'a\0b\nc\0\0' | mq-send -q -0 jobs
    assert_equal "$(file_count jobs ready)" 1
    mq-recv -a -0 -n 3 jobs | cmp - <(printf 'a\0b\nc\0\0')
    jq -nc 'range(40) | {body: "b\(.)", headers: {Number: "\(.)"}}' | mq-send -q -j --linger 1m jobs
    assert_equal "$(file_count jobs ready)" 1
    mq-recv -a -j -n 40 jobs | jq -r '"\(.body) \(.headers.Number)"' | diff - <(seq 0 39 | sed 's/.*/b& &/')
    assert_nothing_left jobs
}

@test "the command line's headers, type and priority are on each" {
    seq 3 | mq-send -q -l -p 7 --type t -H 'Tenant: acme' jobs
    assert_equal "$(file_count jobs ready)" 1
    run -0 mq-recv -a -j -n 3 jobs
    assert_json '.priority == 7' '.headers.Type == "t"' '.headers.Tenant == "acme"'
    assert_equal "$(wc -l <<<"$output")" 3
}

@test "what differs in priority, due time or expiry is in different files" {
    mq-send -q -j jobs <<'END'
{"body":"1","priority":5}
{"body":"2","priority":5}
{"body":"3"}
{"body":"4","ttl":"1h"}
{"body":"5","delay":"1h"}
{"body":"6","delay":"1h"}
{"body":"7"}
END
    assert_equal "$(states jobs)" '5 2 0 0'
    assert_equal "$(file_count jobs ready)/$(file_count jobs delayed)" 4/1
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4 7'
}

@test "--batch, batch-count and batch-size say how many share a file" {
    seq 10 | mq-send -q -l --batch 4 jobs
    assert_equal "$(file_count jobs ready)" 3
    seq 11 20 | mq-send -q -l --batch 1 jobs
    assert_equal "$(file_count jobs ready)" 13
    mq-queue config jobs batch-count=5
    seq 21 30 | mq-send -q -l jobs
    assert_equal "$(file_count jobs ready)" 15
    mq-queue config jobs batch-count=256 batch-size=1K
    for n in 1 2 3; do printf '%0300d\n' "$n"; done | mq-send -q -l --linger 1m jobs
    assert_equal "$(file_count jobs ready)" 17
    assert_equal "$(drain jobs | sed 's/^0*//' | paste -sd' ')" "$(seq -s' ' 30) 1 2 3"
    for value in batch-count=0 batch-count=5000 batch-size=0 batch-size=9M batch-count=x; do
        run -78 --separate-stderr mq-queue config jobs "$value"
        assert_regex "$stderr" "${value%=*}"
    done
}

@test "a message that is larger than a batch has a file to itself" {
    mq-queue create jobs batch-size=1K
    printf '%s\n' small "$(printf '%05000d' 7)" other | mq-send -q -l --linger 1m jobs
    assert_equal "$(drain jobs | wc -c)" $((6 + 5001 + 6))
}

@test "lines that come within --linger share a file, and one does not wait longer for others" {
    mkfifo lines
    spawn sender bash -c 'exec mq-send -l --linger 30s jobs <lines'
    exec {feed}>lines
    echo 1 >&"$feed"
    wait_until 10 is_asleep "${spawned[0]}"
    assert_equal "$(<sender.out)" ''
    echo 2 >&"$feed"
    exec {feed}>&-
    wait "${spawned[0]}"
    assert_equal "$(file_count jobs ready)" 1

    spawn other bash -c 'exec mq-send -l other <lines'
    exec {feed}>lines
    echo 1 >&"$feed"
    wait_until 10 has_lines other.out 1
    exec {feed}>&-
}

@test "a mistake in a later record sends those before it, and says how many" {
    { seq 7; head -c 300000 /dev/zero | tr '\0' x; echo; echo 9; } >in
    run -65 --separate-stderr mq-send -l jobs <in
    assert_complains 'mq-send: jobs: record 8: '
    assert_regex "$stderr" '7 sent'
    assert_equal "$(wc -l <<<"$output")" 7
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4 5 6 7'
}

@test "a full queue takes as many of a batch as there is room for" {
    mq-queue create jobs max-depth=10
    run -75 --separate-stderr mq-send -l jobs < <(seq 25)
    assert_complains 'mq-send: jobs: record 11: '
    assert_regex "$stderr" '10 sent'
    assert_equal "$(drain jobs | paste -sd' ')" "$(seq -s' ' 10)"
}

@test "a batch is durable before one of its ids is printed, at the cost of one message" {
    needs_strace
    mq-send -q jobs first
    seq 200 >in
    strace -f -e trace=fsync,fdatasync,linkat,write -o trace mq-send -l jobs <in >ids
    assert_equal "$(grep -cE 'f(data)?sync\(.*= 0' trace)" "$(
        mq-send -q jobs another
        strace -f -e trace=fsync,fdatasync -o single mq-send jobs one >/dev/null
        grep -cE 'f(data)?sync\(.*= 0' single
    )"
    awk '/sync\(/ { synced = NR } /write\(1,/ && !printed { printed = NR } END { exit !(synced && printed > synced) }' trace
}

@test "batches that are sent together are on their way, named and synced before one of their ids is printed" {
    needs_strace
    mq-send -q jobs first
    seq 900 >in
    strace -e trace=sync_file_range,fsync,fdatasync,linkat,write -o trace mq-send -l jobs <in >ids
    awk '
        { file = $1; sub(/^[a-z_]*\(/, "", file); file += 0 }
        /^(fdatasync|sync_file_range.*WAIT_AFTER)/ { ahead[file] }
        /^linkat\(/       { names++; wrong += !(file in ahead) }
        /^f(data)?sync\(/ { if (file in ahead) contents += !synced[file]++; else if (names) named = names }
        /^write\(1,/      { wrong += named != 4 || contents != 4 }
        END { print contents, names, wrong + 0 }' trace >figures
    assert_equal "$(<figures)" '4 4 0'
    assert_equal "$(wc -l <ids)" 900
    diff <(drain jobs) <(echo first; seq 900)
}

@test "of batches that are sent together, none is sent that the disk has not, and each that was told is" {
    needs_strace
    local fault sent faults='fdatasync:3 fsync:1'
    ! keeps_order || faults='sync_file_range:7 fsync:1 fsync:5'
    seq 900 >in
    for fault in $faults linkat:3+; do
        rm -rf "$MQ_SPOOL"
        mq-send -q --no-sync jobs first
        run -74 --separate-stderr strace -o /dev/null -e trace=sync_file_range,fdatasync,fsync,linkat,write \
            -e inject="${fault%:*}:error=EIO:when=${fault#*:}" mq-send -l jobs <in
        sent=${#lines[@]}
        [[ $stderr == "mq-send: jobs: record $((sent + 1)): cannot publish: "*"; $sent sent" ]] || fail "$stderr"
        diff <(drain jobs) <(echo first; seq "$sent")
        [[ $fault != linkat* ]] || assert_equal "$sent" 512
    done
}

# ---- one message of a batch ----------------------------------------------------------

@test "a claim takes one message, and leaves the others ready" {
    send_lines jobs 1 100
    receipt=$(claim jobs)
    assert_equal "$(tail -n +2 claimed)" 1
    assert_equal "$(states jobs)" '99 0 1 0'
    assert_equal "$(counted jobs)" '99 0 1 0'
    mq-ack "$receipt"
    assert_equal "$(counted jobs)" '99 0 0 0'
    assert_equal "$(drain jobs | paste -sd' ')" "$(seq -s' ' 2 100)"
    assert_nothing_left jobs
}

@test "claims one after the other take a batch apart in order, to the last byte" {
    send_lines jobs 1 30
    for n in $(seq 30); do
        receipt=$(claim jobs)
        assert_equal "$(tail -n +2 claimed)" "$n"
        mq-ack "$receipt"
    done
    assert_nothing_left jobs
}

@test "a claimed message is whole in JSON, with its own id and headers" {
    jq -nc 'range(3) | {id: "m\(.)", body: "b\(.)", headers: {Number: "\(.)"}}' | mq-send -q -j jobs
    for n in 0 1 2; do
        run -0 mq-recv -j jobs
        assert_json ".id == \"m$n\"" ".body == \"b$n\"" ".headers.Number == \"$n\"" '.attempts == 1'
    done
}

@test "a message that comes back keeps its place in front of the others, its attempt counted" {
    send_lines jobs 1 5
    mq-ack --nack --delay 0s "$(claim jobs)"
    run -0 mq-recv -j jobs
    assert_json '.body == "1"' '.attempts == 2'
    mq-ack --release "$(jq -r .receipt <<<"$output")"
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4 5'
}

@test "of a batch, one message may be rejected, retried and delayed" {
    send_lines jobs 1 5
    mq-ack --reject --reason odd "$(claim jobs)"
    mq-ack --nack --delay 1h "$(claim jobs)"
    assert_equal "$(states jobs)" '3 1 0 1'
    run -0 mq-dlq list -j jobs
    assert_json '.preview == "1"' '.reason == "odd"' '.size == 1'
    mq-dlq retry jobs
    assert_equal "$(drain jobs | paste -sd' ')" '1 3 4 5'
}

@test "eight workers share a batch, and none waits while messages are there" {
    send_lines jobs 1 8
    for n in 1 2 3 4 5 6 7 8; do
        mq-recv --no-wait -t 1h jobs >"got.$n"
    done
    for n in 1 2 3 4 5 6 7 8; do
        assert_equal "$(tail -n +2 "got.$n")" "$n"
    done
    run -1 mq-recv --no-wait jobs
}

@test "racing receivers of single messages get each of a batch once" {
    send_lines jobs 1 2000
    for n in 1 2 3 4; do
        spawn "single$n" bash -c 'while mq-recv -a -l -n 7 --no-wait jobs; do :; done'
    done
    spawn whole mq-recv -a -l -f -w 1s jobs
    wait "${spawned[@]}" || true
    diff <(sort -n single?.out whole.out) <(seq 2000)
    mq-queue sweep jobs
    assert_nothing_left jobs
}

# link(2) looks for the old name before it makes the new one, so a slow one makes it when the split is long over.
@test "receivers that split the same batches at once never get the same message" {
    local n round
    for round in 1 2 3 4 5; do
        send_lines "jobs$round" 1 2560
        spawned=()
        for n in 1 2 3 4 5 6 7 8; do
            spawn "claims$n" mq-recv -j -t 1h -n 320 --no-wait "jobs$round"
        done
        wait "${spawned[@]}"
        diff <(jq -r .body claims?.out | sort -n) <(seq 2560)
    done
}

@test "-n takes exactly so many, across files and within them" {
    send_lines jobs 1 700
    mq-recv -a -l -n 300 jobs >got
    mq-recv -a -l -n 1 jobs >>got
    assert_equal "$(states jobs)" '399 0 0 0'
    mq-recv -a -l -n 399 jobs >>got
    diff got <(seq 700)
    assert_nothing_left jobs
}

# ---- whole batches --------------------------------------------------------------------

# A receiver of whole batches that reads no further than its output takes.
is_signal_taken() { # PID: no signal waits for it to be read, or it has ended
    [[ $(ps -o state= -p "$1") != [^Z]* ||
        $(sed -n 's/^ShdPnd:\t//p' "/proc/$1/status") == 0000000000000000 ]]
}

spawn_blocked() { # OPTION…
    mkfifo out
    spawn blocked bash -c 'exec mq-recv -a -l -f "$@" jobs >out' receiver "$@"
    exec {reader}<out
    wait_until 10 has_claim
    wait_until 10 is_asleep "${spawned[0]}"
}

has_claim() {
    (($(depth jobs inflight) > 0))
}

# Lines that are longer than what a pipe takes, all together.
send_long_lines() { # COUNT
    seq -f '%02000.0f' "$1" | mq-send -q --no-sync -l --linger 1m jobs
}

@test "what was not written when the receiver is ended goes back uncounted, and what was is acked" {
    send_long_lines 100
    spawn_blocked
    kill -TERM "${spawned[0]}"
    wait_until 10 is_signal_taken "${spawned[0]}"
    cat <&"$reader" | sed 's/^0*//' >got
    wait "${spawned[0]}"
    exec {reader}<&-
    assert_equal "$(depth jobs inflight)" 0
    run -0 mq-queue peek -j -n 1 jobs
    assert_json '.attempts == 0'
    drain jobs | sed 's/^0*//' >rest
    (($(wc -l <got) > 10))
    diff <(cat got rest) <(seq 100)
    assert_nothing_left jobs
}

@test "a line that was begun is finished after a signal, and a second signal leaves it torn but is no success" {
    local first_size ended
    send_long_lines 100
    spawn_blocked
    kill -TERM "${spawned[0]}"
    wait_until 10 is_signal_taken "${spawned[0]}"
    kill -TERM "${spawned[0]}"
    ended=0
    wait "${spawned[0]}" || ended=$?
    assert_equal "$ended" 143
    cat <&"$reader" >torn
    exec {reader}<&-
    [[ $(tail -c 1 torn) != '' ]]
    assert_equal "$(depth jobs inflight)" 0
    drain jobs | sed 's/^0*//' >rest
    diff <(head -n "$(wc -l <torn)" torn | sed 's/^0*//'; cat rest) <(seq 100)
    assert_nothing_left jobs
}

@test "a message larger than a pipe is whole after a signal, in each form, and what follows goes back" {
    local options ended expected
    for options in -a -al -a0 -aj -j '' '-a -n 5' '-a --ack-every=1' '-al -f'; do
        head -c 200000 /dev/zero | tr '\0' '#' | mq-send -q jobs
        mq-send -q jobs second
        mkfifo "out$options"
        # shellcheck disable=SC2086 # none, or words
        spawn large bash -c 'exec mq-recv $1 jobs >"out$1"' receiver "$options"
        exec {reader}<"out$options"
        wait_until 10 has_claim
        wait_until 10 is_asleep "${spawned[-1]}"
        kill -TERM "${spawned[-1]}"
        wait_until 10 is_signal_taken "${spawned[-1]}"
        cat <&"$reader" >got
        exec {reader}<&-
        ended=0
        wait "${spawned[-1]}" || ended=$?
        expected=0
        [[ $options != *-n* ]] || expected=143
        assert_equal "$options $ended" "$options $expected"
        assert_equal "$(tr -cd '#' <got | wc -c)" 200000
        case $options in
        -a*) assert_equal "$(states jobs)" '1 0 0 0' ;;
        *) assert_equal "$(states jobs)" '1 0 1 0' ;;
        esac
        mq-queue delete --force jobs
        mq-queue create jobs durability=none
    done
}

@test "a receiver that is ended too late to ack what it wrote says so" {
    mq-queue create jobs ack-timeout=100ms
    send_long_lines 100
    spawn_blocked
    kill -STOP "${spawned[0]}"
    wait_until 10 mq-recv --no-wait -t 1h jobs
    kill -TERM "${spawned[0]}"
    kill -CONT "${spawned[0]}"
    wait_until 10 is_signal_taken "${spawned[0]}"
    cat <&"$reader" >/dev/null
    local ended=0
    wait "${spawned[0]}" || ended=$?
    assert_equal "$ended" 1
    assert_equal "$(<blocked.err)" "mq-recv: jobs: cannot ack: the claim ended while the output was written, and it will be delivered again"
    exec {reader}<&-
}

@test "a reader that goes away costs nothing" {
    send_long_lines 256
    run -0 --separate-stderr bash -c 'mq-recv -a -l -f jobs | head -n 3 | sed "s/^0*//"'
    assert_output $'1\n2\n3'
    assert_equal "$(depth jobs inflight)" 0
    drain jobs | sed 's/^0*//' >rest
    assert_equal "$(tail -n 1 rest)" 256
    diff rest <(seq "$(head -n 1 rest)" 256)
}

@test "a claim on a batch is kept while its output is slowly read" {
    mq-queue create jobs ack-timeout=1s
    send_long_lines 100
    spawn_blocked
    claimed_until=$(files jobs inflight)
    is_extended() { [[ $(files jobs inflight) > $claimed_until ]]; }
    wait_until 10 is_extended
    run -1 mq-recv --no-wait jobs
    sed 's/^0*//' <&"$reader" >got 3>&- &
    register $!
    exec {reader}<&-
    wait_until 10 has_depth jobs inflight 0
    kill -TERM "${spawned[0]}"
    wait "${spawned[@]}"
    diff got <(seq 100)
}

@test "a batch whose receiver was killed comes back, then a message at a time" {
    mq-queue create jobs max-attempts=3
    send_long_lines 50
    spawn_blocked
    kill -KILL "${spawned[0]}"
    exec {reader}<&-
    age jobs inflight
    mq-queue sweep jobs
    assert_equal "$(states jobs)" '50 0 0 0'
    receipt=$(claim jobs)
    assert_equal "$(states jobs)" '49 0 1 0'
    mq-ack --nack --delay 0s "$receipt"
    mq-ack --nack --delay 0s "$(claim jobs)"
    assert_equal "$(states jobs)" '49 0 0 1'
    assert_equal "$(drain jobs | sed 's/^0*//' | paste -sd' ')" "$(seq -s' ' 2 50)"
    assert_equal "$(mq-dlq list -j jobs | jq -r '.reason, .size')" $'max-attempts\n2000'
}

@test "a batch whose attempts are used up becomes dead letters, one a message" {
    mq-queue create jobs max-attempts=1
    send_long_lines 50
    spawn_blocked
    kill -KILL "${spawned[0]}"
    exec {reader}<&-
    age jobs inflight
    mq-queue sweep jobs
    assert_equal "$(states jobs)" '0 0 0 50'
    assert_equal "$(counted jobs)" '0 0 0 50'
    assert_equal "$(file_count jobs dead)" 50
    mq-dlq retry jobs
    assert_equal "$(drain jobs | sed 's/^0*//' | paste -sd' ')" "$(seq -s' ' 50)"
    assert_nothing_left jobs
}

@test "--ack-every lets less come back" {
    send_long_lines 100
    spawn_blocked --ack-every 10
    kill -KILL "${spawned[0]}"
    exec {reader}<&-
    left=$(depth jobs inflight)
    ((left < 100 && left % 10 == 0))
    assert_equal "$(counted jobs)" "0 0 $left 0"
    age jobs inflight
    mq-queue sweep jobs
    drain jobs | sed 's/^0*//' >got
    diff got <(seq $((101 - left)) 100)
    assert_nothing_left jobs
}

@test "a corrupt message in a batch makes a dead letter of itself and what follows, and no other" {
    for n in {1..9}; do echo "{\"body\":\"$n\"}"; done | mq-send -q -j --linger 1m jobs
    file=$(find "$MQ_SPOOL/jobs/ready" -type f)
    python3 - "$file" <<'END'
import sys
text = open(sys.argv[1], "rb").read()
at = [i for i in range(len(text)) if text.startswith(b"Content-Length", i)][4]
open(sys.argv[1], "r+b").write(text[:at] + b"Content-Lengxh" + text[at + 14:])
END
    run -65 mq-queue check jobs
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4'
    assert_equal "$(states jobs)" '0 0 0 5'
    assert_equal "$(mq-dlq list -j jobs | jq -r .reason)" corrupt
    send_lines jobs 1 1
    assert_equal "$(drain jobs)" 1
}

@test "what is corrupt does not count as received" {
    local file
    for queue in some none; do
        send_lines $queue 1 3
        file=$(find "$MQ_SPOOL/$queue/ready" -type f)
        truncate -s -1 "$file"
    done
    send_lines some 4 9
    run -0 mq-recv -a -l -n 4 --no-wait some
    assert_output $'4\n5\n6\n7'
    run -1 mq-recv -a -l -f --no-wait none
    assert_output ''
}

@test "lines whose file is not as long as it says become dead letters, one by one or all at once" {
    local take
    for take in 'mq-recv -a --no-wait jobs' 'mq-recv -a -l -f --no-wait jobs'; do
        send_lines jobs 1 9
        file=$(find "$MQ_SPOOL/jobs/ready" -type f)
        truncate -s -1 "$file"
        run -65 mq-queue check jobs
        run $take
        assert_output ''
        assert_equal "$(states jobs)" '0 0 0 9'
        assert_equal "$(mq-dlq list -j jobs | jq -r .reason | uniq)" corrupt
        mq-dlq purge -q --all jobs
        assert_equal "$(states jobs) $(counted jobs)" '0 0 0 0 0 0 0 0'
    done
}

@test "lines lie in their file as they were sent, behind headers that all of them share" {
    seq 5 9 | mq-send -H 'Tenant: acme' --type digit -p 6 --ttl 1h -l jobs >ids
    file=$(find "$MQ_SPOOL/jobs/ready" -type f)
    sed '1,/^$/d' "$file" | diff - <(seq 5 9)
    assert_equal "$(head -n 2 "$file")" "$(printf 'Mq-Separator: newline\nId: %s' "$(head -n 1 ids)")"
    # Taken one by one, and the rest of the file as a whole: each has all of the headers.
    (mq-recv -aj jobs && mq-recv -aj jobs && mq-recv -ajf --no-wait jobs) >got
    jq -r .id got | diff - ids
    jq -r .body got | diff - <(seq 5 9)
    assert_equal "$(jq -cS '[.headers, .priority, .expires != null]' got | sort -u)" \
        '[{"Tenant":"acme","Type":"digit"},6,true]'
    assert_nothing_left jobs
}

@test "headers that are shared may be long" {
    seq 3 | mq-send -q -l -H "Long: $(printf '%03000d' 7)" jobs
    for n in 1 2 3; do
        run -0 mq-recv -aj --no-wait jobs
        assert_json ".body == \"$n\"" '.headers.Long | length == 3000'
    done
    assert_nothing_left jobs
}

@test "records with newlines share headers, too, and those with both newlines and NULs share a file" {
    printf '%s\0' $'a\nb' '' c | mq-send -q -0 jobs
    assert_equal "$(head -n 1 "$MQ_SPOOL"/jobs/ready/*/*)" 'Mq-Separator: null'
    mq-recv -a -0 -n 3 jobs | cmp - <(printf '%s\0' $'a\nb' '' c)
    printf '%s\0' plain $'a\nb' $'\n' | mq-send -q -0 jobs
    assert_equal "$(file_count jobs ready)" 1
    mq-recv -a -0 -n 3 jobs | cmp - <(printf '%s\0' plain $'a\nb' $'\n')
    assert_nothing_left jobs
}

# ---- time ----------------------------------------------------------------------------

@test "a delayed batch falls due as a whole" {
    seq 20 | mq-send -q -l -d 1h jobs
    assert_equal "$(states jobs)" '0 20 0 0'
    run -1 mq-recv --no-wait jobs
    age jobs delayed
    mq-queue sweep jobs
    assert_equal "$(drain jobs | paste -sd' ')" "$(seq -s' ' 20)"
    assert_nothing_left jobs
}

@test "an expired batch becomes dead letters, one a message, or nothing" {
    seq 20 | mq-send -q -l --ttl 1ms jobs
    run -1 mq-recv -w 50ms jobs
    assert_equal "$(states jobs)" '0 0 0 20'
    mq-dlq purge --all jobs
    mq-queue config jobs on-expiry=drop
    seq 20 | mq-send -q -l --ttl 1ms jobs
    run -1 mq-recv -w 50ms jobs
    assert_nothing_left jobs
}

# ---- looking and removing -------------------------------------------------------------

@test "peek shows the messages of a batch, not its file" {
    seq 20 | mq-send -l jobs >ids
    run -0 mq-queue peek -j -n 5 jobs
    assert_equal "$(jq -r .body <<<"$output" | paste -sd' ')" '1 2 3 4 5'
    run -0 mq-queue peek -j --id "$(sed -n 17p ids)" jobs
    assert_json '.body == "17"'
    claim jobs >receipt
    run -0 mq-queue peek -j -n 100 jobs
    assert_equal "$(jq -r .body <<<"$output" | paste -sd' ')" "$(seq -s' ' 2 20)"
    run -0 mq-queue check jobs
}

@test "purge removes batches, and of a batch what it is told" {
    send_lines jobs 1 600
    mq-queue purge --all jobs
    assert_nothing_left jobs
    send_lines jobs 1 600
    run -0 mq-queue purge -j --older-than 1us jobs
    assert_json '.purged == 600'
    assert_nothing_left jobs
}

@test "--exact counts the messages in files, and a lost page is made anew with them" {
    send_lines jobs 1 300
    claim jobs >receipt
    bytes=$(mq-stat -j jobs | jq .bytes)
    run -0 mq-stat -j --exact jobs
    assert_json '.ready == 299' '.inflight == 1' ".bytes == $bytes"
    rm "$MQ_SPOOL/jobs/host"/*
    assert_equal "$(counted jobs)" '299 0 1 0'
    assert_equal "$(mq-stat -j jobs | jq .bytes)" "$bytes"
    send_lines jobs 301 302
    assert_equal "$(drain jobs | paste -sd' ')" "$(seq -s' ' 2 302)"
}

# ---- killed in the middle ---------------------------------------------------------------

begun_splits() {
    find "$MQ_SPOOL/jobs/tmp" -name 'split-*' | wc -l
}

# Kill mq-recv at the Nth call of CALL, and see what others make of it. Where it was through before, it is in `received`.
kill_in_split() { # CALL N
    rm -rf "$MQ_SPOOL"
    send_lines jobs 1 5
    strace -o /dev/null -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2" mq-recv -t 1h --no-wait jobs \
        >received 2>/dev/null || true
    # Another receiver goes on at once: what it gets, and what the dead one holds, are all there is.
    drain jobs >others
    held=$(depth jobs inflight)
    ((held == 0)) || age jobs inflight
    mq-queue sweep jobs
    drain jobs >back
    assert_equal "$(wc -l <back)" "$held"
    diff <(sort -n others back) <(seq 5)
    mq-queue sweep jobs
    run -0 mq-queue check jobs
    rmdir "$MQ_SPOOL"/jobs/tmp/bucket-* 2>/dev/null || true # one that was being made; a sweep removes it once it is old
    assert_nothing_left jobs
}

@test "a receiver killed at any system call of a split loses no message and delivers none twice" {
    needs_strace
    local call n points=0 least=${LONG:+10}
    # shellcheck disable=SC2086 # no words, or two
    for call in linkat renameat2 ${LONG:+openat openat2}; do # the others change nothing
        for ((n = 1; n <= 40; n++)); do
            kill_in_split "$call" "$n"
            [[ ! -s received ]] || break
            points=$((points + 1))
        done
    done
    ((points >= ${least:-3}))
}

@test "a message whose split was not finished is brought out by a sweep, a purge and a look at another place" {
    needs_strace
    hide_one() {
        rm -rf "$MQ_SPOOL"
        send_lines jobs 1 5
        strace -o /dev/null -e inject=renameat2:signal=SIGKILL:when=2 mq-recv --no-wait jobs >/dev/null 2>&1 || true
        assert_equal "$(states jobs)" '4 0 0 0'
        assert_equal "$(begun_splits)" 1
    }
    hide_one
    mq-queue sweep jobs
    assert_equal "$(states jobs)" '5 0 0 0'
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4 5'
    hide_one
    mq-queue purge --all jobs
    assert_equal "$(drain jobs)" 1
    hide_one
    run -0 mq-recv --no-wait jobs
    assert_equal "${lines[1]}" 1
}

@test "what a split that was given up has left goes with the rest of its file, not before" {
    needs_strace
    send_lines jobs 1 5
    strace -o /dev/null -e inject=renameat2:signal=SIGKILL:when=1 mq-recv --no-wait jobs >/dev/null 2>&1 || true
    assert_equal "$(begun_splits)" 1
    mq-queue sweep jobs
    assert_equal "$(begun_splits)" 1
    assert_equal "$(drain jobs | paste -sd' ')" '1 2 3 4 5'
    mq-queue sweep jobs
    assert_nothing_left jobs
}
