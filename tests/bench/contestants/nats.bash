# NATS JetStream: a work queue kept in files and a consumer that pulls; every message is answered and acked. It is not
# in the durable rows: this server syncs its files every two minutes. The client is ours.

nats_packages=(nats-server)
nats_deepest=1000000
nats_scale=0.5

nats_is_there() {
    command -v nats-server
}

nats_address() {
    local port
    port=$(sed 's/.*:\([0-9]*\)".*/\1/' "$work/nats"/*.ports)
    echo "tcp:$port"
}

nats_start() {
    mkdir -p "$work/nats"
    serve nats-server nats-server -a 127.0.0.1 -p -1 --ports_file_dir "$work/nats" -js -sd "$place/nats"
    nats_pids=$!
    wait_for compgen -G "$work/nats/*.ports"
    wait_for nats "$(nats_address)" make
}

nats_make() {
    nats "$(nats_address)" make
}

nats_bulk_in() { # SIZE COUNT
    stopwatch 1 "$(lines "$1" "$2")" /dev/null nats "$(nats_address)" lines 1000
}

nats_bulk_out() { # COUNT CONSUMERS
    stopwatch "$2" /dev/null "$output" nats "$(nats_address)" drain
}

nats_singles() { # SIZE COUNT
    rate "$2" < <(stopwatch 1 "$(lines "$1" "$2")" /dev/null nats "$(nats_address)" lines 1)
}

nats_send_command() {
    echo "nats $(nats_address) put"
}

nats_receive_command() {
    echo "nats $(nats_address) one"
}

nats_follow_command() {
    echo "nats $(nats_address) follow"
}
