#!/usr/bin/env bats
# The protocol, model-checked; tests/model/run --long checks larger models and more mutations.

load ../helper

@test "the models of the protocol hold, and mutations of them are found wrong" {
    command -v spin >/dev/null || skip "spin is not installed"
    run -0 --separate-stderr "$MQ_ROOT/tests/model/run"
    [[ $(grep -c ' nothing$' <<<"$output") -ge 8 && $(grep -c ' error$' <<<"$output") -ge 6 ]]
}
