# The judge of storms: it believes a history in which all promises are kept, and sees each way to break one.
#
# The histories are made up. Times are microseconds; a claim's deadline is in its receipt.

load ../helper

setup() {
    setup_spool
    mkdir history
    echo '[]' >history/end.json
    said start 0 0 0 '"wall": 1000, "monotonic": 0'
    said stop 9000 9000 0 '"wall": 10000, "monotonic": 9000'
    body=$(make_body key)
}

make_body() {
    printf '%s xx %s' "$1" "$(printf '%s xx' "$1" | sha256sum | cut -d' ' -f1)"
}

# said OP BEGIN END EXIT FACTS: a program ran.
said() {
    printf '{"op": "%s", "begin": %d, "end": %d, "exit": %d, "stopped": false, "err": "", %s}\n' "$@" >>history/a.jsonl
}

sent() { # ID BODY
    said send 1 2 0 "\"out\": [\"$1\"], \"bodies\": [\"$2\"]"
}

receipt() { # ID DEADLINE
    printf 'storm/%013x.5661015bd116d2000.%s.a1.c1f2e948b2ad5fe15' "$2" "$1"
}

# claimed ID BODY BEGIN END DEADLINE [ATTEMPTS]: a mq-recv printed it.
claimed() {
    local line
    line=$(jq -nc --arg id "$1" --arg body "$2" --arg receipt "$(receipt "$1" "$5")" --argjson attempts "${6:-1}" \
        '{id: $id, body: $body, receipt: $receipt, attempts: $attempts} | tojson')
    said recv "$3" "$4" 0 "\"out\": [$line], \"timeout\": 1000"
}

settled() { # OP BEGIN END EXIT ID DEADLINE
    said "$1" "$2" "$3" "$4" "\"out\": [], \"timeout\": 1000, \"receipt\": \"$(receipt "$5" "$6")\""
}

left() { # ID BODY
    jq -nc --arg id "$1" --arg body "$2" '[{id: $id, body: $body}]' >history/end.json
}

acquits() {
    run -0 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
}

# convicts WHAT: of this, and of nothing else.
convicts() {
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == "$1: "* && $stderr != *$'\n'* ]] || fail "not $1: $stderr"
}

@test "a message that was sent, claimed and acked is as it should be" {
    sent one "$body"
    claimed one "$body" 10 20 1000
    settled ack 30 40 0 one 1000
    acquits
}

@test "a message that is still there is as it should be" {
    sent one "$body"
    left one "$body"
    acquits
}

@test "a message may be gone when the acker was killed" {
    sent one "$body"
    claimed one "$body" 10 20 1000
    settled ack 30 40 -9 one 1000
    acquits
}

@test "a message that is gone without an ack is lost" {
    sent one "$body"
    convicts lost
}

@test "so is one whose ack was refused" {
    sent one "$body"
    claimed one "$body" 10 20 1000
    settled ack 30 40 1 one 1000
    convicts lost
}

@test "a message is not there after its ack" {
    sent one "$body"
    claimed one "$body" 10 20 1000
    settled ack 30 40 0 one 1000
    left one "$body"
    convicts "back after their ack"
}

@test "half a body is torn" {
    sent one "$body"
    left one "${body#* }"
    convicts torn
}

@test "a message of a send that failed was not sent" {
    sent one "$body"
    left one "$body"
    said send 1 2 75 '"out": [], "bodies": ["'"$(make_body other)"'"]'
    claimed two "$(make_body other)" 10 20 1000
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == *"not sent: two"* ]]
}

@test "a send makes one message of a body" {
    sent one "$body"
    left one "$body"
    claimed two "$body" 10 20 1000
    convicts doubled
}

@test "a claim may follow another's deadline, and any that began before it ended is one too many" {
    sent one "$body"
    left one "$body"
    claimed one "$body" 10 20 1000
    claimed one "$body" 900 1010 2000 2
    acquits
    claimed one "$body" 1100 1900 3000 3
    convicts "held twice"
}

@test "an extension moves the deadline, one that was refused does not" {
    sent one "$body"
    left one "$body"
    claimed one "$body" 10 20 1000
    settled extend 500 510 1 one 1000
    claimed one "$body" 1010 1020 2000 2
    acquits
    settled extend 1100 1110 0 one 2000 # until 2100
    claimed one "$body" 2010 2050 3000 3
    convicts "held twice"
}

@test "who acks with success held the claim until then" {
    sent one "$body"
    claimed one "$body" 10 20 1000
    claimed one "$body" 1100 1200 2000 2
    settled ack 1300 1310 0 one 1000
    convicts "held twice"
}

@test "a redelivery has a higher number of attempts" {
    sent one "$body"
    left one "$body"
    claimed one "$body" 10 20 1000
    claimed one "$body" 1100 1200 2000 1
    convicts "attempts not counted"
    said upkeep 1030 1040 0 '"retried": ["two"]'
    convicts "attempts not counted"
    said upkeep 1030 1040 -9 '"retried": ["one"]'
    acquits
}

@test "a clock that was set makes it impossible to judge" {
    sent one "$body"
    left one "$body"
    said stop 9500 9500 0 '"wall": 20000, "monotonic": 9500'
    convicts "clock set"
}
