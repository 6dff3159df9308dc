# What is on the disk of a queue after a power cut. tests/README.md says what this proves and what it does not.

load ../helper

# cut OPTION… KIND: see that it succeeds, and show its figures.
cut_power() {
    run "$MQ_ROOT/tests/power/cut" "$@"
    ((status != 69)) || skip "$output"
    assert_success
    echo "# ${lines[-1]}" >&3
}

@test "what was reported to be sent is there after a cut of power, whole, on ext4" {
    cut_power --cuts 1 ext4
}

@test "what was reported to be sent is there after a cut of power, whole, on xfs" {
    needs_patience
    cut_power --cuts 1 xfs
}

@test "programs that sync nothing once a message has its name are caught" {
    needs_patience
    cut_power --cuts 8 --broken names ext4
}

@test "a name that is on the disk has its content, though its sender has not synced it yet" {
    needs_strace
    cut_power --cuts 1 ext4-writeback
}

@test "what was reported to be sent to groups is there after a cut of power, and comes in order" {
    needs_patience
    cut_power --cuts 4 --ordered ext4
}
