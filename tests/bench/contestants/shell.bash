# The naive queue of shell scripts: `cat` into a file, `mv` it over; it syncs nothing, and nobody can wait.

shell_deepest=100000

shell_is_there() {
    true
}

shell_make() {
    rm -rf "$place/shell"
    mkdir -p "$place/shell"/{tmp,ready,inflight}
}

shell_fill() { # SIZE COUNT
    (cd "$place/shell/ready" && split -l 1 -d -a 7 "$(lines "$1" "$2")")
}

shell_send_command() {
    echo "$peers/mv-send $place/shell"
}

shell_receive_command() {
    echo "$peers/mv-receive $place/shell"
}
