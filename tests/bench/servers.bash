# Servers that live as long as the benchmark. Sourced by run.
# shellcheck shell=bash

servers=() # process ids

# serve NAME COMMAND…: run it beside us, in a process group of its own; its id is in $!, what it says in NAME.log.
serve() {
    set -m
    "${@:2}" >"$work/$1.log" 2>&1 </dev/null &
    set +m
    servers+=($!)
}

stop_servers() {
    local pid
    for pid in "${servers[@]}"; do
        kill -TERM -- "-$pid" 2>/dev/null || true
    done
    for pid in "${servers[@]}"; do
        timeout 10 tail --pid="$pid" -f /dev/null || true
        kill -KILL -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# Until the command succeeds; fails after two minutes.
wait_for() {
    local end=$((SECONDS + 120))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return
        sleep 0.05
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A process and all that it has started.
descendants() { # PID
    local child
    echo "$1"
    for child in $(cat "/proc/$1/task"/*/children 2>/dev/null); do
        descendants "$child"
    done
}

# The ids of a contestant's servers; none where it has none.
pids_of() {
    local pids=${1}_pids
    echo "${!pids-}"
}

# CPU seconds that a contestant's servers have used so far.
cpu_of() {
    local pid
    for pid in $(pids_of "$1"); do
        sed 's/.*) //' "/proc/$pid/stat"
    done | awk -v tick="$(getconf CLK_TCK)" '{ ticks += $12 + $13 } END { printf "%.2f\n", ticks / tick }'
}

# The memory of a contestant's servers in KiB, what they share counted by their share.
memory_of() {
    local pid
    for pid in $(pids_of "$1"); do
        cat "/proc/$pid/smaps_rollup"
    done | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}
