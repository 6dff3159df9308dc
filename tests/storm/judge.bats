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

# ---- topics and transactions -------------------------------------------------------

# published KEY EXIT QUEUES [ID]: a message of that body; with the id that was printed.
published() {
    said publish 1 2 "$2" "\"out\": [${4:+\"$4\"}], \"bodies\": [\"$1\"], \"queues\": $3"
}

# there QUEUE ID BODY…: what is left.
there() {
    jq -nc '[$ARGS.positional | _nwise(3) | {queue: .[0], id: .[1], body: .[2]}]' --args "$@" >history/end.json
}

# took QUEUE ID BODY BEGIN END: a subscriber got it, and acked it.
took() {
    local line
    line=$(jq -nc --arg id "$2" --arg body "$3" '{id: $id, body: $body} | tojson')
    said subscribe "$4" "$5" 0 "\"queue\": \"$1\", \"out\": [$line]"
}

fed() { # BODY EXIT
    said feed 1 2 "$2" "\"out\": [], \"bodies\": [\"$1\"]"
}

# moved OUTCOME: a ledger's transaction, of the claim of `fed`.
moved() {
    said moves 10 20 0 "\"outcome\": \"$1\", \"body\": \"l.1\", \"number\": 1, \"file\": \"state\", \"claim\": \"fed\""
}

stock() { # NUMBER [UNFINISHED]: what the file says, and what is in the outbox
    said stock 9000 9000 0 "\"files\": {\"state\": $1}, \"unfinished\": [${2:+\"$2\"}]"
}

all_of_it=(two i0 fed ledger i1 l.1 news-all i2 l.1 news-some i2 l.1 news-x i2 l.1 news-inner i2 l.1)

@test "a publication that all of its queues got, or none if it was not reported, is as it should be" {
    published p 0 '["news-all", "news-x"]' one
    published q -9 '["news-all", "news-x"]'
    published r -9 '["news-all", "news-some"]'
    took news-all one p 3 4
    there news-x one p news-all three r news-some three r
    acquits
}

@test "a publication that some of its queues got is in part, whatever became of its sender" {
    for exit in 0 -9; do
        published "p$exit" "$exit" '["news-all", "news-x"]'
    done
    there news-all one p0 news-x one p0 news-all two p-9
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == "in part: p-9: ['news-all'] of ['news-all', 'news-x']" ]]
    there news-all one p0 news-x one p0 news-inner one p0
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == "in part: p0: "* ]]
}

@test "a publication that was reported is not nowhere, and one that was refused is" {
    published p 0 '["news-all"]' one
    convicts "published and lost"
    there news-all one p news-all two q
    published q -9 '["news-all"]'
    acquits
}

@test "a queue gets a publication once, and not again after its ack" {
    published p -9 '["news-all"]'
    there news-all one p news-all two p
    convicts "published twice"
    there news-all one p news-all one p
    convicts "in two places"
    there
    took news-all one p 10 20
    took news-all one p 19 30
    acquits
    took news-all one p 21 40
    convicts "back after their ack"
}

@test "what nobody published is in no queue" {
    published p 0 '["news-all"]' one
    there news-all one p news-all two q
    convicts "not published"
}

@test "a message of the chain is at one place, and if its sender was killed perhaps nowhere" {
    published p 0 '["news-all"]' one
    fed b1 0
    fed b2 0
    fed b3 0
    fed b4 -9
    there news-all one p one i1 b1 three i2 b2 graves i3 b3
    acquits
    there news-all one p one i1 b1 three i2 b2
    convicts "lost in the chain"
    there news-all one p one i1 b1 three i2 b2 graves i3 b3 three i4 b2
    convicts "done twice"
    there news-all one p one i1 b1 three i2 b2 graves i3 b3 two i4 b5
    convicts "not fed"
}

@test "a transaction happens as its commit said, with all of its parts" {
    published p 0 '["news-all"]' one
    fed fed 0
    moved "done"
    stock 1
    there news-all one p "${all_of_it[@]}"
    acquits
    there news-all one p two i0 fed
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == *"done, and is not: l.1"* ]]
    there news-all one p "${all_of_it[@]:0:15}"
    convicts "in part"
    there news-all one p "${all_of_it[@]:6}" two i0 fed
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == *"in part: l.1: "* || $stderr == *"done, and is not"* ]]
    there news-all one p one i0 fed "${all_of_it[@]:3}"
    convicts "in part"
    there news-all one p "${all_of_it[@]}" ledger i9 l.1
    convicts "done twice"
}

@test "what was undone leaves nothing, and its file is as it was" {
    published p 0 '["news-all"]' one
    fed fed 0
    moved undone
    stock 0
    there news-all one p one i0 fed
    acquits
    there news-all one p "${all_of_it[@]}"
    run -1 --separate-stderr "$MQ_ROOT/tests/storm/judge" history
    [[ $stderr == *"undone, and is not: l.1"* ]]
}

@test "a transaction that nobody reported may have happened, but its file says the same" {
    published p 0 '["news-all"]' one
    fed fed 0
    moved unknown
    there news-all one p one i0 fed
    acquits
    stock 1
    convicts "in part"
}

@test "nothing stays in the outbox" {
    published p 0 '["news-all"]' one
    there news-all one p
    stock 0 0123456789abcdef.committed
    convicts unfinished
}

@test "the judge of logs believes one sequence, and sees each way to break it" {
    judge_log() { # LINE…
        printf '%s\n' "$@" >log
        run "$MQ_ROOT/tests/storm/log" --judge log
    }
    judge_log 'sent a b' 'once c' 'read r 0 a' 'read q 0 a' 'read r 1 b' 'read q 1 b' 'read r 2 c' 'end 0 3'
    assert_success
    judge_log 'sent a' 'read r 0 a' 'missed r 2' 'read r 3 d' 'end 3 4'
    assert_success
    local wrong
    while read -r wrong; do
        local lines_of
        IFS=, read -ra lines_of <<<"$wrong"
        judge_log "${lines_of[@]}"
        assert_failure 1
    done <<'END'
read r 0 a,read r 2 b,end 0 3
read r 0 a,read r 0 b,end 0 1
read r 0 a,read q 0 b,end 0 1
read r 0 a,read r 1 a,end 0 2
sent a,read r 0 b,end 0 1
once a b,read r 0 a,end 0 1
read r 1 a,end 0 2
read r 0 a,read r 1 b,end 0 1
read r 0 a,missed r 2,read r 2 b,end 0 3
read r 0 a
END
}
