# python3-dirq: a directory queue like ours, in Python (Debian's). It syncs nothing, and nobody can wait for a message.

dirq_packages=(python3-dirq)
dirq_deepest=100000
dirq_scale=0.1

dirq_is_there() {
    /usr/bin/python3 -c 'import dirq'
}

dirq_client() {
    echo "/usr/bin/python3 $peers/dirq-client.py $place/dirq"
}

dirq_make() {
    rm -rf "$place/dirq"
}

dirq_bulk_in() { # SIZE COUNT
    # shellcheck disable=SC2046 # words
    stopwatch 1 "$(lines "$1" "$2")" /dev/null $(dirq_client) lines
}

dirq_bulk_out() { # COUNT CONSUMERS
    # shellcheck disable=SC2046 # words
    stopwatch "$2" /dev/null "$output" $(dirq_client) drain
}

dirq_send_command() {
    echo "$(dirq_client) put"
}

dirq_receive_command() {
    echo "$(dirq_client) one"
}
