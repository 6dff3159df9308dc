#!/usr/bin/env bats
# The folders of lib/ and cmd/ are layers: code looks down only, and no modules include each other in a circle.

load ../helper

# A copy of the sources, to be spoilt.
copy_tree() {
    mkdir tree
    cp -R "$MQ_ROOT/lib" "$MQ_ROOT/cmd" tree/
}

@test "the sources look down only" {
    run -0 "$MQ_ROOT/tests/layers" "$MQ_ROOT"
    assert_output 'every layer looks down only'
}

@test "so do the objects of the build: no declaration by hand hides a call upwards" {
    run -0 "$MQ_ROOT/tests/layers" --objects "$MQ_BUILD" "$MQ_ROOT"
    assert_output 'every layer looks down only'
}

@test "one include of a higher layer is found" {
    copy_tree
    sed -i '0,/#include "/s//#include "lifecycle\/claim.h"\n&/' tree/lib/queue/move.c
    run -1 "$MQ_ROOT/tests/layers" tree
    assert_output --partial 'lib/queue/move.c: includes lib/lifecycle/claim.h, which is not below lib/queue'
}

@test "a program that includes more of the library than mq.h and base/ is found" {
    copy_tree
    sed -i '0,/#include "/s//#include "format\/name.h"\n&/' tree/cmd/mq-send.c
    run -1 "$MQ_ROOT/tests/layers" tree
    assert_output --partial 'cmd/mq-send.c: includes lib/format/name.h, which is not below cmd'
}

@test "two modules of one layer that include each other are found" {
    copy_tree
    sed -i '0,/#include "/s//#include "queue\/queue.h"\n&/' tree/lib/queue/cursor.h
    run -1 "$MQ_ROOT/tests/layers" tree
    assert_output --partial 'a circle: lib/queue/'
    assert_output --partial 'lib/queue/queue -> lib/queue/cursor'
}

@test "a folder that the table does not name is found" {
    copy_tree
    mkdir tree/lib/elsewhere
    echo 'int nothing;' >tree/lib/elsewhere/nothing.c
    run -1 "$MQ_ROOT/tests/layers" tree
    assert_output --partial 'lib/elsewhere/nothing.c: its folder is not in the table'
}

@test "a call upwards that only the objects show is found" {
    copy_tree
    mkdir -p build/lib/store build/lib/admin
    printf 'int upper(void);\nint upper(void) { return 0; }\n' >tree/lib/admin/upper.c
    printf 'int upper(void);\nint lower(void);\nint lower(void) { return upper(); }\n' >tree/lib/store/lower.c
    cc -c -o build/lib/admin/upper.o tree/lib/admin/upper.c
    cc -c -o build/lib/store/lower.o tree/lib/store/lower.c
    run -1 "$MQ_ROOT/tests/layers" --objects build tree
    assert_output --partial 'lib/store/lower.o: uses upper of lib/admin/upper.o, which is not below lib/store'
}
