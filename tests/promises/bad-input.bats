# Bad input and bad surroundings give a clear error and the right exit status, and nothing is lost.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # stderr is set by run; commands for other shells; each test is a process
load ../helper

setup() {
    setup_spool
}

teardown() {
    kill_spawned
    if [[ -d $BATS_TEST_TMPDIR/disk ]]; then
        umount "$BATS_TEST_TMPDIR/disk" 2>/dev/null || umount -l "$BATS_TEST_TMPDIR/disk" 2>/dev/null || true
    fi
    remove_public
}

# A small file system for the spool; options are those of tmpfs.
mount_disk() { # OPTIONS
    ((EUID == 0)) || skip 'mounting takes root'
    mkdir disk
    mount -t tmpfs -o "$1" tmpfs disk 2>mount.err || skip "mounting does not work here: $(<mount.err)"
    export MQ_SPOOL=$BATS_TEST_TMPDIR/disk/spool
}

is_gone() { # PID
    ! kill -0 "$1" 2>/dev/null
}

# Nothing was sent, and no trace of a try is left.
assert_nothing_sent() {
    [[ -d $MQ_SPOOL/jobs ]] || return 0
    assert_equal "$(depth jobs ready) $(depth jobs delayed) $(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l)" '0 0 0'
}

# Where the only message of a state lies.
path_in() { # STATE
    echo "$MQ_SPOOL/jobs/$1"/*/*
}

assert_dead() { # REASON
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json ".reason == \"$1\""
}

# ---- what is said on the command line ----------------------------------------------

@test "names that are no queue's are refused by every program, and nothing is made" {
    mkdir -p "$MQ_SPOOL"
    local programs=('mq-send --' 'mq-recv --no-wait --' 'mq-recv --create --no-wait --' 'mq-stat -j --' 'mq-dlq list -j --'
        'mq-dlq retry --' 'mq-queue create --' 'mq-queue config --' 'mq-queue peek --' 'mq-queue delete --force --'
        'mq-queue check --') wanted number=0
    for name in a/b/c .. . ../x /tmp .hidden -dash '' 'two words' $'new\nline' $'esc\e[31m' 'ü' 'a*' \
        "$(printf 'x%.0s' {1..129})" "$(printf 'y%.0s' {1..5000})"; do
        # Two names by all programs, each of the others by three.
        wanted=("${programs[@]}")
        ((number < 2)) || wanted=("${programs[@]:number % 9:3}")
        number=$((number + 1))
        for program in "${wanted[@]}"; do
            # shellcheck disable=SC2086 # several words
            run -64 --separate-stderr $program "$name" </dev/null
            assert_complains "${program%% *}: "
            assert_equal "${#stderr_lines[@]}" 1
            assert_output ''
        done
    done
    run -64 --separate-stderr mq-send a/b/c body
    assert_complains "mq-send: 'a/b/c': "
    run -64 --separate-stderr mq-dlq retry --to=../jobs jobs
    assert_equal "$(ls -A "$MQ_SPOOL")" ''
    assert_equal "$(find "$BATS_TEST_TMPDIR" -mindepth 1 -maxdepth 1 -type d)" "$MQ_SPOOL"
}

@test "names at the edge of the rule are good" {
    for name in "$(printf 'x%.0s' {1..128})" _ 9 a. a-b_c.D; do
        mq-send -q "$name" body
        take "$name"
        assert_equal "$(<got)" body
    done
}

@test "ids that are none are refused" {
    for id in '' a/b .. a.b 'a b' $'a\nb' 'ü' "$(printf 'x%.0s' {1..65})"; do
        run ! --separate-stderr mq-send --id="$id" jobs body
        assert_regex "$status" '^6[45]$'
        assert_complains 'mq-send: '
    done
    assert_nothing_sent
    id=$(printf 'x%.0s' {1..64})
    assert_equal "$(mq-send --id="$id" jobs body)" "$id"
    take_json jobs
    assert_json ".id == \"$id\""
}

@test "headers that are none are refused" {
    for header in 'no colon' ': no name' 'a b: c' 'a_b: c' $'A: new\nline' $'A: tab\there' $'A: nul\x01' $'A: del\x7f' \
        $'A: c1\xc2\x9b' $'A: half\xc3' $'A: \xff' $'A\n: b' 'ü: b' ''; do
        run ! --separate-stderr mq-send -H "$header" jobs body
        assert_regex "$status" '^6[45]$'
        assert_complains 'mq-send: '
    done
    for option in type content-type correlation-id reply-to; do
        run ! --separate-stderr mq-send --"$option"=$'new\nline' jobs body
        assert_regex "$status" '^6[45]$'
        assert_complains 'mq-send: '
    done
    assert_nothing_sent
}

@test "65 KiB of headers are refused, 60 are kept" {
    run -65 --separate-stderr mq-send -H "A: $(head -c 66560 /dev/zero | tr '\0' x)" jobs body
    assert_complains 'mq-send: '
    local -a many=()
    for i in {1..65}; do
        many+=(-H "X-$i: $(printf 'x%.0s' {1..1020})")
    done
    run -65 --separate-stderr mq-send "${many[@]}" jobs body
    assert_complains 'mq-send: '
    assert_nothing_sent
    mq-send -q "${many[@]:0:120}" jobs body
    take_json jobs
    assert_json '.headers | length == 60' '.headers["X-60"] | length == 1020'
}

@test "durations that are negative, overflow or are none are refused everywhere" {
    mq-send -q jobs body
    receipt=$(claim jobs)
    local commands=('mq-send --delay' 'mq-send --ttl' 'mq-send --block' 'mq-recv --wait' 'mq-recv --ack-timeout'
        'mq-queue peek --older-than' 'mq-queue purge --older-than' 'mq-dlq purge --older-than') wanted number=0
    for duration in -1s -1 99999999999999999999d 9223372036854775807d 106751991168d 5x 1h30m '' ' 5' nan inf 0x10 1e3 s .; do
        # Two durations by all commands, each of the others by two.
        wanted=("${commands[@]}")
        ((number < 2)) || wanted=("${commands[@]:number % 7:2}")
        number=$((number + 1))
        for command in "${wanted[@]}"; do
            # shellcheck disable=SC2086 # several words
            run -64 --separate-stderr $command="$duration" jobs </dev/null
            assert_complains "${command%% *}: "
        done
        for option in '--nack --delay' --extend; do
            # shellcheck disable=SC2086 # several words
            run -64 --separate-stderr mq-ack $option="$duration" "$receipt"
            assert_complains 'mq-ack: '
        done
        run -78 --separate-stderr mq-queue config jobs ttl="x$duration"
    done
    assert_nothing_sent
    assert_equal "$(depth jobs inflight)" 1
}

@test "a duration too long for a name is refused or means the end of time" {
    for option in --delay --ttl; do
        run --separate-stderr mq-send "$option"=100000d jobs body
        [[ $status == 0 || $status == 64 || $status == 65 ]] || fail "status $status"
        mq-queue create jobs
        assert_equal "$(files jobs ready | wc -l) $(files jobs delayed | wc -l)" \
            "$([[ $status != 0 ]] && echo 0 0 || { [[ $option == --ttl ]] && echo 1 0 || echo 0 1; })"
        mq-queue purge --all jobs
    done
    run -0 --separate-stderr mq-queue check jobs
}

@test "what is untrusted is escaped in messages" {
    evil=$'\e]0;owned\a\x9b'
    for command in "mq-send -f" "mq-send jobs --priority" "mq-stat" "mq-ack" "mq-queue" "mq-dlq" "mq-queue config jobs"; do
        # shellcheck disable=SC2086 # several words
        run ! --separate-stderr $command "$evil" </dev/null
        assert_complains "${command%% *}: "
    done
    mq-queue create jobs
    run -65 --separate-stderr mq-send -j jobs <<<"{\"$evil\": 1}"
    assert_complains 'mq-send: jobs: record 1: '
    run -65 --separate-stderr mq-send -j jobs <<<'{"\u001b[31m\u0007": 1}'
    assert_complains 'mq-send: jobs: record 1: '
}

# ---- JSON ----------------------------------------------------------------------------

@test "JSON that is malformed or of a wrong type names its record and sends nothing of it" {
    mq-queue create jobs
    local -a bad=(
        '{"body":"x' '{' '[]' '"text"' 'null' '1' 'nul' '{"body":"x"} {}' '{"body":"x"}]' "{'body':'x'}" '{"body":"x",}'
        '{"body":{}' '{"body":nul}' '{"body":["x"}' '{"body":"x","body":"y"}'
        '{"body_base64":"!"}' '{"body_base64":"AAA"}' '{"body_base64":"AA=A"}' '{"body_base64":1}' '{"body":"x","body_base64":"AAAA"}'
        '{"headers":[]}' '{"headers":{"A":1}}' '{"headers":{"A":null}}' '{"headers":{"A b":"x"}}' '{"headers":{"":"x"}}'
        '{"headers":{"A":"new\nline"}}' '{"headers":{"A":"nul\u0000"}}' '{"headers":{"Id":"x"}}' '{"headers":"A: b"}'
        '{"id":1}' '{"id":""}' '{"id":"../x"}' '{"id":"a\u0000"}' '{"id":"a\nb"}'
        '{"priority":"9"}' '{"priority":10}' '{"priority":-1}' '{"priority":4.5}' '{"priority":99999999999999999999}' '{"priority":true}'
        '{"delay":-1}' '{"delay":"-1s"}' '{"delay":"soon"}' '{"delay":1e300}' '{"delay":[]}' '{"delay":true}'
        '{"ttl":-1}' '{"ttl":"x"}' '{"ttl":null}' '{"expires":"tomorrow"}' '{"expires":5}' '{"expires":"2099-02-30T00:00:00Z"}'
        '{"timestamp":1}' '{"queue":1}' '{"receipt":[]}' '{"attempts":"1"}' '{"unknown":1}' '{"Body":"x"}'
        $'{"body":"\xff"}' $'{"body":"\xc3"}' $'{"body":"\xed\xa0\x80"}' '{"body":"\ud800"}' $'{"body":"raw\x01"}' '{"body":"\x41"}'
    )
    for line in "${bad[@]}"; do
        run -65 --separate-stderr mq-send -j jobs <<<"{\"body\":\"good\"}"$'\n'"$line"$'\n''{"body":"after"}'
        assert_complains 'mq-send: jobs: record 2: ' || fail "$line"
        assert_regex "$stderr" '1 sent'
        assert_equal "$line: ${#lines[@]}" "$line: 1"
    done
    assert_equal "$(mq-recv -a -l -f --no-wait jobs | sort | uniq -c | xargs)" "${#bad[@]} good"
}

@test "JSON nested without end and lines without end are refused" {
    mq-queue create jobs max-size=1G
    run -65 --separate-stderr mq-send -j jobs < <(head -c 1000000 /dev/zero | tr '\0' '[')
    assert_complains 'mq-send: jobs: record 1: '
    run -65 --separate-stderr mq-send -j jobs < <(printf '{"unknown":'; printf '{"a":%.0s' {1..100000}; echo)
    assert_complains 'mq-send: jobs: record 1: '
    run -65 --separate-stderr timeout 60 mq-send -l jobs < <(head -c 200M /dev/zero)
    assert_complains 'mq-send: jobs: record 1: '
    assert_nothing_sent
}

@test "JSON over max-size is refused by the size of its body" {
    mq-queue create jobs max-size=10
    run -65 --separate-stderr mq-send -j jobs <<<'{"body":"12345678901"}'
    assert_complains 'mq-send: jobs: record 1: '
    mq-send -q -j jobs <<<'{"body":"\u0031234567890","headers":{"A-Long-Header":"does not count"}}'
}

# ---- bodies ----------------------------------------------------------------------------

@test "a body over max-size is refused wherever it comes from, and leaves nothing in tmp" {
    mq-queue create jobs max-size=100000
    head -c 100001 /dev/zero >large
    run -65 --separate-stderr mq-send jobs <large
    assert_complains 'mq-send: jobs: '
    run -65 --separate-stderr mq-send -f large jobs
    assert_complains 'mq-send: jobs: '
    run -65 --separate-stderr mq-send -l jobs < <(tr '\0' x <large)
    assert_complains 'mq-send: jobs: record 1: '
    run -65 --separate-stderr mq-send jobs "$(tr '\0' x <large)"
    assert_complains 'mq-send: jobs: '
    run -65 --separate-stderr timeout 20 mq-send jobs </dev/zero
    assert_complains 'mq-send: jobs: '
    assert_nothing_sent
    head -c 100000 large | mq-send -q jobs
    assert_equal "$(mq-recv -a jobs | wc -c)" 100000
}

@test "a body that cannot be read to its end is no message" {
    mq-queue create jobs
    run ! --separate-stderr mq-send jobs <"$BATS_TEST_TMPDIR"
    assert_complains 'mq-send: jobs: '
    run ! --separate-stderr bash -c 'mq-send jobs <&-'
    assert_complains 'mq-send: jobs: '
    assert_nothing_sent
}

# ---- receipts ----------------------------------------------------------------------------

@test "mangled receipts are 65 and touch nothing" {
    mq-send -q jobs body
    mq-queue create other
    receipt=$(claim -t 1h jobs)
    local -a bad=('' x / jobs jobs/ "/$receipt" "../$receipt" "jobs/../$receipt" "jobs/../inflight/${receipt#*/}" "${receipt}x/y"
        "${receipt%?}" "${receipt/.a1/.a}" "${receipt%.c*}" "${receipt#*/}" "$receipt/" "${receipt/./\/}" "${receipt^^}" " $receipt"
        "$receipt "  "${receipt/.c/.C}" "$receipt$(printf '.zx%.0s' {1..400})" $'jobs/\e[31m' "${receipt/jobs/.jobs}" "-/${receipt#*/}")
    for mangled in "${bad[@]}"; do
        for way in '' --nack --reject --release --extend=1h; do
            run -65 --separate-stderr mq-ack ${way:+"$way"} -- "$mangled"
            assert_complains 'mq-ack: '
            assert_equal "${#stderr_lines[@]}" 1
        done
    done
    run -65 --separate-stderr mq-ack < <(printf '%s\0x\n' "$receipt")
    run -65 --separate-stderr mq-ack < <(head -c 100000 /dev/urandom | tr -d '\n')
    assert_equal "$(files jobs inflight)" "${receipt#jobs/}"
    mq-ack "$receipt"
}

@test "a receipt with another token, id or queue touches nothing" {
    mq-send -q jobs body
    mq-send -q other body
    receipt=$(claim jobs)
    claim other
    for way in '' --nack --reject --release --extend=1h; do
        for wrong in "${receipt%????}0000" "other/${receipt#jobs/}"; do
            run -1 --separate-stderr mq-ack ${way:+"$way"} "$wrong"
            assert_complains 'mq-ack: '
        done
    done
    assert_equal "$(depth jobs inflight) $(depth other inflight)" '1 1'
    mq-ack "$receipt"
}

# ---- what lies in the queue and does not belong --------------------------------------------

@test "files of unknown names in ready are ignored and counted, never delivered or deleted" {
    mq-send -q jobs body
    bucket=$(dirname "$(path_in ready)")
    local -a names=(README .hidden message 500063f2a1b3c4.x.a0 "x${bucket##*-}000.id.a0"
        "5${bucket##*-}000..a0" "5${bucket##*-}001.bad!id.a0" "5${bucket##*-}002.id.aX" "5${bucket##*-}003.id.a0.X1"
        "5${bucket##*-}004.id.a0.c0123456789abcdef" $'new\nline' $'\xff\xfe')
    for name in "${names[@]}"; do
        echo "planted" >"$bucket/$name"
    done
    echo planted >"$MQ_SPOOL/jobs/ready/stray"
    mkdir "$MQ_SPOOL/jobs/ready/5-short"
    cp "$bucket/README" "$MQ_SPOOL/jobs/ready/5-short/"
    planted=$(find "$MQ_SPOOL/jobs/ready" -mindepth 1 -maxdepth 2 -print0 | tr -cd '\0' | wc -c)

    run -65 --separate-stderr mq-queue check jobs
    # The bucket and the good message belong; the file in the bad bucket is a part of that one finding.
    assert_equal "${#lines[@]}" $((planted - 3))
    run -0 --separate-stderr mq-stat -xj jobs
    assert_json '.ready == 1'
    run -0 --separate-stderr mq-recv -a -l -n 99 --no-wait jobs
    assert_output body
    mq-queue sweep jobs
    mq-queue purge --state=all jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/ready" -mindepth 1 -maxdepth 2 -print0 | tr -cd '\0' | wc -c)" $((planted - 1))
    run -75 --separate-stderr mq-queue delete jobs

    mq-queue check --repair jobs
    assert_equal "$(find "$MQ_SPOOL/jobs/aside" -type f -print0 | xargs -0 cat | grep -c .)" $((planted - 3))
    run -0 --separate-stderr mq-queue check jobs
}

@test "an empty, truncated or mangled message is a dead letter with the reason corrupt" {
    for breakage in ': >"$1"' 'truncate -s 20 "$1"' 'truncate -s -1 "$1"' 'echo more >>"$1"' 'sed -i 1d "$1"' \
        'sed -i "s/^Id: .*/Id: another/" "$1"' 'head -c 9000 /dev/urandom >"$1"' 'head -c 400000 /dev/zero | tr "\0" x >"$1"' \
        'sed -i "s/^Content-Length: .*/Content-Length: 99999999999999999999/" "$1"' 'echo "no blank line" >"$1"' \
        'sed -i "s/^Type: /Type /" "$1"' 'printf "\n\n" >"$1"'; do
        mq-send -q --type=t jobs broken
        bash -c "$breakage" bash "$(path_in ready)"
        mq-send -q jobs good
        run -0 --separate-stderr timeout 20 mq-recv -a --no-wait jobs
        assert_equal "$breakage: $output" "$breakage: good"
        assert_equal "$(depth jobs ready) $(depth jobs inflight) $(depth jobs dead)" '0 0 1'
        assert_dead corrupt
        mq-queue purge --state=dead jobs
    done
}

@test "a corrupt dead letter can be listed, shown as an error, retried and purged" {
    mq-send -q -i broken jobs body
    echo garbage >"$(path_in ready)"
    run -1 --separate-stderr mq-recv --no-wait jobs
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.id == "broken"' '.reason == "corrupt"' '.size == 8' '.preview | startswith("garbage")'
    run -0 --separate-stderr mq-dlq list jobs
    assert_output --regexp 'broken .*corrupt .*garbage'
    for command in 'mq-dlq show' 'mq-dlq show -j'; do
        # shellcheck disable=SC2086 # several words
        run -65 --separate-stderr $command jobs broken
        assert_complains 'mq-dlq: jobs: '
    done
    mq-dlq retry jobs broken
    run -1 --separate-stderr mq-recv --no-wait jobs
    assert_dead corrupt
    mq-dlq purge jobs broken
    assert_equal "$(depth jobs dead)" 0
}

@test "a corrupt message in front does not stop a waiting or following receiver" {
    mq-queue create jobs
    spawn follower mq-recv -f -a -l jobs
    wait_until 10 is_asleep $!
    mq-send -q -d 3s jobs broken
    : >"$(path_in delayed)"
    wait_until 20 has_depth jobs dead 1
    echo good | mq-send -q -l jobs
    wait_until 20 grep -q good follower.out
}

@test "a planted link, FIFO or directory with a message's name is never opened, delivered or deleted" {
    echo secret >secret
    mq-send -q jobs body
    bucket=$(dirname "$(path_in ready)")
    first="$bucket/5${bucket##*-}000.id.a0"
    for plant in "ln -s $PWD/secret" mkfifo mkdir; do
        $plant "$first"
        for command in 'mq-recv -a --no-wait jobs' 'mq-queue peek -j jobs'; do
            # shellcheck disable=SC2086 # several words
            run --separate-stderr timeout 20 $command
            assert_regex "$status" '^[01]$'
            [[ $output != *secret* ]]
        done
        mq-send -q jobs body
        run -65 --separate-stderr mq-queue check jobs
        assert_equal "${#lines[@]}" 1
        mq-queue sweep jobs
        [[ -L $first || -e $first ]]
        run -0 --separate-stderr timeout 20 mq-recv -a --no-wait jobs
        assert_output body
        mq-queue check --repair jobs
        [[ ! -L $first && ! -e $first ]]
        mq-send -q jobs body
    done
    assert_equal "$(find "$MQ_SPOOL/jobs/aside" -mindepth 1 | wc -l)" 3
    assert_equal "$(<secret)" secret
}

@test "links and FIFOs in the place of buckets are not followed" {
    mkdir outside
    mq-send -q jobs body
    ln -s "$PWD/outside" "$MQ_SPOOL/jobs/ready/5-0000000000001"
    mkfifo "$MQ_SPOOL/jobs/ready/5-0000000000002"
    cp "$(find "$MQ_SPOOL/jobs/ready" -type f)" outside/50000000000001000.id.a0
    run -0 --separate-stderr timeout 20 mq-recv -a -l -n 9 --no-wait jobs
    assert_output body
    run -65 --separate-stderr mq-queue check jobs
    assert_equal "${#lines[@]}" 2
    assert_exists outside/50000000000001000.id.a0
}

@test "a queue that is a link or a file is no queue" {
    mq-send -q jobs body
    mv "$MQ_SPOOL/jobs" elsewhere
    ln -s "$PWD/elsewhere" "$MQ_SPOOL/jobs"
    touch "$MQ_SPOOL/file"
    for queue in jobs file; do
        run ! --separate-stderr mq-send "$queue" body
        assert_complains "mq-send: $queue: "
        run ! --separate-stderr mq-recv --no-wait "$queue"
        assert_complains "mq-recv: $queue: "
    done
    assert_equal "$(find elsewhere -path '*/ready/*/*' | wc -l)" 1
}

# ---- the configuration -----------------------------------------------------------------------

@test "a configuration that is a directory, binary, too long or nonsense is 78 for every program" {
    mq-send -q jobs body
    receipt=$(claim jobs)
    mq-send -q jobs body
    config=$MQ_SPOOL/jobs/config
    for breakage in 'mkdir "$1"' 'head -c 1000 /dev/urandom >"$1"; printf "\0" >>"$1"' 'echo nonsense >"$1"' \
        'echo "ttl = -5s" >"$1"' 'echo "unknown = 1" >"$1"' 'head -c 100000 /dev/zero | tr "\0" "#" >"$1"' \
        'ln -s /etc/passwd "$1"' 'mkfifo "$1"' 'printf "ttl = 1h\n\e[31mesc = 1\n" >"$1"' 'echo "= 5" >"$1"'; do
        bash -c "$breakage" bash "$config"
        for command in 'mq-send jobs body' 'mq-recv --no-wait jobs' "mq-ack $receipt" 'mq-stat jobs' 'mq-dlq list jobs' \
            'mq-queue config jobs' 'mq-queue peek jobs' 'mq-queue sweep jobs'; do
            # shellcheck disable=SC2086 # several words
            run --separate-stderr timeout 20 $command </dev/null
            assert_equal "$breakage, $command: $status" "$breakage, $command: 78"
            assert_complains "${command%% *}: jobs: "
        done
        rm -rf "$config"
    done
    mq-ack "$receipt"
    take jobs
    assert_equal "$(<got)" body
}

@test "a configuration that turns bad under running programs stops them with 78 and loses nothing" {
    mq-queue create jobs
    mkfifo pipe
    spawn sender bash -c 'exec mq-send -q -l jobs <pipe'
    sender=$!
    exec {pipe}>pipe
    echo 1 >&"$pipe"
    wait_until 10 has_depth jobs ready 1
    echo nonsense >"$MQ_SPOOL/jobs/config"
    # It is read again about once a second.
    for n in {2..50}; do
        ! wait_until 0.2 is_gone "$sender" || break
        echo "$n" >&"$pipe" || break
    done 2>/dev/null
    status=0
    wait "$sender" || status=$?
    assert_equal "$status" 78
    assert_file_contains sender.err '^mq-send: jobs: .*line 1'
    exec {pipe}>&-
    rm "$MQ_SPOOL/jobs/config"
    mq-recv -a -l -n 99 --no-wait jobs >got
    seq "$(wc -l <got)" | cmp - got || fail "$(<got)"
}

# ---- the host page ---------------------------------------------------------------------------

# Spoil the page, $1, in one way each. A page that is gone is made anew at any moment, so a link must replace it at once.
readonly -a SPOILED=(': >"$1"' 'truncate -s 100 "$1"' 'truncate -s 1M "$1"' 'head -c 4096 /dev/urandom >"$1"'
    'dd if=/dev/urandom of="$1" bs=4096 count=1 conv=notrunc' 'rm "$1"' 'cp "$1" x && ln -s "$PWD/x" y && mv -fT y "$1"'
    'dd if=/dev/urandom of="$1" bs=1 seek=48 count=4048 conv=notrunc'
    'head -c 4096 /dev/zero | tr "\0" "\377" | dd of="$1" bs=1 seek=48 count=4048 conv=notrunc')

spoil() { # BREAKAGE
    bash -c "$1" bash "$(echo "$MQ_SPOOL"/jobs/host/*)" # which shows why it failed, if it did
}

@test "a host page that is truncated, noise, a link or gone loses nothing and makes nothing up" {
    for breakage in "${SPOILED[@]}"; do
        printf '1\n2\n3\n' | mq-send -q -l jobs
        mq-send -q -d 1h jobs later
        claim jobs >receipt
        spoil "$breakage"
        mq-send -q jobs 4
        spoil "$breakage"
        mq-ack "$(<receipt)" || fail "$breakage"
        spoil "$breakage"
        run -0 --separate-stderr timeout 20 mq-recv -a -l -n 9 -w 100ms jobs
        assert_equal "$breakage: $(sort <<<"$output" | paste -sd' ')" "$breakage: 2 3 4"
        age jobs delayed
        spoil "$breakage"
        run -0 --separate-stderr timeout 20 mq-recv -a -w 5s jobs
        assert_output later
        mq-queue sweep jobs
        run -0 --separate-stderr mq-stat -xj jobs
        assert_json '.ready + .delayed + .inflight + .dead == 0'
    done
}

@test "a page of noise is put right by a sweep" {
    printf '1\n2\n3\n' | mq-send -q -l jobs
    spoil "${SPOILED[7]}"
    mq-queue sweep jobs
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.ready == 3' '.delayed == 0' '.inflight == 0' '.dead == 0'
}

@test "a waiting receiver outlives what is done to the host page under it" {
    mq-queue create jobs
    spawn follower mq-recv -f -a -l jobs
    receiver=$!
    for breakage in "${SPOILED[@]}"; do
        wait_until 10 is_asleep "$receiver"
        spoil "$breakage"
        echo "message after: $breakage" | mq-send -q -l jobs
        wait_until 5 grep -qF "message after: $breakage" follower.out || fail "$breakage: $(<follower.err)"
        mq-send -q -d 100ms jobs "delayed after: $breakage"
        wait_until 5 grep -qF "delayed after: $breakage" follower.out || fail "$breakage"
    done
    assert_equal "$(wc -l <follower.out)" $((2 * ${#SPOILED[@]}))
}

@test "a sender of lines outlives what is done to the host page under it" {
    mkfifo pipe
    spawn sender bash -c 'exec mq-send -l jobs <pipe'
    sender=$!
    exec {pipe}>pipe
    echo first >&"$pipe"
    has_sent() { (($(wc -l <sender.out) == $1)); }
    wait_until 10 has_sent 1
    n=1
    for breakage in "${SPOILED[@]}"; do
        spoil "$breakage"
        echo "$breakage" >&"$pipe"
        n=$((n + 1))
        wait_until 5 has_sent "$n" || fail "$breakage: $(<sender.err)"
    done
    exec {pipe}>&-
    wait "$sender"
    assert_equal "$(depth jobs ready)" "$n"
    mq-recv -a -l -n 99 --no-wait jobs | sort >got
    printf '%s\n' first "${SPOILED[@]}" | sort | cmp - got
}

# A sender and a receiver at work, while a command spoils the page as fast as it can.
work_while() { # BREAKAGE
    mq-queue create jobs
    mq-stat jobs
    seq 3000 >want
    spawn spoiler bash -c "while :; do $1; done 2>/dev/null" bash "$(echo "$MQ_SPOOL"/jobs/host/*)"
    spawn receiver mq-recv -a -l -f -w 3s jobs
    receiver=$!
    run -0 --separate-stderr mq-send -q --no-sync -l jobs <want
    kill -KILL "${spawned[0]}"
    status=0
    wait "$receiver" || status=$?
    assert_equal "$status" 0
    sort -n receiver.out | cmp - want
}

@test "a page replaced and removed again and again under busy programs costs no message and no program" {
    work_while 'rm -f "$1"; head -c 4096 /dev/urandom >x; mv x "$1"'
}

@test "a page cut off again and again under busy programs costs no message and no program" {
    work_while ': >"$1"; truncate -s 4096 "$1"; rm -f "$1"'
}

@test "a page that may not be written is replaced or done without" {
    make_public
    export MQ_SPOOL=$public/spool
    as_nobody mq-send -q jobs 1
    chmod 444 "$MQ_SPOOL"/jobs/host/*
    as_nobody mq-send -q jobs 2
    chmod 444 "$MQ_SPOOL"/jobs/host/*
    run -0 --separate-stderr as_nobody mq-recv -a -l -n 9 --no-wait jobs
    assert_output $'1\n2'
    as_nobody mq-send -q jobs 3
    rm "$MQ_SPOOL"/jobs/host/*
    chmod 555 "$MQ_SPOOL/jobs/host"
    run --separate-stderr as_nobody mq-send jobs 4
    [[ $status == 0 || $status == 77 ]] || fail "status $status: $stderr"
    chmod 755 "$MQ_SPOOL/jobs/host"
    run -0 --separate-stderr as_nobody mq-recv -a -l -n 9 --no-wait jobs
    assert_line 3
}

# ---- the spool ---------------------------------------------------------------------------------

@test "a spool that is missing is made by a sender, and no queue's for the others" {
    for command in 'mq-recv --no-wait jobs' 'mq-dlq list jobs' 'mq-queue config jobs' 'mq-queue delete jobs' 'mq-stat jobs'; do
        # shellcheck disable=SC2086 # several words
        run -66 --separate-stderr $command
        assert_complains "${command%% *}: jobs: "
    done
    assert_not_exists "$MQ_SPOOL"
    mq-send -q -S "$BATS_TEST_TMPDIR/a/b/c" jobs body
    assert_dir_exists "$BATS_TEST_TMPDIR/a/b/c/jobs"
}

@test "a spool that is a file, or below one, is told from a missing queue" {
    touch spool
    for place in "$PWD/spool" "$PWD/spool/below"; do
        run -73 --separate-stderr mq-send -S "$place" jobs body
        assert_complains 'mq-send: '
        for command in mq-recv 'mq-queue peek' mq-stat; do
            # shellcheck disable=SC2086 # several words
            run -66 --separate-stderr $command -S "$place" jobs
            assert_complains "${command%% *}: "
        done
        run ! --separate-stderr mq-stat -S "$place"
        assert_complains 'mq-stat: '
        run ! --separate-stderr mq-queue list -S "$place"
        assert_complains 'mq-queue: '
    done
    assert_file_exists spool
    assert_file_empty spool
}

@test "a spool that one may not enter is 77 for every program" {
    make_public
    export MQ_SPOOL=$public/spool
    as_nobody mq-send -q jobs body
    receipt=$(cd "$public" && as_nobody mq-recv --no-wait jobs | head -n 1)
    as_nobody chmod 0 "$MQ_SPOOL"
    for command in 'mq-send jobs body' 'mq-send new body' 'mq-recv --no-wait jobs' "mq-ack $receipt" 'mq-stat' 'mq-stat jobs' \
        'mq-dlq list jobs' 'mq-queue list' 'mq-queue create new' 'mq-queue delete jobs' 'mq-queue config jobs ttl=1h'; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr as_nobody $command
        assert_equal "$command: $status" "$command: 77"
        assert_complains "${command%% *}: "
    done
    as_nobody chmod 755 "$MQ_SPOOL"
    as_nobody mq-ack "$receipt"
}

@test "somebody else's queue may be looked at where it is readable, and not be changed" {
    make_public
    ((EUID == 0)) || skip 'it takes root to have files of somebody else'
    export MQ_SPOOL=$public/spool
    mq-send -q jobs body
    mq-send -q jobs second
    receipt=$(claim jobs)
    chmod -R a+rX "$MQ_SPOOL"
    find "$MQ_SPOOL" -type f -path '*/jobs/[!h]*' | sort >before
    for command in 'mq-send jobs body' 'mq-recv --no-wait jobs' 'mq-queue create new' 'mq-queue delete --force jobs' \
        'mq-queue config jobs ttl=1h' 'mq-queue purge --all jobs' "mq-ack $receipt"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr as_nobody $command
        assert_equal "$command: $status" "$command: 77"
        assert_complains "${command%% *}: "
    done
    find "$MQ_SPOOL" -type f -path '*/jobs/[!h]*' | sort | cmp before -
    run -0 --separate-stderr as_nobody mq-stat -j jobs
    assert_json '.ready == 1' '.inflight == 1'
    run -0 --separate-stderr as_nobody mq-queue list
    assert_output jobs
}

@test "a read-only spool can be looked at; all else is 69 and changes nothing" {
    mount_disk size=1m
    printf '1\n2\n' | mq-send -q -l jobs
    receipt=$(claim jobs)
    mount -o remount,ro disk 2>mount.err || skip "remounting does not work here: $(<mount.err)"
    for command in 'mq-send jobs body' 'mq-send new body' 'mq-recv --no-wait jobs' "mq-ack $receipt" 'mq-queue create new' \
        'mq-queue config jobs ttl=1h' 'mq-queue purge --all jobs' 'mq-queue delete --force jobs' "mq-ack --nack $receipt"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr timeout 20 $command
        assert_equal "$command: $status" "$command: 69"
        assert_complains "${command%% *}: "
    done
    run -0 --separate-stderr mq-stat -j jobs
    assert_json '.ready == 1' '.inflight == 1'
    run -0 --separate-stderr mq-queue peek -j jobs
    assert_json '.body == "2"'
    run -0 --separate-stderr mq-queue list
    assert_output jobs
    mount -o remount,rw disk
    mq-ack "$receipt"
    take jobs
    assert_equal "$(<got)" 2
}

# ---- full disks ----------------------------------------------------------------------------------

fill_disk() {
    dd if=/dev/zero of=disk/ballast bs=4k 2>/dev/null || true
}

fill_inodes() {
    local i
    mkdir -p disk/ballast
    for i in {0..9999}; do
        : >"disk/ballast/$i" || break
    done 2>/dev/null
}

# What every consumer must still be able to do; there are at least three messages.
assert_drains() { # NUMBER
    run -0 --separate-stderr timeout 20 mq-recv -a --no-wait jobs
    assert_equal "$stderr" ''
    run -0 --separate-stderr timeout 20 mq-recv --no-wait jobs
    mq-ack "${lines[0]}"
    run -0 --separate-stderr timeout 20 mq-recv -a -l -n 999 --no-wait jobs
    assert_equal "${#lines[@]}" $(($1 - 2))
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '0 0'
}

@test "on a full disk the sender gets 75 and leaves nothing, and consumers drain the queue" {
    mount_disk size=1m
    seq 5 | mq-send -q -l jobs
    fill_disk
    for command in 'mq-send jobs body' 'mq-send -l jobs' 'mq-send -j jobs' 'mq-send --no-sync jobs' 'mq-send -p 9 -d 1h jobs x'; do
        # shellcheck disable=SC2086 # several words
        run -75 --separate-stderr $command <<<'{}'
        assert_complains 'mq-send: jobs: '
        assert_output ''
    done
    assert_equal "$(depth jobs ready) $(depth jobs delayed) $(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l)" '5 0 0'
    assert_drains 5
}

@test "on a full disk a large body fails half way, is 75 and leaves nothing" {
    mount_disk size=1m
    mq-queue create jobs max-size=1G
    seq 5 | mq-send -q -l jobs
    run -75 --separate-stderr mq-send jobs < <(head -c 2M /dev/urandom)
    assert_complains 'mq-send: jobs: '
    assert_equal "$(depth jobs ready) $(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l)" '5 0'
    (($(stat -f -c %f disk) > 100)) || fail 'its blocks are still taken'
    mq-send -q jobs 6
    assert_drains 6
}

@test "with its host page gone on a full disk a queue still drains" {
    mount_disk size=1m
    seq 5 | mq-send -q -l jobs
    rm "$MQ_SPOOL"/jobs/host/*
    fill_disk
    run -75 --separate-stderr mq-send jobs body
    assert_complains 'mq-send: jobs: '
    assert_drains 5
}

@test "with all inodes used the sender gets 75 and leaves nothing, and consumers drain the queue" {
    mount_disk size=4m,nr_inodes=200
    mq-send -q -d 1h jobs early
    age jobs delayed
    mq-recv -a -w 5s jobs >got
    mq-queue sweep # what consumers need then must not be swept away for being empty now
    seq 5 | mq-send -q -l --batch 1 jobs
    fill_inodes
    for command in 'mq-send jobs body' 'mq-send -p 9 jobs body' 'mq-send -d 1h jobs body' 'mq-send new body' 'mq-queue create new'; do
        # shellcheck disable=SC2086 # several words
        run -75 --separate-stderr $command
        assert_complains "${command%% *}: "
        assert_output ''
    done
    assert_equal "$(depth jobs ready) $(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l) $(ls -A "$MQ_SPOOL")" '5 0 jobs'
    assert_drains 5
}

@test "with all inodes used claims can be nacked, rejected and released" {
    mount_disk size=4m,nr_inodes=200
    seq 5 | mq-send -q -l --batch 1 jobs
    fill_inodes
    mq-ack --release "$(claim jobs)"
    mq-ack --nack --delay=0 "$(claim jobs)"
    mq-ack --nack --delay=1h "$(claim jobs)"
    mq-ack --reject "$(claim jobs)"
    assert_equal "$(depth jobs ready) $(depth jobs delayed) $(depth jobs dead)" '3 1 1'
}

@test "with all inodes used a consumer that streams drains batches, and what it cannot take it leaves" {
    mount_disk size=4m,nr_inodes=200
    seq 5 | mq-send -q -l jobs
    fill_inodes
    # In memory a further name takes an inode, so that one message cannot be split off.
    run -75 --separate-stderr mq-recv --no-wait jobs
    assert_complains 'mq-recv: jobs: '
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '5 0'
    run -0 --separate-stderr mq-recv -a -l -f --no-wait jobs
    assert_equal "${#lines[@]}" 5
    assert_equal "$(depth jobs ready) $(depth jobs inflight)" '0 0'
}

@test "whichever file is the last that the disk takes, a message is sent whole or not at all" {
    mount_disk size=4m,nr_inodes=60
    mkdir disk/ballast disk/spool
    for free in {0..14}; do
        rm -rf disk/ballast/* disk/spool/* disk/spool/.[!.]*
        fill_inodes
        seq -f 'disk/ballast/%.0f' 0 $((free - 1)) | xargs -r rm
        run --separate-stderr mq-send jobs body
        rm -rf disk/ballast/*
        case $status in
        0)
            take jobs
            assert_equal "$(<got)" body
            ;;
        75)
            assert_complains 'mq-send: jobs: '
            assert_nothing_sent
            assert_equal "$(find disk/spool -mindepth 1 -maxdepth 1 -name '.*')" ''
            ;;
        *) fail "with $free files to spare: status $status, $stderr" ;;
        esac
        seen[status]=1
    done
    assert_equal "${!seen[*]}" '0 75'
}

@test "whichever file is the last that the disk takes, what is sent once is sent whole or not at all, and then once" {
    mount_disk size=4m,nr_inodes=80
    mkdir disk/ballast
    for free in {0..9} large; do
        rm -rf disk/ballast/* disk/spool
        mq-queue create jobs
        if [[ $free == large ]]; then
            head -c 100000 /dev/zero >body
            head -c 10m /dev/zero >disk/ballast/0 2>/dev/null || true
        else
            echo -n body >body
            fill_inodes
            seq -f 'disk/ballast/%.0f' 0 $((free - 1)) | xargs -r rm
        fi
        run --separate-stderr mq-send --once -i x jobs -f body
        seen[status]=1
        [[ $status == 0 || $status == 75 && $stderr == 'mq-send: jobs: '* ]] || fail "$free files to spare: $status, $stderr"
        rm -rf disk/ballast/*
        assert_equal "$(depth jobs ready)" $((status == 0))
        mq-send -q --once -i x jobs -f body
        run -0 --separate-stderr mq-send -v --once -i x jobs -f body
        [[ $stderr == *duplicate* ]]
        take jobs && cmp got body
        assert_equal "$(depth jobs ready)" 0
    done
    assert_equal "${!seen[*]}" '0 75'
}

@test "on a full disk the outcome of a job counts, and its result is lost with a word" {
    mount_disk size=1M,mode=700
    mq-queue create jobs durability=none
    for id in one two; do mq-send -q -i $id jobs x; done
    # It becomes full while the command prints.
    run -0 --separate-stderr mq-recv --save jobs -- head -c 2M /dev/zero
    assert_equal "$stderr" 'mq-recv: jobs: one: the rest of what it prints is not kept: No space left on device'
    run -0 mq-queue history -j jobs
    assert_json '.outcome == "done" and .cut and .stdout_bytes > 500000'
    mq-queue output jobs one >part
    assert_equal "$(stat -c %s part)" "$(jq .stdout_bytes <<<"$output")"
    # It is full before.
    cat /dev/zero >disk/filler 2>/dev/null || true
    run -0 --separate-stderr mq-recv --save jobs -- sh -c 'echo printed; echo error >&2; echo did >did'
    assert_regex "$stderr" 'two: (its result|the rest of what it prints) is not kept: No space left on device'
    assert_equal "$(<did)" did
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .inflight, .dead]')" '[0,0,0]'
    rm disk/filler
    run -0 mq-queue check
}

@test "whichever system call finds the disk full, a message is sent whole or not at all" {
    needs_strace
    local ahead=fdatasync
    ! keeps_order || ahead=sync_file_range
    for call in mkdirat:ENOSPC renameat2:ENOSPC writev:ENOSPC linkat:ENOSPC $ahead:ENOSPC $ahead:EIO fsync:ENOSPC fsync:EIO \
        fallocate:ENOSPC; do
        for nth in {1..9}; do
            rm -rf "$MQ_SPOOL"
            run --separate-stderr strace -qq -o trace -e trace="${call%:*}" -e inject="${call%:*}:error=${call#*:}:when=$nth" \
                mq-send jobs body
            grep -q INJECTED trace || break
            case $status in
            0) assert_equal "$(depth jobs ready)" 1 ;;
            74) [[ $call == *:EIO ]] && assert_nothing_sent ;;
            75) [[ $call == *:ENOSPC ]] && assert_nothing_sent ;;
            *) false ;;
            esac || fail "$call $nth: status $status, $stderr"
            ((status == 0)) || assert_complains 'mq-send: jobs: '
            assert_equal "$(find "$MQ_SPOOL" -mindepth 1 -maxdepth 1 -name '.*')" ''
            hit=$call
        done
        assert_equal "$hit" "$call"
    done
}

@test "a number, a size or a duration that is too large is refused, and nothing is done" {
    mq-queue create jobs
    local setting
    for setting in max-size=18446744073709551616 max-depth=18446744073709551617 max-attempts=18446744073709551617 \
        batch-count=18446744073709551617 batch-size=18446744073709551617 ttl=18446744073709551617s ttl=9223372036854775807us \
        ack-timeout=36500d retry-delay=52125d dead-ttl=36500d dedup-window=36500d; do
        run -78 --separate-stderr mq-queue config jobs "$setting"
        assert_complains 'mq-queue: jobs: '
        run ! mq-queue create other "$setting"
        assert_not_exists "$MQ_SPOOL/other"
    done
    mq-send -q -i m jobs body
    local option
    for option in --timeout=9223372036854775806us --kill-after=9223372036854775807us --grace=18446744073709551617s \
        --wait=9223372036854775807us --ack-timeout=36500d --count=18446744073709551617; do
        run -64 --separate-stderr timeout 20 mq-recv "$option" jobs -- true
        assert_complains 'mq-recv: '
    done
    for option in --delay=36500d --delay=9223372036854775807us --ttl=36500d --ttl=52125d --block=9223372036854775807us \
        --at=@9223372036854775807; do
        run -64 --separate-stderr timeout 20 mq-send "$option" jobs body
        assert_complains 'mq-send: '
    done
    run -64 --separate-stderr timeout 20 mq-stat --watch=9223372036854775807us jobs
    for option in 36500d 9223372036854775807us 18446744073709551617s; do
        run -64 --separate-stderr mq-tx begin --timeout="$option"
        assert_complains 'mq-tx: '
        run -64 --separate-stderr mq-tx run --timeout="$option" -- touch ran
    done
    assert_not_exists ran
    local field
    for field in '"delay":"36500d"' '"delay":3153600000' '"delay":1e300' '"ttl":"36500d"' '"ttl":9e15' '"ttl":1e999' \
        '"priority":18446744073709551617' '"delay":"18446744073709551617s"'; do
        run -65 --separate-stderr mq-send -j jobs <<<"{\"body\":\"x\",$field}"
        assert_complains 'mq-send: '
    done
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .delayed, .inflight]')" '[1,0,0]'
    receipt=$(claim jobs)
    for option in '--nack --delay=36500d' --extend=36500d --extend=9223372036854775807us; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-ack $option "$receipt"
        assert_complains 'mq-ack: '
    done
    mq-ack "$receipt"
}

@test "the longest times that can be told are taken" {
    mq-queue create jobs dead-ttl=20000d ttl=20000d
    mq-send -q -d 20000d jobs late
    mq-send -q jobs body
    run -0 timeout 20 mq-recv --timeout=52124d --kill-after=52124d --ack-timeout=20000d --wait=52124d -n 1 jobs -- cat
    assert_output body
    assert_equal "$(mq-stat -j -x jobs | jq -c '[.ready, .delayed, .inflight]')" '[0,1,0]'
    spawn watching mq-stat --watch=52124d -j jobs
    wait_until 20 [ -s watching.out ]
    sleep 0.2
    assert_equal "$(grep -c . watching.out)" 1
}

@test "a SIGBUS that somebody sends ends a program as it ends any other" {
    mq-queue create jobs
    spawn waiting mq-recv -a -w 30 jobs
    local pid=$!
    wait_until 20 is_waiting_in_poll "$pid"
    kill -BUS "$pid"
    status=0
    wait "$pid" || status=$?
    assert_equal "$status" $((128 + 7))
}

@test "a file system without hard links is told as what cannot work here, and nothing is left behind" {
    local cc=${CC:-cc}
    command -v "$cc" >/dev/null || skip "no compiler"
    [[ -z ${SANITIZE-} ]] || skip "a sanitizer wants to be loaded first"
    cat >refuse.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
int linkat(int from, const char *name, int to, const char *new_name, int flags)
{
    errno = EPERM;
    return -1;
}
int openat(int at, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, at, name, flags, mode);
}
END
    "$cc" -shared -fPIC -o refuse.so refuse.c
    mq-send -q jobs first
    run -69 --separate-stderr env LD_PRELOAD="$PWD/refuse.so" "$MQ_BUILD/dynamic/mq-send" jobs body
    assert_complains 'mq-send: jobs: '
    assert_equal "$(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l)" 0
    # Where nothing may be put the error is the same, and means something else.
    chattr +i "$MQ_SPOOL"/jobs/ready/* 2>/dev/null || skip "no directory can be made immutable here"
    run --separate-stderr env LD_PRELOAD="$PWD/refuse.so" "$MQ_BUILD/dynamic/mq-send" jobs body
    chattr -i "$MQ_SPOOL"/jobs/ready/*
    assert_equal "$status" 77
}

@test "no message needs /proc to get its name" {
    local cc=${CC:-cc}
    command -v "$cc" >/dev/null || skip "no compiler"
    [[ -z ${SANITIZE-} ]] || skip "a sanitizer wants to be loaded first"
    cat >refuse.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int linkat(int from, const char *name, int to, const char *new_name, int flags)
{
    if (flags & AT_EMPTY_PATH || strncmp(name, "/proc/", 6) == 0) {
        errno = ENOENT;
        return -1;
    }
    return (int)syscall(SYS_linkat, from, name, to, new_name, flags);
}
END
    "$cc" -shared -fPIC -o refuse.so refuse.c
    seq 5 | LD_PRELOAD=$PWD/refuse.so "$MQ_BUILD/dynamic/mq-send" -q -l jobs
    LD_PRELOAD=$PWD/refuse.so "$MQ_BUILD/dynamic/mq-send" -q jobs six
    head -c 300000 /dev/zero >large
    mq-queue config jobs max-size=1M
    LD_PRELOAD=$PWD/refuse.so "$MQ_BUILD/dynamic/mq-send" -q jobs <large
    assert_equal "$(mq-recv -a -l -n 6 --no-wait jobs | paste -sd' ')" '1 2 3 4 5 six'
    mq-recv -a --no-wait jobs | cmp - large
    assert_equal "$(find "$MQ_SPOOL/jobs/tmp" -type f | wc -l)" 0
}

@test "nobody reads a body that grew beyond max-size in a queue whose senders need not be honest" {
    mq-queue create -q --mode=622 jobs max-size=64K
    mq-send -q jobs first
    local file
    file=$(find "$MQ_SPOOL/jobs/ready" -type f)
    file=${file%000.*}fff.grown.a0 # a place of its own behind the first
    printf 'Id: grown\n\n' >"$file"
    truncate -s 64G "$file"
    mq-send -q jobs last
    run -65 --separate-stderr timeout 20 mq-queue peek -j jobs
    assert_equal "$(jq -r .body <<<"$output" | paste -sd' ')" 'first last'
    [[ $stderr == *'grown: the body is larger than max-size: ready/'* ]]
    run -65 timeout 20 mq-queue peek -i grown jobs
    run -0 timeout 20 mq-queue peek -q jobs
    assert_line --partial grown
    assert_equal "$(mq-recv -a -n 3 --no-wait jobs)" firstlast
    run -0 timeout 20 mq-dlq list jobs
    assert_line --partial grown
}
