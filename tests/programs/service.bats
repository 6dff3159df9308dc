#!/usr/bin/env bats
# mq-recv as a service: what it tells the service manager, and the examples of a unit and a cron table.

load ../helper

# listen ADDRESS: write what is sent to a datagram socket, a line each, into ./told; @ is the abstract space.
listen() {
    spawn manager python3 -c '
import socket, sys
address = sys.argv[1]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\0" + address[1:] if address[0] == "@" else address)
print("listening", file=open("ready", "w"))
while True:
    with open("told", "a") as told:
        print(manager.recv(4096).decode(), file=told)
' "$1"
    wait_until 20 test -e ready
}

tells() { # TEXT
    [[ $(cat told) == "$1" ]]
}

tells_line() { # LINE
    grep -qx "$1" told
}

@test "a worker tells the service manager that it is ready, what it does, and that it stops" {
    mq-queue create jobs retry-delay=1h
    listen "$PWD/socket"
    printf '#!/bin/sh\nword=$(cat); [ "$word" != wait ] || until [ -e go ]; do sleep 0.01; done; [ "$word" != bad ]\n' >work
    chmod +x work
    export NOTIFY_SOCKET=$PWD/socket WATCHDOG_USEC=100000
    spawn worker mq-recv -f jobs -- ./work
    wait_until 10 tells_line 'STATUS=Waiting for messages'
    wait_until 10 tells_line WATCHDOG=1
    assert_equal "$(sed '/WATCHDOG/d' told)" $'READY=1\nSTATUS=Waiting for messages'
    mq-send -q -l jobs <<<$'good\nbad\nwait'
    wait_until 10 tells_line 'STATUS=1 running, 1 done, 1 failed'
    touch go
    wait_until 10 tells_line 'STATUS=Waiting for messages, 2 done, 1 failed'
    kill -TERM "${spawned[-1]}"
    wait "${spawned[-1]}" || true
    wait_until 10 tells_line STOPPING=1
    # A watchdog that waits for another process, or for nobody, hears nothing; and commands know of none.
    rm told
    export WATCHDOG_PID=1
    mq-send -q jobs good
    mq-recv -w 20 jobs -- env >variables
    wait_until 10 tells_line STOPPING=1
    WATCHDOG_PID='' WATCHDOG_USEC=nonsense mq-recv -w 0.01 jobs -- true || true
    run ! tells_line WATCHDOG=1
    run ! grep -E '^(WATCHDOG|NOTIFY)' variables
}

@test "the socket may be in the abstract space, and nobody need listen" {
    mq-send -q jobs x
    listen "@mq-test-$$-$RANDOM"
    local address
    address=$(tr '\0' '\n' </proc/"${spawned[-1]}"/cmdline | tail -n 1)
    NOTIFY_SOCKET=$address mq-recv -w 20 jobs -- true
    wait_until 10 tells_line STOPPING=1
    mq-send -q jobs x
    NOTIFY_SOCKET=$PWD/nobody run -0 mq-recv -w 20 jobs -- true
    mq-send -q jobs x
    NOTIFY_SOCKET=nonsense run -0 mq-recv -w 20 jobs -- true
}

@test "in the journal each message has its priority, and nowhere else" {
    mq-send -q jobs x
    : >errors
    export JOURNAL_STREAM
    JOURNAL_STREAM=$(stat -c %d:%i errors)
    mq-recv -v jobs -- sh -c 'echo the command >&2; exit 1' 2>errors || true
    mq-send -q .none x 2>>errors || true
    run -0 cat errors
    assert_line --regexp '^<6>mq-recv: jobs: .*: attempt 1'
    assert_line --regexp '^<3>mq-recv: jobs: .*exit status 1'
    assert_line 'the command'
    assert_line --regexp '^<3>mq-send: .*\.none'
    mq-send .none x 2>others || true
    run ! grep -q '^<' others
    JOURNAL_STREAM=nonsense mq-send none/such x 2>errors || true
    run ! grep -q '^<' errors
}

# The units and the others, as they are installed, with the programs where they are.
install_units() {
    make --no-print-directory -s -C "$MQ_ROOT" BUILD="$MQ_BUILD" install DESTDIR="$PWD/root" BINDIR="$MQ_BUILD" 3>&-
    units=$PWD/root/usr/local/lib/systemd/system
}

@test "systemd takes the units, shuts workers in, and makes user and spool" {
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
    unset MAKEFLAGS MAKELEVEL MFLAGS
    install_units
    run -0 systemd-analyze verify --man=no "$units"/mq-{worker@jobs,bridge@orders,sweep,metrics}.service "$units"/*.timer
    assert_output ''
    run -0 systemd-analyze security --offline=yes --threshold=29 "$units"/mq-{worker@jobs,bridge@orders,sweep,metrics}.service
    run grep -h 'ExecStart=' "$units"/*.service
    assert_equal "$(grep -c "^ExecStart=$MQ_BUILD/mq-" <<<"$output")" 4
    if ((EUID == 0)) && command -v systemd-sysusers systemd-tmpfiles >/dev/null; then
        mkdir -p root/etc
        touch root/etc/{passwd,group}
        systemd-sysusers --root="$PWD/root"
        systemd-tmpfiles --root="$PWD/root" --create
        local group
        IFS=: read -r _ _ group _ < <(grep ^mq: root/etc/group)
        assert_equal "$(stat -c '%a %u %g' root/var/spool/mq)" "1775 0 $group"
    fi
}

@test "the options of the units are those of the programs" {
    mq-queue create jobs
    local line
    sed -n 's/^ExecStart=[^ ]*mq-recv //p' "$MQ_ROOT/share/mq-worker@.service.in" >lines
    assert_equal "$(wc -l <lines)" 1
    read -r line < <(sed 's/%i/jobs/g' lines)
    # shellcheck disable=SC2086
    run mq-recv -w 0.05 ${line%% -- *} -- true
    ((status != 64))
    MQ_SPOOL=$PWD/none run -66 mq-queue sweep
    run -0 mq-stat --prometheus --output mq.prom
}

@test "the cron table needs nothing prepared, and the sample worker does what it says" {
    local -a table
    local workers=$PWD/workers
    mapfile -t table < <(sed -n 's/^[0-9*].*  root  *//p' "$MQ_ROOT/share/mq-worker.cron.in" |
        sed "s|/usr/local/lib/mq-workers|$workers|g; s|/var/spool/mq|$MQ_SPOOL|g")
    assert_equal "${#table[@]}" 2
    run -0 sh -c "${table[0]}"
    assert_output ''
    run -0 sh -c "${table[1]}"
    assert_output ''
    mkdir workers
    cp "$MQ_ROOT/examples/worker" workers/jobs
    touch workers/README
    run -0 sh -c "${table[0]}" # and the queue is there now
    mq-send -q -i one jobs hello world
    mq-send -q -i bad jobs -- '$(rm)'
    run -123 sh -c "${table[0]}"
    assert_output --partial 'bad: not a word: attempt 1, no type'
    run -0 cat result-one
    assert_output 'HELLO WORLD'
    run -0 mq-stat --format '{ready} {delayed} {inflight} {dead}' jobs
    assert_output '0 0 0 1'
    run -0 sh -c "${table[1]}"
}
