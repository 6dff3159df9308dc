#!/usr/bin/env bats
# mq-bridge and mq-bridge-ssh, with a stand-in for ssh that runs the command here, in the spool $there.

load ../helper

setup() {
    setup_spool
    export there=$PWD/there
    mkdir bin
    cat >bin/ssh <<'EOF'
#!/bin/sh
# Fails as often as the file `failures` has lines. The command is the last word.
if [ -s failures ]; then
    sed -i 1d failures
    echo 'ssh: connect to host nowhere port 22: Connection refused' >&2
    exit 255
fi
printf '%s\n' "$@" >words
for command; do :; done
MQ_SPOOL=$there exec sh -c "$command"
EOF
    chmod +x bin/ssh
    PATH=$PWD/bin:$PATH
}

# there COMMAND…: in the spool of the other host.
there() {
    MQ_SPOOL=$there "$@"
}

# Messages of every kind, as JSON: any bytes, headers, priorities, an expiry, a group.
make_messages() { # NUMBER
    python3 -c 'import base64, json, random, sys
random.seed(7)
for i in range(int(sys.argv[1])):
    message = {"id": f"m-{i}", "headers": {"Number": str(i), "Name": "Zo\u00eb \u2028 \"x\" \\ $(touch pwned)"},
               "priority": random.choice([4, 4, 4, 9])}
    if i % 10 == 0:
        message["body_base64"] = base64.b64encode(random.randbytes(random.randrange(5000))).decode()
        message["expires"] = "2099-01-01T00:00:00Z"
    else:
        message["body"] = f"body {i}\n" * (i % 3)
    if i % 5 == 0:
        message["max_attempts"] = 17
    if i % 7 == 0:
        message["headers"]["Group"] = f"g{i % 3}"
    print(json.dumps(message))' "$1"
}

# What identifies each message of a queue, sorted; they are acked.
contents() { # QUEUE
    mq-recv -aj -f --no-wait "$1" | jq -cS '{id, headers, priority, expires, max_attempts, body, body_base64}' | sort
}

make_queue() { # QUEUE [KEY=VALUE…]: without waits for the disk
    mq-queue create "$1" durability=none "${@:2}"
}

# ---- the command line ------------------------------------------------------------------

complains() { # STATUS BEGINNING WORD…
    local status=$1 beginning=$2
    run "-$status" --separate-stderr mq-bridge "${@:3}"
    [[ -z $output ]] || fail "it printed $output"
    assert_complains "$beginning"
}

@test "a wrong command line or URL is refused, and nothing is made" {
    complains 64 'mq-bridge: no destination' jobs
    complains 64 'mq-bridge: too many' a b c
    complains 64 'mq-bridge: --follow excludes --count' -f -n 2 a b
    complains 64 "mq-bridge: --max-rate: '5/y' is not a rate" --max-rate 5/y a b
    complains 64 'mq-bridge: source and destination' ssh://a/b ssh://c/d
    complains 64 'mq-bridge: jobs: source and destination are' jobs jobs
    complains 64 "mq-bridge: 'a/b': not a queue name" ssh://host/q a/b
    complains 64 "mq-bridge: '/b': not the name of a group" /b ssh://host/q
    complains 64 'mq-bridge: bad URL: it does not begin' jobs SSH://host/q
    complains 64 'mq-bridge: bad URL: it does not begin' jobs ../x://host/q
    complains 127 'mq-bridge: URLs that begin with gopher:// need a program' jobs gopher://host/q
    local url
    for url in ssh:// ssh:///q ssh://host ssh://host/ ssh://host/a/b/c ssh://host/.. ssh://-oProxyCommand=x/q \
        ssh://-l@host/q 'ssh://u;x@host/q' 'ssh://ho$(x)st/q' ssh://host:0/q ssh://host:x/q ssh://host/q%00 \
        ssh://host/q%4 'ssh://host/q?spool' 'ssh://host/q?spool=' 'ssh://host/q?spool=a&spool=b' 'ssh://host/q?x=y' \
        ssh://host/q#x 'ssh://[::1/q' 'ssh://host/q?spool=a%0Ab'; do
        complains 64 mq-bridge-ssh: jobs "$url"
        complains 64 mq-bridge-ssh: "$url" jobs
    done
    complains 64 'mq-bridge-ssh: bad URL: a password' jobs ssh://me:secret@host/q
    [[ $stderr != *secret* ]]
    complains 66 'mq-bridge-ssh: jobs: no such queue' jobs ssh://host/q
    complains 66 'mq-bridge: jobs: no such queue' jobs other
    assert_not_exist words
    assert_not_exist "$MQ_SPOOL"
}

@test "a program for another scheme gets the words that the manual promises, and its status is the bridge's" {
    # shellcheck disable=SC2016 # for the program
    printf '#!/bin/sh\nprintf "%%s\\n" "$MQ_SPOOL" "$@" >got\nexit 78\n' >bin/mq-bridge-x
    chmod +x bin/mq-bridge-x
    run -78 mq-bridge jobs x://whatever
    assert_equal "$(<got)" "$MQ_SPOOL"$'\n--count=1\n--\njobs\nx://whatever'
    run -78 mq-bridge -v --create -S spool --until-empty --max-rate 5/m x://whatever jobs
    assert_equal "$(<got)" "$PWD"$'/spool\n--until-empty\n--max-rate=5/m\n--create\n--verbose\n--\nx://whatever\njobs'
    chmod -x bin/mq-bridge-x
    run -126 mq-bridge jobs x://whatever
}

@test "the program in the manual is one" {
    sed -n '/^#!\/bin\/sh/,/^\.Ed/p' "$MQ_ROOT/man/mq-bridge.1" | grep -v '^\.Ed' >bin/mq-bridge-file
    chmod +x bin/mq-bridge-file
    make_queue jobs
    seq 3 | mq-send -q -l jobs
    run -0 mq-bridge jobs "file://$PWD/out"
    run -0 mq-bridge --until-empty jobs "file://$PWD/out"
    assert_equal "$(<out)" 123
}

# ---- two names -------------------------------------------------------------------------

@test "between two names a message keeps all that its sender gave it" {
    make_queue here
    make_messages 100 | mq-send -q -j here
    make_messages 100 | mq-send -q -j copy
    run -0 mq-bridge -n 1 here to
    assert_equal "$(mq-stat --format '{ready} {inflight}' here to)" $'99 0\n1 0'
    run -0 mq-bridge --until-empty here to
    contents to >found
    assert_equal "$(wc -l <found)" 100
    run diff found <(contents copy)
    assert_success
    run -0 mq-bridge --until-empty here to
    run -0 mq-stat --format '{ready}{inflight}{dead}' here to
    assert_output $'000\n000'
}

@test "from a queue to a topic; what it refuses becomes a dead letter with the reason" {
    make_queue here
    mq-topic create news
    mq-topic bind news weather -k 'weather.#'
    mq-send -q -k weather.today here rain
    mq-send -q -k sports here goal
    mq-send -q -k weather.tomorrow here sun
    run -123 mq-bridge --until-empty here news
    assert_output --partial 'is refused: no binding takes it'
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here weather)" $'0 0 1\n2 0 0'
    assert_equal "$(mq-dlq -j list here | jq -r .reason)" 'no binding takes it'
    mq-queue create small max-size=3
    mq-send -q here four
    run -123 mq-bridge here small
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 2'
}

# killed N COMMAND…: the bridge runs until it has carried all; N times it is killed.
killed() {
    local i pid
    for ((i = 0; i < $1; i++)); do
        "${@:2}" >/dev/null 2>>errors 3>&- &
        pid=$!
        register "$pid"
        read -rt 0.0$((RANDOM % 90 + 10)) -u "$silence" || true
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    # What it held lapses.
    for ((i = 0; i < 150; i++)); do
        "${@:2}" 2>>errors 3>&-
        all_settled "${@: -2:1}" && return
        read -rt 0.1 -u "$silence" || true
    done
    fail "not all is carried: $(<errors)"
}

# all_settled QUEUE-OR-URL: nothing is ready or in flight in it, or in a transaction.
all_settled() {
    [[ $1 != ssh://* ]] || local MQ_SPOOL=$there
    [[ $(mq-stat -x --format '{ready} {delayed} {inflight}' "${1##*/}") == '0 0 0' ]] && mq-tx -j list | jq -es 'all(.[]; .state == "open" and .claims == 0)' >/dev/null
}

@test "a bridge between two names that is killed loses nothing and sends nothing twice" {
    pause
    make_queue here ack-timeout=300ms max-attempts=none retry-delay=1ms
    make_queue to
    seq 1000 | mq-send -q -l here
    killed 4 mq-bridge --until-empty here to
    mq-recv -a -l -f --no-wait to | sort -n >found
    run diff found <(seq 1000)
    assert_success
}

# ---- ssh -------------------------------------------------------------------------------

@test "by ssh out and back a message keeps all that its sender gave it" {
    make_queue here
    there make_queue away
    make_queue back
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    run -0 --separate-stderr mq-bridge -n 3 here ssh://host/away
    assert_equal "$stderr" ''
    assert_equal "$(there mq-stat --format '{ready}' away)" 3
    run -0 mq-bridge --until-empty here ssh://host/away
    assert_equal "$(there mq-stat --format '{ready}' away)" 200
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 0'
    run -0 mq-bridge ssh://host/away back
    assert_equal "$(mq-stat --format '{ready}' back)" 1
    run -0 mq-bridge --until-empty ssh://host/away back
    assert_equal "$(there mq-stat --format '{ready} {inflight} {dead}' away)" '0 0 0'
    contents back >found
    run diff found <(contents copy | jq -cS '.max_attempts = null')
    assert_success
    assert_not_exist pwned
}

@test "no name reaches a shell as a word, and host, port and user reach ssh as such" {
    make_queue jobs
    mq-send -q jobs x
    # shellcheck disable=SC2016 # not to be expanded
    local spool=$PWD/'a $(touch pwned) `touch pwned` "x'\'';touch pwned;\ '
    run -0 mq-bridge -v jobs "ssh://me+x@host:2222/away?spool=$(jq -rn --arg s "$spool" '$s | @uri')"
    assert_not_exist pwned
    run -0 mq-recv -S "$spool" -a away
    assert_output x
    assert_equal "$(sed '$d' words | tr '\n' ' ')" '-T -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o ClearAllForwardings=yes -p 2222 -l me+x -- host '
    tail -n 1 words >first
    mq-send -q jobs x
    run -0 mq-bridge jobs 'ssh://[::1]/other'
    assert_equal "$(tail -n 1 words)" "$(<first)"
    assert_equal "$(tail -n 2 words | head -n 1)" ::1
}

@test "what the other side refuses becomes a dead letter with its words, and the others go on" {
    make_queue jobs
    there make_queue small max-size=10
    { seq 30 && echo 'more than ten bytes' && seq 31 60; } | mq-send -q -l jobs
    run -123 mq-bridge --until-empty jobs ssh://host/small
    assert_output --partial ': cannot publish: the body is larger than max-size = 10'
    assert_equal "$(there mq-recv -a -l -f --no-wait small | sort -n)" "$(seq 60)"
    run -0 mq-dlq -j list jobs
    assert_json '.attempts == 1' '.preview == "more than ten bytes"'
    run -0 mq-dlq show jobs "$(jq -r .id <<<"$output")"
    assert_output --partial 'refused by ssh://host/small'
    assert_output --partial 'larger than max-size = 10'
}

@test "what the queues here refuse becomes a dead letter there; from groups of logs, to a topic" {
    make_queue small max-size=10
    there make_queue away
    there mq-log create numbers
    { seq 5 && echo 'more than ten bytes' && seq 6 9; } | there mq-send -q -l numbers
    mq-topic create news
    mq-topic bind news small
    run -123 mq-bridge --create --until-empty ssh://host/numbers/reader news
    assert_equal "$(mq-recv -a -l -f --no-wait small | sort -n)" "$(seq 9)"
    assert_equal "$(there mq-dlq -j list numbers/reader | jq -r .reason)" 'the body is larger than max-size'
    assert_equal "$(there mq-stat --format '{ready} {inflight}' numbers/reader)" '0 0'
    mq-queue config small require=Type
    there mq-send -q away untyped
    run -123 mq-bridge --until-empty ssh://host/away small
    assert_equal "$(there mq-dlq -j list away | jq -r .reason)" 'it lacks a header that the queue requires'
    # Those that were sent together there are claimed together, and each is judged by itself.
    mq-queue config small require=
    { seq 20 && echo 'more than ten bytes' && seq 21 40; } | there mq-send -q -l away
    run -123 mq-bridge --until-empty ssh://host/away small
    assert_equal "$(grep -c 'is refused' <<<"$output")" 1
    assert_equal "$(mq-recv -a -l -f --no-wait small)" "$(seq 40)"
    assert_equal "$(there mq-stat --format '{ready} {inflight} {dead}' away)" '0 0 2'
    # And from a group of a log here to two queues.
    mq-log create lines
    seq 5 | mq-send -q -l lines
    run -0 mq-bridge --create --until-empty lines/one to
    run -0 mq-bridge --create --until-empty lines/two ssh://host/to
    assert_equal "$(mq-stat --format '{ready}' to) $(there mq-stat --format '{ready}' to)" '5 5'
}

@test "a log and an ordered queue are destinations, here and there" {
    make_queue jobs
    mq-log create kept
    there mq-log create kept
    mq-queue create ordered order=strict
    printf '%s\n' one two | mq-send -q -l jobs
    mq-bridge --until-empty jobs kept
    run -0 mq-log read -l kept
    assert_output $'one\ntwo'
    mq-send -q jobs three
    mq-bridge --until-empty jobs ssh://host/kept
    run -0 there mq-log read -l kept
    assert_output three
    mq-bridge --create --until-empty ssh://host/kept/group kept
    run -64 mq-bridge jobs kept/group
    assert_output --partial 'a group takes the messages of its log: send to kept'
    run -0 mq-log read -l kept
    assert_output $'one\ntwo\nthree'
    there make_queue jobs
    printf '%s\n' first second | there mq-send -q -l jobs
    mq-bridge --until-empty ssh://host/jobs ordered
    run -0 mq-recv -a -l -n 2 ordered
    assert_output $'first\nsecond'
}

@test "what ends a bridge by ssh for good is said with the words of the other side" {
    make_queue jobs
    mq-send -q jobs x
    run -66 --separate-stderr mq-bridge -f ssh://host/nowhere jobs
    assert_complains 'mq-bridge-ssh: ssh://host/nowhere: mq-recv: nowhere: no such queue'
    run -0 mq-bridge --create --until-empty ssh://host/nowhere jobs
    echo 1 >failures
    run -75 mq-bridge jobs ssh://host/away
    assert_output 'mq-bridge-ssh: ssh://host/away: ssh: connect to host nowhere port 22: Connection refused'
    rm bin/ssh
    PATH=$PWD/bin:$MQ_BUILD run -127 mq-bridge jobs ssh://host/away
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '1 0 0'
}

@test "a queue that is full here keeps the messages there, unharmed" {
    make_queue small max-depth=3
    there make_queue away
    seq 5 | there mq-send -q -l away
    run -75 mq-bridge --until-empty ssh://host/away small
    assert_output --partial 'small: cannot publish here: the queue is full'
    assert_equal "$(mq-stat --format '{ready}' small)" 3
    assert_equal "$(there mq-stat --format '{ready} {inflight} {dead}' away)" '2 0 0'
    mq-recv -a -l -f --no-wait small >found
    run -0 mq-bridge --until-empty ssh://host/away small
    mq-recv -a -l -f --no-wait small >>found
    assert_equal "$(sort -n found)" "$(seq 5)"
}

# is_receiving BRIDGE: what it has started there waits in mq-recv -w.
is_receiving() {
    local shell children child words
    read -rd '' shell <"/proc/$1/task/$1/children" || true
    read -rd '' -a children <"/proc/${shell// /}/task/${shell// /}/children" || true
    for child in "${children[@]}"; do
        mapfile -d '' words <"/proc/$child/cmdline" && [[ " ${words[*]} " == *' mq-recv '*' -w '* ]] && return
    done 2>/dev/null
    false
}

listen() { # what the service manager is told, in ./told
    spawn manager python3 -c '
import socket
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("notify")
print("listening", file=open("listening", "w"))
while True:
    with open("told", "a") as told:
        print(manager.recv(4096).decode(), file=told)'
    wait_until 20 test -e listening
}

@test "a bridge as a service waits for the other side, says so once, carries what comes, and ends when it is told to" {
    make_queue jobs
    seq 3 >failures
    listen
    NOTIFY_SOCKET=$PWD/notify spawn bridge mq-bridge -f jobs ssh://host/away
    local bridge=$!
    mq-send -q jobs one
    wait_until 20 there has_depth away ready 1
    wait_until 20 grep -q 'connected again' bridge.err
    mq-send -q jobs two
    wait_until 20 there has_depth away ready 2
    kill -TERM "$bridge"
    wait "$bridge"
    assert_equal "$(<bridge.err)" "mq-bridge-ssh: ssh://host/away: ssh: connect to host nowhere port 22: Connection refused; trying again
mq-bridge-ssh: ssh://host/away: connected again"
    wait_until 10 grep -qx STOPPING=1 told
    assert_equal "$(grep -v STATUS told)" $'READY=1\nSTOPPING=1'
    grep -q '^STATUS=Not connected to ssh://host/away: .*refused; next attempt in 0.25 s' told
    grep -q '^STATUS=Connected to ssh://host/away' told
}

@test "a signal in the middle leaves nothing claimed, and without -f the bridge dies of it" {
    make_queue jobs
    there make_queue away
    spawn bridge mq-bridge -n 5 ssh://host/away jobs
    local bridge=$! status=0
    there mq-send -q away x
    wait_until 20 has_depth jobs ready 1
    kill -TERM "$bridge"
    wait "$bridge" || status=$?
    assert_equal "$status" 143
    assert_equal "$(there mq-stat --format '{ready} {inflight}' away)" '0 0'
}

@test "a bridge that waits gets what is sent there after a long time" {
    there make_queue away
    spawn bridge mq-bridge -v -f ssh://host/away jobs
    local bridge=$!
    wait_until 20 grep -q connected bridge.err
    # It has found nothing, and waits for what mq-recv there gets: that is the only process there that reads messages.
    wait_until 20 is_receiving "$bridge"
    there mq-send -q away x
    wait_until 20 has_depth jobs ready 1
    kill -TERM "$bridge"
    wait "$bridge"
}

@test "with a rate messages are spaced evenly" {
    make_queue jobs
    seq 6 | mq-send -q -l jobs
    local begun
    begun=$(now_us)
    run -0 mq-bridge --until-empty --max-rate 20/s jobs ssh://host/away
    (($(now_us) - begun >= 250000))
    assert_equal "$(there mq-stat --format '{ready}' away)" 6
}

@test "a program there that is silent is a lost connection, said once, and does not keep a bridge from ending" {
    make_queue here
    seq 50 | mq-send -q -l here
    # Greets, and then takes what comes without a word.
    printf '#!/bin/sh\necho =mq-bridge\nexec sleep 1000\n' >bin/ssh
    local words status begin pid
    for words in 'here ssh://host/away' 'ssh://host/away here'; do
        # shellcheck disable=SC2086 # two words
        spawn bridge mq-bridge -v -f $words
        pid=$! status=0
        wait_until 20 grep -q connected bridge.err
        begin=$SECONDS
        kill -TERM "$pid"
        wait "$pid" || status=$?
        assert_equal "$status" 0
        ((SECONDS - begin <= 7)) || fail "it took $((SECONDS - begin)) s"
        assert_equal "$(mq-stat -x --format '{ready} {inflight} {dead}' here)" '50 0 0'
    done
    [[ -n ${BROKERS-} ]] || return 0
    spawn out mq-bridge -f here ssh://host/away
    local out=$!
    spawn in mq-bridge -f ssh://host/away other
    local in=$!
    wait_until 120 grep -q 'no answer for 60 s; trying again' in.err
    wait_until 60 grep -q 'no confirmation for 45 s; waiting' out.err
    begin=$SECONDS
    kill -TERM "$out" "$in"
    wait "$out"
    wait "$in"
    ((SECONDS - begin <= 5)) || fail "they took $((SECONDS - begin)) s"
    assert_equal "$(grep -c . out.err) $(grep -c . in.err)" '2 2' # the second: ended before all was confirmed
    assert_equal "$(mq-stat -x --format '{ready} {inflight} {dead}' here)" '50 0 0'
}

@test "bridges by ssh that are killed lose nothing and send nothing twice" {
    pause
    make_queue here ack-timeout=300ms max-attempts=none retry-delay=1ms
    there make_queue away ack-timeout=2s max-attempts=none retry-delay=1ms
    make_queue back
    make_messages 400 | mq-send -q -j here
    make_messages 400 | mq-send -q -j copy
    killed 3 mq-bridge --until-empty here ssh://host/away
    killed 3 mq-bridge --until-empty ssh://host/away back
    contents back >found
    run diff found <(contents copy | jq -cS '.max_attempts = null')
    assert_success
}

# ---- a real sshd -----------------------------------------------------------------------

# In namespaces of its own, where /run/sshd can be made; its keys and its port are its own, too.
start_sshd() {
    local sshd=/usr/sbin/sshd
    [[ -x $sshd ]] && command -v /usr/bin/ssh ssh-keygen >/dev/null || skip "sshd is not installed"
    ((EUID == 0)) || skip "it takes root to let sshd start here"
    unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
    ssh-keygen -q -t ed25519 -N '' -f host_key
    ssh-keygen -q -t ed25519 -N '' -f key
    cp key.pub authorized_keys
    port=$((20000 + RANDOM % 12000))
    cat >sshd_config <<EOF
ListenAddress 127.0.0.1:$port
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized_keys
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
SetEnv PATH=$MQ_BUILD:/usr/bin:/bin
EOF
    echo "[127.0.0.1]:$port $(cut -d' ' -f1-2 host_key.pub)" >known_hosts
    # shellcheck disable=SC2016 # for the shell that is started
    spawn sshd unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$0" -D -e -f sshd_config' "$sshd"
    printf '#!/bin/sh\nexec /usr/bin/ssh -F none -i %q -o IdentitiesOnly=yes -o UserKnownHostsFile=%q "$@"\n' \
        "$PWD/key" "$PWD/known_hosts" >bin/ssh
    wait_until 20 grep -q 'Server listening' sshd.err || skip "sshd does not start here: $(<sshd.err)"
}

@test "with a real sshd, both ways, and with connections that are killed" {
    start_sshd
    make_queue here
    there make_queue away
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    # shellcheck disable=SC2154 # start_sshd sets it
    local url=ssh://root@127.0.0.1:$port/away?spool=$there
    run -0 mq-bridge --until-empty here "$url"
    assert_equal "$(there mq-stat --format '{ready}' away)" 200
    make_queue back
    spawn bridge mq-bridge -f "$url" back
    local bridge=$!
    wait_until 20 test "$(mq-stat --format '{ready}' back)" -ge 0
    wait_until 20 has_depth back ready 200
    # The connection is cut: the bridge makes another.
    local children
    read -rd "" children <"/proc/$bridge/task/$bridge/children" || true
    kill -KILL "$children"
    wait_until 20 grep -q 'trying again' bridge.err
    there mq-send -q -i last away last
    wait_until 20 has_depth back ready 201
    kill -TERM "$bridge"
    wait "$bridge"
    contents back | grep -v '"last"' >found
    run diff found <(contents copy | jq -cS '.max_attempts = null')
    assert_success
    echo >authorized_keys
    run -75 mq-bridge here "$url"
    assert_output --partial 'Permission denied'
}
