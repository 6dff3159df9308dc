# Several hosts that share a spool. tests/README.md says more.

load ../helper

@test "several hosts share a spool: leases by its clock, late owners, wake-ups, settings, a page for each mount" {
    run "$MQ_ROOT/tests/hosts/promises"
    ((status != 69)) || skip "$output"
    assert_success
    echo "# ${lines[3]}" >&3
}
