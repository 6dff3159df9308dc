# Many users of one queue at once, killed and stopped at random. tests/README.md says more.

load ../helper

storm() {
    run "$MQ_ROOT/tests/storm/storm" --minutes 0.04 "$@"
    ((status != 69)) || skip "$output"
    assert_success
    echo "# ${lines[-1]}" >&3
}

@test "the judges of storms believe what keeps all promises, and see each way to break one" {
    run -0 "$MQ_ROOT/tests/storm/judge_test.py"
}

@test "in a storm nothing is lost, torn or held twice, and what moves together moves whole and once, on ext4" {
    storm ext4
}

@test "in a storm nothing is lost, torn or held twice, on xfs" {
    needs_patience
    storm --cast queue xfs
}

@test "in a storm what moves together moves whole and once, on btrfs" {
    needs_patience
    storm --cast moves btrfs
}

@test "in a storm nothing is lost, torn or held twice, in memory" {
    storm --cast queue tmpfs
}

@test "in a storm of several users nothing is lost, torn or held twice" {
    needs_patience
    storm --shared --seed 1 ext4 # of whom only the owner receives
    storm --shared --seed 5 tmpfs # of whom several receive
}

@test "in a storm over a log there is one sequence, dense, and nothing is missed" {
    run -0 "$MQ_ROOT/tests/storm/log" --seconds 2 "$PWD"
    echo "# ${lines[-1]}" >&3
}
