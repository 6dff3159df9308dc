# mq-dlq: listing, showing, retrying and purging dead letters.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

setup() {
    setup_spool
    mq-queue create jobs
}

# A dead letter with that id and body; more options are mq-send's.
bury() { # ID BODY [OPTION…]
    mq-send -q -i "$1" "${@:3}" jobs "$2"
    mq-ack --reject --reason="reason of $1" "$(claim jobs)"
}

ids() { # the ids in the JSON output, in order
    jq -r .id <<<"$output" | paste -sd' '
}

dead() { # the ids of the dead letters
    mq-dlq list -j jobs | jq -r .id | paste -sd' '
}

@test "the table shows of each dead letter its id, age, attempts, reason, size and body" {
    bury one 'the body'
    run -0 --separate-stderr mq-dlq list jobs
    assert_equal "$stderr" ''
    assert_equal "${#lines[@]}" 2
    assert_regex "${lines[0]}" '^ID +DIED +ATTEMPTS +REASON +LAST OUTCOME +SIZE +BODY$'
    assert_regex "${lines[1]}" '^one +[0-9]+s +1 +reason of one +8 +the body$'
}

@test "list -j prints an object a dead letter, in the order they died" {
    bury one 'the body' -p 2
    bury two "$(printf 'x%.0s' {1..500})"
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_equal "$(ids)" 'one two'
    assert_json 'keys == ["age_seconds", "attempts", "died", "id", "preview", "priority", "queue", "reason", "size"]'
    assert_json '.queue == "jobs"' '.attempts == 1' '.age_seconds | . >= 0 and . < 60' \
        '.died | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]+Z$")' '.reason == "reason of \(.id)"'
    assert_equal "$(jq -c '[.size, .priority, (.preview | length < 100)]' <<<"$output" | paste -sd' ')" \
        '[8,2,true] [500,4,true]'
    assert_json '.preview | startswith("the body") or startswith("xxxxxxxx")'
}

@test "list -n shows so many, and an empty list is no failure" {
    bury one 1
    bury two 2
    run -0 --separate-stderr mq-dlq list -j -n 1 jobs
    assert_equal "$(ids)" one
    mq-dlq purge --all jobs
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_equal "$output$stderr" ''
}

@test "bodies and reasons cannot speak to the terminal" {
    mq-send -q -i evil jobs $'\e]0;owned\a\nsecond\tline \302\233'
    mq-ack --reject --reason=$'evil \e[31m' "$(claim jobs)" || mq-ack --reject "$(claim jobs)"
    run -0 --separate-stderr mq-dlq list jobs
    assert_equal "${#lines[@]}" 2
    [[ ${output//$'\n'/} != *[[:cntrl:]]* ]] || fail "$(printf '%q' "$output")"
    assert_regex "$output" 'owned'
    run -0 --separate-stderr mq-dlq list -j jobs
    assert_json '.id == "evil"'
}

@test "the table fits the terminal, and is whole in a pipe" {
    needs_terminal
    command -v script >/dev/null || skip 'script is not installed'
    bury one "$(printf 'ü%.0s' {1..60})"
    run -0 mq-dlq list jobs
    assert_regex "$output" 'ü{25,}'
    for width in 40 60 100; do
        script -qec "stty cols $width; NO_COLOR=1 mq-dlq list jobs" /dev/null </dev/null | tr -d '\r' >screen
        assert_equal "$(wc -l <screen)" 2
        (($(wc -L <screen) <= width)) || fail "$(<screen)"
        grep -q '^one ' screen
    done
    script -qec 'stty cols 200; COLUMNS=50 NO_COLOR=1 mq-dlq list jobs' /dev/null </dev/null | tr -d '\r' >screen
    (($(wc -L <screen) <= 50)) || fail "$(<screen)"
}

@test "show prints the headers, a blank line, and the body byte for byte" {
    head -c 100000 /dev/urandom >want
    mq-send -q -i one -H 'X-A: b' --type=t jobs <want
    mq-ack --reject "$(claim jobs)"
    mq-dlq show jobs one >shown
    sed '/^$/q' shown >headers
    assert_file_contains headers '^Id: one$'
    assert_file_contains headers '^X-A: b$'
    assert_file_contains headers '^Type: t$'
    tail -c +$(($(wc -c <headers) + 1)) shown | cmp - want
}

@test "show on a terminal escapes what a terminal would obey" {
    needs_terminal
    command -v script >/dev/null || skip 'script is not installed'
    bury one $'red \e[31m\nsecond line'
    script -qec 'mq-dlq show jobs one' /dev/null </dev/null | tr -d '\r' >screen
    run ! grep -q $'\e' screen
    assert_file_contains screen '^red .*31m$'
    assert_file_contains screen '^second line'
}

@test "show -j prints the whole message with the reason and the time of death" {
    bury one 'the body' -p 7 -H 'X-A: b'
    run -0 --separate-stderr mq-dlq show -j jobs one
    assert_json '.id == "one"' '.body == "the body"' '.priority == 7' '.headers == {"X-A": "b"}' '.attempts == 1' \
        '.queue == "jobs"' '.reason == "reason of one"' 'has("timestamp")' '(.died[:19] + "Z" | fromdate) - now | . > -60 and . < 1'
}

@test "show takes several ids, and tells which one is not there" {
    bury one 1
    bury two 2
    run -1 --separate-stderr mq-dlq show -j jobs one missing two
    assert_complains 'mq-dlq: jobs: missing: '
    assert_equal "$(ids)" 'one two'
}

@test "retry makes all dead letters ready again, without attempts, in their old place" {
    mq-send -q -i one jobs body-one
    mq-send -q -i two jobs body-two
    mq-ack --reject "$(claim jobs)" # one
    mq-ack --nack --delay=0 "$(claim jobs)"
    run -0 --separate-stderr mq-dlq retry jobs
    assert_equal "$output$stderr" ''
    assert_equal "$(depth jobs dead)" 0
    take_json jobs
    assert_json '.id == "one"' '.attempts == 1' '.body == "body-one"'
}

@test "retry takes ids, tells which one is not there, and leaves the others dead" {
    bury one 1
    bury two 2
    bury three 3
    run -1 --separate-stderr mq-dlq retry -j jobs one missing three
    assert_complains 'mq-dlq: jobs: missing: '
    assert_equal "$(ids)" 'one three'
    assert_json '.queue == "jobs"' '.retried_to == "jobs"'
    assert_equal "$(dead) $(depth jobs ready)" 'two 2'
}

@test "--match picks by a header, written with = or with a colon" {
    bury one 1 -H 'Tenant: a'
    bury two 2 -H 'Tenant: b'
    bury three 3
    bury four 4 -H 'Tenant: ab=c'
    mq-dlq retry -m tenant=b jobs
    assert_equal "$(dead)" 'one three four'
    mq-dlq purge --match='Tenant: a' jobs
    assert_equal "$(dead)" 'three four'
    mq-dlq retry --match 'Tenant=ab=c' jobs
    assert_equal "$(dead)" three
    for command in retry purge; do
        run -1 --separate-stderr mq-dlq "$command" --match=Tenant=none jobs
        assert_output ''
    done
    assert_equal "$(dead)" three
}

@test "--to moves them into another queue, at its end" {
    bury one 'the body' -H 'X-A: b'
    mq-send -q other first
    run -0 --separate-stderr mq-dlq retry -j --to other jobs one
    assert_json '.id == "one"' '.queue == "jobs"' '.retried_to == "other"'
    assert_equal "$(dead)" ''
    take other
    assert_equal "$(<got)" first
    take_json other
    assert_json '.id == "one"' '.body == "the body"' '.attempts == 1' '.headers == {"X-A": "b"}' '.queue == "other"'
}

@test "--to makes no queue, and nothing moves where it is missing" {
    bury one 1
    run -66 --separate-stderr mq-dlq retry --to=missing jobs
    assert_complains 'mq-dlq: missing: '
    assert_not_exists "$MQ_SPOOL/missing"
    assert_equal "$(dead)" one
}

@test "a dead letter that had expired does not expire again at once" {
    mq-send -q --ttl=1h -i one jobs body
    file=$(echo "$MQ_SPOOL"/jobs/ready/*/*)
    mv "$file" "$(sed -E 's/\.x[0-9a-f]{13}/.x0038d7ea4c680/' <<<"$file")"
    run -1 mq-recv --no-wait jobs
    mq-dlq retry jobs one
    take jobs
    assert_equal "$(<got)" body
}

@test "purge removes the ids that are named, and no others" {
    bury one 1
    bury two 2
    bury three 3
    run -1 --separate-stderr mq-dlq purge -j jobs one missing three
    assert_complains 'mq-dlq: jobs: missing: '
    assert_equal "$(ids)" 'one three'
    assert_json '.queue == "jobs"'
    assert_equal "$(dead)" two
}

@test "purge --older-than removes those that died so long ago" {
    bury old 1
    age jobs dead 7200
    bury new 2
    run -1 --separate-stderr mq-dlq purge --older-than=3h jobs
    run -0 --separate-stderr mq-dlq purge --older-than=1h jobs
    assert_output ''
    assert_equal "$(dead)" new
}

@test "purge --all removes all dead letters and nothing else" {
    bury one 1
    bury two 2
    mq-send -q jobs ready
    run -0 --separate-stderr mq-dlq purge --all jobs
    assert_output ''
    assert_equal "$(dead) $(depth jobs ready)" ' 1'
    run -1 --separate-stderr mq-dlq purge --all jobs
}

@test "purge without saying what is refused, and removes nothing" {
    bury one 1
    run -64 --separate-stderr mq-dlq purge jobs
    assert_complains 'mq-dlq: '
    assert_equal "$(dead)" one
}

@test "-v says how many were retried or purged" {
    bury one 1
    bury two 2
    run -0 --separate-stderr mq-dlq retry -v jobs
    assert_output ''
    assert_regex "$stderr" '^mq-dlq: jobs: .*2'
    bury three 3 -p 9
    run -0 --separate-stderr mq-dlq purge -v --all jobs
    assert_output ''
    assert_regex "$stderr" '^mq-dlq: jobs: .*1'
}

@test "listing and showing leave everything as it is" {
    bury one 1
    files jobs dead >before
    mq-dlq list jobs
    mq-dlq show jobs one
    files jobs dead >after
    cmp before after
}

@test "a queue that is missing is 66 for every command, and is not made" {
    for command in 'list missing' 'show missing id' 'retry missing' 'purge --all missing'; do
        # shellcheck disable=SC2086 # several words
        run -66 --separate-stderr mq-dlq $command
        assert_complains 'mq-dlq: missing: '
        assert_output ''
    done
    assert_not_exists "$MQ_SPOOL/missing"
}

@test "output that cannot be written is status 74" {
    bury one 1
    for command in 'list jobs' 'list -j jobs' 'show jobs one' 'show -j jobs one'; do
        run -74 --separate-stderr bash -c "mq-dlq $command >/dev/full"
        assert_complains 'mq-dlq: '
    done
}

@test "--version and --help answer, misuse is refused with 64" {
    run -0 --separate-stderr mq-dlq --version
    assert_output --regexp '^mq-dlq \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    run -0 --separate-stderr mq-dlq --help
    assert_line --regexp '^Usage: mq-dlq '
    bury one 1
    for arguments in '' 'list' 'show jobs' 'dance jobs' 'retry --match==nonsense jobs' 'purge --older-than=x jobs' \
        'list --no-such-option jobs' 'list -n 0x jobs'; do
        # shellcheck disable=SC2086 # several words
        run -64 --separate-stderr mq-dlq $arguments
        assert_complains 'mq-dlq: '
    done
    assert_equal "$(dead)" one
}

@test "--dry-run prints what would be retried or purged, and changes nothing" {
    bury one 1
    bury two 2 -H 'Tenant: acme'
    local before
    before=$(files jobs dead)
    run -0 --separate-stderr mq-dlq purge --dry-run --all jobs
    assert_output $'one\ntwo'
    run -0 --separate-stderr mq-dlq purge --dry-run -v -m Tenant=acme jobs
    assert_output two
    assert_regex "$stderr" '^mq-dlq: jobs: 1 would be purged$'
    run -0 --separate-stderr mq-dlq purge --dry-run -j jobs one
    assert_json '. == {"queue":"jobs","id":"one","dry_run":true}'
    run -0 --separate-stderr mq-dlq retry --dry-run jobs
    assert_output $'one\ntwo'
    run -0 --separate-stderr mq-dlq retry --dry-run -j --all jobs
    assert_json '.retried_to == "jobs"' '.dry_run'
    run -1 --separate-stderr mq-dlq retry --dry-run jobs missing
    assert_complains 'mq-dlq: jobs: missing: '
    run -64 --separate-stderr mq-dlq purge --dry-run jobs
    assert_equal "$(files jobs dead)" "$before"
    run -64 --separate-stderr mq-dlq retry --all jobs one
    assert_complains 'mq-dlq: retry: --all excludes ids'
    run -0 --separate-stderr mq-dlq retry --all jobs
    assert_equal "$(dead)" ''
}

# The second line of `mq-dlq list jobs` on a terminal of this width.
row_at() { # COLUMNS
    script -qec "stty cols $1; NO_COLOR=1 mq-dlq list jobs" /dev/null </dev/null | tr -d '\r' | sed -n 2p
}

@test "a reason is whole where the terminal has room, and what is cut says so" {
    needs_terminal
    mq-send -q -i one jobs body
    mq-ack --reject --reason='the customer has moved to another town' "$(claim jobs)"
    assert_regex "$(row_at 200)" ' the customer has moved to another town  '
    assert_regex "$(row_at 80)" ' the custom[a-z ]*…  .* 4  body$'
    assert_regex "$(row_at 30)" '…$'
    export LC_ALL=C
    assert_regex "$(row_at 80)" ' the cust[a-z ]*\.\.\.  .* 4  body$'
    run -0 mq-dlq list jobs
    assert_output --partial ' the customer has moved to another town  '
}

@test "dead letters go on, whatever they died of, and lead back" {
    mq-queue create morgue durability=none
    mq-queue config jobs dead-letter=morgue durability=none max-attempts=1
    where() { # QUEUE STATE: the bodies there
        mq-queue peek -j --state="$2" "$1" | jq -r .body | paste -sd' '
    }
    mq-send -q -i first -p 7 -H 'Kind: x' -H 'Dead-Reason: forged' jobs rejected
    mq-ack --reject --reason='no such customer' "$(claim jobs)"
    printf '%0200000d' 1 | mq-send -q -i big jobs
    mq-ack --nack "$(claim jobs)"
    seq 3 | mq-send -q -l --ttl=1ms jobs
    sleep 0.01
    run mq-recv --no-wait jobs
    mq-queue sweep -q jobs
    assert_equal "$(dead)" ''
    assert_equal "$(where morgue ready | tr ' ' '\n' | cut -c1-9 | paste -sd' ')" 'rejected 000000000 1 2 3'
    run -0 --separate-stderr mq-recv -j --no-wait morgue
    assert_json '.id == "first"' '.body == "rejected"' '.priority == 7' '.headers.Kind == "x"' '.attempts == 1' \
        '.headers["Dead-From"] == "jobs"' '.headers["Dead-Reason"] == "no such customer"' \
        '.headers["Dead-Attempts"] == "1"' '.headers["Dead-Time"] | test("^20.*Z$")'
    mq-ack --release "$(jq -r .receipt <<<"$output")"

    # Back, and dead again: it says so.
    run -0 mq-dlq retry morgue first
    assert_equal "$(where jobs ready)" rejected
    mq-ack --reject "$(claim jobs)"
    run -0 --separate-stderr mq-recv -j --no-wait morgue
    assert_json '.id == "first"' '.headers["Dead-Count"] == "2"' '.headers["Dead-Reason"] == "rejected"'
    mq-queue purge -q --all morgue

    # What cannot go on stays, and goes on later; a corrupt one stays for good.
    mq-queue config morgue max-depth=1
    mq-send -q morgue here
    mq-send -q -i stays jobs stays
    mq-ack --reject "$(claim jobs)"
    assert_equal "$(dead)" stays
    run -75 --separate-stderr mq-queue sweep jobs
    assert_complains 'mq-queue: jobs: '
    mq-queue delete --force morgue
    run -66 mq-queue sweep jobs
    assert_equal "$(dead)" stays
    mq-send -q -i broken jobs broken
    for file in "$MQ_SPOOL"/jobs/ready/*/*; do : >"$file"; done
    run mq-recv --no-wait jobs
    mq-topic create graves
    mq-topic bind graves one
    mq-topic bind graves two -k '#'
    mq-queue config jobs dead-letter=graves
    mq-queue sweep -q jobs
    assert_equal "$(where one ready) $(where two ready) $(dead)" 'stays stays broken'
    assert_equal "$(mq-tx list -j)" ''
}

@test "dead letters go to what is there, and in no circle" {
    mq-topic create events
    mq-topic bind events jobs
    mq-queue create other dead-letter=events
    for name in none '' other; do mq-queue config other "dead-letter=${name/other/jobs}"; done
    run -66 --separate-stderr mq-queue config jobs dead-letter=nobody
    assert_complains 'mq-queue: jobs: dead-letter: nobody: '
    for name in jobs other events; do
        run -78 --separate-stderr mq-queue config jobs dead-letter="$name"
        assert_complains "mq-queue: jobs: dead-letter: $name: "
    done
    run -78 mq-queue config jobs dead-letter=a/b
    run -66 mq-queue create third dead-letter=nobody
    assert_equal "$(mq-queue list | paste -sd' ')" 'jobs other'
    assert_equal "$(mq-queue config jobs dead-letter)" none
}
