#!/usr/bin/env bats
# mq-bridge-redis, with a server of its own on loopback for the whole file.

load ../helper

setup_file() {
    command -v redis-server redis-cli >/dev/null || skip "redis-server is not installed"
    [[ -x $MQ_BUILD/mq-bridge-redis ]] || skip "mq-bridge-redis is not built: make bridges"
    # Where a disk that is busy with other tests holds up neither the server nor its end.
    REDIS_DIR=$(mktemp -d /dev/shm/mq-test.XXXXXX 2>/dev/null || mktemp -d)
    export REDIS_DIR
    make_certificates
    local try
    for ((try = 0; try < 5; try++)); do
        REDIS_PORT=$((20000 + RANDOM % 12000)) REDIS_TLS_PORT=$((32001 + RANDOM % 700))
        export REDIS_PORT REDIS_TLS_PORT
        ! start_redis || return 0
    done
    skip "redis-server does not start here: $(tail -n 1 "$REDIS_DIR/log")"
}

teardown_file() {
    [[ -n ${REDIS_DIR-} ]] || return 0
    redis SHUTDOWN NOSAVE || true
    rm -rf "$REDIS_DIR"
}

setup() {
    setup_spool
    mq-queue create here durability=none >/dev/null
    url=redis://127.0.0.1:$REDIS_PORT/0/$BATS_TEST_NUMBER
    from="$url?group=readers"
    stream=$BATS_TEST_NUMBER
}

# A key and a certificate of its own authority, for 127.0.0.1 alone.
make_certificates() {
    (cd "$REDIS_DIR" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=redis \
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem) 2>/dev/null || skip "openssl is not installed"
}

# The server keeps what it has confirmed, also when it is killed.
start_redis() {
    redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --tls-port "$REDIS_TLS_PORT" --dir "$REDIS_DIR" --save '' \
        --appendonly yes --appendfsync no --proto-max-bulk-len 1mb --tls-auth-clients no \
        --tls-cert-file "$REDIS_DIR/cert.pem" --tls-key-file "$REDIS_DIR/key.pem" \
        --logfile "$REDIS_DIR/log" >/dev/null 3>&- &
    echo $! >"$REDIS_DIR/pid"
    wait_until 30 answers
}

answers() {
    [[ $(redis PING) == PONG ]]
}

stop_redis() {
    local pid
    read -r pid <"$REDIS_DIR/pid" || return 0
    kill -KILL "$pid" 2>/dev/null || true
    { wait "$pid" || true; } 2>/dev/null
}

redis() {
    redis-cli -h 127.0.0.1 -p "$REDIS_PORT" "$@" 2>&1
}

complains() { # STATUS BEGINNING WORD…
    run "-$1" --separate-stderr mq-bridge "${@:3}"
    [[ -z $output ]] || fail "it printed $output"
    assert_complains "$2"
}

# Messages of every kind, as JSON: any bytes, headers, priorities, an expiry, a group.
make_messages() { # NUMBER
    python3 -c 'import base64, json, random, sys
random.seed(7)
for i in range(int(sys.argv[1])):
    message = {"id": f"m-{i}", "headers": {"Number": str(i), "Name": "Zo\u00eb \u2028 \"x\" \\", "body": "a header", "header-body": ""},
               "priority": random.choice([4, 4, 4, 9])}
    if i % 10 == 0:
        message["body_base64"] = base64.b64encode(random.randbytes(random.randrange(5000))).decode()
        message["expires"] = "2099-01-01T00:00:00Z"
    else:
        message["body"] = f"body {i}\n" * (i % 3)
    if i % 7 == 0:
        message["headers"]["Group"] = f"g{i % 3}"
    print(json.dumps(message))' "$1"
}

# What identifies each message of a queue, sorted; they are acked.
contents() { # QUEUE
    mq-recv -aj -f --no-wait "$1" | jq -cS '{id, headers, priority, expires, body, body_base64}' | sort
}

pending() {
    redis XPENDING "$stream" readers | head -n 1
}

@test "a wrong URL is refused, and nothing is made" {
    local wrong
    for wrong in redis://h redis://h/0 redis://h/x/s redis://h/0/ redis://h/0/s/t redis://h/-1/s 'redis://h/0/s?maxlen=0' \
        'redis://h/0/s?maxlen=x' 'redis://h/0/s?maxlen=' 'redis://h/0/s?group=g' 'redis://h/0/s?idle=1m' 'redis://h/0/s?x=y' \
        'redis://h/0/s?cacertfile=/dev/null' 'rediss://h/0/s?certfile=/dev/null' redis://u@h/0/s; do
        complains 64 mq-bridge-redis here "$wrong"
    done
    for wrong in redis://h/0/s 'redis://h/0/s?group=' 'redis://h/0/s?group=g&maxlen=5' 'redis://h/0/s?group=g&idle=1ms' \
        'redis://h/0/s?group=g&idle=x'; do
        complains 64 mq-bridge-redis "$wrong" here
    done
    complains 64 'mq-bridge-redis: bad URL: a password' here redis://u:secret@h/0/s
    [[ $stderr != *secret* ]]
    complains 78 "mq-bridge-rediss: rediss://h/0/s: cacertfile: cannot read $PWD/none" here "rediss://h/0/s?cacertfile=$PWD/none"
    complains 66 'mq-bridge-redis: none: no such queue' none "$url"
}

@test "out and back a message keeps all that its sender gave it" {
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    run -0 --separate-stderr mq-bridge -n 3 here "$url"
    assert_equal "$stderr" ''
    assert_equal "$(redis XLEN "$stream")" 3
    run -0 mq-bridge --until-empty here "$url"
    assert_equal "$(redis XLEN "$stream")" 200
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 0'
    run -0 mq-bridge --create "$from" back
    assert_equal "$(mq-stat --format '{ready}' back)" 1
    run -0 mq-bridge --until-empty "$from" back
    assert_equal "$(pending)" 0
    contents back >found
    run diff found <(contents copy)
    assert_success
    # A second group has all of it; the same ids go to the same queue once.
    run -0 mq-bridge --create --until-empty "$url?group=others" back
    assert_equal "$(mq-stat -x --format '{ready}' back)" 0
}

@test "fields are those of the table in the manual, and entries of others become messages" {
    mq-send -q -i one -p 9 -H 'body: 2' -H Color:red here hello
    run -0 mq-bridge here "$url?maxlen=1000000"
    run -0 redis --json XRANGE "$stream" - +
    assert_equal "$(jq -c '.[0][1] | del(.[3])' <<<"$output")" \
        '["Mq-Id","one","Mq-Timestamp","Mq-Priority","9","header:body","2","Color","red","body","hello"]'
    redis DEL "$stream"
    redis XADD "$stream" 5-1 user_id 7 id 8 priority high body same
    redis XADD "$stream" 5-2 body same
    redis XADD "$stream" 5-3 text $'two\nlines'
    redis XADD "$stream" 5-4 user_id 7 user-id 8 user.id 9
    redis XADD "$stream" 5-5 Mq-Priority high body x
    redis XADD "$stream" 5-6 body same
    run -123 mq-bridge --create --until-empty "$from" back
    assert_output --partial "5-3 is refused: its field 'text' cannot be a header"
    assert_output --partial "5-4 is refused: its field 'user.id' is there twice"
    assert_output --partial "5-5 is refused: its field 'Mq-Priority' is not a priority"
    assert_equal "$(pending) $(redis XLEN "$stream")" '0 6'
    mq-recv -aj -f --no-wait back >got
    assert_equal "$(jq -c '[.body, .headers]' got)" \
        '["same",{"Field-user-id":"7","Field-id":"8","Field-priority":"high"}]
["same",{}]
["same",{}]'
    [[ $(jq -r .id got) =~ ^redis-[0-9a-f]{16}-5-1[[:space:]]redis-[0-9a-f]{16}-5-2[[:space:]]redis-[0-9a-f]{16}-5-6$ ]]
    # The same entries of another stream are other messages; another field may be the body.
    redis XADD "$stream-2" 5-1 text $'two\nlines'
    run -0 mq-bridge --create --until-empty "redis://127.0.0.1:$REDIS_PORT/0/$stream-2?group=g&body=text" back
    run -0 mq-recv -a --no-wait back
    assert_output $'two\nlines'
}

@test "what ends a bridge for good is said with the server's words" {
    mq-send -q here x
    redis SET "$stream-s" text
    redis XADD "$stream" '*' body x
    local at=redis://127.0.0.1:$REDIS_PORT
    complains 66 "mq-bridge-redis: redis://127.0.0.1/0/$stream: NOGROUP" "$from" here
    complains 66 'mq-bridge-redis: redis://127.0.0.1/99/s: ERR DB index' here "$at/99/s"
    complains 64 "mq-bridge-redis: redis://127.0.0.1/0/$stream-s: WRONGTYPE" here "$at/0/$stream-s"
    complains 64 "mq-bridge-redis: redis://127.0.0.1/0/$stream-s: WRONGTYPE" "$at/0/$stream-s?group=g" here
    complains 75 'mq-bridge-redis: redis://127.0.0.1/0/s: cannot connect: ' here redis://127.0.0.1:1/0/s
    complains 75 'mq-bridge-redis: redis://no.invalid/0/s: cannot resolve the host: ' here redis://no.invalid/0/s
    # What speaks something else.
    spawn other python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True)
c = s.accept()[0]; c.recv(99); c.sendall(b"SSH-2.0-x\r\n"); c.recv(99)'
    wait_until 30 test -s other.out
    complains 65 'mq-bridge-redis: redis://127.0.0.1/0/s: what answers there is not Redis: ' here "redis://127.0.0.1:$(<other.out)/0/s"
    # What says nothing: a signal ends the bridge at once.
    spawn silent python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True)
c = s.accept()[0]; print(c.recv(99), flush=True); c.recv(99)'
    wait_until 30 test -s silent.out
    spawn bridge mq-bridge -f "redis://127.0.0.1:$(<silent.out)/0/s?group=g" here
    local bridge=$! begun
    wait_until 30 grep -q SELECT silent.out
    begun=$(now_us)
    kill -TERM "$bridge"
    wait "$bridge"
    (($(now_us) - begun < 4000000))
    assert_equal "$(mq-stat --format '{ready} {inflight}' here)" '1 0'
    assert_equal "$(mq-recv -j --no-wait here | jq .attempts)" 1
}

@test "a password comes from a file or the environment, and users have rights" {
    redis ACL SETUSER mq on '>top secret' '+@connection' '+xadd' '~*'
    mq-send -q here x
    local as=redis://mq@127.0.0.1:$REDIS_PORT/0/$stream
    MQ_BRIDGE_PASSWORD=wrong complains 77 'mq-bridge-redis: redis://127.0.0.1/0/'"$stream: WRONGPASS" here "$as"
    MQ_BRIDGE_PASSWORD=x complains 77 'mq-bridge-redis: redis://127.0.0.1/0/'"$stream: ERR AUTH" here "$url"
    MQ_BRIDGE_PASSWORD='top secret' complains 77 'mq-bridge-redis: redis://127.0.0.1/0/'"$stream: NOPERM" "$as?group=g" here
    echo 'top secret' >password
    export MQ_BRIDGE_PASSWORD_FILE=$PWD/password
    run -0 mq-bridge here "$as"
    assert_equal "$(redis XLEN "$stream")" 1
}

@test "by TLS, the server is verified" {
    mq-send -q here x
    local as=rediss://127.0.0.1:$REDIS_TLS_PORT/0/$stream trust=cacertfile=$REDIS_DIR/cert.pem
    complains 77 "mq-bridge-rediss: rediss://127.0.0.1/0/$stream: TLS: self" here "$as"
    complains 77 "mq-bridge-rediss: rediss://localhost/0/$stream: TLS: " here "${as/127.0.0.1/localhost}?$trust"
    [[ ${stderr,,} == *host*mismatch* ]]
    complains 78 "mq-bridge-rediss: rediss://127.0.0.1/0/$stream: cacertfile: " here "$as?cacertfile=$REDIS_DIR/pid"
    make_messages 100 | mq-send -q -j here
    run -0 mq-bridge --until-empty here "$as?$trust&certfile=$REDIS_DIR/cert.pem&keyfile=$REDIS_DIR/key.pem"
    run -0 mq-bridge --create --until-empty "$as?$trust&group=g" back
    assert_equal "$(mq-stat --format '{ready}' back)" 101
}

@test "a body that the server does not take becomes a dead letter with its words, and the others go on" {
    local i
    for i in 1 2 3; do
        mq-send -q here "$i"
    done
    mq-queue config here max-size=3M
    head -c 2000000 /dev/zero | mq-send -q -i large here
    seq 4 60 | mq-send -q -l here
    run -123 mq-bridge --until-empty here "$url"
    assert_output --partial 'large is refused: ERR Protocol error: invalid bulk length'
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 1'
    run -0 mq-dlq show here large
    assert_output --partial 'ERR Protocol error: invalid bulk length'
    run -0 mq-bridge --create --until-empty "$from" back
    assert_equal "$(mq-recv -a -l -f --no-wait back | sort -nu)" "$(seq 60)"
}

@test "a message that the queue here refuses is told, and a full queue keeps the others there" {
    mq-queue create small max-size=10 max-depth=2 durability=none
    redis XADD "$stream" '*' body 'more than ten bytes'
    local i
    for i in 1 2 3; do
        redis XADD "$stream" '*' body "$i"
    done
    run -123 mq-bridge --create --until-empty "$from" small
    assert_output --partial 'is refused: the body is larger than max-size'
    assert_output --partial 'cannot publish here: the queue is full'
    assert_equal "$(pending)" 1
    assert_equal "$(mq-recv -a -l -f --no-wait small)" $'1\n2'
    run -0 mq-bridge --until-empty "$from" small
    assert_equal "$(mq-recv -a -l -f --no-wait small) $(pending)" '3 0'
}

@test "what a dead consumer left is taken from it, and entries that were removed are told" {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        redis XADD "$stream" "1-$i" body "$i"
    done
    redis XGROUP CREATE "$stream" readers 0
    redis XREADGROUP GROUP readers dead COUNT 4 STREAMS "$stream" '>'
    redis XDEL "$stream" 1-2
    redis XADD "$stream" MAXLEN 2 '1-9' body 9 # 8 and 9 are left
    run -0 mq-bridge --until-empty "$from" here
    assert_output --partial ': 3 entries were removed from the stream before they were carried'
    assert_output --partial ': 4 entries were removed from the stream before they were carried'
    assert_equal "$(mq-recv -a -l -f --no-wait here)" $'8\n9'
    redis XADD "$stream" 2-1 body a
    redis XREADGROUP GROUP readers dead COUNT 9 STREAMS "$stream" '>'
    run -0 mq-bridge --until-empty "$from" here
    assert_equal "$(pending)" 1 # it is still the dead one's
    run -0 mq-bridge -n 1 "$from&idle=100ms" here
    assert_equal "$(mq-recv -a -l -f --no-wait here) $(pending)" 'a 0'
}

@test "a bridge that is killed has what it left back at once, and one that waits ends at a signal" {
    redis XADD "$stream" 1-1 body 1
    redis XGROUP CREATE "$stream" readers 0
    spawn bridge mq-bridge -f "$from" here
    local bridge=$!
    wait_until 30 has_depth here ready 1
    wait_until 30 is_blocked
    # The server gives it a message while it is stopped.
    kill -STOP "$bridge"
    redis XADD "$stream" 1-2 body 2
    wait_until 30 has_pending 1
    kill -KILL "$bridge"
    wait "$bridge" || true
    run -0 mq-bridge --until-empty "$from" here
    assert_equal "$(mq-recv -a -l -f --no-wait here)" $'1\n2'
    spawn second mq-bridge -f "$from" here
    bridge=$!
    wait_until 30 is_blocked
    kill -TERM "$bridge"
    wait "$bridge"
}

is_blocked() {
    redis INFO clients | grep -q '^blocked_clients:1'
}

has_pending() {
    [[ $(pending) == "$1" ]]
}

@test "server and bridges are killed, and nothing is lost or comes twice" {
    needs_brokers
    make_messages 400 | mq-send -q -j here
    make_messages 400 | mq-send -q -j copy
    mq-queue config here ack-timeout=300ms max-attempts=none retry-delay=1ms
    spawn out mq-bridge -f here "$url"
    local out=$!
    wait_until 30 has_entries
    stop_redis
    mq-send -q -i last here last
    wait_until 30 grep -q 'trying again' out.err
    start_redis
    wait_until 30 grep -q 'connected again' out.err
    kill -KILL "$out"
    run -0 mq-bridge --until-empty here "$url"
    spawn in mq-bridge --create -f "$from" back
    local in=$!
    wait_until 30 has_any back
    stop_redis
    wait_until 30 grep -q 'trying again' in.err
    kill -KILL "$in"
    start_redis
    run -0 mq-bridge --until-empty "$from" back
    contents back | grep -v '"last"' >found
    run diff found <(contents copy)
    assert_success
}

has_entries() {
    (($(redis XLEN "$stream") > 0))
}

has_any() {
    [[ $(mq-stat --format '{ready}' "$1") == [1-9]* ]]
}
