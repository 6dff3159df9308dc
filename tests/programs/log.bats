#!/usr/bin/env bats
# mq-log and mq-send to a log: messages in one order, read again from anywhere.

load ../helper

# entry OFFSET: the path of an entry of the log clicks.
entry() {
    printf '%s/clicks/log/%013x/%016x' "$MQ_SPOOL" $(($1 >> 12)) "$1"
}

log_of() { # VALUE…: the log clicks with these messages, each in an entry of its own
    mq-log create clicks
    local value
    for value; do
        mq-send -q --no-sync clicks "$value"
    done
}

read_all() {
    mq-log read -l "$@" clicks
}

@test "what was appended can be read again, in its order, and stays" {
    log_of one two
    printf 'a\nb\nc\n' | mq-send -q -l clicks
    printf 'd\0e\0' | mq-send -q -0 clicks
    printf '%s\n' '{"body":"f","headers":{"X":"1"}}' '{"body":"g"}' | mq-send -q -j clicks
    printf 'h\n' | mq-send -q clicks
    for _ in 1 2; do
        run -0 mq-log read -0 clicks
        assert_equal "$(mq-log read -0 clicks | tr '\0' ,)" $'one,two,a,b,c,d,e,f,g,h\n,'
    done
    run -0 mq-log read -j --from 7 -n 1 clicks
    assert_json '.offset == 7' '.body == "f"' '.headers == {"X": "1"}' '.queue == "clicks"' '(.id | length) == 36'
    run -0 mq-log read -j --from 2 -n 3 clicks
    assert_equal "$(jq -c '[.offset, .body, .headers]' <<<"$output" | tr '\n' ' ')" '[2,"a",{}] [3,"b",{}] [4,"c",{}] '
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" 6 # a batch is one entry
}

@test "the ids that a send printed are those that are read, and with -v it tells the offsets" {
    mq-log create clicks
    run -0 --separate-stderr mq-send -v clicks one
    assert_equal "$stderr" "mq-send: clicks: sent $output at offset 0"
    run -0 --separate-stderr mq-send -v -l clicks <<<$'two\nthree'
    assert_equal "$stderr" "$(printf 'mq-send: clicks: sent %s at offset %s\n' "${lines[0]}" 1 "${lines[1]}" 2)"
    assert_equal "$(mq-log read -j --from 1 clicks | jq -r .id)" "$output"
    run -0 mq-send -i mine clicks four
    assert_output mine
    run -0 mq-log read -j --from 3 clicks
    assert_json '.id == "mine"' '.offset == 3'
}

@test "bodies come back byte for byte, empty and large ones too" {
    mq-log create clicks max-size=64M
    head -c 20000000 /dev/urandom >large
    head -c 100000 /dev/urandom >small
    mq-send -q clicks -f small
    mq-send -q --no-sync clicks -f large
    mq-send -q clicks ''
    cat small large >expected
    mq-log read clicks >found
    cmp expected found
    mq-log read --from 1 -n 1 clicks | cmp - large
    run -0 mq-log read -j --from 2 clicks
    assert_json '.body == ""'
}

@test "reading begins and ends where it is told" {
    log_of 0 1
    seq 2 9 | mq-send -q -l clicks
    local option expected
    while read -r option expected; do
        # shellcheck disable=SC2086 # words
        run -0 read_all ${option//=/ }
        assert_equal "$(tr '\n' ' ' <<<"$output")" "$expected "
    done <<'LIST'
--from=beginning 0 1 2 3 4 5 6 7 8 9
--from=4 4 5 6 7 8 9
--from=-3 7 8 9
--from=-99 0 1 2 3 4 5 6 7 8 9
--from=1h 0 1 2 3 4 5 6 7 8 9
--from=@1000000000 0 1 2 3 4 5 6 7 8 9
--to=3 0 1 2
--to=-8 0 1
LIST
    run -0 read_all --from 3 --to 6 -n 2
    assert_output $'3\n4'
    run -1 read_all --from end
    run -1 read_all --from @4000000000
    run -1 read_all --from 6 --to 6
    run -65 read_all --from 11
    assert_output 'mq-log: clicks: --from: the offset 11 is not there yet: the log ends at 10'
    run -64 read_all --from yesterday
    run -64 read_all --from -1x
}

@test "a moment is found among many entries" {
    local i
    log_of {0..8}
    for i in {0..8}; do
        touch -d "2026-01-0$((i + 1)) 00:00Z" "$(entry "$i")"
    done
    run -0 read_all --from 2026-01-04T00:00:00Z
    assert_output "$(seq 3 8)"
    run -0 read_all --from 2026-01-03T00:00:01Z --to 2026-01-05T00:00:00Z
    assert_output 3
}

@test "a reader that follows sees what is appended, in the next bucket too, and ends at a signal" {
    log_of one
    spawn reader mq-log read -l -f clicks
    wait_until 20 grep -qx one reader.out
    seq 2 5000 | mq-send -q -l --no-sync clicks
    wait_until 20 grep -qx 5000 reader.out
    mq-send -q clicks last
    wait_until 20 grep -qx last reader.out
    assert_equal "$(sed '1d;$d' reader.out)" "$(seq 2 5000)"
    kill -TERM "${spawned[0]}"
    wait "${spawned[0]}"
}

@test "four writers at once make one dense sequence, and nothing is lost" {
    mq-log create clicks
    local writer
    for writer in a b c d; do
        seq -f "$writer%g" 2500 >"$writer"
        spawn "$writer" mq-send -q -l --no-sync --batch 7 clicks -f "$writer"
    done
    wait "${spawned[@]}"
    mq-log read -j clicks >messages
    assert_equal "$(jq .offset messages)" "$(seq 0 9999)"
    for writer in a b c d; do
        jq -r .body messages | grep "^$writer" | cmp - "$writer" # each in its own order
    done
}

@test "the hint is no truth: noise in it makes neither gap nor overlap" {
    local noise boot
    boot=$(cat /proc/sys/kernel/random/boot_id)
    log_of 0 1 2 3
    printf '4\n5\n6\n' | mq-send -q -l clicks
    local next=7
    for noise in '' x "$(head -c 200 /dev/zero | tr '\0' z)" "ffffffffffffffff $boot" "0000000000000000 $boot" \
        "0000000000000005 $boot" "00000000000fffff $boot" "0000000000000004 00000000-0000-0000-0000-000000000000"; do
        printf '%s\n' "$noise" >"$MQ_SPOOL/clicks/hint"
        mq-send -q clicks $((next++))
    done
    rm "$MQ_SPOOL/clicks/hint"
    mq-send -q clicks $next
    run -0 read_all
    assert_output "$(seq 0 $next)"
}

@test "retention removes whole buckets from the beginning on, never the last" {
    mq-log create clicks retain-count=5000
    seq 0 20000 | mq-send -q -l --no-sync clicks
    mq-log trim clicks
    run -0 mq-log list -j clicks
    assert_json '.begin > 8192' '.begin <= 15001' '.end == 20001' '.messages == .end - .begin'
    local begin
    begin=$(jq .begin <<<"$output")
    run -0 read_all
    assert_equal "${lines[0]}" "$begin"
    assert_equal "${#lines[@]}" $((20001 - begin))
    run -65 read_all --from 5
    assert_output "mq-log: clicks: --from: the offset 5 was removed: the log begins at $begin"
    mq-log config clicks retain-count=1 retain-time=1ms
    mq-log trim clicks
    run -0 read_all
    assert_equal "${lines[-1]}" 20000
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -mindepth 1 -type d | wc -l)" 1
    assert_dir_not_exist "$MQ_SPOOL"/clicks/removed/*
    mq-send -q clicks next
    run -0 mq-log read -j --from -1 clicks
    assert_json '.offset == 20001'
}

@test "a sweep of the spool trims logs, and removes what a process that died has left" {
    mq-log create clicks
    seq 9000 | mq-send -q -l --no-sync --batch 4096 clicks
    mkdir "$MQ_SPOOL/clicks/removed/0000000000000.0123456789abcdef"
    touch "$MQ_SPOOL/clicks/removed/0000000000000.0123456789abcdef/0000000000000000"
    touch "$MQ_SPOOL/clicks/tmp/0123456789abcdef"
    mkdir "$MQ_SPOOL/clicks/tmp/bucket-0123456789abcdef" # a sender was killed while it made a bucket
    touch -d '3 days ago' "$MQ_SPOOL"/clicks/tmp/*
    mq-log config clicks retain-count=1
    mq-queue sweep
    assert_equal "$(find "$MQ_SPOOL"/clicks/{removed,tmp} -mindepth 1)" ''
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -mindepth 1 -type d | wc -l)" 1
    run -0 read_all
    assert_equal "${lines[-1]}" 9000
}

@test "a bucket that a sender may still link into is not emptied" {
    mq-log create clicks
    seq 4097 | mq-send -q -l --no-sync --batch 4096 clicks
    mq-log config clicks retain-count=1
    # What a sender does that was stopped before its link.
    spawn holder python3 -c '
import fcntl, sys, time
hold = open(sys.argv[1], "r+")
fcntl.lockf(hold, fcntl.LOCK_SH, 1, 0)
print("held", flush=True)
time.sleep(60)' "$MQ_SPOOL/clicks/hold"
    wait_until 20 grep -q held holder.out
    mq-log trim clicks
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" 1
    assert_equal "$(find "$MQ_SPOOL/clicks/removed" -type f | wc -l)" 1
    mq-send -q clicks goes on
    kill -KILL "${spawned[0]}"
    wait "${spawned[0]}" 2>/dev/null || true
    mq-log trim clicks
    assert_equal "$(find "$MQ_SPOOL/clicks/removed" -mindepth 1)" ''
    run -0 mq-log read -l --from -1 clicks
    assert_output 'goes on'
}

@test "what is reported is on the disk: the content before its name, then the bucket, and all that leads to a new one" {
    needs_strace
    log_of one
    seq 4096 | mq-send -q -l --no-sync --batch 4096 clicks # into the first bucket still, and full
    strace -qq -o calls -e trace=fdatasync,sync_file_range,linkat,renameat2,fsync,write mq-send clicks two
    # A new bucket; the content; the name; the new bucket, the one before it, and log/; the id.
    run -0 sed -n 's/^\([a-z_0-9]*\)(.*/\1/; s/sync_file_range/fdatasync/; /write\|sync\|link\|rename/p' calls
    assert_output $'fdatasync\nrenameat2\nlinkat\nfsync\nfsync\nfsync\nwrite'
    strace -qq -o calls -e trace=fdatasync,sync_file_range,linkat,fsync,write mq-send clicks three
    run -0 sed -n 's/^\([a-z_0-9]*\)(.*/\1/; s/sync_file_range/fdatasync/; /write\|sync\|link/p' calls
    assert_output $'fdatasync\nlinkat\nfsync\nwrite'
    strace -qq -o calls -e trace=fdatasync,sync_file_range,fsync mq-send -q --no-sync clicks four
    assert_equal "$(<calls)" ''
}

@test "retention goes by size and by time, and whoever appends sees to it" {
    mq-log create clicks retain-size=100K
    seq -f '%020g' 20000 | mq-send -q -l --no-sync clicks
    mq-log trim clicks
    run -0 mq-log list -j clicks
    assert_json '.bytes >= 100 * 1024' '.bytes < 300 * 1024' '.end == 20000'
    mq-log config clicks retain-size= retain-time=1h
    find "$MQ_SPOOL/clicks/log" -type f -exec touch -d '2 hours ago' {} +
    seq 5000 | mq-send -q -l --no-sync clicks
    run -0 mq-log list -j clicks
    assert_json '.begin >= 16384' '.end == 25000'
    # The clock was ahead for a while, and then set back.
    local future=("$MQ_SPOOL"/clicks/log/*)
    find "$MQ_SPOOL/clicks/log" -type f -exec touch -d '2 hours ago' {} +
    find "${future[0]}" -type f -exec touch -d '2100-01-01' {} +
    seq 5000 | mq-send -q -l --no-sync clicks
    run -0 mq-log list -j clicks
    assert_json '.begin >= 24576' '.end == 30000'
}

@test "a reader that was overtaken goes on at the beginning, and says how many it missed" {
    mq-log create clicks
    seq 0 9999 | mq-send -q -l --no-sync clicks
    mkfifo pipe
    mq-log read -l -f clicks >pipe 2>reader.err 3>&- &
    register $!
    exec 5<pipe
    read -ru 5 first
    assert_equal "$first" 0
    seq -f '%0100g' 40000 | mq-send -q -l --no-sync clicks # more than the pipe and the reader hold
    mq-log config clicks retain-count=1
    mq-log trim clicks
    spawn drain sh -c 'exec cat <&5'
    wait_until 20 grep -q 'messages were removed before they were read' reader.err
}

@test "a damaged entry is told and passed over, and reaches to the next name" {
    log_of 0
    printf '1\n2\n3\n' | mq-send -q -l clicks
    mq-send -q clicks 4
    local text
    for text in 'noise' '' "$(printf 'Mq-Count: 3\nId: x\n\n')" "$(printf 'Mq-Count: 99999999999999999999\nx')"; do
        printf '%s' "$text" >"$(entry 1)"
        run -65 --separate-stderr read_all
        assert_output $'0\n4'
        assert_equal "$stderr" 'mq-log: clicks: damaged: the messages 1 to 3 cannot be read'
    done
    rm "$(entry 1)"
    mkdir "$(entry 1)"
    run -65 --separate-stderr read_all
    assert_output $'0\n4'
    # The last entry, whose end nothing else tells, takes one offset.
    echo noise >"$(entry 4)"
    mq-send -q clicks 5
    run -65 --separate-stderr read_all
    assert_output $'0\n5'
    run -0 mq-log read -j --from 5 clicks
    assert_json '.offset == 5'
}

@test "an entry with a wrong count is damaged" {
    log_of
    printf '0\n1\n2\n' | mq-send -q -l clicks
    sed -i 's/^Mq-Count:    3/Mq-Count:    2/' "$(entry 0)"
    run -65 --separate-stderr mq-log read -j clicks
    assert_equal "$stderr" 'mq-log: clicks: damaged: the message 1 cannot be read'
    sed -i 's/^Mq-Count:    2/Mq-Count:    9/' "$(entry 0)"
    run -65 --separate-stderr mq-log read -j clicks
    assert_equal "$(jq -r .body <<<"$output")" $'0\n1\n2'
    assert_equal "$stderr" 'mq-log: clicks: damaged: the messages 3 to 8 cannot be read'
}

@test "a name that was lost is closed for good, so that nothing appears behind a reader" {
    log_of 0 1 2 3 4
    rm "$(entry 1)" "$(entry 2)"
    run -0 read_all
    assert_output $'0\n3\n4'
    assert_equal "$(cat "$(entry 1)")" 'Mq-Count: 2'
    # Not even with a hint from before.
    echo "0000000000000000 $(cat /proc/sys/kernel/random/boot_id)" >"$MQ_SPOOL/clicks/hint"
    mq-send -q clicks 5
    run -0 read_all
    assert_output $'0\n3\n4\n5'
}

@test "planted names are passed over" {
    log_of 0 1
    touch "$MQ_SPOOL"/clicks/log/{x,0000000000005} "$MQ_SPOOL"/clicks/log/0000000000000/{x,00000000000000zz}
    touch "$MQ_SPOOL"/clicks/begin/{x,-1} "$MQ_SPOOL"/clicks/removed/x
    mkdir "$MQ_SPOOL"/clicks/log/y
    mq-send -q clicks 2
    run -0 read_all
    assert_output $'0\n1\n2'
    mq-log trim clicks
    run -0 mq-log list -j clicks
    assert_json '.end == 3'
}

@test "check tells what is wrong in a log, and repair leaves neither gap nor overlap" {
    log_of 0 1 2
    printf '3\n4\n5\n' | mq-send -q -l clicks
    printf '6\n7\n8\n' | mq-send -q -l clicks
    mq-send -q clicks 9
    log_dir=$MQ_SPOOL/clicks
    run -0 mq-queue check
    assert_output ''
    cp -a "$log_dir" whole
    # A damaged entry, one with a wrong count, a missing one, one inside another, and planted names.
    echo noise >"$(entry 1)"
    rm "$(entry 2)"
    sed -i 's/^Mq-Count:    3/Mq-Count:    9/' "$(entry 3)"
    cp "$(entry 0)" "$(entry 7)"
    cp "$(entry 0)" "$log_dir/log/0000000000000/0000000000005000"
    mkdir "$log_dir"/log/{y,0000000000000/x}
    touch "$log_dir"/log/0000000000001 "$log_dir"/{stray,begin/x,removed/x,sizes}
    mkdir "$log_dir"/groups{,/none}
    rmdir "$log_dir/tmp"
    run -65 mq-queue check clicks
    assert_equal "$(sort <<<"$output")" "$(sort <<'END'
clicks/begin/x: not a beginning's name
clicks/groups/none: not a group
clicks/log/0000000000000/0000000000000001: not an entry
clicks/log/0000000000000/0000000000000003: an entry that is damaged, or has a wrong count
clicks/log/0000000000000/0000000000000007: an entry inside another one
clicks/log/0000000000000/0000000000005000: in a bucket that is not its own
clicks/log/0000000000000/x: not an entry's name
clicks/log/0000000000001: not a directory
clicks/log/y: not a bucket's name
clicks/removed/x: not a bucket that was removed
clicks/sizes: not a part of a log
clicks/stray: not a part of a log
clicks/tmp: a part of the log that is missing
END
)"
    run -65 mq-queue check # all that there is
    run -0 mq-queue check --repair -j
    run -0 mq-queue check
    assert_output ''
    run -0 read_all
    assert_output $'0\n6\n7\n8\n9'
    assert_equal "$(cat "$(entry 1)" "$(entry 3)")" $'Mq-Count: 2\n\nMq-Count: 3'
    assert_equal "$(find "$log_dir/aside" -type f | wc -l)" 9
    mq-send -q clicks 10
    run -0 mq-log read -j --from -1 clicks
    assert_json '.offset == 10'
    # The last entry, which alone tells where the log ends; a missing entry; a lost beginning, and one beyond the end.
    rm -r "$log_dir" && cp -a whole "$log_dir"
    rm "$(entry 1)" "$(entry 2)" "$log_dir"/begin/*
    rm "$(entry 9)" && mkdir "$(entry 9)"
    run -65 mq-queue check clicks
    assert_output 'clicks/begin: the log has lost its beginning'
    run -0 mq-queue check --repair clicks
    assert_equal "$(grep -c 'the name of an entry is missing\|not an entry$' <<<"$output")" 2
    mv "$log_dir"/begin/{0000000000000000,0000000000000900}
    run -65 mq-queue check clicks
    assert_output 'clicks/begin/0000000000000900: a beginning beyond the end of the log'
    mq-queue check --repair clicks
    touch "$log_dir/begin/7000000000000000"
    run -65 mq-queue check clicks
    assert_output 'clicks/begin/7000000000000000: a second beginning of the log'
    mq-queue check --repair clicks
    run -0 mq-queue check clicks
    mq-send -q clicks 10
    run -0 read_all
    assert_output $'0\n3\n4\n5\n6\n7\n8\n10'
    run -0 mq-log read -j --from -1 clicks
    assert_json '.offset == 10'
}

@test "check finds nothing in a log that is appended to, packed and trimmed meanwhile" {
    mq-log create clicks durability=none
    seq 4000 | mq-send -q -l --batch 1 clicks
    spawn sender sh -c 'seq 300 | mq-send -q -l --batch 1 clicks && mq-log trim clicks &&
        mq-log config clicks retain-count=1 && seq 100 | mq-send -q -l --batch 1 clicks && mq-log trim clicks'
    while kill -0 "${spawned[@]}" 2>/dev/null; do
        run -0 mq-queue check clicks
        assert_output ''
    done
    run -0 mq-log list -j clicks
    assert_json '.begin == 4096' '.end == 4400'
    run -0 mq-queue check clicks
}

@test "a log that lacks a part is told to be damaged, and made whole by create" {
    log_of 0
    rm "$MQ_SPOOL/clicks/hold"
    run -65 mq-send -q clicks 1
    assert_output --partial 'the log is damaged'
    mq-log create clicks
    mq-send -q clicks 1
    run -0 read_all
    assert_output $'0\n1'
    rm "$MQ_SPOOL"/clicks/begin/*
    run -65 read_all
    assert_output --partial 'the log is damaged'
}

# read_blocked OPTION…: mq-log reads into a pipe whose reader, which is open as $reader, does not read.
read_blocked() {
    rm -f out
    mkfifo out
    spawn blocked bash -c 'exec mq-log read "$@" clicks >out' reader "$@"
    exec {reader}<out
    wait_until 10 is_asleep_as "${spawned[-1]}" mq-log
}

has_taken_signal() { # PID: or it has ended
    [[ $(ps -o state= -p "$1") != [^Z]* ]] || grep -q '^ShdPnd:.0000000000000000' "/proc/$1/status"
}

signal_blocked() {
    kill -TERM "${spawned[-1]}"
    wait_until 10 has_taken_signal "${spawned[-1]}"
}

# The exit status, in $ended.
await_blocked() {
    ended=0
    wait "${spawned[-1]}" || ended=$?
}

@test "a record that was begun is finished after a signal, and a second signal leaves it torn but is no success" {
    local options ended
    mq-log create clicks max-size=1M
    seq -f '%02000.0f' 100 | mq-send -q --no-sync -l clicks
    head -c 300000 /dev/zero | tr '\0' '#' | mq-send -q clicks
    mq-send -q clicks last
    for options in '-f -l' '-f -0' '-f -j' '-f -l --from=100' '-f -j --from=100' '-f -0 --from=100' '-l'; do
        # shellcheck disable=SC2086 # words
        read_blocked $options
        signal_blocked
        cat <&"$reader" | tr '\0' '\n' >got
        exec {reader}<&-
        await_blocked
        assert_equal "$options: $ended" "$options: $([[ $options == *-f* ]] && echo 0 || echo 143)"
        assert_equal "$(tail -c 1 got)" ''
        case $options in
        *-j*) jq -e .offset got >/dev/null ;;
        *from*) assert_equal "$(wc -c <got) $(wc -l <got)" '300001 1' ;;
        *) diff got <(seq -f '%02000.0f' "$(wc -l <got)") && (($(wc -l <got) < 100)) ;;
        esac
    done
    read_blocked -f -l
    signal_blocked
    kill -TERM "${spawned[-1]}"
    await_blocked
    assert_equal "$ended" 143
    exec {reader}<&-
}

@test "what a cleaner removed of a log is made again by whoever meets the lack" {
    log_of 0
    local command
    for command in 'mq-send -q clicks 1' 'mq-send -q --once clicks 2' 'mq-log config clicks max-size=1M' 'mq-log trim clicks' \
        'mq-tx run -- mq-send -q clicks 3' 'mq-log create clicks'; do
        find "$MQ_SPOOL" -type d -empty -delete
        assert_not_exist "$MQ_SPOOL/clicks/tmp"
        run -0 --separate-stderr $command
        assert_equal "$output$stderr" ''
    done
    # Under a sender that has the log open.
    mkfifo lines
    spawn sender sh -c 'mq-send -l clicks <lines'
    exec {lines}>lines
    echo 4 >&"$lines"
    wait_until 10 [ -s sender.out ]
    find "$MQ_SPOOL" -type d -empty -delete
    echo 5 >&"$lines"
    exec {lines}>&-
    wait "${spawned[@]}"
    run -0 read_all
    assert_output $'0\n1\n2\n3\n4\n5'
    run -0 mq-queue check clicks
}

@test "a log, a queue and a topic do not take each other's names" {
    mq-log create clicks
    mq-log create clicks
    run -73 mq-queue create clicks
    assert_output 'mq-queue: clicks: it is a log, not a queue: mq-log reads and lists it'
    run -66 mq-recv clicks
    assert_output 'mq-recv: clicks: it is a log, not a queue: mq-log reads and lists it'
    run ! mq-topic create clicks
    mq-queue create jobs
    run -73 mq-log create jobs
    assert_output 'mq-log: jobs: cannot create the log: there is something else of that name'
    mq-topic create events
    run -73 mq-log create events
    local command
    for command in config peek 'purge --all' sweep delete 'delete --force'; do
        # shellcheck disable=SC2086 # words
        run -66 mq-queue $command clicks
    done
    run -66 mq-queue config clicks ttl=3
    assert_not_exist "$MQ_SPOOL/clicks/config"
    run -66 mq-log read nothing
    assert_output "mq-log: nothing: no such log in $MQ_SPOOL"
    run -64 mq-log create a/b
    run -64 mq-log create ..
    run -64 mq-log create "$(printf 'x%.0s' {1..129})"
    run -66 mq-recv clicks/billing # only --create makes a group
    assert_equal "$(mq-log list -j | jq -r .log)" clicks
    assert_equal "$(mq-stat -j | jq -r '.queue // empty')" jobs
}

@test "what is for queues is refused, and nothing is appended" {
    mq-log create clicks
    local option
    for option in -p7 -d1h --ttl=1h --max-attempts=3 --request=1s; do
        run -64 mq-send "$option" clicks x
    done
    run -64 mq-send -j clicks <<<'{"body":"x","priority":7}'
    mq-log config clicks max-size=3
    run -65 mq-send clicks long
    assert_output 'mq-send: clicks: cannot append: the body is larger than max-size = 3'
    run -1 read_all
}

@test "what is sent to a log once is in it once: all forms of input, several senders at once, and one that is killed and runs again" {
    mq-log create clicks dedup-window=1h
    assert_equal "$(mq-send --once -i one clicks a)" one
    run -0 --separate-stderr mq-send -v --once -i one clicks a
    assert_equal "$output $stderr" 'one mq-send: clicks: duplicate of one, not sent again'
    seq 3 | mq-send -q -l --once clicks
    run -0 --separate-stderr mq-send -v -l --once clicks < <(seq 2 4)
    assert_equal "$(grep -o 'duplicate\|offset .*' <<<"$stderr" | xargs)" 'duplicate duplicate offset 4'
    for _ in 1 2; do
        echo b >body
        mq-send -q --once -f body clicks
        printf 'c\0d\0' | mq-send -q -0 --once clicks
        echo '{"id": "two", "body": "e"}' | mq-send -q -j --once clicks
    done
    assert_equal "$(mq-log read -l clicks | xargs)" 'a 1 2 3 4 b c d e'
    for _ in {1..6}; do
        mq-send -q --once -i three clicks x &
    done
    wait
    assert_equal "$(mq-log read -l clicks | grep -c x)" 1
    run -64 mq-send --once --tx "$(mq-tx begin)" clicks x
    mq-topic create events
    mq-topic bind events clicks
    for _ in 1 2; do mq-send -q --once -i four events y; done
    assert_equal "$(mq-log read -l clicks | grep -c y)" 1

    # killed
    if command -v strace >/dev/null; then
        mq-log create killed durability=none
        mq-send -q --once killed first
        local call when=0 kills=0 status
        for call in linkat symlinkat renameat2 openat; do
            for when in 1 2 20; do
                status=0
                strace -qq -o /dev/null -e inject="$call:when=$when:signal=KILL" \
                    mq-send -q --once -i "$call$when" killed "$call$when" || status=$?
                kills=$((kills + (status != 0)))
                mq-send -q --once -i "$call$when" killed "$call$when"
            done
        done
        ((kills >= 4))
        assert_equal "$(mq-log read -l killed | sort | uniq -d)" ''
        assert_equal "$(mq-log read -l killed | wc -l)" 13
    fi
    mq-queue sweep
    run -0 mq-queue check
}

@test "a log is an output of transactions, and the dead-letter of a queue" {
    log_of one
    mq-queue create jobs dead-letter=clicks max-attempts=1
    local tx
    tx=$(mq-tx begin)
    seq 10 12 | mq-send -q -l --tx "$tx" clicks
    mq-send -q --tx "$tx" jobs work
    run -0 mq-send -v -q --tx "$tx" clicks last
    refute_output --partial offset
    run -0 read_all
    assert_output one
    mq-tx commit "$tx"
    run -0 read_all
    assert_output $'one\n10\n11\n12\nlast'
    assert_equal "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" 3 # a batch stays one entry
    run -123 mq-recv --tx jobs -- sh -c 'mq-send -q clicks undone; exit 1'
    run -0 mq-log read -j --from 5 clicks
    assert_json '.offset == 5' '.body == "work"' '.headers."Dead-From" == "jobs"'
    mq-send -q -p 7 jobs urgent # a log takes what died whatever its priority was
    mq-recv jobs --no-wait -- sh -c 'mq-send -q --tx "" clicks no && exit 65' || true
    run -0 read_all --from 6
    assert_output $'no\nurgent'
}

# committed FILE…: a transaction as its process left it that died right after it was decided; its outputs are in $outputs
committed() {
    local tx body dir
    tx=$(mq-tx begin)
    for body; do
        mq-send -q --no-sync --tx "$tx" clicks "$body"
    done
    dir=$(echo "$MQ_SPOOL"/.outbox/*."$tx")
    mv "$dir" "$MQ_SPOOL/.outbox/$tx.committed"
    outputs=("$MQ_SPOOL/.outbox/$tx.committed"/*)
}

@test "an output is appended once, whoever carries it out when, and whatever has become of its entry" {
    log_of zero
    committed one two
    ln "${outputs[0]}" "$(entry 1)" # and the process died again
    mq-send -q --no-sync clicks other
    run -0 timeout 20 mq-log read -l -f -n 4 clicks # who waits looks
    assert_output $'zero\none\nother\ntwo'
    assert_not_exist "${outputs[0]}"

    # What is removed or packed is finished first, so that nobody asks for it again.
    committed three
    ln "${outputs[0]}" "$(entry 4)"
    mq-log config clicks retain-count=1
    yes | head -9000 | mq-send -q -l --batch 4096 clicks
    mq-log trim clicks
    assert_not_exist "${outputs[0]}"
    [ "$(mq-log list -j clicks | jq .begin)" -gt 4 ]
    run ! grep -q three <(read_all)

    # One that cannot be read any more keeps its place until it can.
    committed four
    chmod o+w "${outputs[0]%/*}"
    local before
    before=$(mq-log list -j clicks | jq .begin)
    yes | head -9000 | mq-send -q -l --batch 4096 clicks
    mq-log trim clicks
    assert_equal "$(mq-log list -j clicks | jq .begin)" "$before"
    chmod o-w "${outputs[0]%/*}"

    # The log was made anew, and ends before the place that is to be looked at.
    mq-log delete --force clicks
    mq-log create clicks
    mq-send -q clicks new
    mq-queue sweep
    run -0 read_all
    assert_output $'new\nfour'
    assert_not_exist "${outputs[0]}"

    # It was deleted: it is made, as a queue is.
    committed five
    mq-log delete --force clicks
    mq-queue sweep
    run -0 read_all
    assert_output five
}

@test "messages are selected by their key and their headers" {
    mq-log create clicks
    local key
    for key in a.b a.c b; do mq-send -q --no-sync -k $key -H "X: $key" -H Y:1 clicks "$key"; done
    seq 3 | mq-send -q -l -k a.d clicks
    run -0 read_all -k 'a.*'
    assert_output $'a.b\na.c\n1\n2\n3'
    run -0 read_all -k b -k a.d -n 2
    assert_output $'b\n1'
    run -0 read_all -m Y -k '#'
    assert_output $'a.b\na.c\nb'
    run -0 read_all -m Y -m 'X: b'
    assert_output b
    run -0 read_all --any -m 'X: a.c' -m 'X: b'
    assert_output $'a.c\nb'
    run -1 read_all -k nothing
    run -65 read_all -m ': b'
    run -64 read_all --any
}

@test "a full stretch of single messages is packed: same bytes, same offsets, few files" {
    mq-log create clicks durability=none
    local before
    seq 5000 | mq-send -q -l --batch 1 clicks
    [ "$(find "$MQ_SPOOL/clicks/log" -type f | wc -l)" -lt 1000 ]
    assert_equal "$(find "$MQ_SPOOL/clicks/removed" -mindepth 1 | wc -l)" 0
    assert_equal "$(read_all)" "$(seq 5000)"
    assert_equal "$(read_all --from 4000 -n 200)" "$(seq 4001 4200)"
    before=$(mq-log read -j --from 2000 -n 3 clicks)
    assert_equal "$(jq -r .offset <<<"$before" | tr '\n' ' ')" '2000 2001 2002 '
    # A moment in the middle of a file is found.
    assert_equal "$(read_all --from "$(jq -r .timestamp <<<"$before" | head -1)" -n 1)" \
        "$(mq-log read -j -n 2001 clicks | jq -r --argjson m "$(head -1 <<<"$before")" \
            'select(.timestamp == $m.timestamp) | .body' | head -1)"
    mq-queue sweep
    assert_equal "$(read_all | sha256sum)" "$(seq 5000 | sha256sum)"
}

@test "mq-stat --capacity tells what retention needs, and when the disk is full" {
    mq-log create clicks durability=none retain-time=none
    mq-queue create jobs
    seq 3000 | mq-send -q -l clicks
    run -0 mq-stat --capacity -j clicks
    assert_json '.log == "clicks"' '.in > 1' '.retention_bytes == null' '.full_seconds > 0' '.bytes == .bytes'
    mq-log config clicks retain-size=1M retain-count=1000000
    run -0 mq-stat --capacity -j jobs clicks
    jq -es '.[0] | .queue == "jobs" and .retention_bytes == null and .full_seconds == null' <<<"$output"
    jq -es '.[1] | .log == "clicks" and .retention_bytes == 1048576 and .full_seconds == null' <<<"$output"
    mq-log config clicks retain-time=7d retain-size= retain-count=
    run -0 mq-stat --capacity -j clicks
    assert_json '(.bytes_in * 7 * 86400 - .retention_bytes | fabs) < 1'
    run -0 mq-stat --capacity
    assert_line --regexp '^LOG +IN/s'
    assert_line --regexp '^clicks '
    run -66 mq-stat clicks
    assert_output --partial 'it is a log, not a queue'
}

@test "settings are checked, told and kept" {
    run -78 mq-log create clicks retain-time=never
    assert_output "mq-log: clicks: retain-time: 'never' is neither a duration such as 7d nor none"
    assert_not_exist "$MQ_SPOOL/clicks"
    mq-log create clicks retain-size=10G durability=none
    run -0 mq-log config clicks
    assert_output $'durability = none\nmax-size = 256K\nretain-time = 7d\nretain-size = 10G\nretain-count = none\ndedup-window = 1h\nkeep-unread = yes'
    run -0 mq-log config -j clicks retain-size durability
    assert_output '{"retain-size":"10G","durability":"none"}'
    mq-log config clicks retain-size= retain-count=5
    run -0 mq-log config clicks retain-size retain-count
    assert_output $'none\n5'
    run -78 mq-log config clicks keep=1
    assert_output 'mq-log: clicks: keep: no such key: there are durability, max-size, retain-time, retain-size, retain-count, dedup-window, keep-unread'
    echo 'retain-count = x' >"$MQ_SPOOL/clicks/settings"
    run -78 mq-send clicks x
    assert_output 'mq-send: clicks: bad configuration: line 1: retain-count: neither a number from 1 nor none'
}

@test "a log is deleted with its messages only by force, and its reader and its writer are told" {
    log_of one
    run -75 mq-log delete clicks
    assert_output 'mq-log: clicks: it holds messages: --force deletes them too'
    spawn reader mq-log read -l -f clicks
    mkfifo pipe
    spawn writer sh -c 'exec mq-send -q -l --linger 0 clicks <pipe'
    exec 6>pipe
    echo two >&6
    wait_until 20 grep -qx two reader.out
    mq-log delete --force clicks
    assert_not_exist "$MQ_SPOOL/clicks"
    wait_until 20 grep -q 'the log is gone' reader.err
    echo three >&6
    exec 6>&-
    wait_until 20 grep -q 'the log was deleted' writer.err
    mq-log create clicks
    mq-log delete clicks
    run -66 mq-log delete clicks
}

@test "output that cannot be written is told as such" {
    log_of one
    run -74 bash -c 'mq-log read clicks >/dev/full'
    assert_output 'mq-log: clicks: cannot write the messages: No space left on device'
    seq 100000 | mq-send -q -l --no-sync clicks
    run -0 bash -c 'set -o pipefail; mq-log read -l clicks 2>said | head -n 1; echo ${PIPESTATUS[0]}; cat said'
    assert_output $'one\n74\nmq-log: clicks: cannot write the messages: Broken pipe'
}

@test "a full disk appends whole entries or nothing" {
    mq-log create clicks
    mq-send -q clicks before
    run -75 bash -c 'ulimit -f 8; { seq 1000; seq -f "%0100g" 1000; } | mq-send -q -l --no-sync --batch 100 --linger 1m clicks'
    run -0 read_all
    assert_equal "$output" "$(echo before; seq 1000)"
    assert_equal "$(find "$MQ_SPOOL/clicks/tmp" -type f)" ''
}

@test "a log whose offsets are used up says so" {
    local end=7ffffffffffff
    mq-log create clicks
    mq-send -q clicks last
    mv "$MQ_SPOOL/clicks/log/0000000000000/0000000000000000" "$MQ_SPOOL/clicks/log/0000000000000/${end}000"
    mv "$MQ_SPOOL/clicks/log/0000000000000" "$MQ_SPOOL/clicks/log/$end"
    mv "$MQ_SPOOL/clicks/begin/0000000000000000" "$MQ_SPOOL/clicks/begin/${end}000"
    rm -f "$MQ_SPOOL"/clicks/hint/*
    run -69 mq-send clicks more
    assert_output 'mq-send: clicks: cannot append: the offsets of the log are used up'
}
