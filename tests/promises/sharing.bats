# Queues that several users share: what each user may do, and that no trick lets anybody do more.
#
# ann owns the queues, bob is in the group that they are shared with, cy is not. They have numbers only.
# shellcheck disable=SC2016 # what is single-quoted is for another shell

load ../helper

# shellcheck disable=SC2034 # used by name
ann=64001 bob=64002 cy=64003 group=64010 own=64020

setup() {
    setup_spool
    ((EUID == 0)) || skip "it takes root to be several users"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    make_public
    export MQ_SPOOL=$public/spool
    mkdir -m 1777 "$MQ_SPOOL"
    cd "$public" || return
}

teardown() {
    kill_spawned
    cd / && remove_public
}

# as USER COMMAND…
as() {
    local gid=$own groups=(--clear-groups)
    [[ $1 == cy ]] || groups=(--groups "$group")
    PATH=$public/bin:$PATH setpriv --reuid="${!1}" --regid="$gid" "${groups[@]}" "${@:2}"
}

# forbidden USER COMMAND…: it is refused, with a reason, and nothing changes.
forbidden() {
    snapshot >"$BATS_TEST_TMPDIR/before"
    run --separate-stderr as "$@"
    assert_equal "$*: $status" "$*: 77"
    [[ $stderr == *": jobs: "*": Permission denied" ]] || fail "$*: $stderr"
    snapshot | diff "$BATS_TEST_TMPDIR/before" -
}

snapshot() {
    # How large a directory is tells on tmpfs what lies in it.
    find "$MQ_SPOOL" ! -path '*/host/*' ! -path '*/waiters*' \( -type d -printf '%M %U:%G %p\n' -o \
        -printf '%M %U:%G %p %s\n' \) | sort
}

allowed() { # USER COMMAND…
    run -0 --separate-stderr as "$@"
}

# create MODE [SETTING…]
create() {
    as ann mq-queue create --mode="$1" --group=$group jobs "${@:2}"
}

# As age of the helper, of the queue jobs.
age_shared() { # STATE
    age jobs "$1"
    find "spool/jobs/$1" -mindepth 1 -type d ! -name 0000000000000 -exec chown $ann:$group {} + -exec chmod --reference=spool/jobs/dead {} +
}

# The names of the messages that nobody has taken in yet.
inbox() {
    find "$MQ_SPOOL/jobs/delayed/0000000000000" -type f -printf '%f\n' | sort
}

# ---- making one --------------------------------------------------------------------------

@test "create --mode makes a queue so whatever the umask is, and again is as good" {
    for mask in 000 077 177; do
        (umask $mask && create 0620)
        (umask $mask && create 620)
        [[ $(stat -c %a:%g spool/jobs/tmp) == "3730:$group" ]]
        [[ $(stat -c %a:%g spool/jobs/delayed/0000000000000) == "3730:$group" ]]
        [[ $(stat -c %a spool/jobs/ready) == 2700 && $(stat -c %a spool/jobs/delayed) == 2710 ]]
        as ann mq-queue delete jobs
    done
}

@test "a queue that is there with another mode or group is 73 and stays as it is" {
    create 0660
    snapshot >before
    for options in --mode=0640 "--mode=0660 --group=$own"; do
        # shellcheck disable=SC2086 # several words
        run -73 --separate-stderr as ann mq-queue create $options jobs
        assert_complains 'mq-queue: jobs: cannot create the queue: '
    done
    snapshot | diff before -
}

@test "modes and groups that are none are misuse" {
    for mode in '' 6 66 0660x 6600 1660 0770 0661 0260 0060 0650 0642 0646 0606 0626 rw -1; do
        run -64 --separate-stderr mq-queue create --mode="$mode" jobs
        assert_complains 'mq-queue: --mode: '
    done
    for name in '' no-such-group -1 4294967295; do
        run -64 --separate-stderr mq-queue create --mode=660 --group="$name" jobs
        assert_complains 'mq-queue: --group: '
    done
    run -64 --separate-stderr mq-queue create --group=0 jobs
    run -64 --separate-stderr mq-queue peek --mode=660 jobs
    assert_not_exists "$MQ_SPOOL/jobs"
}

@test "a group is found by its name, and whoever is no member cannot share with it" {
    mq-queue create --mode=660 --group="$(getent group 1 | cut -d: -f1)" named
    [[ $(stat -c %g spool/named/ready) == 1 ]]
    run -77 --separate-stderr as cy mq-queue create --mode=660 --group=$group jobs
    assert_complains 'mq-queue: jobs: cannot create the queue: not a member '
    assert_equal "$(ls -A spool)" named
}

@test "a private queue has the modes that it always had, and nobody else gets in" {
    (umask 077 && as ann mq-queue create jobs && as ann mq-send -q jobs body)
    find spool/jobs -type d ! -perm 700 ! -perm 4700 -o -type f ! -perm 600 >others
    assert_file_empty others
    for command in 'mq-send jobs x' 'mq-recv --no-wait jobs' 'mq-stat jobs' 'mq-queue peek jobs'; do
        # shellcheck disable=SC2086 # several words
        forbidden bob $command
    done
}

@test "in a spool that users can go through and not list a queue is made and used, as durable as any" {
    chmod 1733 "$MQ_SPOOL"
    allowed ann mq-queue create --mode=0620 --group=$group jobs
    [[ -u spool/jobs ]] # the mark of a durable directory
    allowed ann mq-send -q jobs one
    allowed bob mq-send -q jobs two
    allowed ann mq-recv -a -l -n 2 --no-wait jobs
    assert_output $'one\ntwo'
    needs_strace
    as ann strace -f -o "$public/trace" -e trace=syncfs mq-send -q another body || skip "strace may not trace here"
    run -0 grep -c 'syncfs(.* = 0' trace
    assert_output 1
}

@test "so it is deleted there" {
    chmod 1733 "$MQ_SPOOL"
    allowed ann mq-queue create jobs
    allowed ann mq-queue create other
    allowed ann mq-send -q jobs one
    allowed ann mq-queue config jobs ttl=1h
    run -75 as ann mq-queue delete jobs
    allowed ann mq-queue delete other
    allowed ann mq-queue delete --force jobs
    assert_equal "$(ls -A spool)" ''
}

@test "who cannot open a queue is told so when he deletes it, by force or not" {
    allowed ann mq-queue create jobs
    forbidden bob mq-queue delete jobs
    forbidden bob mq-queue delete --force jobs
    assert_equal "$(ls spool)" jobs
}

# ---- send only ---------------------------------------------------------------------------

@test "who may only send sends one, many, delayed and urgent ones, and they come in order" {
    create 0620
    for mask in 000 077; do
        (
            umask $mask
            as bob mq-send -q jobs one
            seq 2 4 | as bob mq-send -q -l jobs
            as bob mq-send -q -p 9 jobs urgent
            as bob mq-send -q -d 1h jobs later
            as bob mq-send -q -i mine jobs five
        )
        allowed ann mq-recv -a -l -n 20 --no-wait jobs
        assert_output $'urgent\none\n2\n3\n4\nfive'
        allowed ann mq-stat -j jobs
        assert_json '.ready == 0' '.delayed == 1'
        age_shared delayed
        allowed ann mq-recv -a -w 10 jobs
        assert_output later
        run inbox
        assert_output ''
    done
    allowed ann mq-stat -j -x jobs
    assert_json '.ready == 0' '.delayed == 0' '.bytes == 0' '.sent == 14'
    allowed ann mq-queue check jobs
}

@test "a message is sent as durably as ever, and nothing is left where it was written" {
    create 0602
    as cy mq-send -q jobs body
    run -0 inbox
    assert_line --regexp '^[0-9a-f]{13}\.5.*\.a0$'
    assert_equal "$(find spool/jobs/tmp -type f)" ''
    needs_strace
    as cy strace -f -o "$public/trace" -e trace=sync_file_range,fdatasync,fsync,syncfs,linkat mq-send -q jobs body ||
        skip "strace may not trace here"
    run -0 grep -oE '(sync_file_range|f?(data)?sync|linkat|syncfs)\(' trace
    if keeps_order; then
        assert_output $'sync_file_range(\nlinkat(\nfsync(\nsyncfs('
    else
        assert_output $'fdatasync(\nlinkat(\nsyncfs('
    fi
}

@test "who may only send sees and takes nothing, and cannot count" {
    create 0620
    as bob mq-send -q jobs secret
    as ann mq-send -q jobs another
    receipt=$(as ann mq-recv --no-wait jobs | head -n 1)
    for command in 'mq-recv --no-wait jobs' 'mq-stat jobs' 'mq-queue peek jobs' 'mq-queue peek --state all jobs' \
        "mq-ack $receipt" 'mq-dlq list jobs' 'mq-queue purge --all jobs' 'mq-queue sweep jobs' 'mq-queue check jobs' \
        'mq-queue config jobs ttl=1h' 'mq-queue events jobs'; do
        # shellcheck disable=SC2086 # several words
        forbidden bob $command
    done
    run ! as bob ls spool/jobs
    run ! as bob ls spool/jobs/delayed/0000000000000
    run ! as bob ls spool/jobs/ready
    run ! as bob ls spool/jobs/tmp
}

@test "who may only send cannot remove, replace or rename what others sent, even where he knows the name" {
    create 0620
    as ann mq-queue create --mode=0602 --group=$group jobs 2>/dev/null || true
    as bob mq-send -q jobs mine
    as ann true
    name=$(inbox)
    chown $ann "spool/jobs/delayed/0000000000000/$name"
    for command in 'rm -f' 'mv -t tmp' 'cp -f bin/mq-send' 'ln -sf /etc/passwd' 'cat'; do
        # shellcheck disable=SC2086 # several words
        run as bob $command "spool/jobs/delayed/0000000000000/$name"
    done
    assert_equal "$(inbox)" "$name"
    [[ ! -L spool/jobs/delayed/0000000000000/$name ]]
    run ! as bob rmdir spool/jobs/delayed/0000000000000
    run ! as bob mkdir spool/jobs/ready/5-0000000000001
    run ! as bob mkdir spool/jobs/delayed/66104af000000
}

@test "a name that waits to be taken in cannot be guessed" {
    create 0620
    for n in 1 2 3 4; do as bob mq-send -q -i known$n jobs body; done
    run -0 inbox
    printf '%s\n' "$output" | sed -E 's/.*\.5([0-9a-f]{16})\.known.*/\1/' | sort -u >places
    assert_equal "$(wc -l <places)" 4
    run ! grep -E '0{8}$' places
}

@test "a receiver that waits is woken by who may only send" {
    create 0620
    spawn receiver as ann mq-recv -a -w 30 jobs
    wait_until 10 is_asleep "$(pgrep -P $! || echo $!)"
    # It would also look by itself, within a second: this is what wakes it before.
    assert_equal "$(stat -c %a spool/jobs/waiters/bell)" 620
    before=$(stat -c %y spool/jobs/waiters/bell)
    as bob mq-send -q jobs wake
    [[ $(stat -c %y spool/jobs/waiters/bell) != "$before" ]]
    wait_until 10 grep -q wake receiver.out
}

@test "what nobody has taken in yet is counted by who looks, and purged by who owns" {
    create 0624
    as bob mq-send -q jobs one
    as bob mq-send -q -d 1h jobs two
    allowed cy mq-stat -j jobs
    assert_json '.ready == 1' '.delayed == 1' '.bytes > 0' '.oldest_seconds != null'
    allowed cy mq-stat -jx jobs
    assert_json '.ready == 1' '.delayed == 1'
    assert_equal "$(inbox | wc -l)" 2
    allowed ann mq-queue peek -j jobs
    assert_json '.body == "one"'
    assert_equal "$(inbox | wc -l)" 0
    as bob mq-send -q jobs three
    allowed ann mq-queue purge -j --state all jobs
    assert_json '.purged == 3'
    as bob mq-send -q jobs four
    run -75 --separate-stderr as ann mq-queue delete jobs
    allowed ann mq-stat -j jobs
    assert_json '.ready == 1'
}

@test "a message that its sender has closed, cut or changed keeps nobody from the others" {
    create 0620
    as ann mq-queue config jobs max-attempts=2
    for harm in 'chmod 0' 'truncate -s 30' 'chmod u+s,a-rw'; do
        as bob mq-send -q -i bad jobs bad
        as bob mq-send -q jobs good
        file=$(find spool/jobs/delayed/0000000000000 -name '*.bad.*')
        # shellcheck disable=SC2086 # several words
        as bob $harm "$file"
        allowed ann mq-recv -a --no-wait jobs
        assert_output good
        allowed ann mq-dlq list -j jobs
        assert_json '.id == "bad"' '.reason == "corrupt"'
        as ann mq-dlq purge -q --all jobs
    done
}

@test "a batch that its sender has made such that it cannot be split keeps nobody from the others" {
    (($(</proc/sys/fs/protected_hardlinks))) || skip "anybody may link any file here"
    create 0620
    seq 3 | as bob mq-send -q -l jobs
    as bob mq-send -q jobs good
    find spool/jobs/delayed/0000000000000 -name '*.n3' -exec chmod 4666 {} +
    allowed ann mq-recv -a --no-wait jobs
    assert_output good
    allowed ann mq-dlq list -j jobs
    assert_json '.reason == "corrupt"'
}

# ---- look only ---------------------------------------------------------------------------

@test "who may only look sees everything and changes nothing" {
    create 0640
    forbidden bob mq-recv --no-wait jobs
    as ann mq-send -q jobs gone
    receipt=$(as ann mq-recv --no-wait jobs | head -n 1)
    as ann mq-ack "$receipt"
    forbidden bob mq-ack "$receipt"
    forbidden bob mq-queue sweep jobs
    as ann mq-send -q -i m1 jobs body
    as ann mq-send -q -i m2 jobs bodies
    seq 2 | as ann mq-send -q -l jobs
    receipt=$(as ann mq-recv --no-wait jobs | head -n 1)
    as ann mq-recv --no-wait jobs | head -n 1 | as ann mq-ack --reject --reason 'no good'
    for command in 'mq-send jobs x' 'mq-recv --no-wait jobs' 'mq-recv -w 5 jobs' "mq-ack $receipt" "mq-ack --nack $receipt" \
        'mq-queue purge --all jobs' 'mq-dlq retry jobs m2' 'mq-dlq purge --all jobs' 'mq-queue sweep jobs' \
        'mq-queue config jobs ttl=1h'; do
        # shellcheck disable=SC2086 # several words
        forbidden bob $command
    done
    snapshot >before
    for name in page none; do
        allowed bob mq-stat -j jobs
        assert_json '.ready == 2' '.inflight == 1' '.dead == 1'
        [[ $name == none ]] || rm spool/jobs/host/*
    done
    allowed bob mq-queue peek jobs
    assert_line --partial ready
    allowed bob mq-queue peek --state inflight -j jobs
    assert_json '.id == "m1"'
    allowed bob mq-dlq list -j jobs
    assert_json '.reason == "no good"'
    allowed bob mq-dlq show jobs m2
    assert_output --partial bodies
    allowed bob mq-queue list
    assert_output jobs
    allowed bob mq-queue check jobs
    allowed bob mq-queue config jobs ttl
    snapshot | diff before -
    forbidden cy mq-stat jobs
    forbidden cy mq-queue peek jobs
}

@test "figures of who may only look follow what others do" {
    create 0640
    for page in there none; do
        [[ $page == there ]] || rm spool/jobs/host/*
        spawn "$page" as bob mq-stat --watch=100ms -j jobs
        wait_until 10 grep -q '"ready": *0' $page.out
        as ann mq-send -q jobs body
        wait_until 10 grep -q '"ready": *1' $page.out
        as ann mq-recv -aq jobs
    done
}

# ---- all of it ---------------------------------------------------------------------------

@test "two users send to one another, whatever their umasks are" {
    create 0660 durability=none
    for masks in '000 077' '077 000' '077 077'; do
        read -r first second <<<"$masks"
        (umask "$first" && as ann mq-send -q jobs one && seq 3 | as ann mq-send -q -l jobs)
        (umask "$second" && as bob mq-send -q jobs two)
        receipt=$(umask "$second" && as bob mq-recv --no-wait jobs | head -n 1)
        (umask "$second" && as bob mq-ack "$receipt")
        # One of ann's batch by bob, who does not own it, then by ann the others.
        allowed bob sh -c "umask $second; mq-recv -a --no-wait jobs"
        assert_output 1
        allowed ann sh -c "umask $first; mq-recv -a -l -n 9 --no-wait jobs"
        assert_output $'2\n3\ntwo'
    done
    allowed bob mq-stat -j jobs
    assert_json '.ready == 0' '.inflight == 0' '.sent == 15' '.acked == 15'
    allowed bob mq-queue check jobs
    allowed bob mq-queue sweep jobs
}

@test "two users send to one another's groups of messages, in order, whatever their umasks are" {
    create 0660 durability=none order=group
    for masks in '022 022' '000 077' '777 077'; do
        read -r first second <<<"$masks"
        (umask "$first" && as ann mq-send -q -g a jobs 1 && seq 2 4 | as ann mq-send -q -g a -l jobs)
        (umask "$second" && as bob mq-send -q -g a jobs 5 && as bob mq-send -q -g "b$first" jobs 6)
        allowed bob sh -c "umask $second; mq-recv -a -l -n 2 --no-wait jobs"
        local some=$output
        allowed ann sh -c "umask $first; mq-recv -a -l -n 9 --no-wait jobs"
        assert_equal "$(printf '%s\n' "$some" "$output" | grep -v 6 | paste -sd' ')" '1 2 3 4 5'
        allowed bob sh -c "umask $second; mq-recv -a -l -n 9 --no-wait jobs" || true
    done
    allowed bob mq-queue check jobs
}

@test "a claim that one user gave back, forgot or lost is the other's" {
    create 0660
    as ann mq-send -q -i m jobs body
    as bob mq-recv --no-wait jobs | head -n 1 | as bob mq-ack --nack --delay=0
    receipt=$(as ann mq-recv --no-wait -t 1h jobs | head -n 1)
    allowed bob mq-ack "$receipt"
    as bob mq-send -q -i n jobs body
    as ann mq-recv --no-wait jobs >/dev/null
    age_shared inflight
    allowed bob mq-recv -j -w 10 jobs
    assert_json '.id == "n"' '.attempts == 2'
    jq -r .receipt <<<"$output" | as ann mq-ack --reject --reason enough
    allowed bob mq-dlq retry jobs n
    allowed ann mq-recv -a --no-wait jobs
    assert_output body
}

@test "workers of two users keep one record of what went wrong, and remember together what was done" {
    create 0666 max-attempts=3 retry-delay=1ms
    as ann mq-send -q -i m jobs body
    run -123 as cy mq-recv -n 1 -w 5 jobs -- sh -c 'echo by cy >&2; exit 1'
    wait_until 10 has_depth jobs delayed 1
    run -123 as ann mq-recv -n 1 -w 5 jobs -- sh -c 'echo by ann >&2; exit 1'
    run -123 as cy mq-recv -n 1 -w 5 jobs -- sh -c 'echo by cy again >&2; exit 1'
    allowed ann mq-dlq show jobs m
    assert_output --partial 'by cy again'
    assert_output --partial 'by ann'
    for user in ann cy; do
        as ann mq-send -q -i once jobs body
        as $user mq-recv --once --until-empty jobs -- sh -c 'echo ran' >>ran
    done
    assert_equal "$(cat ran)" ran
}

@test "deleting a queue, configuring it and repairing it stay its owner's" {
    create 0666
    as bob mq-send -q jobs body
    touch spool/jobs/ready/litter
    for command in 'mq-queue delete --force jobs' 'mq-queue config jobs ttl=1h' 'mq-queue check --repair jobs'; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr as cy $command
        assert_equal "$command: $status" "$command: 77"
    done
    allowed ann mq-queue config jobs ttl=1h
    allowed cy mq-queue config jobs ttl
    assert_output 1h
    allowed ann mq-queue check --repair jobs
    allowed ann mq-queue delete --force jobs
}

@test "waiting receivers of two users hand on to one another" {
    create 0660
    for n in 1 2; do
        spawn a$n as ann mq-recv -a -l -n 1 -w 30 jobs
        spawn b$n as bob mq-recv -a -l -n 1 -w 30 jobs
    done
    wait_until 10 eval '(($(find spool/jobs/waiters -name "waiter-*" | wc -l) == 3))'
    run find spool/jobs/waiters -name 'waiter-*' ! -perm 660 # or they would find out by themselves, a second later
    assert_output ''
    for n in 1 2 3 4; do as bob mq-send -q jobs $n; done
    wait_until 20 eval '(($(cat [ab]?.out | wc -l) == 4))'
    cat [ab]?.out | sort | diff - <(seq 4)
}

@test "what another user has left in waiters/ who died before it had its mode is swept" {
    create 0660
    as bob mkfifo -m 600 spool/jobs/waiters/.waiter-0123456789abcdef
    allowed ann mq-queue sweep jobs
    assert_exists spool/jobs/waiters/.waiter-0123456789abcdef # he may be at it
    touch -d '-2 days' spool/jobs/waiters/.waiter-0123456789abcdef
    allowed ann mq-queue sweep jobs
    assert_not_exists spool/jobs/waiters/.waiter-0123456789abcdef
}

@test "a shared queue that was found not to be empty gets its modes back with its name" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    [[ -z ${SANITIZE-} ]] || skip "the sanitizers want to be loaded before faketime"
    create 0624
    as bob mq-send -q jobs one
    find spool/jobs -type d -printf '%P %m %G\n' | grep -v /5- | sort >before
    # As a deleter leaves it who dies in the middle: held, with a part of it gone.
    mv spool/jobs spool/.held-jobs-0123456789abcdef
    rmdir spool/.held-jobs-*/ready spool/.held-jobs-*/inflight/*
    cp "$MQ_BUILD/dynamic/mq-queue" dynamic-mq-queue
    as ann faketime '+2 days' ./dynamic-mq-queue sweep
    find spool/jobs -type d -printf '%P %m %G\n' | grep -v /5- | sort | diff before -
    as bob mq-send -q jobs two
    allowed ann mq-recv -a -l -n 9 --no-wait jobs
    assert_output $'one\ntwo'
}

# ---- tricks ------------------------------------------------------------------------------

# A file that nobody but root may read or write, and what is in it.
plant_canary() {
    echo 'the canary sings' >canary
    chmod 600 canary
    mkdir -m 700 cage
    stat -c '%a %u %s %Y %Z %h' canary cage >canary.before
}

canary_is_well() {
    stat -c '%a %u %s %Y %Z %h' canary cage | diff canary.before - && [[ $(<canary) == 'the canary sings' ]] && rmdir cage
}

@test "links in the place of a queue's parts lead root nowhere" {
    for part in config tmp waiters failures "done" host ready delayed delayed/0000000000000 inflight dead; do
        create 0660
        as ann mq-send -q -i m jobs body
        as ann mq-recv --no-wait jobs | head -n 1 >receipt
        plant_canary
        rm -rf "spool/jobs/$part"
        as ann ln -s "$public/$([[ $part == config ]] && echo canary || echo cage)" "spool/jobs/$part"
        for command in 'mq-send jobs x' 'mq-send -d 1h jobs x' 'mq-recv -w 0.1 jobs' "mq-ack $(<receipt)" 'mq-stat jobs' \
            'mq-queue peek --state all jobs' 'mq-queue sweep jobs' 'mq-queue check jobs' 'mq-queue config jobs ttl=1h' \
            'mq-dlq list jobs'; do
            # shellcheck disable=SC2086 # several words
            $command >said 2>&1 </dev/null && status=0 || status=$?
            ((status < 124)) || fail "$part: $command: $status"
            [[ $(<said) != *sings* ]] || fail "$part: $command: $(<said)"
        done
        canary_is_well
        rm -rf spool/jobs canary
    done
}

@test "a failure is written neither through a link nor into a file of several names" {
    create 0660
    plant_canary
    for trick in 'ln -s' ln; do
        as ann mq-send -q -i m jobs body
        # shellcheck disable=SC2086 # several words
        $trick "$public/canary" spool/jobs/failures/m
        [[ $trick == ln ]] || stat -c '%a %u %s %Y %Z %h' canary cage >canary.before
        stat -c '%a %u %s %Y %Z %h' canary cage >canary.before
        run --separate-stderr mq-recv -n 1 -w 5 jobs -- false
        rm spool/jobs/failures/m
        mq-queue purge -q --state all jobs
        assert_equal "$(<canary)" 'the canary sings'
    done
}

@test "hard links to other files as message, configuration or page harm nobody" {
    create 0660
    as ann mq-send -q jobs first
    plant_canary
    ln canary spool/jobs/ready/"$(ls spool/jobs/ready)"/50000000000001001.m.a0 2>/dev/null ||
        ln canary "$(echo spool/jobs/ready/5-*)/566104af71f1e4fff.m.a0"
    head -c 4096 /dev/zero >pagelike
    for page in spool/jobs/host/*; do ln -f pagelike "$page"; done
    as ann mq-send -q jobs second
    mq-recv -a -l -n 9 --no-wait jobs >got
    assert_equal "$(sort got)" $'first\nsecond'
    cmp -n 4096 pagelike /dev/zero
    assert_equal "$(<canary)" 'the canary sings'
    run mq-dlq show jobs m
    mq-queue purge -q --state all jobs
    assert_equal "$(<canary)" 'the canary sings'
}

@test "FIFOs and other things that senders put where they may block nobody" {
    create 0620
    for place in delayed/0000000000000 tmp waiters; do
        as bob mkfifo "spool/jobs/$place/waiter-0123456789abcdef" "spool/jobs/$place/66104af000000.50000000000001001.m.a0"
        as bob mkdir "spool/jobs/$place/66104af000000.50000000000001002.n.a0"
        as bob ln -s /etc/passwd "spool/jobs/$place/66104af000000.50000000000001003.o.a0"
    done
    as bob mq-send -q jobs body
    allowed ann timeout 20 mq-recv -a --no-wait jobs
    assert_output body
    allowed ann timeout 20 mq-queue sweep jobs
    run --separate-stderr as ann timeout 20 mq-queue check jobs
    assert_equal "$status" 65
    run -1 --separate-stderr as ann timeout 20 mq-recv -a -w 0.2 jobs
}

@test "names that a sender makes up are messages of his own at the most" {
    create 0620
    as ann mq-send -q jobs real
    as bob mq-send -q -i m jobs fake
    cd spool/jobs/delayed/0000000000000
    file=$(echo *)
    for name in 0000000000001.9ffffffffffffffff.m.a0 0000000000001.0fffffffffffff000.m.a99 \
        0000000000001.5ffffffffffffffff.m.a0.n4096 0000000000001.50000000000001000.m.a0.n2.s0-0123456789ab; do
        as bob ln "$file" "$name"
    done
    cd "$public"
    as bob mq-send -q jobs last
    as ann timeout 30 mq-recv -a -l -n 20 --no-wait jobs >got
    grep -x real got && grep -x last got
    run ! grep -vxE 'real|last|fake' got
    rm spool/jobs/host/*
    as ann mq-send -q jobs after
    as bob mq-send -q jobs more
    as ann timeout 30 mq-recv -a -l -n 20 --no-wait jobs >got
    grep -x after got && grep -x more got
}

@test "control characters of another user reach no terminal" {
    needs_terminal
    create 0660
    as bob mq-send -q -i m jobs body
    file=$(echo spool/jobs/ready/*/*)
    printf 'Id: m\nType: \e[31mred\nContent-Length: 5\n\n\e[32mx' | as bob tee "$file" >/dev/null
    as bob mq-send -q -i n -H 'Type: ok' jobs $'\e[33mtext'
    for command in 'mq-queue peek jobs' 'mq-queue peek -i n jobs' 'mq-stat jobs' 'mq-queue check jobs'; do
        script -qec "env TERM=dumb NO_COLOR=1 $command" /dev/null </dev/null >screen 2>&1 || true
        run ! grep -q $'\e\\[3[0-9]' screen
    done
    as ann mq-recv --no-wait jobs >/dev/null || true
    as ann mq-recv --no-wait jobs | head -n 1 | as ann mq-ack --reject --reason $'\e[35mwhy'
    for command in 'mq-dlq list jobs' 'mq-dlq show jobs n'; do
        script -qec "env TERM=dumb NO_COLOR=1 $command" /dev/null </dev/null >screen 2>&1 || true
        run ! grep -q $'\e\\[3[0-9]' screen
    done
}

@test "headers of another user set no variable but those of messages" {
    create 0620
    as bob mq-send -q -H 'PATH: /tmp' -H 'LD-PRELOAD: /tmp/evil.so' -H 'BASH-ENV: x' -H 'X: () { :; }; echo hacked' \
        -H 'Queue: other' -H 'Id-x: $(touch hacked)' jobs '`touch hacked`'
    as ann env >before
    as ann mq-recv -w 5 -n 1 jobs -- env >after
    run grep -vE '^(MQ_|_=|PWD=|SHLVL=)' after
    printf '%s\n' "$output" | sort | diff - <(grep -vE '^(MQ_|_=|PWD=|SHLVL=)' before | sort)
    grep -qx 'MQ_QUEUE=jobs' after
    assert_not_exists hacked
}

# ---- no message of one user stops the others ------------------------------------------------

# plant NAME [FILE]: cy, who may only send, links a file of his into the inbox.
plant() {
    as cy ln "${2:-mine}" "spool/jobs/delayed/0000000000000/$1"
}

# A queue that cy may send to, and a file of his that holds a message with the id m.
harm() { # [SETTING…]
    as ann mq-queue create --mode=622 jobs max-size=64K "$@"
    printf 'Id: m\nContent-Length: 3\n\nabc' | as cy tee mine >/dev/null
    chmod 666 mine
}

# judge WORD…: of what is sent before and after, each is received once, in every way; others may be between.
judge() {
    run -0 --separate-stderr as ann timeout 20 mq-queue sweep jobs
    as cy mq-send -q jobs last
    for options in '' '-j'; do
        for ((i = 0; i < 200; i++)); do
            # shellcheck disable=SC2086 # none or one word
            as ann timeout 20 mq-recv --no-wait $options jobs >got || fail "$1 did not come"
            ! grep -q "$1" got || break
        done
        shift
    done
    as ann timeout 20 mq-recv -q --until-empty jobs -- sh -c 'cat; echo' >got || (($? == 123))
    assert_equal "$(grep -c . <(grep -x last got))" 1
    for command in 'mq-stat jobs' 'mq-queue peek --state all jobs' 'mq-dlq list jobs' 'mq-queue sweep jobs'; do
        # shellcheck disable=SC2086 # several words
        run -0 --separate-stderr as ann timeout 20 $command
    done
}

readonly PAST=0000000000001.5000012345678

@test "a forged number of attempts is none, and the claim can be settled" {
    harm ack-timeout=1s
    plant ${PAST}9abc.m.a999999999
    as ann mq-recv --no-wait jobs >got
    receipt=$(head -n 1 got)
    [[ $receipt == */*.m.a1.* ]]
    as ann mq-ack "$receipt"
    # Where it has a place already it is taken for a message of a full disk: the count ends there.
    plant 0000000000001.5fff0123456789aaa.m.a999999999
    as ann mq-recv -w 10 jobs >got
    receipt=$(head -n 1 got)
    [[ $receipt == */*.m.a999999999.* ]]
    as ann mq-ack "$receipt"
    run -0 as ann mq-queue check jobs
}

@test "a forged split, place, part and length keep nobody from what is due behind them" {
    harm
    as cy cp mine spool/jobs/tmp/split-5fff0123456789abc.m.0123456789ab
    as cy sh -c 'umask 0; echo noise >spool/jobs/tmp/split-5fff0123456789abd.m.0123456789ab'
    as cy mq-send -q jobs good1
    as cy mq-send -q jobs good2
    for name in ${PAST}9abc.m.a0.n2.s5-0123456789ab ${PAST}9abd.m.a0.o7.l2 ${PAST}9abe.m.a0.n4096.o7.l2 \
        ${PAST}9abf.m.a0.x0000000000001 ${PAST}9ac0.m.a0.rx.b0000000000001.p1-x ${PAST}9ac1.m.a0.n2.l5; do
        plant "$name"
    done
    for position in 5fff0123456789abc 5fff0123456789abd 00000000000001000 9ffffffffffffffff 5ffffffffffffffff; do
        for fields in n2.s5-0123456789ab n2.l5 n4096.s0-0123456789ab l9999999 o9999999; do
            plant "0000000000001.$position.m.a0.$fields"
            plant "0000000000002.$position.m.a0.$fields"
        done
    done
    judge good1 good2
    run -0 --separate-stderr as ann timeout 20 mq-queue purge --state all jobs
    find spool/jobs/{ready,inflight,dead} -type f >left
    assert_file_empty left
}

@test "a batch whose file has no more links, or a lease on it, keeps nobody from the others" {
    harm retry-delay=10s
    printf 'Id: m\nContent-Length: 1\n\naId: n\nContent-Length: 1\n\nb' | as cy tee mine >/dev/null
    plant ${PAST}9abc.m.a0.n2
    as cy mq-send -q jobs good1
    as cy mq-send -q jobs good2
    spawn lease setpriv --reuid=$cy --regid=$own --clear-groups /usr/bin/python3 -c '
import fcntl, os, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = os.open("mine", os.O_RDWR)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(60)'
    wait_until 10 grep -q held lease.out || skip "no lease is to be had here: $(<lease.err)"
    judge good1 good2
    assert_equal "$(files jobs delayed | grep -c '\.m\.a1\.n2')" 1
    kill_spawned
    # As many links as there can be; a file system that does not end before that does not answer so.
    as cy /usr/bin/python3 -c '
import os
os.mkdir("links")
try:
    for i in range(70000):
        os.link("mine", f"links/{i}")
except OSError as error:
    print(error.errno)' >said
    [[ $(<said) == 31 ]] || skip "the number of links has no end here"
    age_shared delayed
    as cy mq-send -q jobs good3
    as cy mq-send -q jobs good4
    judge good3 good4
    [[ $(files jobs dead) == *.m.*.rcorrupt ]]
}

@test "a terabyte of holes is a dead letter when it comes, and when it has grown since" {
    harm
    printf 'Id: m\n\nabc' | as cy tee mine >/dev/null
    printf 'Id: n\n\nabc' | as cy tee grows >/dev/null
    as cy truncate -s 1T mine || skip "no file is so large here"
    as cy mq-send -q jobs good1
    as cy mq-send -q jobs good2
    plant ${PAST}9abc.m.a0
    plant ${PAST}9abd.n.a0 grows
    as ann mq-stat jobs >taken
    as cy truncate -s 1T grows
    judge good1 good2
    run -0 as ann mq-dlq list -j jobs
    assert_equal "$(jq -r '.id + " " + .reason' <<<"$output")" \
        $'m larger than max-size\nn larger than max-size'
    run -0 as ann mq-dlq purge --all jobs
}

@test "what is no message goes out of the inbox, so that no receive lists it again" {
    harm
    as cy sh -c 'cd spool/jobs/delayed/0000000000000 && for i in $(seq 3000); do : >junk$i; done
        mkdir a b && mkfifo c && ln -s /etc/passwd d && echo >e && ln e ../../tmp/1 2>/dev/null || true
        mkdir -m 700 full && : >full/x && ln -s . 66104af000000.50000000000001003.o.a0
        : >66104af000000.50000000000001003.o.a0.c0123456789abcdef; : >.hidden'
    as cy mq-send -q jobs good1
    as cy mq-send -q jobs good2
    for ((i = 0; i < 4; i++)); do as ann timeout 20 mq-stat jobs >stat; done
    judge good1 good2
    assert_equal "$(ls -A spool/jobs/delayed/0000000000000)" full
    assert_equal "$(find spool/jobs/aside -name 'junk*' | wc -l)" 3000
}

@test "what has its place in the inbox goes to the bucket of its time" {
    harm
    as cy perl -e 'link("mine", sprintf("spool/jobs/delayed/0000000000000/6fffff0000000.5fff0123456%06x.m.a0", $_)) or die for 0 .. 299'
    as ann mq-stat jobs >stat
    as cy mq-send -q jobs good
    run -0 as ann mq-recv -a --no-wait jobs
    assert_output good
    assert_equal "$(ls -A spool/jobs/delayed/0000000000000)" ''
    assert_equal "$(find spool/jobs/delayed/6fffff0000000 -type f | wc -l)" 300
}

@test "an immutable message is passed over" {
    harm
    for body in one two three; do as ann mq-send -q jobs $body; done
    file=$(find spool/jobs/ready -type f | sort | head -n 1)
    chattr +i "$file" 2>/dev/null || skip "no file can be made immutable here"
    as ann timeout 20 mq-recv -a -l -n 9 --no-wait jobs >got || status=$?
    run --separate-stderr as ann timeout 20 mq-recv -a --no-wait jobs
    assert_equal "$status" 1
    run --separate-stderr as ann timeout 20 mq-queue purge --all jobs
    local purged=$status
    chattr -i "$file"
    assert_equal "$(<got)" $'two\nthree'
    assert_equal "$purged" 77
    run -0 as ann mq-recv -a --no-wait jobs
    assert_output one
}

@test "the lock of the settings is waited for with an end, which is told" {
    create 0660
    spawn holder setpriv --reuid=$bob --regid=$own --groups=$group flock spool/jobs/tmp sleep 60
    wait_until 10 bash -c '! flock -n spool/jobs/tmp true'
    run -75 --separate-stderr timeout 10 setpriv --reuid=$ann --regid=$own --groups=$group bin/mq-queue config jobs ttl=1h
    assert_complains 'mq-queue: jobs: cannot set the configuration: another process holds its lock'
    assert_not_exists spool/jobs/config
    kill_spawned
    for ((i = 0; i < 20; i++)); do
        as ann mq-queue config jobs max-depth=$((i + 1)) ttl=${i}1s &
    done
    wait
    [[ $(grep -c . spool/jobs/config) == 2 ]]
}

@test "a directory in the place of the host's page is told, does no harm, and is repaired" {
    create 0660
    as ann mq-send -q jobs one
    page=spool/jobs/host/$(ls spool/jobs/host)
    as bob sh -c "rm $page && mkdir -p $page/x"
    run -0 --separate-stderr as ann mq-send -q jobs two
    assert_equal "$stderr" ''
    for command in 'mq-send jobs three' 'mq-recv -a -l -n 3 jobs' 'mq-stat jobs' 'mq-queue check --repair jobs'; do
        # shellcheck disable=SC2086 # several words
        run -0 --separate-stderr "$public/bin/${command%% *}" ${command#* }
        assert_complains "${command%% *}: jobs: a directory lies in the place of this host's page"
    done
    run -0 --separate-stderr as ann mq-send jobs four
    assert_equal "$stderr" ''
    [[ -f $page ]]
}

# A queue of one user's own, with a dead letter of each kind: alone in its file, with headers of its own or shared.
make_letters() { # USER QUEUE
    as "$1" mq-queue create "$2" max-attempts=1
    as "$1" mq-send -q -H 'Kind: single' "$2" alone
    printf 'one\ntwo\n' | as "$1" mq-send -q -l "$2"
    printf '{"body":"three"}\n{"body":"four"}\n' | as "$1" mq-send -q -j "$2"
    for letter in alone one two three four; do
        as "$1" mq-recv --no-wait "$2" | head -n 1 | as "$1" mq-ack --reject
    done
}

letters_in() { # QUEUE STATE: their modes, owners and groups
    find "spool/$1/$2" -type f -printf '%m %U %G\n' | sort -u
}

@test "a dead letter that is tried again in a shared queue is one of that queue's" {
    create 0660
    make_letters bob mine
    touch -d '2020-01-02 03:04:05 UTC' spool/mine/dead/*/*
    allowed bob mq-dlq retry mine --to jobs
    assert_equal "$(letters_in jobs ready)" "660 $bob $group"
    assert_equal "$(find spool/jobs/ready -type f -printf '%TY\n' | sort -u)" 2020
    assert_equal "$(as bob mq-stat -x --format dead mine | tail -n 1 | tr -d ' ')" 0
    assert_equal "$(find spool/{mine,jobs}/tmp -type f | wc -l)" 0
    as ann mq-recv -a -l -n 5 --no-wait jobs >got
    printf '%s\n' alone one two three four | cmp - got
    run -0 --separate-stderr as ann mq-stat -x --format ready,dead,bytes jobs
    assert_output "$(as ann mq-stat --format ready,dead,bytes jobs)"
}

@test "a dead letter that is tried again in a queue of one's own is nobody else's" {
    create 0660
    as bob mq-send -q jobs secret
    as bob mq-recv --no-wait jobs | head -n 1 | as bob mq-ack --reject
    as ann mq-queue create mine
    allowed ann mq-dlq retry jobs --to mine
    assert_equal "$(letters_in mine ready)" "600 $ann $own"
    as ann mq-recv -a --no-wait mine >got
    echo -n secret | cmp - got
}

@test "what root tries again in another user's queue is that user's" {
    as ann mq-queue create mine
    mq-send -q roots work
    mq-recv --no-wait roots | head -n 1 | mq-ack --reject
    mq-dlq retry roots --to mine
    assert_equal "$(letters_in mine ready | cut -d' ' -f1-2)" "600 $ann"
    as ann mq-recv -a --no-wait mine >got
    echo -n work | cmp - got
}

@test "of several who try dead letters again in a shared queue one has each" {
    create 0660
    as bob mq-queue create --mode=0666 --group=$group team # whose files are others'
    for body in {1..20}; do
        as bob mq-send -q team "$body"
        as bob mq-recv --no-wait team | head -n 1 | as bob mq-ack --reject
    done
    for user in ann bob ann bob; do
        as $user mq-dlq retry team --to jobs &
    done
    wait
    as ann mq-recv -a -l -n 100 --no-wait jobs | sort -n >got
    seq 20 | cmp - got
    assert_equal "$(as ann mq-stat -x --format dead team | tail -n 1 | tr -d ' ')" 0
}

@test "a private queue is usable, and nobody else's, whatever the umask of anybody who uses it is" {
    local mask other round=0
    for mask in 777 700 277 000; do
        for other in 000 777 377; do
            export MQ_SPOOL=$public/of-$((++round))/deep/spool
            mkdir "$public/of-$round"
            chown $ann:$own "$public/of-$round"
            (umask $mask && as ann mq-send -q jobs one && seq 3 | as ann mq-send -q -l jobs)
            (umask $other && as ann mq-send -q -d 1h jobs two && as ann mq-queue config jobs dedup-window=1h)
            receipt=$(umask $other && as ann mq-recv --no-wait jobs | head -n 1)
            (umask $mask && as ann mq-ack --nack "$receipt")
            (umask $mask && as ann mq-recv -n 1 --once jobs -- false 2>/dev/null) || true
            (umask $other && as ann mq-recv -n 1 --once --no-wait jobs -- true)
            as ann mq-recv -a --no-wait jobs >/dev/null
            if [[ $other == 777 ]]; then
                (umask $mask && as ann mq-queue create lanes order=strict && as ann mq-log create log)
                (umask $other && as ann mq-send -q lanes 1 && as ann mq-send -q log 1)
                assert_equal "$(umask $mask && as ann mq-recv -a --no-wait lanes)" 1
                assert_equal "$(umask $other && as ann mq-recv -a --no-wait --create log/group)" 1
            fi
            run -0 find "$public/of-$round" -mindepth 1 \( -type d ! -perm 700 ! -perm 4700 -o ! -type d ! -perm 600 \) -printf '%m %p\n'
            refute_output
        done
    done
    # The first waiter makes the bell, the second a FIFO of its own.
    as ann mq-queue create idle
    for waiter in first second; do
        spawn $waiter as ann sh -c 'umask 777; exec mq-recv -a -w 30 idle'
    done
    wait_until 20 has_private_fifos
    as ann mq-send -q idle one
    as ann mq-send -q idle two
    wait_until 20 [ -s first.out ]
    wait_until 20 [ -s second.out ]
}

has_private_fifos() {
    [[ $(find "$MQ_SPOOL/idle/waiters" -type p ! -name '.*' -printf '%m\n') == $'600\n600' ]]
}

@test "ages tell of what lies in the inbox as the figures do, whoever looks" {
    create 0624 # the group only sends, all others only look
    as bob mq-send -q jobs now
    as bob mq-send -q -d 1h jobs later
    for user in cy ann; do
        assert_equal "$(as $user mq-stat -j jobs | jq -c '[.ready, .delayed]')" '[1,1]'
        as $user mq-stat --ages --json jobs | jq -r 'select(.state == "ready" or .state == "delayed") | "\(.state) \(.total)"' >ages
        assert_equal "$(grep ready ages)" 'ready 1'
        grep delayed ages | grep -vx 'delayed 1' && fail "$(<ages)"
        :
    done
}

# Hold what the user has in jobs, let the user make another queue of that name, and let the user's sweep merge the two.
merge_held() { # USER MODE
    mv spool/jobs held
    as "$1" mq-queue create --mode="$2" --group=$group jobs
    mv held spool/.held-jobs-0123456789abcdef
    cp "$MQ_BUILD/dynamic/mq-queue" dynamic-mq-queue
    as "$1" faketime '+2 days' ./dynamic-mq-queue sweep
    assert_equal "$(ls -A spool)" jobs
}

@test "what a deleter held and a new queue of the name takes in is one of the new queue's" {
    command -v faketime >/dev/null || skip "faketime is not installed"
    [[ -z ${SANITIZE-} ]] || skip "the sanitizers want to be loaded before faketime"
    as ann mq-queue create jobs
    as ann mq-send -q jobs alone
    seq 4 | as ann mq-send -q -l --batch=4 jobs
    as ann mq-recv --no-wait jobs | head -n 1 | as ann mq-ack --reject
    merge_held ann 0660
    assert_equal "$(letters_in jobs ready | sort -u)" "660 $ann $group"
    assert_equal "$(letters_in jobs dead)" "660 $ann $group"
    allowed bob mq-recv -a -l -n 9 --no-wait jobs
    assert_output "$(seq 4)"
    as bob mq-send -q jobs secret
    allowed bob mq-dlq retry jobs
    merge_held ann 0600
    assert_equal "$(letters_in jobs ready | cut -d' ' -f1-2 | sort -u)" "600 $ann"
    allowed ann mq-recv -a -l -n 9 --no-wait jobs
    assert_output $'alone\nsecret'
}

@test "what is no message in a held queue keeps no sweep from giving its messages back" {
    create 0662
    as cy mq-send -q jobs held
    mv spool/jobs spool/.held-jobs-0123456789abcdef
    as cy sh -c 'cd spool/.held-jobs-0123456789abcdef/delayed/0000000000000 && ln -s /etc/passwd link && mkfifo fifo'
    ln -s nowhere spool/.held-jobs-0123456789abcdef/ready/stray
    touch spool/.held-jobs-0123456789abcdef/ready/file
    mkdir spool/jobs && rmdir spool/jobs
    as ann mq-queue create --mode=0662 --group=$group other
    mv spool/other spool/jobs
    as ann mq-send -q jobs new
    run --separate-stderr timeout 60 faketime -f '+3d' "$MQ_BUILD/dynamic/mq-queue" sweep
    assert_equal "$status" 0
    assert_not_exists spool/.held-jobs-0123456789abcdef
    as ann mq-recv -a -l -n 2 --no-wait jobs | sort >got
    printf '%s\n' held new | cmp - got
}

# A message of nobody's in the transaction $tx.
forge() { # ENTRY
    printf 'Id: 01a21568-12d3-744b-8c63-ec09c9ebc412\n\nforged\n' >"forged"
    install -o nobody -m 600 forged "spool/.outbox/$tx.committed/$1"
}

@test "root carries out another user's transaction with that user's rights, and never with its own" {
    local tx=0123456789abcdef name=0000000000000.5661239e898a27000.01a21568-12d3-744b-8c63-ec09c9ebc412.a0
    [[ $(id -u nobody) == 65534 ]] || skip "there is no user nobody"
    mq-queue create private
    mq-queue create --mode=622 letterbox
    mkdir -m 755 locked && echo old >locked/file
    mkdir -m 777 open && echo old >open/file
    as_nobody env MQ_SPOOL="$MQ_SPOOL" "$public/bin/mq-tx" list
    tx=$(as_nobody env MQ_SPOOL="$MQ_SPOOL" "$public/bin/mq-tx" begin)
    as_nobody env MQ_SPOOL="$MQ_SPOOL" "$public/bin/mq-send" -q --tx "$tx" letterbox honest
    mv "spool/.outbox/"*."$tx" "spool/.outbox/$tx.committed" # its sender was killed here
    run -0 mq-queue sweep -q
    assert_equal "$(mq-recv -q -a --no-wait letterbox)" honest
    [[ ! -e spool/.outbox/$tx.committed ]] || fail "it is still there"

    tx=0123456789abcdef
    install -d -o nobody -m 700 "spool/.outbox/$tx.committed"
    forge "o:private:$name"
    forge "o:letterbox:$name"
    forge "i:private:$name"
    forge p:0000000000000001
    as_nobody ln -s "$PWD/locked/file" "spool/.outbox/$tx.committed/t:0000000000000001"
    forge p:0000000000000002
    as_nobody ln -s "$PWD/locked" detour # in a directory that all may write to
    as_nobody ln -s "$PWD/detour/file" "spool/.outbox/$tx.committed/t:0000000000000002"
    run -0 mq-queue sweep -q
    run -0 mq-recv -q -a --no-wait letterbox
    assert_output forged
    run -0 mq-stat -j private
    assert_equal "$(jq -c '[.ready, .inflight, .dead]' <<<"$output")" '[0,0,0]'
    assert_equal "$(cat locked/file)" old
    [[ -e spool/.outbox/$tx.committed/o:private:$name ]] || fail "what he may not send has gone"

    # Others can write to it: whose wishes these are is not known.
    tx=fedcba9876543210
    install -d -o nobody -m 777 "spool/.outbox/$tx.committed"
    forge "o:letterbox:$name"
    mq-queue sweep -q
    run -1 mq-recv -q -a --no-wait letterbox

    # A symbolic link is no transaction.
    tx=1111111111111111
    install -d -o nobody -m 700 elsewhere
    ln -s "$PWD/elsewhere" "spool/.outbox/$tx.committed"
    install -o nobody -m 600 forged "elsewhere/o:letterbox:$name"
    mq-queue sweep -q
    run -1 mq-recv -q -a --no-wait letterbox
}

@test "a topic is shared as its mode says, and what a sender may not send to gets nothing, nor do the others" {
    local path
    as ann mq-topic create --mode=662 --group=$group events durability=none
    as ann mq-topic create --mode=662 --group=$group events
    run -73 as ann mq-topic create --mode=622 --group=$group events
    assert_output --partial "it is there, with another mode or group"
    run -77 as cy mq-topic create --mode=660 --group=$group others
    as ann mq-queue create --mode=622 --group=$group shared
    as ann mq-topic bind events shared
    # bob changes the bindings; cy sends, by file, by lines, and in a transaction, and changes nothing.
    as bob mq-queue create --mode=622 --group=$group second
    as bob mq-topic bind events second
    as bob mq-topic config events unroutable=drop
    as cy mq-send -q -k a.b events published
    printf '1\n2\n' | as cy mq-send -q -l events
    as cy mq-tx run -- mq-send -q events whole
    as cy mq-topic route events
    run -77 as cy mq-topic bind events shared -k x
    run -77 as cy mq-topic unbind events shared
    run -77 as cy mq-topic config events durability=full
    run -77 as cy mq-topic delete events
    for path in shared second; do
        [[ $path == shared ]] && run -0 as ann mq-recv -q -a -l -n 9 --no-wait $path
        [[ $path == shared ]] || run -0 as bob mq-recv -q -a -l -n 9 --no-wait $path
        assert_output $'published\n1\n2\nwhole'
    done
    assert_equal "$(as ann mq-stat -j events | jq -c '[.published, .routed]')" '[4,8]'
    assert_equal "$(find spool/events ! -type l -printf '%M %U:%G %P\n' | sed 's~host/.*-~host/ID-~' | sort -k3)" "\
drwxrws--x $ann:$group $(echo)
-rw-r--r-- $bob:$group bindings
drwxrws--x $ann:$group feed
drwxrwsrwt $ann:$group feed/host
-rw-r--r-- $cy:$group feed/host/ID-$cy
drwxrwsrwt $ann:$group feed/tmp
-rw-r--r-- $bob:$group settings"
    # What cuts another user's table short ends nobody, and a table of another user is not used.
    as cy truncate -s 0 spool/events/feed/host/*-$cy
    as ann mq-stat events >/dev/null
    as cy rm spool/events/feed/host/*-$cy
    as ann cp /dev/null "spool/events/feed/host/$(cat /etc/machine-id)-$cy"
    as cy mq-send -q events still
    # A queue that cy may not send to.
    as ann mq-queue create own
    as ann mq-topic bind events own
    run -77 --separate-stderr as cy mq-send events secret
    [[ $stderr == "mq-send: events: "*"Permission denied" ]] || fail "$stderr"
    assert_equal "$(as bob mq-recv -q -a -l -n 9 --no-wait second)" still
    run -77 as cy mq-tx run -- mq-send events secret
    run -1 as bob mq-recv -q -a --no-wait second
    as bob mq-send -q events "of bob" && fail "bob sent to what is ann's"
    as ann mq-send -q events all
    assert_equal "$(as ann mq-recv -q -a --no-wait own)" all
    # Who may look sends nothing; who may do nothing does not see it.
    as ann mq-topic create --mode=640 --group=$group seen
    as ann mq-topic bind seen shared
    assert_equal "$(as bob mq-topic list -j seen | jq -r .destination)" shared
    run -77 as bob mq-send seen no
    run -77 as cy mq-send seen no
    as ann mq-topic delete seen
    as ann mq-topic delete events
}

@test "what root sends to another user's private queue can be worked on by its owner" {
    ((EUID == 0)) || skip "only root can"
    as_nobody mq-queue create own retry-delay=1ms
    rm -f "$MQ_SPOOL"/own/host/* # root is the first to use it since the machine was started
    mq-send -q own one
    seq 3 | mq-send -q -l own
    mq-send -q --once -i once own once
    printf '%s\n' '{"body":"json","priority":3}' | mq-send -qj own
    mq-recv -n 1 own -- false || true
    mq-queue create other
    mq-tx run -- sh -c 'mq-send -q own tx; mq-send -q other tx'
    run -0 find "$MQ_SPOOL"/own/{ready,delayed,host} -user root
    assert_output ''
    mq-queue sweep own
    run -0 as_nobody mq-recv -a -l -w 5s -n 7 own
    assert_equal "$(sort <<<"$output" | paste -sd' ')" '1 2 3 json once one tx'
    run -0 mq-stat --format '{dead}' own
    assert_output 0
}
