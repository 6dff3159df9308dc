#!/usr/bin/env bats
# Installing, uninstalling, and building a program against the installed library.

load ../helper

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
    for program in mq mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue mq-topic mq-log mq-tx mq-bridge mq-bridge-ssh; do
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
    assert_file_exist lib/systemd/system/mq-worker@.service
    assert_file_exist lib/systemd/system/mq-sweep.timer
    assert_file_exist lib/sysusers.d/mq.conf
    assert_file_exist lib/tmpfiles.d/mq.conf
    assert_file_contains lib/systemd/system/mq-metrics.service 'ExecStart=/usr/bin/mq-stat '
    assert_file_executable share/doc/mq/examples/worker
    run grep -rIlE '@[A-Z]+@' . # not in programs, whose bytes may be anything
    assert_output ''
    run grep -r "$BATS_TEST_TMPDIR" lib/pkgconfig
    assert_failure
}

@test "directories can be chosen one by one" {
    make_target install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr LIBDIR=/usr/lib64 BINDIR='/opt/a %b' MANDIR=/man \
        BASHDIR=/bash ZSHDIR=/zsh FISHDIR=/fish UNITDIR=/units SYSUSERS=/users TMPFILES=/files DOCDIR=/doc
    cd "$BATS_TEST_TMPDIR/root"
    assert_file_exist usr/lib64/libmq.so.0
    assert_file_exist 'opt/a %b/mq-send'
    local file
    for file in bash/mq-send zsh/_mq fish/mq-send.fish users/mq.conf files/mq.conf doc/LICENSE doc/examples/mq-worker.cron; do
        assert_file_exist "$file"
    done
    # As systemd reads a path.
    grep -F 'ExecStart=/opt/a\x20%%b/mq-queue sweep' units/mq-sweep.service
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

@test "SHARED=1 links all programs with libmq.so, which do the main job, and find it where they are installed" {
    export SHARED=1 BUILD=$BATS_TEST_TMPDIR/build-shared
    mkdir "$BUILD" # the objects are the same; only the programs are linked anew
    cp -a "$MQ_BUILD"/{lib,cmd,*.a} "$BUILD"
    make -s -j2 -C "$MQ_ROOT" all 3>&-
    local program
    for program in "$BUILD"/mq-{send,recv,ack,stat,dlq,queue}; do
        run readelf -d "$program"
        assert_output --partial 'Shared library: [libmq.so.0]'
    done
    # A program loads no library that it does not use.
    refute grep -q jansson <(readelf -d "$BUILD/mq-ack")
    LD_LIBRARY_PATH=$BUILD run "$MQ_ROOT/tests/demo"
    assert_success
    make_target install BUILD="$BUILD" PREFIX="$prefix"
    PATH=$prefix/bin:/usr/bin:/bin
    mq-send jobs hello
    run mq-recv -a jobs
    assert_output hello
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
    # Each with the version that brought it; the versions are symbols, too.
    nm -D --defined-only "$MQ_BUILD/libmq.so.0" | awk '$2 != "A" { print $3 }' | sort >versioned
    assert_equal "$(grep -vc '@@LIBMQ_0\.[0-9]*$' versioned)" 0
    sed 's/@@.*//' versioned >exported
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

# ---- names with a space ----------------------------------------------------------------

@test "directories whose names have spaces, quotes and the like are installed to, and uninstalled from" {
    local root=$BATS_TEST_TMPDIR/"a root & it's \"own\"; |" prefix='/opt/my  tools' before
    mkdir -p "$root$prefix" a other
    touch "$root$prefix/others" a/bin
    make_target install DESTDIR="$root" PREFIX="$prefix" MANDIR='/the pages'
    assert_file_executable "$root$prefix/bin/mq-send"
    assert_link_exist "$root$prefix/lib/libmq.so"
    assert_file_exist "$root/the pages/man7/mq.7"
    assert_file_exist "$root$prefix/share/doc/mq/LICENSE"
    assert_equal "$(find . -maxdepth 1 -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' printf '[%s]')" \
        "[][a][${root##*/}][other]"
    make_target uninstall DESTDIR="$root" PREFIX="$prefix" MANDIR='/the pages'
    assert_equal "$(find "$root" ! -type d -printf '%P\n')" "${prefix#/}/others"
    assert_file_exist a/bin
}

@test "pkg-config is told of a prefix with a space, so that the example builds" {
    command -v pkg-config || skip "no pkg-config"
    prefix="$BATS_TEST_TMPDIR/my & own"
    make_target install PREFIX="$prefix"
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    local -a options
    readarray -t options < <(pkg-config --cflags --libs libmq | xargs -n 1)
    assert_equal "${options[0]}" "-I$prefix/include"
    # shellcheck disable=SC2086 # an option or nothing
    cc $sanitize -o consumer "$MQ_ROOT/examples/consumer.c" "${options[@]}"
    export LD_LIBRARY_PATH=$prefix/lib
    consumes ./consumer
}

# ---- what is built ---------------------------------------------------------------------

# assert_hardened FILE: what it loads is bound at its start and read-only then, and it is put anywhere in memory.
assert_hardened() {
    run -0 readelf -hldW "$1"
    assert_line --regexp 'Type: +DYN'
    assert_line --regexp 'GNU_RELRO'
    assert_line --regexp 'FLAGS_1.* NOW'
    refute_line --regexp 'GNU_STACK.* RWE '
    refute_line --regexp 'TEXTREL'
}

@test "programs and library are hardened without being asked" {
    without_sanitizers
    local file
    for file in "$MQ_BUILD"/mq{,-*} "$MQ_BUILD"/dynamic/mq{,-*} "$MQ_BUILD/libmq.so.0"; do
        [[ $file != *.* || $file == *.so.0 ]] || continue # the units and the crontab that an installation makes
        assert_hardened "$file"
    done
    # Checked buffers take an optimizer, so that the flags of a build decide; the usual ones have it.
    for file in "$MQ_BUILD"/dynamic/mq{,-*} "$MQ_BUILD/libmq.so.0"; do
        nm -D "$file" | grep -q ' __stack_chk_fail\b'
    done
    make_target -n -W lib/store/page_words.c CFLAGS= CPPFLAGS= "$MQ_BUILD/lib/store/page_words.o" >without
    make_target -n -W lib/store/page_words.c CFLAGS=-Og CPPFLAGS= "$MQ_BUILD/lib/store/page_words.o" >with
    make_target -n -W lib/store/page_words.c CFLAGS=-O2 CPPFLAGS=-D_FORTIFY_SOURCE=3 "$MQ_BUILD/lib/store/page_words.o" >theirs
    refute grep FORTIFY without
    grep -e '-D_FORTIFY_SOURCE=2' with
    assert_equal "$(grep -o '_FORTIFY_SOURCE[^ ]*' theirs)" _FORTIFY_SOURCE=3
}

@test "no call that the tests let fail has a checked form which they do not know" {
    without_sanitizers
    nm "$MQ_BUILD/tests/seam/seam.o" | sed -n 's/.* T __wrap_//p' | sort >known
    nm "$MQ_BUILD/libmq.a" | sed -nE 's/^ +U (__([a-z0-9_]+)(_chk|_2))$/\2 \1/p' | sort -u >checked
    join known checked | cut -d' ' -f2 | sort >needed
    run comm -23 needed known
    assert_output ''
}

# A small tree with the same Makefile, elsewhere: what knows no queue, and a program that uses some of it.
build_copy() { # DIRECTORY
    mkdir -p "$1"/lib "$1"/cmd
    cp "$MQ_ROOT/Makefile" "$1"
    cp -R "$MQ_ROOT"/lib/{mq.h,libmq.map,base} "$1/lib"
    printf '#include <base/sha256.h>\nint main(void) { return (int)sha256_begin().size; }\n' >"$1/cmd/mq-ack.c"
    # A file of the same name in two folders that nobody told the Makefile of.
    mkdir -p "$1"/{lib,cmd}/{one,two}
    local folder
    for folder in lib/one lib/two cmd/one cmd/two; do
        printf 'int extra_%s(void);\nint extra_%s(void) { return 0; }\n' "${folder////_}" "${folder////_}" >"$1/$folder/extra.c"
    done
    (cd "$1" && make -s -j2 build/libmq.so.0 build/mq-ack 3>&-)
}

@test "two builds in two directories are the same, byte by byte, and name none; folders need no edit of the Makefile" {
    build_copy "$BATS_TEST_TMPDIR/one"
    ln -s another-place "$BATS_TEST_TMPDIR/link"
    mkdir "$BATS_TEST_TMPDIR/another-place"
    build_copy "$BATS_TEST_TMPDIR/link/by a link"
    local file
    for file in libmq.a libcmd.a libmq.so.0 mq-ack; do
        cmp "one/build/$file" "link/by a link/build/$file"
        refute grep -F "$BATS_TEST_TMPDIR" "one/build/$file"
    done
    assert_equal "$(ar t one/build/libmq.a | grep -c '^extra\.o$')" 2
    assert_equal "$(nm one/build/libmq.a one/build/libcmd.a | grep -c 'T extra_')" 4
    # A program has of the parts what it uses.
    refute grep -q extra_ <(nm one/build/mq-ack)
}

@test "no source asks for the time or the place of the build" {
    refute grep -rnE '__(DATE|TIME|TIMESTAMP|FILE)__' "$MQ_ROOT"/{lib,cmd}
}

# ---- packages --------------------------------------------------------------------------

@test "the tarball is the same each time, and the packages have its version and all that is installed" {
    local version file
    cd "$MQ_ROOT"
    version=$(sed -n 's/^VERSION := //p' Makefile)
    [[ $(head -n 1 debian/changelog) == "mq ($version) "* ]]
    # A block of symbols for each minor version that is released.
    grep -q "^LIBMQ_${version%.*} {" lib/libmq.map
    grep -o '^LIBMQ_[0-9.]*' lib/libmq.map | while read -r file; do
        grep -q "(symver)$file " debian/libmq0.symbols
    done
    if git rev-parse --git-dir >/dev/null 2>&1; then
        make_target dist TARBALL="$BATS_TEST_TMPDIR/one.tar.gz"
        make_target dist TARBALL="$BATS_TEST_TMPDIR/two.tar.gz"
        cd "$BATS_TEST_TMPDIR"
        cmp one.tar.gz two.tar.gz
        run tar -tf one.tar.gz
        assert_line "mq-$version/Makefile"
        assert_line "mq-$version/debian/rules"
        refute_line --regexp '^[^m]|build/'
    fi
    # Each place in which `make install` puts something belongs to a package. Bridges to brokers, which have packages of their
    # own, are there if their client libraries are.
    make_target install install-bridges DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr LIBDIR=/usr/lib/any \
        ZSHDIR=/usr/share/zsh/vendor-completions
    cd "$BATS_TEST_TMPDIR/root"
    sed 's/{usr\/,}/usr\//' "$MQ_ROOT"/debian/mq-bridge-*.install "$MQ_ROOT"/debian/{mq,libmq*}.install | while read -r file; do
        [[ ! $file =~ mq-bridge-([a-z]+) || -e usr/share/man/man1/mq-bridge-${BASH_REMATCH[1]%s}.1 ]] || continue
        compgen -G "$file" >/dev/null || fail "debian: there is no $file"
        # shellcheck disable=SC2086 # a pattern
        rm -r $file
    done
    assert_equal "$(find . ! -type d)" ''
}

# ---- what is missing -------------------------------------------------------------------

# A machine with nothing of what is needed, where these commands do what is said; each call of apt-get is in `asked`.
bare() { # [COMMAND=SHELL…]
    local tool
    mkdir bin
    for tool in awk env head mkdir rm sed; do
        ln -s "$(type -P "$tool")" bin
    done
    for tool in 'apt-get=echo "$*" >>asked; echo "E: Temporary failure resolving" >&2; exit 100' 'apt-cache=exit 0' "$@"; do
        printf '#!/bin/sh\n%s\n' "${tool#*=}" >"bin/${tool%%=*}"
        chmod +x "bin/${tool%%=*}"
    done
}

@test "whoever may not install is told what to install, and nothing is tried" {
    bare 'id=echo 1000' 'sudo=exit 1'
    PATH=$PWD/bin run -69 "$MQ_ROOT/tests/setup" build
    assert_equal "${#lines[@]}" 1
    assert_output --partial 'please install make gcc'
    assert_file_not_exist asked
}

@test "without a network that is said once, and what to install" {
    bare 'id=echo 0'
    PATH=$PWD/bin run -69 "$MQ_ROOT/tests/setup" build
    assert_equal "${#lines[@]}" 3
    assert_line --index 0 --partial 'tests/setup: installing make gcc'
    assert_line --index 1 'tests/setup: apt-get: Temporary failure resolving'
    assert_line --index 2 --partial 'tests/setup: please install make gcc'
    assert_equal "$(grep -c . asked)" 1
    grep -q 'Acquire::Retries=0' asked
}
