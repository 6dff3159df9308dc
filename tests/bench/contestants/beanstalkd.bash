# beanstalkd, with its log: synced every 50 ms, as is its default, or durable: always. On unix sockets; the client is ours.

beanstalkd_packages=(beanstalkd)
beanstalkd_durable=1
beanstalkd_deepest=1000000
beanstalkd_scale=0.5

beanstalkd_is_there() {
    command -v beanstalkd
}

beanstalkd_start() {
    local each
    beanstalkd_pids=''
    for each in fast durable; do
        local sync=(-f 50)
        [[ $each != durable ]] || sync=(-f 0)
        mkdir -p "$place/beanstalkd-$each"
        serve "beanstalkd-$each" beanstalkd -l "unix:$work/beanstalkd-$each" -b "$place/beanstalkd-$each" "${sync[@]}"
        beanstalkd_pids+="$! "
        wait_for test -S "$work/beanstalkd-$each"
    done
}

beanstalkd_address() {
    echo "unix:$work/beanstalkd-$mode"
}

beanstalkd_make() {
    beanstalk "$(beanstalkd_address)" drain >/dev/null
}

beanstalkd_bulk_in() { # SIZE COUNT
    stopwatch 1 "$(lines "$1" "$2")" /dev/null beanstalk "$(beanstalkd_address)" lines 1000
}

beanstalkd_bulk_out() { # COUNT CONSUMERS
    stopwatch "$2" /dev/null "$output" beanstalk "$(beanstalkd_address)" drain
}

beanstalkd_singles() { # SIZE COUNT
    rate "$2" < <(stopwatch 1 "$(lines "$1" "$2")" /dev/null beanstalk "$(beanstalkd_address)" lines 1)
}

beanstalkd_send_command() {
    echo "beanstalk $(beanstalkd_address) put"
}

beanstalkd_receive_command() {
    echo "beanstalk $(beanstalkd_address) one"
}

beanstalkd_await_command() {
    echo "beanstalk $(beanstalkd_address) await"
}

beanstalkd_feed() { # RATE COUNT
    pace "$1" "$2" | beanstalk "$(beanstalkd_address)" lines 1
}

beanstalkd_follow_command() {
    echo "beanstalk $(beanstalkd_address) follow"
}
