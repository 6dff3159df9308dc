# A storm of users on one queue, killed and stopped at random; on other file systems with make torture. tests/README.md
# says more; judge.bats tests the judge.

load ../helper

storm() {
    run "$MQ_ROOT/tests/storm/storm" --minutes 0.07 "$1"
    ((status != 69)) || skip "$output"
    assert_success
    echo "# ${lines[-1]}" >&3
}

@test "in a storm nothing is lost, torn or held twice, in memory" {
    storm tmpfs
}
