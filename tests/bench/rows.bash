# The rows: README.md says of each what it measures and why that is fair. Sourced by run.
# shellcheck shell=bash
#
# Ours, the peers' and the floor are measured in turn, round after round, so that what else the machine does hits all.

# How many messages of a bulk row a contestant takes: a multiple of 4, for as many consumers.
scaled() { # CONTESTANT
    local scale=$1_scale
    calculate "int($COUNT * ${!scale} / 4 + 1) * 4"
}

# able MODE WHAT: the contestants that can do a thing, switched to that mode, in $able.
able() {
    local who durable
    able=() mode=$1
    for who in "${contestants[@]}"; do
        durable=${who}_durable
        if can "$who" "$2" && [[ $mode != durable || -n ${!durable-} ]]; then
            ! can "$who" mode || "${who}_mode"
            able+=("$who")
        fi
    done
}

failed() { # CONTESTANT ROW
    say "$1 failed in: $2"
    "$1_make" || true
}

thousands() { # COUNT SECONDS
    calculate "$1 / $2 / 1000"
}

# ---- idle ----------------------------------------------------------------------------

idle_row() {
    local who
    row 'memory of servers, idle' MiB less
    able fast bulk_out
    for who in "${able[@]}"; do
        sample 'memory of servers, idle' "$who" "$(calculate "$(memory_of "$who") / 1024")"
    done
}

# ---- many messages -------------------------------------------------------------------

bulk_floor() { # SIZE ROW-IN [ROW-OUT]
    local figures in
    figures=$(floor "$place" batch "$1" "$COUNT" "$mode")
    in=${figures##*in=}
    sample "$2" floor "$(calculate "${in%% *} / 1000")"
    [[ -z ${3-} ]] || sample "$3" floor "$(calculate "${figures##*out=} / 1000")"
}

bulk_in() { # CONTESTANT SIZE ROW: what it takes also in $seconds $cpu $peak
    local count
    count=$(scaled "$1")
    read -r seconds cpu peak < <("$1_bulk_in" "$2" "$count") || return
    sample "$3" "$1" "$(thousands "$count" "$seconds")"
}

bulk_out() { # CONTESTANT CONSUMERS ROW
    local count
    count=$(scaled "$1")
    read -r seconds cpu peak < <("$1_bulk_out" "$count" "$2") || return
    sample "$3" "$1" "$(thousands "$count" "$seconds")"
}

# In and out, and what both took.
bulk_cycle() { # CONTESTANT SIZE
    local seconds cpu peak before cpu_in peak_in
    before=$(cpu_of "$1")
    bulk_in "$1" "$2" "bulk in, $2 B" || return
    cpu_in=$cpu peak_in=$peak
    bulk_out "$1" 1 "bulk out and acked, $2 B" || return
    sample "CPU a message, in and out, $2 B" "$1" \
        "$(calculate "($cpu_in + $cpu + $(cpu_of "$1") - $before) * 1e6 / $(scaled "$1")")"
    sample "peak memory of a client, bulk, $2 B" "$1" "$(calculate "($peak > $peak_in ? $peak : $peak_in) / 1024")"
}

bulk_rows() { # SIZE
    local round who
    row "bulk in, $1 B" k/s more
    row "bulk out and acked, $1 B" k/s more
    row "CPU a message, in and out, $1 B" us less
    row "peak memory of a client, bulk, $1 B" MiB less
    able fast bulk_out
    for ((round = 0; round < ROUNDS; round++)); do
        bulk_floor "$1" "bulk in, $1 B" "bulk out and acked, $1 B"
        for who in "${able[@]}"; do
            bulk_cycle "$who" "$1" || failed "$who" "bulk, $1 B"
        done
    done
}

drain_rows() {
    local round who consumers seconds cpu peak
    for consumers in 1 2 4; do row "drain by $consumers, 1024 B" k/s more; done
    able fast bulk_out
    for ((round = 0; round < ROUNDS; round++)); do
        for who in "${able[@]}"; do
            for consumers in 1 2 4; do
                "${who}_bulk_in" 1024 "$(scaled "$who")" >/dev/null &&
                    bulk_out "$who" "$consumers" "drain by $consumers, 1024 B" || failed "$who" "drain by $consumers"
            done
        done
    done
}

durable_rows() {
    local round who rate seconds cpu peak
    row 'durable bulk in, 1024 B' k/s more
    row 'durable singles, one process' k/s more
    able durable bulk_in
    for ((round = 0; round < ROUNDS; round++)); do
        bulk_floor 1024 'durable bulk in, 1024 B'
        for who in "${able[@]}"; do
            bulk_in "$who" 1024 'durable bulk in, 1024 B' || failed "$who" 'durable bulk in'
            "${who}_make"
        done
        for who in floor "${able[@]}"; do
            rate=$("${who}_singles" 1024 "$((RUNS * 2))") &&
                sample 'durable singles, one process' "$who" "$(calculate "$rate / 1000")" ||
                failed "$who" 'durable singles'
        done
    done
    for who in "${able[@]}"; do "${who}_make"; done
}

# Ours that is sent once, in times what a plain send takes: from a process each, and through the library in turn.
once_rows() {
    local round plain once mode
    row 'send once, against a send' times less
    row 'send once, against a send, library' times less
    row 'durable send once, against a send, library' times less
    mq_make
    read -r once plain < <(turns "$RUNS" /dev/null "mq-send -q --once -f /proc/sys/kernel/random/uuid bench" \
        "mq-send -q -f /proc/sys/kernel/random/uuid bench")
    sample 'send once, against a send' mq "$(calculate "$once / $plain")"
    for ((round = 0; round < ROUNDS; round++)); do
        for mode in fast durable; do
            mq_make
            plain=$(singles bench 1024 "$((RUNS * 2))" "$mode")
            mq_make
            once=$(singles bench 1024 "$((RUNS * 2))" "$mode" once)
            sample "$([[ $mode == fast ]] || echo durable\ )send once, against a send, library" mq "$(calculate "$plain / $once")"
        done
    done
    mq_make
}

# ---- ordered queues ----------------------------------------------------------------------

ordered_make() { # NAME…
    local name
    for name; do
        mq-queue delete --force "$name" 2>/dev/null || true
        mq-queue create "$name" order=group
    done
}

# What N consumers take a second of as many messages, in as many groups.
ordered_drain() { # CONSUMERS
    ordered_make groups
    lanes fill groups $((COUNT / 200 + 1)) $((COUNT / 5)) >/dev/null
    lanes drain groups "$1"
}

ordered_lines() {
    local in out seconds cpu peak lines
    lines=$(lines 64 "$COUNT")
    ordered_make groups
    read -r in cpu peak < <(stopwatch 1 "$lines" "$output" mq-send -q -l -g one --no-sync groups)
    read -r out cpu peak < <(stopwatch 1 /dev/null "$output" mq-recv -a -l -f --no-wait groups)
    sample 'lines of one group in, 64 B' mq "$(thousands "$COUNT" "$in")"
    sample 'lines of one group out and acked, 64 B' mq "$(thousands "$COUNT" "$out")"
}

ordered_claims() { # claims|blocked GROUPS ROW
    local figures
    ordered_make groups shallow
    figures=$(lanes "$1" groups shallow "$2" "$RUNS") && sample "$3" mq "$(sed 's/median=\([^ ]*\).*/\1/' <<<"$figures")" ||
        failed mq "$3"
}

ordered_rows() {
    local round
    row 'send, claim and ack in 1000 groups' k/s more
    row 'ordered queue drained by 8, against one' times more
    row 'lines of one group in, 64 B' k/s more
    row 'lines of one group out and acked, 64 B' k/s more
    row 'claim with 100000 groups waiting, against 10' times less
    row 'claim with 10000 groups blocked, against 10' times less
    for ((round = 0; round < ROUNDS; round++)); do
        ordered_make groups
        sample 'send, claim and ack in 1000 groups' mq \
            "$(calculate "$(lanes cycle groups $((COUNT / 200 + 1)) $((COUNT / 10))) / 1000")"
        sample 'ordered queue drained by 8, against one' mq "$(calculate "1 / $(ordered_drain 1) * $(ordered_drain 8)")"
        ordered_lines
    done
    ordered_claims claims $((COUNT / 2)) 'claim with 100000 groups waiting, against 10'
    ordered_claims blocked $((COUNT / 20)) 'claim with 10000 groups blocked, against 10'
    for round in groups shallow; do mq-queue delete --force "$round"; done
}

# ---- logs ------------------------------------------------------------------------------

log_make() { # NAME
    mq-log delete --force "$1" 2>/dev/null || true
    mq-log create "$1"
}

# What the first command takes, in times what the second takes, in turn.
log_ratio() { # ROW RUNS COMMAND COMMAND
    local one other
    read -r one other < <(turns "$2" "$work/kib" "$3" "$4") && sample "$1" mq "$(calculate "$one / $other")" ||
        failed mq "$1"
}

# Lines into a log and into a queue, and the log read against cat of the same bytes.
log_bulk() {
    local into lines seconds cpu peak queue
    lines=$(lines 1024 "$COUNT")
    mq_make && log_make stream
    read -r queue cpu peak < <(stopwatch 1 "$lines" "$output" mq-send -q -l --no-sync bench)
    read -r seconds cpu peak < <(stopwatch 1 "$lines" "$output" mq-send -q -l --no-sync stream)
    sample 'append of lines, against a send' mq "$(calculate "$queue / $seconds")"
    read -r into cpu peak < <(stopwatch 1 /dev/null "$output" mq-log read -l stream)
    read -r seconds cpu peak < <(stopwatch 1 "$lines" "$output" cat)
    sample 'read of a log, against cat' mq "$(calculate "$seconds / $into")"
}

# A log of that many messages beside one of a thousand.
log_depth() { # DEPTH
    local size=64
    log_make deep && log_make flat
    mq-send -q -l --no-sync deep <"$(lines $size "$1")"
    mq-send -q -l --no-sync flat <"$(lines $size 1000)"
    log_ratio "read from the end at $1, against 1000" "$RUNS" 'mq-log read -n 1 --from -1 deep' 'mq-log read -n 1 --from -1 flat'
    log_ratio "mq-log list at $1, against 1000" "$RUNS" 'mq-log list deep' 'mq-log list flat'
    read -r empty moment < <(turns "$RUNS" /dev/null empty-dynamic 'mq-log read -q -n 1 --from 5m deep')
    sample "moment found in $1" mq "$(calculate "($moment > $empty ? $moment - $empty : 0) / 1000")"
}

log_rows() {
    local round depth empty moment
    row 'append of lines, against a send' times more
    row 'read of a log, against cat' times more
    row 'append, against a send, a process each' times less
    row 'durable append, against a send, a process each' times less
    row 'files of a message when packed' times less
    for depth in $DEPTHS; do
        row "read from the end at $depth, against 1000" times less
        row "mq-log list at $depth, against 1000" times less
        row "moment found in $depth" ms less
    done
    for ((round = 0; round < ROUNDS; round++)); do log_bulk; done
    mq_make && log_make stream
    log_ratio 'append, against a send, a process each' "$RUNS" 'mq-send -q --no-sync stream' 'mq-send -q --no-sync bench'
    log_ratio 'durable append, against a send, a process each' "$RUNS" 'mq-send -q stream' 'mq-send -q bench'
    log_make stream
    mq-send -q -l --batch 1 --no-sync stream <"$(lines 100 20000)"
    mq-log trim stream
    sample 'files of a message when packed' mq \
        "$(calculate "$(find "$MQ_SPOOL/stream/log" -type f | wc -l) / 20000")"
    for depth in $DEPTHS; do log_depth "$depth"; done
    for depth in stream deep flat; do mq-log delete --force "$depth" || true; done
}

# ---- a process each ------------------------------------------------------------------

# processes ROW WHAT FLOOR: run everybody's command for WHAT in turn, RUNS times; FLOOR is what the system calls take, in
# microseconds, besides an empty process.
processes() {
    local who command names=() commands=(empty-dynamic) figures i
    row "$1" ms less
    for who in "${able[@]}"; do
        command=$("${who}_$2_command")
        [[ -n $command ]] || continue
        names+=("$who")
        commands+=("$command")
    done
    figures=$(turns "$RUNS" "$work/kib" "${commands[@]}") || { say "failed: $1" && return; }
    read -ra figures <<<"$figures"
    sample "$1" floor "$(calculate "(${figures[0]} + $3) / 1000")"
    for i in "${!names[@]}"; do
        sample "$1" "${names[i]}" "$(calculate "${figures[i + 1]} / 1000")"
    done
}

# What the floor's steps take for single messages, in microseconds: their names are summed.
floor_of() { # STEP…
    local figures step sum=0
    figures=" $(floor "$place" single 1024 500 "$mode")"
    for step; do
        sum+="+$(sed "s/.* ${step}_us=\([^ ]*\).*/\1/" <<<"$figures")"
    done
    calculate "$sum"
}

process_rows() {
    local who
    able fast send_command
    for who in "${able[@]}"; do "${who}_make"; done
    processes 'send, a process each' send "$(floor_of publish)"
    able fast receive_command
    processes 'receive and ack, a process each' receive "$(floor_of claim read ack)"
    able durable send_command
    processes 'durable send, a process each' send "$(floor_of publish)"
    for who in "${able[@]}"; do "${who}_make"; done
    mode=fast
}

# ---- deep queues ---------------------------------------------------------------------

fill() { # CONTESTANT COUNT
    if can "$1" fill; then "$1_fill" 64 "$2"; else "$1_bulk_in" 64 "$2"; fi >/dev/null
}

# Those of whom so deep a queue can be made in reasonable time, with it made. Ours is one of single files, and beside it
# there is a shallow one, for the ratio of both.
deepen() { # DEPTH
    local who deepest deep=()
    for who in "${able[@]}"; do
        deepest=${who}_deepest
        (($1 <= ${!deepest})) || continue
        "${who}_make"
        fill "$who" $(($1 + RUNS)) && deep+=("$who") || failed "$who" "depth $1"
    done
    able=("${deep[@]}")
}

depth_rows() {
    local depth
    for depth in $DEPTHS; do
        able fast receive_command
        deepen "$depth"
        processes "receive at depth $depth" receive "$(floor_of claim read ack)"
        against_shallow "$depth"
    done
}

# Ours at that depth divided by ours at depth 10, in turn.
against_shallow() { # DEPTH
    local deep shallow row="receive at depth $1, against 10"
    row "$row" times less
    mq-queue delete --force shallow 2>/dev/null || true
    singles shallow 64 $((10 + RUNS)) fast >/dev/null
    singles bench 64 "$RUNS" fast >/dev/null
    read -r deep shallow < <(turns "$RUNS" /dev/null "mq-recv -a --no-wait bench" "mq-recv -a --no-wait shallow")
    sample "$row" mq "$(calculate "$deep / $shallow")"
}

# ---- waiting receivers ---------------------------------------------------------------

latency_of() { # CONTESTANT RECEIVERS COUNT: what it takes, in $p50 $p99 $cpu $memory $idle
    local before figures
    before=$(cpu_of "$1")
    "$1_make" && figures=$(latency "$2" "$3" "$("$1_send_command")" "$("$1_follow_command")") || return
    read -r p50 p99 cpu memory idle < <(sed 's/[a-z0-9]*=//g' <<<"$figures")
    cpu=$(calculate "$cpu + ($(cpu_of "$1") - $before) * 1e6 / $3")
}

# An empty process, a link and a bare wake-up, in microseconds.
floor_latency() {
    local figures empty
    figures=$(waiters 1 50)
    empty=$(turns 50 /dev/null empty-dynamic)
    calculate "$empty + $(floor_of publish) + ${figures##*bare_us=}"
}

# Of a receiver that is blocked on so many queues at once, in times of one that is blocked on one, in turn.
against_one_queue() { # QUEUES
    local figures
    figures=$(waiters 1 "$RUNS" "$1")
    calculate "${figures##*several_us=} / $(sed 's/^p50_us=//; s/ .*//' <<<"$figures")"
}

waiting_rows() {
    local who round p50 p99 cpu memory idle
    row 'send to blocked receiver, p50' ms less
    row 'send to blocked receiver, p99' ms less
    row 'memory of one blocked receiver' MiB less
    row 'p50 with 64 blocked receivers' ms less
    row 'CPU a message, 64 blocked' us less
    row 'wake-ups of 64 idle receivers' 1/s less
    row 'p50 with 300 blocked receivers' ms less
    row 'claim from one of 8 queues, against one' times less
    able fast follow_command
    for ((round = 0; round < ROUNDS; round++)); do
        sample 'send to blocked receiver, p50' floor "$(calculate "$(floor_latency) / 1000")"
        sample 'claim from one of 8 queues, against one' mq "$(against_one_queue 8)"
        for who in "${able[@]}"; do
            latency_of "$who" 1 "$RUNS" || { failed "$who" latency && continue; }
            sample 'send to blocked receiver, p50' "$who" "$(calculate "$p50 / 1000")"
            sample 'send to blocked receiver, p99' "$who" "$(calculate "$p99 / 1000")"
            sample 'memory of one blocked receiver' "$who" "$(calculate "$memory / 1024")"
            LATENCY_IDLE=2000 latency_of "$who" 64 "$RUNS" || { failed "$who" 'latency, 64 receivers' && continue; }
            sample 'p50 with 64 blocked receivers' "$who" "$(calculate "$p50 / 1000")"
            sample 'CPU a message, 64 blocked' "$who" "$cpu"
            sample 'wake-ups of 64 idle receivers' "$who" "$idle"
            latency_of "$who" 300 "$RUNS" || { failed "$who" 'latency, 300 receivers' && continue; }
            sample 'p50 with 300 blocked receivers' "$who" "$(calculate "$p50 / 1000")"
        done
    done
}

# ---- several moves as one --------------------------------------------------------------

# moves WHAT SIZE COUNT: the figures of tests/bench/moves in a spool of its own, as variables.
moves() {
    local figures
    figures=$(MQ_SPOOL=$place/moves command moves "$1" "$2" "$3" "$mode") || { rm -rf "$place/moves" && return 1; }
    rm -rf "$place/moves"
    # shellcheck disable=SC2086 # name=value words
    declare -g $figures
}

# Lines to 10 queues of a peer: how many are delivered, in all of them.
peers_fan() {
    local who count seconds cpu peak
    able fast fan
    for who in "${able[@]}"; do
        count=$(scaled "$who")
        read -r seconds cpu peak < <("${who}_fan" 64 "$count" 10) || { failed "$who" 'lines to 10 queues' && continue; }
        sample 'lines to 10 queues, 64 B' "$who" "$(thousands "$((count * 10))" "$seconds")"
    done
}

moves_rows() {
    local round figures
    row 'publication to 10 queues' us less
    row 'lines to 10 queues, 64 B' k/s more
    row 'receive, send and ack as one' k/s more
    row 'durable publication to 10 queues, against one' times less
    row 'durable receive, send and ack as one, against a send' times less
    for ((round = 0; round < ROUNDS; round++)); do
        mode=fast
        figures=$(floor "$place" fan-out 1024 "$RUNS" fast)
        figures=${figures#*fan_out_us=}
        sample 'publication to 10 queues' floor "${figures%% *}"
        moves publish 1024 "$RUNS" && sample 'publication to 10 queues' mq "$step_us"
        moves lines 64 "$RUNS" && sample 'lines to 10 queues, 64 B' mq "$(calculate "$median_rate / 1000")"
        moves chain 1024 "$RUNS" && sample 'receive, send and ack as one' mq "$(calculate "$median_rate / 1000")"
        peers_fan
        mode=durable
        moves publish 1024 "$RUNS" &&
            sample 'durable publication to 10 queues, against one' mq "$(calculate "$step_us / $send_us")"
        moves chain 1024 "$RUNS" &&
            sample 'durable receive, send and ack as one, against a send' mq "$(calculate "$step_us / $send_us")"
    done
    mode=fast
}

# ---- receives that wait, a process each ----------------------------------------------

# keep_up CONTESTANT RATE COUNT: how many messages a second a shell loop of its receives takes, fed at that rate.
keep_up() {
    local feeder
    "$1_make"
    "$1_feed" "$2" "$3" &
    feeder=$!
    # shellcheck disable=SC2016,SC2046 # for that shell; words
    rate "$3" < <(stopwatch 1 /dev/null /dev/null sh -c 'i=0; while [ "$i" -lt "$0" ]; do "$@" || exit; i=$((i + 1)); done' \
        "$3" $("$1_await_command"))
    wait "$feeder"
}

ending_rows() {
    local who round figures taken
    row 'send to end of blocked receive' ms less
    row 'last byte to end of receive' ms less
    row 'shell loop fed 300 a second' k/s more
    able fast await_command
    for ((round = 0; round < ROUNDS; round++)); do
        for who in "${able[@]}"; do
            "${who}_make" && figures=$(oneshot "$RUNS" "$("${who}_send_command")" "$("${who}_await_command")") ||
                { failed "$who" 'blocked receives' && continue; }
            sample 'send to end of blocked receive' "$who" "$(sed 's/whole=\([0-9]*\).*/\1e-3/' <<<"$figures")"
            sample 'last byte to end of receive' "$who" "$(sed 's/.*ending=\([0-9]*\)/\1e-3/' <<<"$figures")"
            taken=$(keep_up "$who" 300 $((RUNS * 3))) || { failed "$who" 'shell loop' && continue; }
            sample 'shell loop fed 300 a second' "$who" "$(calculate "$taken / 1000")"
        done
    done
}

request_row() {
    local figures row='request and reply, a process each'
    row "$row" ms less
    mq-queue delete --force service 2>/dev/null || true
    mq-queue create service durability=none
    serve service mq-recv -f --reply service -- cat
    read -ra figures < <(turns "$RUNS" /dev/null empty-dynamic "mq-send --request=20s service x")
    sample "$row" floor "$(calculate "2 * ${figures[0]} / 1000")"
    sample "$row" mq "$(calculate "${figures[1]} / 1000")"
}

measure_rows() {
    local part
    export LATENCY_INPUT=$work/kib
    for part in idle_row process_rows 'bulk_rows 1024' 'bulk_rows 64' drain_rows durable_rows moves_rows once_rows ordered_rows log_rows waiting_rows ending_rows request_row depth_rows; do
        say "measuring: ${part//_/ }"
        $part
    done
}
