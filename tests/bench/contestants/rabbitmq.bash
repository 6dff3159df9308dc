# RabbitMQ: a durable queue, every message confirmed; durable: messages that it keeps on disk. Its tools send and take
# single messages; many go through its own C library.

rabbitmq_packages=(rabbitmq-server amqp-tools librabbitmq-dev)
rabbitmq_durable=1
rabbitmq_deepest=100000
rabbitmq_scale=0.2

rabbitmq_is_there() {
    [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server && -e /usr/include/amqp.h ]] && command -v amqp-publish
}

rabbitmq_start() {
    cc -O2 -o "$work/amqp" "$peers/amqp.c" -lrabbitmq || return
    rabbitmq_port=$(free_port)
    rabbitmq_epmd=$(free_port)
    cleanups+=("epmd -port $rabbitmq_epmd -kill")
    echo 'disk_free_limit.absolute = 1MB' >"$work/rabbitmq.conf" # or it lets nobody publish where there is little
    serve rabbitmq env HOME="$work" ERL_EPMD_PORT="$rabbitmq_epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_NODENAME=bench@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$rabbitmq_port" \
        RABBITMQ_DIST_PORT="$(free_port)" RABBITMQ_MNESIA_BASE="$place/rabbitmq" RABBITMQ_LOG_BASE="$work" \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$work/rabbitmq.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$work/no-plugins" /usr/lib/rabbitmq/bin/rabbitmq-server
    wait_for "$work/amqp" "$rabbitmq_port" make || return
    rabbitmq_pids=$(descendants $!)
}

rabbitmq_make() {
    "$work/amqp" "$rabbitmq_port" make
}

rabbitmq_lines() { # SIZE COUNT WINDOW
    local delivery=1
    [[ $mode != durable ]] || delivery=2
    stopwatch 1 "$(lines "$1" "$2")" /dev/null "$work/amqp" "$rabbitmq_port" lines "$3" "$delivery"
}

rabbitmq_bulk_in() { # SIZE COUNT
    rabbitmq_lines "$1" "$2" 1000
}

rabbitmq_fan() { # SIZE COUNT QUEUES
    stopwatch 1 "$(lines "$1" "$2")" /dev/null "$work/amqp" "$rabbitmq_port" fan "$3" 1000
}

rabbitmq_bulk_out() { # COUNT CONSUMERS
    stopwatch "$2" /dev/null "$output" "$work/amqp" "$rabbitmq_port" take $(($1 / $2))
}

rabbitmq_singles() { # SIZE COUNT
    rate "$2" < <(rabbitmq_lines "$1" "$2" 1)
}

rabbitmq_send_command() {
    # Its tool cannot wait for the confirm: what it sends is not known to be on the disk.
    [[ $mode == durable ]] || echo "amqp-publish --port=$rabbitmq_port -r bench"
}

rabbitmq_receive_command() {
    echo "amqp-get --port=$rabbitmq_port -q bench"
}

rabbitmq_follow_command() {
    echo "$work/amqp $rabbitmq_port follow"
}
