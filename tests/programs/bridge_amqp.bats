#!/usr/bin/env bats
# mq-bridge-amqp, with a RabbitMQ of its own, and shared/rabbitmq.c as another client of it.

load ../helper
# shellcheck source=tests/shared/rabbitmq.bash
source "${BATS_TEST_DIRNAME%/*}/shared/rabbitmq.bash"

# A certificate authority, and a certificate that it gives to the host "localhost".
make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=tests -keyout ca.key \
        -out ca.pem &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key \
            -out server.csr &&
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
            -extfile <(echo subjectAltName=DNS:localhost)
} >certificates.log 2>&1

# The server starts while the programs are built.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    if [[ -z ${BROKERS-} ]] || ! has_rabbitmq || ! pkg-config --exists librabbitmq; then
        touch nothing
        return
    fi
    mkdir server
    ! command -v openssl || (cd server && make_certificates) || true
    start_rabbitmq "$PWD/server" 'max_message_size = 300000'
    make -s -C "$MQ_ROOT" BUILD="$MQ_BUILD" "$MQ_BUILD/mq-bridge-amqp" MAKEFLAGS= 3>&- &&
        build_rabbitmq_client "$PWD/client"
    await_rabbitmq "$PWD/server" || touch failed
}

teardown_file() {
    stop_rabbitmq "$BATS_FILE_TMPDIR/server"
}

setup() {
    needs_brokers
    [[ ! -e $BATS_FILE_TMPDIR/nothing ]] || skip "RabbitMQ or librabbitmq is not installed"
    setup_spool
    [[ ! -e $BATS_FILE_TMPDIR/failed ]] || fail "RabbitMQ does not start: $(<"$BATS_FILE_TMPDIR/server/said")"
    mapfile -t ports <"$BATS_FILE_TMPDIR/server/ports"
    there=amqp://127.0.0.1:${ports[0]}/%2F
    export MQ_BRIDGE_PASSWORD=guest
}

# rabbitmq VERB QUEUE [WORD…]: the other client.
rabbitmq() {
    "$BATS_FILE_TMPDIR/client" "${ports[0]}" "$@"
}

counts() { # QUEUE NUMBER: so many are ready there
    [[ $(rabbitmq count "$1") == "$2" ]]
}

# Messages of every kind, as JSON.
make_messages() { # NUMBER
    python3 -c 'import base64, json, random, sys
random.seed(7)
for i in range(int(sys.argv[1])):
    headers = {"Number": str(i), "Empty": "", "Name": "Zo\u00eb \u2028 \"x\" \\ %s"}
    message = {"id": f"m-{i}", "headers": headers, "priority": i % 10}
    if i % 10 == 0:
        message["body_base64"] = base64.b64encode(random.randbytes(random.randrange(90000))).decode()
        message["expires"] = "2099-01-01T00:00:00.123456Z"
    else:
        message["body"] = f"body {i}\n" * (i % 3)
    if i % 7 == 0:
        headers.update({"Group": "g", "Routing-Key": "a.b", "Correlation-Id": "c", "Reply-To": "r", "Type": "t",
                        "Content-Type": "text/x", "Content-Encoding": "identity", "App-Id": "a"})
    print(json.dumps(message))' "$1"
}

# What identifies each message of a queue, sorted; they are acked.
contents() { # QUEUE
    mq-recv -aj -f --no-wait "$1" | jq -cS '{id, headers, priority, expires, body, body_base64}' | sort
}

make_queue() { # QUEUE [KEY=VALUE…]: without waits for the disk
    mq-queue create "$1" durability=none "${@:2}"
}

complains() { # STATUS WORDS WORD…
    local status=$1 words=$2
    run "-$status" --separate-stderr mq-bridge "${@:3}"
    [[ $stderr == *"$words"* ]] || fail "not '$words': $stderr"
    assert_complains mq-bridge
}

@test "a URL that cannot be used is refused before anything is done" {
    local url
    for url in amqp:// amqp://host amqp://host/ amqp://host/v amqp://host/v/ amqp://host/v/q/r 'amqp://host/v/q?exchange=e' \
        'amqp://host/v/q?key=k' 'amqp://host/v/q?prefetch=1' 'amqp://host/v/q?heartbeat=0' 'amqp://host/v/q?heartbeat=x' \
        'amqp://host/v/q?cacertfile=/dev/null' 'amqp://host/v/q?x=y' "amqp://host/v/$(printf 'x%.0s' {1..256})"; do
        complains 64 mq-bridge-amqp: jobs "$url"
    done
    for url in 'amqp://host/v?exchange=e' 'amqp://host/v/q?refused=x' 'amqp://host/v/q?prefetch=0'; do
        complains 64 mq-bridge-amqp: "$url" jobs
    done
    complains 64 'a password' jobs amqp://me:secret@host/v/q
    [[ $stderr != *secret* ]]
    complains 78 'cannot read /nowhere' jobs 'amqps://host/v/q?cacertfile=/nowhere'
    complains 64 'go together' jobs 'amqps://host/v/q?certfile=/dev/null'
    unset MQ_BRIDGE_PASSWORD
    complains 78 'there is no password' jobs amqp://me@host/v/q
    assert_not_exist "$MQ_SPOOL"
}

@test "what there is to say of a wrong password, host, port, virtual host, queue or exchange is said" {
    make_queue jobs
    mq-send -q jobs x
    complains 66 "no queue 'gone'" jobs "$there/gone"
    complains 66 "no queue 'gone'" "$there/gone" jobs
    complains 66 '--create makes it' -f jobs "$there?exchange=gone"
    complains 77 'vhost nope' jobs "${there%/*}/nope/q"
    complains 75 'Connection refused' jobs amqp://127.0.0.1:1/%2F/q
    complains 75 'not known' jobs amqp://no.such.host.invalid/%2F/q
    MQ_BRIDGE_PASSWORD=wrong complains 77 ACCESS_REFUSED jobs "$there/q"
    printf 'guest\nmore\n' >password
    MQ_BRIDGE_PASSWORD=wrong MQ_BRIDGE_PASSWORD_FILE=password complains 66 "no queue" jobs "$there/gone"
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '1 0 0'
}

@test "out and back a message keeps all that its sender gave it" {
    make_queue here
    make_queue back
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    run -0 --separate-stderr mq-bridge --create -n 3 here "$there/trip"
    assert_equal "$stderr" ''
    counts trip 3
    run -0 mq-bridge --until-empty here "amqp://127.0.0.1:${ports[0]}//trip"
    counts trip 200
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 0'
    run -0 mq-bridge -n 5 "$there/trip" back
    assert_equal "$(mq-stat --format '{ready}' back)" 5
    counts trip 195
    run -0 mq-bridge --until-empty "$there/trip" back
    counts trip 0
    contents back >found
    run diff found <(contents copy)
    assert_success
    run -0 mq-bridge --until-empty "$there/trip" back
}

@test "another client sees properties as properties" {
    make_queue jobs
    mq-send -q -i one -p 7 -H 'Content-Type: text/plain' -H 'correlation-id: c' -H 'Reply-To: r' -H 'Type: t' \
        -H 'App-Id: a' -H 'Routing-Key: k' -H 'Mine: me' --ttl 1h jobs body
    mq-bridge --create jobs "$there/seen"
    rabbitmq take seen >found
    assert_equal "$(grep -v -e '^timestamp' -e '^expiration' -e Mq-Expires found)" "content_type=text/plain
correlation_id=c
reply_to=r
type=t
app_id=a
message_id=one
priority=7
delivery_mode=2
header Routing-Key=k
header Mine=me
body=body"
    local now timestamp expiration
    now=${EPOCHSECONDS}
    timestamp=$(sed -n 's/^timestamp=//p' found)
    expiration=$(sed -n 's/^expiration=//p' found)
    ((timestamp <= now && timestamp > now - 60 && expiration <= 3600000 && expiration > 3540000))
    # By the routing key of each message, and by that of the URL.
    rabbitmq declare keyed
    rabbitmq bind keyed amq.direct k
    mq-send -q -i two -k k jobs x
    mq-bridge jobs "$there?exchange=amq.direct"
    run -0 rabbitmq take keyed
    refute_output --partial Routing-Key
    mq-send -q -i three -k other jobs x
    mq-bridge jobs "$there?exchange=amq.direct&key=k"
    mq-bridge "$there/keyed" back
    run -0 mq-recv -aj --no-wait back
    assert_json '.id == "three"' '.headers["Routing-Key"] == "other"'
}

@test "what no other header can hold is mapped, and what has no message-id is not sent once" {
    rabbitmq declare strange
    rabbitmq strange strange
    run -0 mq-bridge "$there/strange" jobs
    run -0 mq-recv -j --no-wait jobs
    assert_json '.id == "b362f50874c702023872705f034758322195d8cd3f92239f41fa315fb94ca7ba"' '.priority == 9' \
        '.timestamp == "2023-11-14T22:13:20.000000Z"' '.expires != null' '.body == "body"' '.headers == {
        "Message-Id": "urn:uuid:1", "Content-Type": "text/plain", "Content-Encoding": "identity",
        "Correlation-Id": "\"Y/8=\"", "Reply-To": "answers", "Type": "greeting", "App-Id": "tests", "User-Id": "guest",
        "Cluster-Id": "c1", "user-name": "Zoë", "user-name-2": "second", "X-Priority": "high",
        "two-lines": "\"one\\ntwo\"", "bytes": "\"/wAK\"", "yes": "true", "small": "-7", "half": "0.5",
        "when": "2023-11-14T22:13:20.000000Z", "none": "null",
        "x-death": "[{\"reason\":\"re\\njected\",\"count\":3}]"}'
    jq -r .receipt <<<"$output" | mq-ack --release
    mq-bridge jobs "$there/strange"
    run -0 rabbitmq take strange
    assert_line message_id=urn:uuid:1
    refute_output --partial 'Message-Id'
    local id
    for id in - - same same 'not an id' 'not an id'; do
        rabbitmq put strange "$id" equal
    done
    run -0 mq-bridge --until-empty "$there/strange" once
    assert_equal "$(mq-stat --format '{ready}' once)" 4
    counts strange 0
}

@test "what RabbitMQ or AMQP refuses becomes a dead letter with the words, and others are carried once" {
    make_queue jobs
    rabbitmq declare routed
    rabbitmq bind routed amq.direct yes
    python3 -c 'import json
for i in range(300):
    headers = {"Routing-Key": "no" if i % 60 == 7 else "yes"}
    if i == 100:
        headers["Correlation-Id"] = "c" * 256
    if i == 101:
        headers["N" * 256] = "x"
    print(json.dumps({"id": f"i{i}", "body": f"b{i}", "headers": headers}))' | mq-send -q -j jobs
    mq-send -q -k no -i alone jobs x
    run -123 mq-bridge -n 301 jobs "$there?exchange=amq.direct"
    assert_output --partial 'i7 is refused: 312 NO_ROUTE'
    counts routed 293
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '0 0 8'
    run -0 mq-dlq -j list jobs
    jq -r .reason <<<"$output" | sort | uniq -c | awk '{ $1 = $1; print }' >reasons
    assert_equal "$(<reasons)" "6 312 NO_ROUTE
1 too long for AMQP, over 255 bytes: Correlation-Id
1 too long for AMQP, over 255 bytes: the name of a header"
    make_queue big max-size=1M
    # A body over the limit there, for which the channel is closed: those on their way with it go again, one by one.
    { seq 5 && head -c 400000 /dev/zero | tr '\0' x && echo && seq 6 9; } | mq-send -q -l big
    run -123 mq-bridge --create --until-empty big "$there/limited"
    assert_output --partial 'is refused: PRECONDITION_FAILED - message size 400000'
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' big)" '0 0 1'
    mq-bridge --until-empty "$there/limited" got
    assert_equal "$(mq-recv -a -l -f --no-wait got | sort)" "$(seq 9)"
}

@test "what the queue here refuses stays there, or goes to the dead-letter exchange" {
    make_queue small max-size=3
    rabbitmq declare dead
    rabbitmq declare refusing x-dead-letter-exchange= x-dead-letter-routing-key=dead
    local id
    for id in a b long c; do
        rabbitmq put refusing "$id" "$id"
    done
    run -123 mq-bridge --until-empty "$there/refusing" small
    assert_output --partial 'long is refused: the body is larger than max-size'
    assert_equal "$(mq-recv -a -l -f --no-wait small | sort | tr '\n' ' ')" 'a b c '
    counts refusing 1
    counts dead 0
    rabbitmq put refusing d d
    run -123 mq-bridge --until-empty "$there/refusing?refused=reject" small
    assert_equal "$(mq-recv -a --no-wait small)" d
    counts refusing 0
    wait_until 10 counts dead 1
    # As many as may be held at once end the bridge.
    rabbitmq put dead more 'more than three'
    run -123 mq-bridge -f "$there/dead?prefetch=2" small
    assert_output --partial '2 messages are refused here and stay there'
    counts dead 2
}

@test "a queue that is full, here or there, keeps the messages where they are" {
    make_queue jobs
    rabbitmq declare full x-max-length=3 x-overflow=reject-publish
    seq 5 | mq-send -q -l jobs
    run -75 mq-bridge --until-empty jobs "$there/full"
    assert_output --partial 'basic.nack'
    counts full 3
    make_queue here max-depth=2
    run -75 mq-bridge --until-empty "$there/full" here
    assert_output --partial 'here: cannot publish here: the queue is full'
    assert_equal "$(mq-stat --format '{ready}' here)" 2
    wait_until 10 counts full 1
    mq-bridge --until-empty "$there/full" got
    mq-bridge --until-empty jobs "$there/full"
    mq-bridge --until-empty "$there/full" got
    { mq-recv -a -l -f --no-wait here && mq-recv -a -l -f --no-wait got; } | sort -u >found
    assert_equal "$(<found)" "$(seq 5)"
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '0 0 0'
}

@test "a queue that is deleted there ends a bridge, and nothing is lost here" {
    make_queue jobs
    rabbitmq declare doomed
    spawn in mq-bridge -v -f "$there/doomed" jobs
    local in=$! status=0
    wait_until 20 grep -q connected in.err
    make_queue other
    spawn out mq-bridge -v -f other "$there/doomed"
    local out=$!
    wait_until 20 grep -q connected out.err
    rabbitmq delete doomed
    wait "$in" || status=$?
    assert_equal "$status" 66
    mq-send -q other x
    status=0
    wait "$out" || status=$?
    assert_equal "$status" 66
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' other)" '1 0 0'
    grep -q "the queue is gone: 312 NO_ROUTE; trying again" out.err
}

# A way to RabbitMQ that can be cut: its port is in the file `way`.
open_way() {
    rm -f way
    spawn way python3 -c 'import os, socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    b.close()
server = socket.create_server(("127.0.0.1", int(sys.argv[2])), reuse_port=True)
with open("way.new", "w") as file:
    print(server.getsockname()[1], file=file)
os.rename("way.new", "way")
while True:
    near, _ = server.accept()
    far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()' "${ports[0]}" "${1:-0}"
    way=$!
    wait_until 20 test -e way
}

@test "a connection that is cut or falls silent is made again, and nothing is lost or comes twice" {
    make_queue here
    make_queue back
    open_way
    local port
    port=$(<way)
    rabbitmq declare cut
    spawn out mq-bridge -f here "amqp://127.0.0.1:$port/%2F/cut"
    local out=$!
    spawn in mq-bridge -f "amqp://127.0.0.1:$port/%2F/cut?heartbeat=1" back
    local in=$!
    make_messages 50 | mq-send -q -j here
    wait_until 20 has_depth back ready 50
    kill -KILL "$way"
    wait_until 20 grep -q 'trying again' out.err
    wait_until 20 grep -q 'trying again' in.err
    open_way "$port"
    mq-send -q -i last here last
    wait_until 20 has_depth back ready 51
    # Silence: bytes are taken, and none come.
    : >in.err
    kill -STOP "$way"
    wait_until 20 grep -q 'eartbeat' in.err
    kill -CONT "$way"
    mq-send -q -i 'very-last' here last
    wait_until 20 has_depth back ready 52
    kill -TERM "$out" "$in"
    wait "$out"
    wait "$in" || true # a second without a word is not much
    contents back | grep -v last >found
    make_messages 50 | mq-send -q -j copy
    run diff found <(contents copy)
    assert_success
    counts cut 0
}

@test "bridges that are killed lose nothing and send nothing twice" {
    pause
    make_queue here ack-timeout=2s max-attempts=none retry-delay=1ms
    make_queue back
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    rabbitmq declare killed
    local i pid words
    for words in "here $there/killed" "$there/killed back"; do
        for i in 1 2 3; do
            # shellcheck disable=SC2086 # two words
            mq-bridge -q --until-empty $words >/dev/null 2>>errors 3>&- &
            pid=$!
            register "$pid"
            read -rt 0.0$((RANDOM % 90 + 10)) -u "$silence" || true
            kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
        done
        for ((i = 0; i < 100; i++)); do
            # shellcheck disable=SC2086 # two words
            run -0 mq-bridge --until-empty $words
            if [[ $words == here* ]]; then
                [[ $(mq-stat -x --format '{ready} {delayed} {inflight}' here) != '0 0 0' ]] || break
            else
                counts killed 0 && break
            fi
            read -rt 0.1 -u "$silence" || true
        done
    done
    contents back >found
    run diff found <(contents copy)
    assert_success
}

@test "a signal in the middle leaves nothing claimed" {
    make_queue jobs
    rabbitmq declare signalled
    spawn bridge mq-bridge -n 5 "$there/signalled" jobs
    local bridge=$! status=0
    rabbitmq put signalled one x
    wait_until 20 has_depth jobs ready 1
    kill -TERM "$bridge"
    wait "$bridge" || status=$?
    assert_equal "$status" 143
    counts signalled 0
    spawn bridge mq-bridge -v -f jobs "$there/signalled"
    wait_until 20 counts signalled 1
    kill -TERM $!
    wait $!
    assert_equal "$(mq-stat --format '{ready} {inflight}' jobs)" '0 0'
}

# ends WITHIN STATUS: the bridge, whose id is $bridge, ends that soon after a signal.
ends() {
    local status=0 begin=$SECONDS
    kill -TERM "$bridge"
    wait "$bridge" || status=$?
    ((SECONDS - begin <= $1)) || fail "it ended after $((SECONDS - begin)) s"
    assert_equal "$status" "$2"
}

@test "memory that is short there is waited for, which is said once, and a signal ends the wait" {
    local server=$BATS_FILE_TMPDIR/server bridge
    make_queue jobs max-size=1M
    rabbitmq declare short
    head -c 4000000 /dev/zero | tr '\0' x | fold -w 200000 | mq-send -q -l jobs
    seq 500 | mq-send -q -l jobs
    rabbitmq_eval "$server" 'rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).'
    spawn bridge mq-bridge -f jobs "$there/short"
    bridge=$!
    wait_until 20 grep -q 'it takes no messages for now: low on memory; waiting' bridge.err
    ends 5 0
    assert_equal "$(mq-stat -x --format '{ready} {inflight} {dead}' jobs)" '520 0 0'
    spawn bridge mq-bridge -f jobs "$there/short"
    bridge=$!
    wait_until 20 grep -q waiting bridge.err
    rabbitmq_eval "$server" 'rabbit_alarm:clear_alarm({resource_limit, memory, node()}).'
    wait_until 20 counts short 520
    wait_until 20 eval '[[ $(mq-stat -x --format "{ready} {inflight}" jobs) == "0 0" ]]'
    ends 5 0
    assert_equal "$(<bridge.err)" "mq-bridge-amqp: ${there/:${ports[0]}/}/short: it takes no messages for now: low on memory; waiting
mq-bridge-amqp: ${there/:${ports[0]}/}/short: carrying again"
}

@test "a server that is stopped does not keep a bridge from ending" {
    local bridge server
    server=$(<"$BATS_FILE_TMPDIR/server/pid")
    make_queue jobs
    rabbitmq declare stopped
    spawn idle mq-bridge -v -f "$there/stopped" jobs
    local idle=$!
    spawn bridge mq-bridge -v -f "$there/stopped" jobs
    bridge=$!
    wait_until 20 grep -q connected bridge.err
    wait_until 20 grep -q connected idle.err
    ends 3 0
    kill -STOP -- "-$server"
    bridge=$idle
    ends 8 0
    spawn connecting mq-bridge -f jobs "$there/stopped"
    bridge=$!
    wait_until 20 eval 'ls -l "/proc/$bridge/fd" | grep -q socket'
    ends 2 0
    spawn connecting mq-bridge jobs "$there/stopped"
    bridge=$!
    wait_until 20 eval 'ls -l "/proc/$bridge/fd" | grep -q socket'
    ends 2 143
    kill -CONT -- "-$server"
}

@test "over TLS the certificate and its name are verified" {
    local server=$BATS_FILE_TMPDIR/server
    [[ -e $server/server.pem ]] || skip "no certificate could be made"
    make_queue jobs
    mq-send -q jobs x
    local url=amqps://localhost:${ports[3]}/%2F/secret
    run -0 mq-bridge --create jobs "$url?cacertfile=$server/ca.pem"
    run -0 mq-bridge "$url?cacertfile=$server/ca.pem" back
    assert_equal "$(mq-recv -a --no-wait back)" x
    mq-send -q jobs x
    run mq-bridge jobs "$url"
    assert_failure
    assert_output --partial SSL
    run -69 mq-bridge jobs "${url/localhost/127.0.0.1}?cacertfile=$server/ca.pem"
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '1 0 0'
}
