# A process is killed, stopped or made to fail at any of its system calls: no other process suffers, and no message. And the
# order in which a durable send reaches the disk. tests/README.md says more.

load ../helper

setup() {
    needs_strace
    setup_spool
}

teardown() {
    kill_spawned
    umount mounted 2>/dev/null || true
    cd / && remove_public
}

# walk NAME ARGUMENT…: see that nothing is wrong, and show the figures under that name.
walk() {
    run "$MQ_ROOT/tests/crash/walk" "${@:2}"
    ((status != 69)) || skip "$output"
    assert_success
    echo "# $1: ${lines[-1]}" >&3
}

needs_faketime() {
    command -v faketime >/dev/null || skip "faketime is not installed"
}

@test "whoever is killed at any system call loses, tears and doubles nothing, and others go on at once" {
    needs_faketime
    walk killed kill --short --private --minutes 0.1
}

@test "nor does whoever is killed in a queue that several users share" {
    needs_faketime
    walk killed kill --short --minutes 0.05 --shared 'send, by who may only send' \
        'claim from the inbox by one of several who receive'
}

@test "whoever is stopped at any system call stops nobody else" {
    walk stopped stop --short --minutes 0.05 send claim ack
}

@test "nor does whoever is stopped in a queue that several users share" {
    walk stopped stop --short --minutes 0.05 --shared 'send, by who may only send' 'claim from the inbox'
}

@test "whatever system call fails, it is told, nothing is half done, and the queue works afterwards" {
    needs_faketime
    walk failed fail --short --private --minutes 0.1
}

@test "in an ordered queue each message of each group comes, once and in order, whoever is killed or stopped, or whatever call fails" {
    needs_faketime
    local kind minutes=0.03
    [[ -z ${LONG-} ]] || minutes=5
    for kind in kill stop fail; do
        walk "$kind, in order" $kind --short --ordered --minutes $minutes
    done
}

@test "so it is in a queue that several users share" {
    needs_faketime
    walk failed fail --short --shared --minutes 0.05
}

# ---- order on disk ---------------------------------------------------------------

# disk_calls COMMAND…: run COMMAND, and print what of it matters for the disk, in order, a line each, with names in
# place of what is random.
disk_calls() {
    strace -y -o trace "$@" >/dev/null
    sed -nE "
        / = -1 E/d
        s~^(write|writev|pwrite64)\([0-9]+<[^>]*>\(deleted\).*~write content~p; t
        s~^sync_file_range\([0-9]+<[^>]*>\(deleted\).*WAIT_AFTER.*~write content back~p; t
        s~^f(data)?sync\([0-9]+<[^>]*>\(deleted\).*~sync content~p; t
        s~^linkat\(.*, [0-9]+<$MQ_SPOOL/jobs/delayed/0000000000000>.*~link into the inbox~p; t
        s~^syncfs\([0-9]+<$MQ_SPOOL/.*~sync the file system~p; t
        s~^linkat\(.*, [0-9]+<$MQ_SPOOL/([a-z/]+)/[^>]*>.*~link into \1~p; t
        s~^renameat2\(.*\"\.new-jobs-.*\"jobs\".*~rename to jobs~p; t
        s~^fsync\([0-9]+<$MQ_SPOOL/\.new-jobs-[^>]*>.*~sync what is to be jobs~p; t
        s~^fsync\([0-9]+<$MQ_SPOOL/([a-z]+/[a-z]+)/[^>]*>.*~sync BUCKET of \1~p; t
        s~^fsync\([0-9]+<$MQ_SPOOL/([a-z/]+)>.*~sync \1~p; t
        s~^fsync\([0-9]+<$MQ_SPOOL>.*~sync the spool~p; t
        s~^fsync\([0-9]+<${MQ_SPOOL%/*}>.*~sync above the spool~p; t
        s~^f(data)?sync.*~sync something else~p; t
        s~^write\(1<.*~print~p
    " trace >calls
    awk '$0 != "write content" || $0 != last { print } { last = $0 }' calls # content of any size
}

# assert_order LINE…: what disk_calls printed.
assert_order() {
    assert_output "$(printf '%s\n' "$@")"
}

# What becomes of content as COUNT files get their names in WHERE, in the order that this file system asks for.
named() { # WHERE [COUNT]
    local call calls=('sync content' "link into $1")
    ! keeps_order || calls=('write content back' "link into $1" 'sync content')
    echo 'write content'
    for call in "${calls[@]}"; do
        yes "$call" | head -n "${2-1}"
    done
}

# on_disk FEATURES OPTIONS: a small ext4 file system, made with these and mounted with those, holds the spool.
on_disk() {
    truncate -s 16M disk
    mkfs.ext4 -q -F -O "$1" disk || skip "mkfs.ext4 does not make $1"
    mkdir -p mounted
    mount -o "loop,$2" disk mounted 2>/dev/null || skip "nothing can be mounted here"
    export MQ_SPOOL=$PWD/mounted/spool
}

# How the content of a durable message gets to the disk: before its name, or by the order of the journal.
syncs_of_a_send() {
    local how
    mq-send -q jobs "the bucket is there"
    strace -e trace=sync_file_range,fdatasync,linkat -o trace mq-send jobs further >/dev/null
    how=$(sed -nE '/linkat\(.* = 0/q; s/^(sync_file_range|fdatasync)\(.* = 0$/\1/p' trace)
    strace -e trace=fstatfs -o trace mq-send --no-sync jobs more >/dev/null
    ! grep -q 'fstatfs' trace || how+=', asked in vain'
    umount mounted
    rm disk
    echo "$how"
}

@test "the order of a journal is relied on where there is one that keeps it, and nowhere else" {
    ((EUID == 0)) || skip "it takes root to mount a file system"
    command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
    on_disk has_journal defaults
    assert_equal "$(syncs_of_a_send)" sync_file_range
    on_disk has_journal data=journal
    assert_equal "$(syncs_of_a_send)" sync_file_range
    on_disk ^has_journal defaults
    assert_equal "$(syncs_of_a_send)" fdatasync
    on_disk has_journal data=writeback
    assert_equal "$(syncs_of_a_send)" fdatasync
    on_disk ^has_journal,^extent,^64bit,^flex_bg defaults # as ext2 is
    assert_equal "$(syncs_of_a_send)" fdatasync
}

@test "content is on its way before the name appears, and synced as the bucket is before the id is printed: two syncs" {
    mq-send -q jobs "the bucket is there"
    run -0 disk_calls mq-send jobs further
    assert_order "$(named jobs/ready)" 'sync BUCKET of jobs/ready' print
}

@test "content is synced before the name appears where names may overtake it" {
    [[ -w /dev/shm ]] || skip "no file system in memory"
    public=$(mktemp -d /dev/shm/mq-test.XXXXXX)
    MQ_SPOOL=$public/spool
    mq-send -q jobs "the bucket is there"
    run -0 disk_calls mq-send jobs further
    assert_order 'write content' 'sync content' 'link into jobs/ready' 'sync BUCKET of jobs/ready' print
}

@test "the first message of a bucket syncs the directory of buckets too: three syncs" {
    mq-queue create jobs
    run -0 disk_calls mq-send jobs first
    assert_order "$(named jobs/ready)" 'sync BUCKET of jobs/ready' 'sync jobs/ready' print
}

@test "so does a message whose bucket somebody else made, who may have died before his own sync" {
    mq-send -q jobs first
    chmod u-s "$MQ_SPOOL"/jobs/ready/* # the mark of a durable directory
    run -0 disk_calls mq-send jobs second
    assert_order "$(named jobs/ready)" 'sync BUCKET of jobs/ready' 'sync jobs/ready' print
    run -0 disk_calls mq-send jobs third
    assert_order "$(named jobs/ready)" 'sync BUCKET of jobs/ready' print
}

@test "the first message of a queue syncs the queue, the spool and what it lies in: six syncs" {
    run -0 disk_calls mq-send jobs first
    assert_order 'sync what is to be jobs' 'rename to jobs' 'sync above the spool' 'sync the spool' \
        "$(named jobs/ready)" 'sync BUCKET of jobs/ready' 'sync jobs/ready' print
}

@test "so does the first message of a queue whose maker may have died before his syncs" {
    mq-send -q jobs first
    chmod u-s "$MQ_SPOOL/jobs"
    run -0 disk_calls mq-send jobs second
    assert_order "$(named jobs/ready)" 'sync BUCKET of jobs/ready' \
        'sync above the spool' 'sync the spool' print
}

@test "a delayed message is as durable as a ready one: three syncs for a new bucket, two for a further one" {
    mq-queue create jobs
    local soon=@$((EPOCHSECONDS + 3600)) # one bucket for both
    run -0 disk_calls mq-send --at "$soon" jobs first
    assert_order "$(named jobs/delayed)" 'sync BUCKET of jobs/delayed' 'sync jobs/delayed' \
        print
    run -0 disk_calls mq-send --at "$soon" jobs second
    assert_order "$(named jobs/delayed)" 'sync BUCKET of jobs/delayed' print
}

@test "of many lines each file takes two syncs, and no id is printed before them" {
    mq-send -q jobs "the bucket is there"
    seq 1 100 >numbers
    disk_calls mq-send -f numbers -l jobs >order
    assert_equal "$(grep -c '^sync' order)" $((2 * $(grep -c '^link' order)))
    awk '
        /^write content back/          { ahead = 1 }
        /^sync content/                { ahead = content = 1 }
        /^link/                        { if (!ahead) exit 1; ahead = 0; linked = 1; synced = 0 }
        /^sync BUCKET of jobs\/ready/  { synced = linked }
        /^print/                       { if (!content || !synced) exit 1; printed = 1 }
        END                            { exit !printed }
    ' order
}

# A queue that everybody may send to, in a spool that everybody can reach; $sender is a user who may do nothing else.
share_queue() {
    ((EUID == 0)) || skip "it takes root to be several users"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    make_public
    export MQ_SPOOL=$public/spool PATH=$public/bin:$PATH
    mkdir "$MQ_SPOOL"
    mq-queue create --mode=602 jobs
    sender=(setpriv --reuid=65534 --regid=65534 --clear-groups)
}

@test "who may only send cannot sync the inbox: he syncs the file system before the id is printed" {
    share_queue
    for message in first further; do
        run -0 disk_calls "${sender[@]}" mq-send jobs $message
        assert_order "$(named "the inbox")" 'sync the file system' print
    done
    run -0 disk_calls "${sender[@]}" mq-send -d1h jobs later
    assert_order "$(named "the inbox")" 'sync the file system' print
    run -0 disk_calls "${sender[@]}" mq-send --no-sync jobs last
    assert_order 'write content' 'link into the inbox' print
}

@test "many lines of who may only send are all linked before one sync of the file system, and then their ids printed" {
    share_queue
    seq 1 6 >numbers
    run -0 disk_calls "${sender[@]}" mq-send -l --batch=2 jobs <numbers
    assert_order "$(named "the inbox" 3)" 'sync the file system' print
}

@test "a setting is on the disk before mq-queue is done: two syncs" {
    mq-queue create jobs
    strace -y -o trace mq-queue config jobs ttl=1h
    run sed -nE 's/^(fdatasync|renameat|fsync)\(.*/\1/p' trace
    assert_order fdatasync renameat fsync
}

@test "what at-least-once lets revert is not synced: claim, ack, nack, extend, reject, retry" {
    local receipt command
    mq-send -q jobs work
    mq-send -q jobs more
    receipt=$(claim jobs)
    for command in 'mq-recv --no-wait' "mq-ack -e2h $receipt" "mq-ack --reject $receipt" 'mq-dlq retry' 'mq-recv -a'; do
        [[ $command == mq-ack* ]] || command+=" jobs"
        # shellcheck disable=SC2086 # words
        disk_calls $command
        run -1 grep sync calls
    done
}

@test "with --no-sync or durability = none nothing of a message is synced" {
    mq-queue create jobs
    run -0 disk_calls mq-send --no-sync jobs first
    assert_order 'write content' 'link into jobs/ready' print
    mq-queue config jobs durability=none
    run -0 disk_calls mq-send jobs second
    assert_order 'write content' 'link into jobs/ready' print
}

@test "the contents of a publication are on their way before it is decided, which is synced before anything else: then its id" {
    local written='sync content' ahead=('sync the transaction') done=('sync the file system')
    ! keeps_order || written='write content back' ahead=() done=()
    mq-topic create events
    mq-topic bind events jobs
    mq-topic bind events other
    strace -y -o trace mq-send events one >/dev/null
    run -0 sed -nE '
        / = -1 E/d
        s~^sync_file_range.*WAIT_AFTER.*~write content back~p; t
        s~^fdatasync\([0-9]+<[^>]*/feed/.*~sync content~p; t
        s~^linkat\(.*/\.outbox/.*~link~p; t
        s~^fsync\([0-9]+<[^>]*/\.outbox/.*~sync the transaction~p; t
        s~^renameat2\(.*\.committed".*~decide~p; t
        s~^fsync\([0-9]+<[^>]*/\.outbox>.*~sync the outbox~p; t
        s~^fsync\([0-9]+<[^>]*/spool>.*~sync the spool~p; t
        s~^renameat2\(.*\.committed>.*/ready/.*~deliver~p; t
        s~^syncfs.*~sync the file system~p; t
        s~^f(data)?sync.*~sync something else~p; t
        s~^write\(1<.*~print~p' trace
    assert_order "$written" link link 'sync the spool' "${ahead[@]}" decide 'sync the outbox' deliver deliver \
        "${done[@]}" print
}

@test "a send whose sync fails is not sent, not retried, and exits 74" {
    mq-queue create jobs
    local fault faults='fdatasync:1 fsync:1'
    ! keeps_order || faults='sync_file_range:1 fsync:1 fsync:2'
    for fault in $faults; do
        run -74 --separate-stderr strace -o trace -e inject="${fault%:*}:error=EIO:when=${fault#*:}" mq-send jobs body
        assert_output ''
        assert_equal "$(depth jobs ready)" 0
        assert_equal "$(grep -c "^${fault%:*}" trace)" "${fault#*:}"
    done
}

@test "nor is one of who may only send whose sync of the file system fails" {
    share_queue
    run -74 --separate-stderr strace -o trace -e inject=syncfs:error=EIO:when=1 "${sender[@]}" mq-send jobs body
    assert_output ''
    assert_equal "$(depth jobs delayed)" 0
    assert_equal "$(grep -c ^syncfs trace)" 1
}
