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

@test "a worker tells the service manager that it is ready, and that it stops" {
    mq-queue create jobs
    listen "$PWD/socket"
    NOTIFY_SOCKET=$PWD/socket spawn worker mq-recv -f jobs -- true
    wait_until 10 tells 'READY=1'
    kill -TERM "${spawned[-1]}"
    wait "${spawned[-1]}"
    wait_until 10 tells $'READY=1\nSTOPPING=1'
}

@test "the socket may be in the abstract space, and nobody need listen" {
    mq-send -q jobs x
    listen "@mq-test-$$-$RANDOM"
    local address
    address=$(tr '\0' '\n' </proc/"${spawned[-1]}"/cmdline | tail -n 1)
    NOTIFY_SOCKET=$address mq-recv -w 20 jobs -- true
    wait_until 10 tells $'READY=1\nSTOPPING=1'
    mq-send -q jobs x
    NOTIFY_SOCKET=$PWD/nobody run -0 mq-recv -w 20 jobs -- true
    mq-send -q jobs x
    NOTIFY_SOCKET=nonsense run -0 mq-recv -w 20 jobs -- true
}

@test "systemd takes the unit" {
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
    # With the programs where they are: it looks whether they are there.
    mkdir units
    sed "s|/usr/local/bin/mq-recv|$MQ_BUILD/mq-recv|" "$MQ_ROOT/share/mq-worker@.service" >units/mq-worker@.service
    run systemd-analyze verify --man=no "$PWD/units/mq-worker@jobs.service"
    assert_success
    assert_output ''
}

@test "the options of the unit and of the cron table are those of the programs" {
    mq-queue create jobs
    local line
    sed -n 's/^ExecStart=[^ ]* //p' "$MQ_ROOT/share/mq-worker@.service" >lines
    sed -n 's/.* mq-recv //p' "$MQ_ROOT/share/mq-worker.cron" >>lines
    assert_equal "$(wc -l <lines)" 2
    while read -r line; do
        # shellcheck disable=SC2086
        run mq-recv -w 0.05 ${line%% -- *} -- true
        ((status != 64))
    done < <(sed 's/%i/jobs/g; s/--parallel/--parallel/' lines)
}
