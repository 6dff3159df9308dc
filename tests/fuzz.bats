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

# Everything that is sent has a number for its body; what else is delivered came out of thin air.
@test "litter in a live queue is neither delivered, followed nor deleted, and nothing is lost" {
    local seconds=${LITTER:-3}
    mkdir outside
    echo secret >outside/file
    mq-queue create jobs durability=none max-attempts=none
    spawn litter "$MQ_ROOT/tests/fuzz/litter.py" "$MQ_SPOOL/jobs" "$PWD/outside/file" "$seconds"
    local litter=$! number=0
    spawn receiver1 mq-recv -a -l -f -w 5 jobs
    local receiver1=$!
    spawn receiver2 mq-recv -a -l -f -w 5 jobs
    local receiver2=$!
    while kill -0 $litter 2>/dev/null; do
        number=$((number + 1))
        mq-send -q jobs $number
    done
    wait $litter || fail "$(cat litter.out litter.err)"
    wait $receiver1 $receiver2 || true
    mq-queue sweep -q jobs
    mq-recv -a -l -f --no-wait jobs >last.out || true
    assert_equal "$(sort -n receiver1.out receiver2.out last.out | xargs)" "$(seq $number | xargs)"
    assert_equal "$(cat outside/file)" secret
    assert_equal "$(ls outside)" file
}
