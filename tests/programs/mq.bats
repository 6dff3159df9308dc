#!/usr/bin/env bats
# mq: runs mq-NAME, lists what there is, opens manual pages.

load ../helper

setup() {
    setup_spool
    mkdir bin later
    PATH=$PWD/bin:$MQ_BUILD:$PWD/later:/usr/bin:/bin
}

program() { # FILE [LINE…]
    printf '%s\n' '#!/bin/sh' "${@:2}" >"$1"
    chmod +x "$1"
}

@test "mq NAME is mq-NAME, with its arguments, name and exit status" {
    mq send -q jobs -- 'a  b' -V
    run -0 mq recv -a jobs
    assert_output 'a  b -V'
    run -1 mq recv --no-wait jobs
    run -64 --separate-stderr mq send --none
    assert_complains 'mq-send: unrecognized option'
    run -0 mq --version
    assert_output --regexp '^mq \(mq\) [0-9]+\.[0-9]+\.[0-9]+$'
    # The first of several that may be executed, and the shell runs a file that names no interpreter.
    touch bin/mq-own
    echo 'echo "$0: $*"' >later/mq-own
    chmod +x later/mq-own
    run -0 mq own 1 '2  3'
    assert_output "$PWD/later/mq-own: 1 2  3"
}

@test "a name that there is not is refused, with what it may have stood for, and never taken for a path" {
    program mq-here 'touch ran'
    mkdir mq-x bin/mq-folder
    program mq-x/run 'touch ran'
    local try
    for try in "sned send" "mq-send send" "sen send" "queu queue" "recieve help" "x/run help" "x/../mq-here help" "'' help" "folder help"; do
        run -64 --separate-stderr mq "$(eval "echo ${try% *}")" hello
        assert_complains 'mq: '
        assert_equal "$output" ''
        [[ $stderr == *"'${try#* }'"* || $stderr == *"mq ${try#* }"* ]] || fail "$try: $stderr"
    done
    assert_not_exist ran
    touch bin/mq-data
    run -126 --separate-stderr mq data
    assert_complains "mq: $PWD/bin/mq-data: cannot be run: "
    PATH=/nowhere run -64 "$MQ_BUILD/mq" send
    run -64 --separate-stderr "$MQ_BUILD/mq"
    assert_equal "$output" ''
    [[ $stderr == *'send  '* ]]
}

@test "mq help lists ours with the lines of their pages, and others' by whatis or path, without running them" {
    local page name
    # Bridges to brokers, which may be built or not, are as others' programs.
    mkdir ours
    find "$MQ_BUILD" -maxdepth 1 -name 'mq*' ! -name '*@*' ! -name 'mq-bridge-[^s]*' -exec ln -s -t ours {} +
    PATH=$PWD/bin:$PWD/ours:/usr/bin:/bin
    for page in "$MQ_ROOT"/man/mq-*.1; do
        name=${page##*/mq-}
        [[ -e $MQ_ROOT/cmd/mq-${name%.1}.c ]] || continue
        printf '%s  %s\n' "${name%.1}" "$(sed -n 's/^\.Nd //p' "$page")"
    done | sort >expected
    program bin/mq-other 'touch ran'
    program bin/$'mq-od\ed' 'touch ran'
    touch bin/mq-data
    program bin/whatis 'touch asked' 'echo "mq-other (1)         - says  $*"' 'echo "mq-send(1) - a lie"' 'echo mq-other' 'printf "mq-od\033d (8) - \033[31mred\n"'
    run -0 --separate-stderr mq help
    assert_equal "$stderr" ''
    sed -n 's/^  \([a-z-]*\) \{2,\}\([a-z].*\)/\1  \2/p' <<<"$output" | grep -v ^other >found
    diff expected found
    assert_line "  other       says  mq-od\\x1bd mq-other"
    assert_line --regexp "^  od.x1bd +.x1b.31mred$"
    refute_output --partial $'\e'
    refute_output --partial data
    refute_output --partial lie
    rm bin/whatis
    PATH=$PWD/bin:$PWD/ours run -0 mq help
    assert_line --regexp "^  other +$PWD/bin/mq-other$"
    assert_not_exist ran
    # Without others nobody is asked.
    rm bin/* asked
    program bin/whatis 'touch asked'
    run -0 mq help
    assert_not_exist asked
    [[ ! -e /dev/full ]] || run -74 bash -c 'mq help >/dev/full'
}

@test "mq help NAME opens a manual page" {
    program bin/man 'echo "$@"; exit 16'
    program bin/mq-other
    local try
    for try in 'send=1 mq-send' 'mq-send=1 mq-send' 'mq=7 mq' 'spool=5 mq-spool' 'tutorial=7 mq-tutorial' 'libmq=3 libmq' 'other=1 mq-other' 'help=1 mq'; do
        run -16 mq help "${try%=*}"
        assert_output "${try#*=}"
    done
    run -64 --separate-stderr mq help sned
    assert_complains "mq: 'sned': no such command; did you mean 'send'"
    run -64 mq help send recv
    rm bin/man
    PATH=$MQ_BUILD run -127 --separate-stderr mq help send
    assert_complains 'mq: man: cannot open the page mq-send(1): No such file'
}
