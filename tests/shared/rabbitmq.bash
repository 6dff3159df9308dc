# A RabbitMQ of our own, on loopback, with all that it has in one directory. It takes some seconds to start.
#
#     start_rabbitmq DIRECTORY [LINE OF ITS CONFIGURATION…]    with TLS if there is a DIRECTORY/server.pem
#     await_rabbitmq DIRECTORY                                 until it lets clients in
#     rabbitmq_eval DIRECTORY TEXT
#     stop_rabbitmq DIRECTORY
#     build_rabbitmq_client FILE                               shared/rabbitmq.c
# shellcheck shell=bash

has_rabbitmq() {
    [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server && -e /usr/include/amqp.h ]]
}

build_rabbitmq_client() {
    cc -O1 -o "$1" "${BASH_SOURCE[0]%/*}/rabbitmq.c" -lrabbitmq
}

# So many ports that are free, one a line.
free_ports() {
    python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets), sep="\n")' "$1"
}

# Started again in the same directory, it has the same ports: in DIRECTORY/ports its own, epmd's, another, and that for TLS.
start_rabbitmq() {
    local directory=$1 ports
    [[ -e $directory/ports ]] || free_ports 4 >"$directory/ports"
    mapfile -t ports <"$directory/ports"
    printf '%s\n' 'disk_free_limit.absolute = 1MB' 'log.file = false' "${@:2}" >"$directory/rabbitmq.conf"
    if [[ -e $directory/server.pem ]]; then
        printf '%s\n' "listeners.ssl.1 = 127.0.0.1:${ports[3]}" "ssl_options.cacertfile = $directory/ca.pem" \
            "ssl_options.certfile = $directory/server.pem" "ssl_options.keyfile = $directory/server.key" \
            >>"$directory/rabbitmq.conf"
    fi
    : >"$directory/said"
    # A process group of its own, and no descriptor of ours, or the caller's caller waits for it.
    setsid env HOME="$directory" ERL_EPMD_PORT="${ports[1]}" ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_NODENAME=mq-test@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="${ports[0]}" \
        RABBITMQ_DIST_PORT="${ports[2]}" RABBITMQ_MNESIA_BASE="$directory/mnesia" RABBITMQ_LOG_BASE="$directory" \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$directory/rabbitmq.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$directory/no-plugins" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
        /usr/lib/rabbitmq/bin/rabbitmq-server >>"$directory/said" 2>&1 3>&- </dev/null &
    echo $! >"$directory/pid"
}

await_rabbitmq() {
    local directory=$1 pid end=$((SECONDS + 120))
    pid=$(<"$directory/pid")
    until [[ $(<"$directory/said") == *'Starting broker'*' completed'* ]]; do
        ((SECONDS < end)) && kill -0 "$pid" 2>/dev/null || return
        sleep 0.3
    done
}

# Run some Erlang in it.
rabbitmq_eval() { # DIRECTORY TEXT
    local ports
    mapfile -t ports <"$1/ports"
    HOME="$1" ERL_EPMD_PORT="${ports[1]}" ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=mq-test@localhost \
        RABBITMQ_CONF_ENV_FILE=/dev/null /usr/lib/rabbitmq/bin/rabbitmqctl eval "$2"
}

stop_rabbitmq() {
    local directory=$1 pid
    [[ -e $directory/pid ]] || return 0
    pid=$(<"$directory/pid")
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    epmd -port "$(sed -n 2p "$directory/ports")" -kill >/dev/null 2>&1 || true
    rm -f "$directory/pid" "$directory/said"
}
