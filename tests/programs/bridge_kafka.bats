#!/usr/bin/env bats
# mq-bridge-kafka, with the mock cluster that librdkafka has, which serves other processes; TLS and passwords are those of a
# proxy before it. A group of consumers takes three seconds there to come together.

load ../helper

readonly PRODUCE=0 COMMIT=8 # requests

teardown() {
    kill_spawned
    ! mountpoint -q "$BATS_TEST_TMPDIR/small" || umount -l "$BATS_TEST_TMPDIR/small"
}

setup() {
    setup_spool
    [[ -x $MQ_BUILD/mq-bridge-kafka ]] || skip "librdkafka is not installed"
    tools=$MQ_BUILD/tests/kafka
}

# A cluster of its own for the test; $broker is where it is.
start_cluster() {
    mkfifo orders
    exec {orders}<>orders
    "$tools/mock" <orders >mock.out 2>mock.err 3>&- &
    register $!
    wait_until 20 test -s mock.out
    read -r broker <mock.out
}

# cluster ORDER…: see tests/kafka/mock.c.
cluster() {
    local answers
    answers=$(wc -l <mock.out)
    echo "$*" >&"$orders"
    wait_until 20 eval '(($(wc -l <mock.out) > answers))'
    [[ $(tail -n 1 mock.out) == NO_ERROR ]] || fail "$*: $(tail -n 1 mock.out)"
}

# Messages of every kind, as JSON: any bytes, headers, priorities, an expiry, keys.
make_messages() { # NUMBER
    python3 -c 'import base64, json, random, sys
random.seed(7)
for i in range(int(sys.argv[1])):
    message = {"id": f"m-{i}", "headers": {"Number": str(i), "Name": "Zo\u00eb \u2028 \"x\" \\", "Empty": ""},
               "priority": random.choice([4, 4, 0, 9])}
    if i % 10 == 0:
        message["body_base64"] = base64.b64encode(random.randbytes(random.randrange(5000))).decode()
        message["expires"] = "2099-01-01T00:00:00.123456Z"
    else:
        message["body"] = f"body {i}\n" * (i % 3)
    if i % 5 == 0:
        message["max_attempts"] = 17
    if i % 7 == 0:
        message["headers"]["Group"] = f"g{i % 3}"
    if i % 11 == 0:
        message["headers"]["Routing-Key"] = f"k{i % 2}"
    print(json.dumps(message))' "$1"
}

# What identifies each message of a queue, sorted; they are acked.
contents() { # QUEUE
    mq-recv -aj -f --no-wait "$1" | jq -cS '{id, headers, priority, expires, body, body_base64}' | sort
}

make_queue() { # QUEUE [KEY=VALUE…]: without waits for the disk
    mq-queue create "$1" durability=none "${@:2}"
}

get() { # TOPIC
    "$tools/client" "$broker" get "$1"
}

has_records() { # TOPIC NUMBER
    (($(get "$1" | wc -l) == $2))
}

complains() { # STATUS BEGINNING WORD…
    local status=$1 beginning=$2
    run "-$status" --separate-stderr mq-bridge "${@:3}"
    [[ -z $output ]] || fail "it printed $output"
    assert_complains "$beginning"
}

@test "a URL that means nothing is refused, and nothing is made" {
    local url long
    long=$(printf '%0250d' 0)
    for url in kafka:// kafka:///t kafka://b kafka://b/ kafka://b/t/u kafka://b/.. 'kafka://b/^t.*' kafka://b/a%20b "kafka://b/$long" \
        kafka://b,/t kafka://,b/t kafka://b,c:0/t 'kafka://b,-c/t' kafka://b/t?x=y 'kafka://b/t?group=g' \
        'kafka://b/t?cacertfile=/dev/null' 'kafkas://b/t?certfile=/dev/null' kafka://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/t; do
        complains 64 mq-bridge-kafka jobs "$url"
    done
    complains 64 'mq-bridge-kafka: kafka://b/t: ?group=GROUP has to say' kafka://b/t jobs
    complains 64 'mq-bridge-kafka: kafka://b/t: ?group=GROUP has to say' 'kafka://b/t?group=' jobs
    complains 64 'mq-bridge-kafka: bad URL: a password' jobs kafka://me:secret@b/t
    [[ $stderr != *secret* ]]
    complains 78 'mq-bridge-kafka: kafka://b,c/t: me has no password' jobs kafka://me@b:1,c/t
    complains 78 'mq-bridge-kafkas: kafkas://b/t: cacertfile: cannot read' jobs 'kafkas://b/t?cacertfile=nowhere'
    complains 64 'mq-bridge-ssh: bad URL: it has a comma' jobs ssh://a,b/q
    complains 66 'mq-bridge-kafka: jobs: no such queue' jobs kafka://b/t
    assert_not_exist "$MQ_SPOOL"
}

@test "out and back a message keeps all that its sender gave it, and its key chooses the partition" {
    start_cluster
    make_queue here
    make_queue copy
    make_messages 200 | mq-send -q -j here
    make_messages 200 | mq-send -q -j copy
    run -0 --separate-stderr mq-bridge -n 3 here "kafka://127.0.0.1:1,$broker/away"
    assert_equal "$stderr" ''
    has_records away 3
    run -0 mq-bridge --until-empty here "kafka://$broker/away"
    get away >records
    assert_equal "$(wc -l <records)" 200
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' here)" '0 0 0'
    # The same key, the same partition: the one that Kafka's own clients choose.
    awk -F '\t' '$2 != "-" { print $2, $1 }' records | sort -u >keys
    assert_equal "$(cut -d ' ' -f 1 keys)" $'g0\ng1\ng2\nk0\nk1'
    grep -qP '\tk1\t.*\tMq-Id=m-77\t.*Group=g' records
    run -0 mq-bridge --until-empty "kafka://$broker/away?group=g" back
    contents back >found
    run diff found <(contents copy)
    assert_success
    # What is committed does not come again, and what is there for one group is there for another.
    run -0 mq-bridge -n 1 "kafka://$broker/away?group=other" back
    assert_equal "$(mq-stat --format '{ready} {duplicates}' back)" '0 1'
    seq 3 | mq-send -q -l here
    mq-bridge --until-empty here "kafka://$broker/away"
    run -0 mq-bridge --until-empty "kafka://$broker/away?group=g" back
    assert_equal "$(mq-stat --format '{ready}' back)" 3
}

@test "records from elsewhere: what mq cannot hold as it is has another name, and what it refuses is passed over" {
    start_cluster
    cluster topic from 1
    make_queue to max-size=20
    printf '%s\n' $'k\tone\tA=x\tA=y\ta_b=z\tbin=\\x00\\xff\tId=7\tMq-Priority=8\tMq-Expires=soon\tMq-Id=no id\tblank= x' \
        $'-\t-' $'\\x01\ttwo\tGroup=g' $'g\tthis is longer than twenty bytes' $'g\tthree\tGroup=g\tMq-Id=mine' |
        "$tools/client" "$broker" put from
    # Too much for headers, too.
    printf 'k\tx\tlong=%070000d\n' 0 | "$tools/client" "$broker" put from
    echo $'last\tfour' | "$tools/client" "$broker" put from
    run -123 --separate-stderr mq-bridge -n 7 "kafka://$broker/from?group=g" to
    [[ $stderr == *'partition 0: what is at offset 3 is passed over'* && $stderr == *'is refused: the body is larger than max-size'* &&
        $stderr == *'offset 5 of partition 0 is refused: its headers: '* ]] || fail "$stderr"
    run -0 mq-recv -aj -f --no-wait to
    jq -cS '[.headers, .priority, .body]' <<<"$output" >found
    cat >expected <<'END'
[{"A":"x","A-2":"y","Group":"k","Kafka-Id":"7","Kafka-Mq-Expires":"soon","Kafka-Mq-Id":"no id","a-b":"z","bin-Base64":"AP8=","blank-Base64":"IHg="},8,"one"]
[{},4,""]
[{"Group":"g","Kafka-Key-Base64":"AQ=="},4,"two"]
[{"Group":"g"},4,"three"]
[{"Group":"last"},4,"four"]
END
    run diff <(jq -cS . expected | sort) <(sort found)
    assert_success
}

@test "what ends a bridge to Kafka is said, and so is what the broker refuses" {
    start_cluster
    make_queue jobs
    seq 5 | mq-send -q -l jobs
    complains 75 'mq-bridge-kafka: kafka://127.0.0.1/t: 127.0.0.1:1/bootstrap: Connect to' jobs kafka://127.0.0.1:1/t
    complains 75 "mq-bridge-kafka: kafka://no.invalid/t: no.invalid:9092/bootstrap: Failed to resolve" jobs kafka://no.invalid/t
    cluster break missing 3
    complains 66 'mq-bridge-kafka: kafka://127.0.0.1/missing: there is no such ' jobs "kafka://$broker/missing"
    complains 66 'mq-bridge-kafka: kafka://127.0.0.1/missing: there is no such ' "kafka://$broker/missing?group=g" jobs
    cluster break secret 29
    complains 77 'mq-bridge-kafka: kafka://127.0.0.1/secret: Broker: ' jobs "kafka://$broker/secret"
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '5 0 0'
    # A message too large for the topic: which one it is shows when it is alone.
    cluster fail $PRODUCE 10 1
    run -123 mq-bridge jobs "kafka://$broker/t"
    assert_output --partial ' is refused: Broker: Message size too large'
    run -0 mq-bridge --until-empty jobs "kafka://$broker/t"
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '0 0 1'
    run -0 mq-dlq show jobs "$(mq-dlq -j list jobs | jq -r .id)"
    assert_output --partial 'refused by kafka://127.0.0.1/t'
    cut -f 3 <(get t) >found
    assert_equal "$(sort -u found | wc -l)" 4
}

@test "TLS is verified, and a password comes from a file or the environment" {
    needs_brokers
    start_cluster
    command -v openssl >/dev/null || skip "openssl is not installed"
    make_queue jobs
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=broker \
        -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    seq 5 | mq-send -q -l jobs
    spawn plain "$MQ_ROOT/tests/kafka/proxy.py" "$broker" - - - me 's3cret word'
    spawn tls "$MQ_ROOT/tests/kafka/proxy.py" "$broker" cert.pem key.pem cert.pem
    spawn both "$MQ_ROOT/tests/kafka/proxy.py" "$broker" cert.pem key.pem - me 's3cret word'
    wait_until 60 test -s plain.out -a -s tls.out -a -s both.out
    local plain tls both
    read -r plain <plain.out
    read -r tls <tls.out
    read -r both <both.out
    MQ_BRIDGE_PASSWORD='s3cret word' run -0 mq-bridge jobs "kafka://me@$plain/t"
    MQ_BRIDGE_PASSWORD=wrong complains 77 'mq-bridge-kafka: kafka://127.0.0.1/t: sasl_plaintext://' jobs "kafka://me@$plain/t"
    [[ $stderr == *'bad password'* && $stderr != *wrong* ]] || fail "$stderr"
    complains 77 'mq-bridge-kafkas: kafkas://127.0.0.1/t: ssl://' jobs "kafkas://$tls/t"
    [[ $stderr == *'certificate verify failed'* ]] || fail "$stderr"
    complains 77 'mq-bridge-kafkas: kafkas://localhost/t: ssl://' jobs "kafkas://localhost:${tls#*:}/t?cacertfile=cert.pem"
    complains 77 'mq-bridge-kafkas: kafkas://127.0.0.1/t: ssl://' jobs "kafkas://$tls/t?cacertfile=cert.pem"
    run -0 mq-bridge jobs "kafkas://$tls/t?cacertfile=cert.pem&certfile=cert.pem&keyfile=key.pem"
    printf 's3cret word\nnot this\n' >password
    export MQ_BRIDGE_PASSWORD_FILE=$PWD/password
    run -0 mq-bridge jobs "kafkas://me@$both/t?cacertfile=$PWD/cert.pem"
    has_records t 3
}

@test "a cluster that goes away and comes back: said once, nothing lost, and a service goes on" {
    needs_brokers
    start_cluster
    make_queue jobs
    make_queue back
    spawn out mq-bridge -f jobs "kafka://$broker/t"
    local out=$!
    spawn in mq-bridge -f "kafka://$broker/t?group=g" back
    local in=$!
    mq-send -q jobs one
    wait_until 30 has_depth back ready 1
    cluster down
    mq-send -q jobs two
    wait_until 30 grep -q 'trying again' out.err
    wait_until 30 grep -q 'trying again' in.err
    assert_equal "$(mq-stat --format '{ready} {inflight}' jobs)" '0 1'
    cluster up
    wait_until 60 has_depth back ready 2
    wait_until 30 grep -q 'connected again' out.err
    kill -TERM "$out" "$in"
    wait "$out"
    wait "$in"
    assert_equal "$(grep -c . out.err) $(grep -c . in.err)" '2 2'
    assert_equal "$(mq-stat --format '{ready} {inflight} {dead}' jobs)" '0 0 0'
    has_records t 2
}

@test "a disk that is full here in the middle of a batch is waited for: nothing is lost or comes twice" {
    needs_brokers
    mkdir small
    mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip "mounting does not work here"
    start_cluster
    make_queue jobs
    seq -f "%g $(printf 'x%.0s' {1..1000})" 3000 | mq-send -q -l jobs
    mq-bridge --until-empty jobs "kafka://$broker/t"
    local MQ_SPOOL=$PWD/small/spool
    make_queue here
    spawn in mq-bridge -f "kafka://$broker/t?group=g" here
    local in=$!
    wait_until 30 grep -q 'No space left on device; trying again' in.err
    mount -o remount,size=64m small
    wait_until 60 has_depth here ready 3000
    kill -TERM "$in"
    wait "$in"
    assert_equal "$(grep -c . in.err)" 2
    mq-queue check here
    assert_equal "$(mq-recv -a -l -n 9999 --no-wait here | sort -u | wc -l)" 3000
}

# is_settled QUEUE: nothing is ready or in flight in it.
is_settled() {
    [[ $(mq-stat -x --format '{ready} {inflight}' "$1") == '0 0' ]]
}

@test "bridges that are killed lose nothing and send nothing twice; those of one group share the partitions" {
    needs_brokers
    start_cluster
    make_queue here ack-timeout=300ms max-attempts=none retry-delay=1ms
    make_queue back
    make_queue copy
    make_messages 1500 | mq-send -q -j here
    make_messages 1500 | mq-send -q -j copy
    local i pid before
    for i in 1 2 3; do
        before=$(depth here ready)
        mq-bridge --until-empty --max-rate 500/s here "kafka://$broker/away" 2>>errors 3>&- &
        pid=$!
        register "$pid"
        wait_until 30 eval '! has_depth here ready "$before"'
        kill -KILL "$pid"
        wait "$pid" || true
    done 2>/dev/null
    until is_settled here; do
        mq-bridge --until-empty here "kafka://$broker/away" 2>>errors 3>&-
    done
    # One bridge is killed in the middle; then two are one group, and one of these leaves it.
    spawn first mq-bridge -f --max-rate 500/s "kafka://$broker/away?group=g" back
    pid=$!
    wait_until 30 eval '! has_depth back ready 0'
    kill -KILL "$pid"
    spawn second mq-bridge -vf --max-rate 200/s "kafka://$broker/away?group=g" back
    local second=$!
    spawn third mq-bridge -vf --max-rate 200/s "kafka://$broker/away?group=g" back
    wait_until 40 grep -q '2 partitions are assigned' second.err
    wait_until 40 grep -q '2 partitions are assigned' third.err
    kill -TERM "$second"
    wait "$second"
    wait_until 60 has_depth back ready 1500
    contents back >found
    run diff found <(contents copy)
    assert_success
}

@test "an offset that is gone is told, and the bridge goes on; an offset that cannot be committed comes again" {
    needs_brokers
    start_cluster
    cluster topic t 1
    make_queue back
    seq -f $'-\t%g' 10 | "$tools/client" "$broker" put t
    cluster fail $COMMIT 29 1
    complains 77 'mq-bridge-kafka: kafka://127.0.0.1/t: Broker: ' -n 10 "kafka://$broker/t?group=g" back
    run -0 mq-bridge -n 4 "kafka://$broker/t?group=g" back
    assert_equal "$(mq-stat --format '{ready} {duplicates}' back)" '10 4'
    # More than the cluster keeps.
    "$tools/client" "$broker" fill t 7000 1000
    run -0 --separate-stderr mq-bridge -n 5 "kafka://$broker/t?group=g" back
    [[ $stderr == "mq-bridge-kafka: kafka://127.0.0.1/t: partition 0: offset 4 is gone, and what was there is not carried; going on at "* ]] || fail "$stderr"
    assert_equal "$(mq-stat --format '{ready}' back)" 15
}
