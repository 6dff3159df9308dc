#!/usr/bin/env bats
# Hostile input, replayed and at random; `make fuzz` tries longer.

load helper

@test "the seeds and what was ever found to fail do no harm" {
    local target
    for target in "$MQ_ROOT"/tests/fuzz/corpus/*/; do
        run -0 "$MQ_BUILD/tests/fuzz/$(basename "$target")" "$target"/*
    done
}

@test "random input does no harm for some seconds" {
    command -v clang >/dev/null || skip "clang is not installed"
    [[ -e $(clang -print-runtime-dir)/libclang_rt.fuzzer-x86_64.a ]] || skip "clang has no libFuzzer here"
    make -s -C "$MQ_ROOT" BUILD="$MQ_BUILD" SANITIZE= fuzzers
    FUZZ=1 run -0 "$MQ_ROOT/tests/fuzz/run" "$MQ_BUILD/fuzz"
}
