#!/usr/bin/env bats
# Installing, uninstalling, and building a program with the installed library.

load helper

setup() {
    setup_spool
    prefix=$BATS_TEST_TMPDIR/usr
    sanitize=${SANITIZE:+-fsanitize=$SANITIZE}
    unset MAKEFLAGS MAKELEVEL MFLAGS
}

make_target() {
    make --no-print-directory -s -C "$MQ_ROOT" BUILD="$MQ_BUILD" "$@" 3>&-
}

without_sanitizers() {
    [[ -z ${SANITIZE-} ]] || skip "sanitizers add symbols of their own"
}

@test "install puts every program, page, completion and part of the library in its place" {
    make_target install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr
    cd "$BATS_TEST_TMPDIR/root/usr"
    local program
    for program in mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue mq-tx; do
        assert_file_executable "bin/$program"
        assert_file_exist "share/man/man1/$program.1"
        assert_file_exist "share/bash-completion/completions/$program"
        assert_file_exist "share/fish/vendor_completions.d/$program.fish"
    done
    assert_file_exist share/zsh/site-functions/_mq
    assert_file_exist share/man/man3/libmq.3
    assert_file_exist share/man/man5/mq-spool.5
    assert_file_exist share/man/man7/mq.7
    assert_file_exist include/mq.h
    assert_file_exist lib/libmq.a
    assert_file_exist lib/libmq.so.0
    assert_link_exist lib/libmq.so
    assert_file_exist lib/pkgconfig/libmq.pc
    assert_file_exist share/doc/mq/LICENSE
    assert_file_exist share/mq/mq-alerts.yml
    assert_file_exist share/mq/mq-dashboard.json
    run grep -r "$BATS_TEST_TMPDIR" lib/pkgconfig
    assert_failure
}

@test "directories can be chosen one by one" {
    make_target install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr LIBDIR=/usr/lib64 BINDIR=/opt/bin MANDIR=/man
    cd "$BATS_TEST_TMPDIR/root"
    assert_file_exist usr/lib64/libmq.so.0
    assert_file_exist opt/bin/mq-send
    assert_file_exist man/man7/mq.7
    assert_file_contains usr/lib64/pkgconfig/libmq.pc 'libdir=/usr/lib64'
}

@test "uninstall leaves nothing behind, and nothing of others is taken" {
    make_target install PREFIX="$prefix"
    touch "$prefix/bin/others" "$prefix/lib/libothers.so"
    make_target uninstall PREFIX="$prefix"
    run find "$prefix" ! -type d -printf '%P\n'
    assert_output --partial bin/others
    assert_output --partial lib/libothers.so
    assert_equal "${#lines[@]}" 2
    assert_dir_not_exist "$prefix/share/doc/mq"
    assert_dir_not_exist "$prefix/share/mq"
}

@test "installed programs run from where they are" {
    make_target install PREFIX="$prefix"
    PATH=$prefix/bin:/usr/bin:/bin
    mq-send jobs hello
    run mq-recv -a jobs
    assert_output hello
}

build_consumer() { # OUTPUT LIBRARY…
    # shellcheck disable=SC2046,SC2086 # options
    cc -Wall -Wextra -Wpedantic -Werror $sanitize -o "$1" "$MQ_ROOT/examples/consumer.c" \
        $(pkg-config --cflags libmq) "${@:2}"
}

consumes() { # PROGRAM
    mq-send -q jobs one
    mq-send -q jobs two
    run "$1" jobs
    assert_success
    assert_output $'one\ntwo'
    has_depth jobs ready 0
    has_depth jobs inflight 0
}

@test "pkg-config finds the library, and the example builds with the shared one and runs" {
    command -v pkg-config || skip "no pkg-config"
    make_target install PREFIX="$prefix"
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    assert_equal "$(pkg-config --modversion libmq)" "$(sed -n 's/^VERSION := //p' "$MQ_ROOT/Makefile")"
    # shellcheck disable=SC2046 # options
    build_consumer ./consumer $(pkg-config --libs libmq)
    run readelf -d consumer
    assert_output --partial 'libmq.so.0'
    export LD_LIBRARY_PATH=$prefix/lib
    consumes ./consumer
}

@test "the example builds with the static library and runs" {
    command -v pkg-config || skip "no pkg-config"
    make_target install PREFIX="$prefix"
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    build_consumer ./consumer "$prefix/lib/libmq.a"
    run readelf -d consumer
    refute_output --partial libmq
    consumes ./consumer
}

@test "the example in libmq(3) is a program that builds and runs" {
    sed -n '/^#include <mq.h>/,/^\.Ed/p' "$MQ_ROOT/man/libmq.3" | sed '/^\.Ed/d; s/\\e/\\/g' >example.c
    # shellcheck disable=SC2086 # an option or nothing
    cc -Wall -Wextra -Werror $sanitize -I "$MQ_ROOT/lib" -o example example.c "$MQ_BUILD/libmq.a"
    mq-send -q jobs hello
    run ./example
    assert_success
    assert_output hello
}

# The functions that mq.h declares.
declared_calls() {
    grep -v '^ *#' "$MQ_ROOT/lib/mq.h" | cc -fpreprocessed -E -P - | tr -s ' \n' ' ' | grep -o 'MQ_API [^;]*' |
        sed 's/MQ_API [a-z_0-9 *]*[ *]\(mq_[a-z_]*\)(.*/\1/' | sort -u
}

@test "the shared library exports what mq.h declares and nothing else" {
    without_sanitizers
    nm -D --defined-only "$MQ_BUILD/libmq.so.0" | awk '{ print $3 }' | sort >exported
    declared_calls >declared
    run diff declared exported
    assert_success
}

@test "the shared library has its soname, and needs the C library alone" {
    without_sanitizers
    run readelf -d "$MQ_BUILD/libmq.so.0"
    assert_output --partial 'Library soname: [libmq.so.0]'
    run grep -c NEEDED <<<"$output"
    assert_output 1
}

@test "the library has no global state" {
    without_sanitizers
    run bash -c "size -A '$MQ_BUILD/libmq.a' | awk '(\$1 ~ /^\.(data|bss|tdata|tbss)(\.|\$)/ && \$1 !~ /\.rel\.ro/) && \$2 > 0'"
    assert_output ''
}

@test "mq.h is fit for strict C and for C++" {
    echo '#include <mq.h>' >header.c
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I "$MQ_ROOT/lib" -fsyntax-only header.c
    if command -v c++ >/dev/null; then
        c++ -x c++ -Wall -Wextra -Wpedantic -Werror -I "$MQ_ROOT/lib" -fsyntax-only header.c
    fi
}

@test "every call of mq.h is in libmq(3), and the other way round" {
    grep -o '^\.Fn mq_[a-z_]* ' "$MQ_ROOT/man/libmq.3" | awk '{ print $2 }' | sort -u >documented
    declared_calls >declared
    run diff declared documented
    assert_output ''
}
