# Completions, as bash, zsh and fish themselves offer them.

load ../helper

setup() {
    setup_spool
    mq-queue create logs
    mq-send -q -i order-17 jobs one
    mq-send -q -i order-18 jobs two
    local n receipt
    for n in 1 2; do
        mq-recv jobs >message
        read -r receipt <message
        mq-ack --reject "$receipt"
    done
}

# in_bash WORD…: what bash offers for the last word.
in_bash() {
    bash --norc -c '
        source "$1"
        COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
        COMPREPLY=()
        _mq "$2" "${@: -1}" ""
        printf "%s\n" "${COMPREPLY[@]}"' bash "$MQ_ROOT/completions/mq.bash" "$@"
}

in_fish() { # LINE
    HOME=$BATS_TEST_TMPDIR fish --no-config -c 'source $argv[1]; complete -C$argv[2]' "$MQ_ROOT/completions/mq.fish" "$1" |
        cut -f 1
}

in_zsh() { # LINE
    HOME=$BATS_TEST_TMPDIR ZSH_DUMP=$BATS_FILE_TMPDIR/zsh-dump timeout 60 "$MQ_ROOT/tests/programs/zsh-complete" "$MQ_ROOT/completions" "$1"
}


# in_all LINE EXPECTED…: each shell that is here offers these at the end of LINE.
in_all() {
    local line=$1 expected
    local -a words
    shift
    read -ra words <<<"$line"
    [[ $line != *' ' ]] || words+=('')
    run in_bash "${words[@]}"
    assert_lines "$@"
    in_one fish "$line" "$@"
    in_one zsh "$line" "$@"
}

in_one() { # SHELL LINE EXPECTED…
    command -v "$1" >/dev/null || return 0
    # zsh completes in a terminal only.
    [[ $1 != zsh ]] || has_terminal || return 0
    run "in_$1" "$2"
    assert_lines "${@:3}"
}

assert_lines() {
    local expected
    for expected; do
        assert_line "$expected"
    done
}

@test "queue names are completed for every program that takes one" {
    local program
    for program in mq-send mq-recv mq-stat 'mq-dlq list' 'mq-queue peek' 'mq-queue sweep' 'mq-queue events'; do
        in_all "$program " jobs logs
    done
}

@test "names of topics are completed beside those of queues, also without bindings" {
    mq-topic create events && mq-topic create others
    in_all 'mq-send ' jobs events
    in_all 'mq-stat ' logs events
    in_all 'mq-topic bind ' events
    in_all 'mq-topic bind events ' jobs others
}

@test "schemes of bridges are completed, also those of other people's programs" {
    mkdir bin
    printf '#!/bin/sh\n' >bin/mq-bridge-pigeon
    chmod +x bin/mq-bridge-pigeon
    PATH=$PWD/bin:$PATH
    in_all 'mq-bridge jobs ' logs ssh:// pigeon://
}

@test "sub-commands are completed" {
    in_all 'mq-dlq ' list show retry purge
    in_all 'mq-queue ' create config list peek purge delete sweep check events doctor
}

@test "ids of dead letters are completed" {
    in_all 'mq-dlq show jobs ' order-17 order-18
    in_all 'mq-dlq retry jobs order-17 ' order-18
    in_all 'mq-dlq purge jobs ' order-17
}

@test "settings are completed, and the values of those that have few" {
    run in_bash mq-queue config jobs ''
    assert_lines ack-timeout= max-size= durability= dead-ttl=
    in_one fish 'mq-queue config jobs ' ack-timeout= max-size= durability= dead-ttl=
    in_one zsh 'mq-queue config jobs ' ack-timeout max-size durability dead-ttl
    run in_bash mq-queue config jobs durability = ''
    assert_line full
    assert_line none
    in_one fish 'mq-queue config jobs durability=' durability=full durability=none
    in_one zsh 'mq-queue config jobs durability=' full none
}

@test "states and priorities are completed" {
    in_all 'mq-queue peek --state ' ready delayed inflight dead all
    in_all 'mq-send -p ' 0 9
    run in_bash mq-queue peek --state = d
    assert_output $'delayed\ndead'
}

@test "figures are completed where an option takes one" {
    in_all 'mq-stat --sort ' ready oldest errors_5m
    in_all 'mq-stat --sort err' errors errors_1m
    run in_bash mq-stat --check = old
    assert_output oldest
    run in_bash mq-stat -w j
    assert_output jobs
}

@test "options are completed" {
    run in_bash mq-send --cont
    assert_output --content-type=
    in_one fish 'mq-send --cont' --content-type
    in_one zsh 'mq-send --cont' --content-type
}

@test "the spool on the command line is the one that is looked into" {
    MQ_SPOOL=$BATS_TEST_TMPDIR/other mq-send -q elsewhere hello
    in_all "mq-recv -S $BATS_TEST_TMPDIR/other " elsewhere
    run in_bash mq-recv --spool = "$BATS_TEST_TMPDIR/other" ''
    assert_output elsewhere
    in_one fish "mq-recv --spool=$BATS_TEST_TMPDIR/other " elsewhere
    in_one zsh "mq-recv --spool=$BATS_TEST_TMPDIR/other " elsewhere
}

@test "a value of an option is not taken for a queue" {
    in_all 'mq-recv -t 5s ' jobs
    in_all 'mq-queue --state dead peek ' jobs
    run in_bash mq-dlq -n 5 list jobs ''
    refute_output --partial order-17
}

@test "a time with colons is one word for bash" {
    run in_bash mq-send --at 10 : 30 ''
    assert_line jobs
}

@test "file names are completed for the body, and nothing where there is nothing to say" {
    touch letter.txt
    run in_bash mq-send -f let
    assert_output letter.txt
    run in_bash mq-send --ttl ''
    assert_output ''
}

@test "a spool that is not there, or without permission, completes to nothing and says nothing" {
    rm -rf "$MQ_SPOOL"
    run in_bash mq-recv ''
    assert_output ''
    ! command -v fish || run in_fish 'mq-recv '
    assert_output ''
}

@test "fish is here, so that its completion was tested" {
    command -v fish || skip "no fish"
}

@test "zsh is here, so that its completion was tested" {
    command -v zsh || skip "no zsh"
}

# refused SHELL LINE WORD: that shell, where it is here, does not offer this.
refused() {
    command -v "$1" >/dev/null || return 0
    [[ $1 != zsh ]] || has_terminal || return 0
    if [[ $1 == bash ]]; then
        local -a words
        read -ra words <<<"$2"
        run in_bash "${words[@]}" ''
    else
        run "in_$1" "$2"
    fi
    refute_line "$3"
}

@test "behind -- comes a command, then its arguments" {
    touch letter.txt
    in_all 'mq-recv jobs -- mq-sen' mq-send
    in_all 'mq-recv -a jobs -- cat let' letter.txt
    local shell
    for shell in bash fish zsh; do
        refused "$shell" 'mq-recv jobs -- ' logs
    done
}

@test "what is typed already is not offered again" {
    local shell
    for shell in bash fish zsh; do
        refused "$shell" 'mq-dlq retry jobs order-17 ' order-17
        refused "$shell" 'mq-stat logs ' logs
        refused "$shell" 'mq-queue sweep logs ' logs
    done
    run in_bash mq-queue config jobs ttl = 1h ''
    refute_line ttl=
    assert_line max-size=
    in_all 'mq-stat logs ' jobs
}

@test "in the body of a message bash offers no options" {
    run in_bash mq-send jobs convert -q
    assert_output ''
    run in_bash mq-send jobs --prio
    assert_output --priority=
}

@test "mq completes the names of programs, also other people's, and what they complete" {
    mkdir bin && touch bin/mq-own && chmod +x bin/mq-own
    PATH=$PWD/bin:$PATH
    in_all 'mq ' send queue own help
    in_all 'mq send ' jobs logs
    in_all 'mq queue ' create sweep
    in_all 'mq recv --cre' --create
    in_all 'mq help ' stat libmq
}
