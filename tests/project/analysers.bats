#!/usr/bin/env bats
# The programs under valgrind, and with `make check-threads` threads under ThreadSanitizer; `SANITIZE=address,undefined tests/run` runs all tests.

load ../helper

# No error, no leak; a system call that valgrind does not know is answered with ENOSYS, as an old kernel would.
checked() {
    valgrind -q --log-file=valgrind.%p --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible "$@"
}

@test "valgrind finds no error and no leak on the main paths of the programs" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    [[ -z ${SANITIZE-} ]] || skip "the programs are built with sanitizers"
    local receipt
    PATH=$MQ_BUILD/dynamic:$PATH # valgrind puts its own in the place of a library's functions
    checked mq-queue create jobs max-attempts=2
    checked mq-send -q -H 'Type: t' jobs one two
    printf '%s\n' three four | checked mq-send -q --lines jobs
    printf '{"body":"five"}\n' | checked mq-send -q --json jobs
    checked mq-recv -a --no-wait jobs >got
    receipt=$(checked mq-recv --no-wait jobs | head -n 1)
    checked mq-ack --extend 1m "$receipt"
    checked mq-ack --nack --delay 1h "$receipt"
    receipt=$(checked mq-recv -j --no-wait jobs | jq -r .receipt)
    checked mq-ack --reject "$receipt"
    checked mq-dlq list jobs >got
    checked mq-dlq retry jobs
    checked mq-stat -j jobs >got
    checked mq-queue peek -j jobs >got
    checked mq-queue check jobs
    checked mq-queue sweep jobs
    checked mq-queue purge --state=all jobs
    run -1 checked mq-recv --no-wait jobs
    checked mq-queue delete --force jobs
}

# The whole library is built anew for these, which takes a minute.
needs_thread_sanitizer() {
    [[ -n ${THREADS-} ]] || skip "make check-threads runs it"
    echo 'int main(void) { return 0; }' >empty.c
    "${CC:-cc}" -fsanitize=thread empty.c -o empty && ./empty || skip "ThreadSanitizer is not to be had"
}

sanitize_threads() { # ARGUMENT OF THE COMPILER…
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -DMQ_VERSION='"test"' -I"$MQ_ROOT/lib" -I"$MQ_ROOT/cmd" -O0 -fsanitize=thread -pthread "$@"
}

# The library is built once for all programs of this file.
thread_sanitized() { # PROGRAM SOURCE...
    local source object library=$BATS_FILE_TMPDIR/libmq.a objects=()
    if [[ ! -e $library ]]; then
        for source in "$MQ_ROOT"/lib/*/*.c; do
            object=$(basename "$(dirname "$source")")-$(basename "$source").o
            sanitize_threads -c -o "$object" "$source"
            objects+=("$object")
        done
        ar rcs "$library" "${objects[@]}"
    fi
    sanitize_threads -o "$1" "${@:2}" "$library" -ljansson
}

@test "ThreadSanitizer finds no race between threads that have a handle each" {
    needs_thread_sanitizer
    thread_sanitized threads "$MQ_ROOT"/tests/unit/threads.c
    ./threads
}

@test "nor between the thread that reads a file ahead and the one that sends it" {
    needs_thread_sanitizer
    local sources
    sources=("$MQ_ROOT"/cmd/{cli,io,message,send,text}/*.c "$MQ_ROOT"/cmd/tx/tx.c)
    thread_sanitized mq-send "$MQ_ROOT"/cmd/mq-send.c "${sources[@]}"
    seq -f %0200.0f 100000 >lines
    ./mq-send -q --no-sync -l jobs <lines
    assert_equal "$(depth jobs ready)" 100000
}
