# The floor: the system calls of a queue of files with nothing around them, and for a process an empty one.

floor_durable=1
floor_scale=1

floor_singles() { # SIZE COUNT
    # shellcheck disable=SC2046 # name=value words
    local $(floor "$place" single "$1" "$2" "$mode")
    # shellcheck disable=SC2154 # floor's
    echo "$in"
}
