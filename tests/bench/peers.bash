# Who takes part. Sourced by run.
# shellcheck shell=bash disable=SC2153 # PEERS is the user's, peers ours
#
# A contestant is a file in contestants/ with variables and functions that begin with its name; what it cannot do it
# does not have. `$mode` is what is asked for:
#     _is_there         whether it is installed; _packages: what to install
#     _start            start its servers, if any (their ids in _pids), _mode: switch to $mode
#     _make             make the queue, or empty it
#     _bulk_in SIZE COUNT, _bulk_out COUNT CONSUMERS    print what stopwatch prints
#     _singles SIZE COUNT                               messages a second, one process, one at a time
#     _fan SIZE COUNT QUEUES                            lines that go to each of so many queues
#     _fill SIZE COUNT                                  where _bulk_in is not what fills it
#     _send_command, _receive_command, _follow_command  print a command line, for single messages
#     _durable          1: it takes part in durable rows; _scale: of COUNT; _deepest: how deep a queue is made of it

peers=$bench/peers # clients and scripts

can() { # CONTESTANT WHAT
    declare -F "$1_$2" >/dev/null
}

# The packages of all peers. A policy-rc.d keeps their services from being started.
install_peers() {
    local peer list packages=() policy=/usr/sbin/policy-rc.d
    for peer in "${known[@]}"; do
        list="${peer}_packages[*]"
        [[ -z ${!list-} ]] || packages+=("${!list}")
    done
    if [[ ! -e $policy ]]; then
        cleanups+=("rm -f $policy")
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    apt-get update -qq >&2 || true
    # shellcheck disable=SC2068 # words
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${packages[@]} >&2 ||
        say "not all peers could be installed"
}

is_wanted() {
    [[ $PEERS == all || $PEERS == install || " $PEERS " == *" $1 "* ]]
}

# Start a peer, and see that what is put in comes out again.
begin() {
    local sent
    ! can "$1" start || "$1_start" || return
    "$1_make" || return
    can "$1" bulk_out || return 0
    sent=$(lines 64 1000)
    output=$work/$1.out
    "$1_bulk_in" 64 1000 && "$1_bulk_out" 1000 1 || return
    output=/dev/null
    [[ -z $(comm -23 "$sent" <(sort "$work/$1.out")) ]]
} >/dev/null

# The peers that are installed and work; the others are named.
invite_peers() {
    local peer
    for peer in "${known[@]}"; do
        if ! is_wanted "$peer"; then
            continue
        elif ! "${peer}_is_there" >/dev/null 2>&1; then
            say "left out: $peer, which is not installed"
        elif ! begin "$peer"; then
            output=/dev/null
            say "left out: $peer, which does not work here"
        else
            say "takes part: $peer"
            contestants+=("$peer")
        fi
    done
    say "left out: c-dirq, of which Debian has no package"
    begin mq || say "what is sent does not come out again"
}
