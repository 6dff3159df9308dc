# nq: queues commands, not messages, so it can only be sent to; it runs what it is sent at once, here `true`.

nq_packages=(nq)

nq_is_there() {
    command -v nq
}

nq_make() {
    rm -rf "$place/nq"
    mkdir "$place/nq"
    export NQDIR=$place/nq
}

nq_send_command() {
    echo "nq -q true"
}
