#!/usr/bin/env bats
# Pages and sources agree: options, exit statuses, calls, names of files and functions; and every example runs.

load ../helper

programs=(mq mq-send mq-recv mq-ack mq-stat mq-dlq mq-queue mq-topic mq-log mq-tx mq-bridge)

# ---- options ---------------------------------------------------------------------------

# Each prints the options of a program, -x or --word, one a line.

options_of_help() {
    "$1" --help | sed -nE 's/^ {2,6}(-[^-])?(, )?(--[a-z-]+)?.*/\1\n\3/p' | grep '^-' | sort -u
}

options_of_page() {
    grep '^\.It Fl ' "$MQ_ROOT/man/$1.1" | grep -o 'Fl [^ ]*' | sed 's/^Fl /-/; s/\\&//' | sort -u
}

options_of_bash() {
    bash --norc -c 'source "$1"; __mq_options "$2"' bash "$MQ_ROOT/completions/mq.bash" "$1" |
        tr ' ' '\n' | sed 's/=$//' | sort -u
}

options_of_fish() {
    # What fish was told of the program, since it offers no short option that the cursor's word rules out.
    HOME=$BATS_TEST_TMPDIR fish --no-config -c 'source $argv[1]; complete -c $argv[2]' \
        "$MQ_ROOT/completions/mq.fish" "$1" | awk '{
            for (i = 2; i < NF; i++) {
                gsub(/[\\\047]/, "", $(i + 1))
                if ($i == "-s" || $i == "--short-option") print "-" $(i + 1)
                if ($i == "-l" || $i == "--long-option") print "--" $(i + 1)
            }
        }' | sort -u
}

options_of_zsh() {
    zsh -f -c '
        service=$2
        _arguments() { print -rl -- "$@" }
        source $1' zsh "$MQ_ROOT/completions/_mq" "$1" |
        sed 's/^([^)]*)//; s/^\*//' | grep '^-' | sed 's/[=[].*//; s/^\(-[^-]\)[+-]$/\1/' | grep -vx -e -s -e -C | sort -u
}

same_options() { # FUNCTION
    local program
    for program in "${programs[@]}"; do
        options_of_help "$program" >expected
        assert_file_not_empty expected
        "$1" "$program" >found
        run diff expected found
        assert_success
    done
}

@test "the options of every program are those in its manual page" {
    same_options options_of_page
}

@test "the options of every program are those that bash completes" {
    same_options options_of_bash
}

@test "the options of every program are those that fish completes" {
    command -v fish || skip "no fish"
    same_options options_of_fish
}

@test "the options of every program are those that zsh completes" {
    command -v zsh || skip "no zsh"
    same_options options_of_zsh
}

@test "the settings in mq-queue(1) are those that there are, with their defaults" {
    mq-queue create jobs
    mq-queue config jobs | sed 's/ *= */ /' | sort >expected
    awk '/^\.It Cm .* No = / { key = $3 }
         /^\.Cm / && asked && key { print key, $2 }
         { asked = /The default is$/ }' "$MQ_ROOT/man/mq-queue.1" | sort >documented
    run diff expected documented
    assert_success
}

# ---- pages -----------------------------------------------------------------------------

@test "mandoc finds nothing wrong with the manual pages" {
    command -v mandoc || skip "no mandoc"
    run mandoc -Tlint -Wwarning "$MQ_ROOT"/man/*.[1357]
    assert_output ''
}

@test "no option in a page lacks a dash, and no word is taken for an option" {
    command -v mandoc || skip "no mandoc"
    local page
    for page in "$MQ_ROOT"/man/*.1; do
        mandoc -T ascii "$page" | col -b | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' >synopsis
        run grep -E '(^|[^-a-z])-([a-z]{5,}|[a-z]+-[a-z])' synopsis
        assert_output ''
        # Behind the punctuation that follows it an Fl goes on: a word there becomes an option.
        run grep -E '(^\.| )Fl [^ ]+ [],;:.)] [a-z]' "$page"
        assert_output ''
    done
}

@test "groff finds no line in the pages that it cannot break" {
    command -v groff || skip "no groff"
    local page
    for page in "$MQ_ROOT"/man/*.[1357]; do
        run groff -mdoc -ww -K utf8 -T ascii "$page"
        refute_output --partial "can't break line"
        refute_output --partial "can't adjust line"
    done
}

@test "every page has the sections that a reader looks for" {
    local program section
    for program in "${programs[@]}"; do
        for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
            run grep -x ".Sh $section" "$MQ_ROOT/man/$program.1"
            assert_success
        done
    done
}

@test "pages refer to pages that there are" {
    local page
    grep -ho '^\.Xr \(mq[a-z-]*\|libmq\) [0-9]' "$MQ_ROOT"/man/* | sort -u | while read -r _ name section; do
        page=$MQ_ROOT/man/$name.$section
        assert_file_exist "$page"
    done
}

@test "the tests that mq(7) names for kernels and file systems are there" {
    local path
    sed -n '/^\.Sh KERNELS/,/^\.Sh FROM/p' "$MQ_ROOT/man/mq.7" | grep -oE '(tests/)?[a-z-]+/[a-z.-]*[a-z]|(Pa|,) (chroot|packages)' |
        sed 's/^tests\///; s/^.* //' | sort -u >paths
    (($(wc -l <paths) > 6))
    while read -r path; do
        assert_exist "$MQ_ROOT/tests/$path"
    done <paths
}

statuses_of_page() {
    sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/p' "$1" | sed -n 's/^\.It \([0-9]*\)$/\1/p' | sort -n
}

@test "the exit statuses in mq(7) are those of the programs" {
    sed -n 's/.*STATUS_[A-Z_]* = \([0-9]*\).*/\1/p' "$MQ_ROOT/cmd/cli/status.h" | sort -n >expected
    assert_file_not_empty expected
    statuses_of_page "$MQ_ROOT/man/mq.7" >found
    run diff expected found
    assert_success
}

@test "no page has an exit status that mq(7) does not have" {
    local program
    statuses_of_page "$MQ_ROOT/man/mq.7" | sort >all
    for program in "${programs[@]}"; do
        statuses_of_page "$MQ_ROOT/man/$program.1" | sort >found
        assert_file_not_empty found
        run comm -13 all found
        assert_output ''
    done
}

# ---- examples --------------------------------------------------------------------------

# The files and programs that examples mention, and a mq-recv that does not wait for ever.
prepare() {
    mkdir bin
    printf '#!/bin/sh\nexec "%s/mq-recv" -w 2s "$@"\n' "$MQ_BUILD" >bin/mq-recv
    printf '#!/bin/sh\ncat >/dev/null\n' >work
    chmod +x bin/mq-recv work
    PATH=$PWD/bin:$PATH
    seq 3 >urls.txt
    touch one.jpg two.jpg
    echo '{"item":"tea"}' >order.json
    printf '%s\n' '{"body":"tea"}' '{"body":"coffee","priority":7,"headers":{"Tenant":"acme"}}' >orders.json
    head -c 1000000 /dev/zero >backup.tar
    mkdir "$MQ_SPOOL"
    make_queues
}

# Queues as examples find them, in the directory queues: jobs with some messages and dead letters, logs with lines.
make_queues() {
    local id MQ_SPOOL=$PWD/queues
    for id in order-17 order-18 order-19; do
        mq-send -q -i "$id" -H "Tenant: $([[ $id == order-19 ]] && echo other || echo acme)" jobs "$id"
        "$MQ_BUILD/mq-recv" jobs | head -n 1 | mq-ack --reject
    done
    seq 6 | mq-send -q -l jobs
    "$MQ_BUILD/mq-recv" jobs >/dev/null # and one in flight
    printf '%s\n' 'an error' 'all is well' 'another error' | mq-send -q -l logs
}

run_block() { # FILE: as one script
    rm -rf "$MQ_SPOOL"/{jobs,logs}
    cp -a queues/. "$MQ_SPOOL"
    cp order.json order.json~
    run timeout 30 bash -eu -o pipefail "$1" 3>&-
    [[ -e order.json ]] || mv order.json~ order.json
    if ((status != 0)); then
        echo "in $BATS_TEST_DESCRIPTION:"
        cat "$1"
    fi
    assert_success
}

# Split a manual page into the displays that hold commands, one file each: lines with "$ ", and those with "> " that go on.
blocks_of_page() { # PAGE PREFIX
    awk -v prefix="$2" '
        /^\.Bd/ { block++ }
        /^\.Ed/ { in_block = 0 }
        /^\$ /  { in_block = 1 }
        in_block && /^[$>] / {
            gsub(/\\e/, "\\")
            sub(/^. /, "")
            print > sprintf("%s-%02d", prefix, block)
        }' "$1"
}

@test "every example in the manual pages runs" {
    local page block
    prepare
    for page in "$MQ_ROOT"/man/*.[135]; do
        blocks_of_page "$page" "block-$(basename "$page")"
    done
    for page in "${programs[@]}"; do
        run ls block-"$page".1-*
        assert_success
    done
    for block in block-*; do
        run_block "$block"
    done
}

# run_as_reader FILE: as one script, by a user who has set nothing and has nothing but the programs.
run_as_reader() {
    make_public
    # shellcheck disable=SC2154 # make_public sets it
    mkdir "$public/home" "$public/tmp"
    cp "$1" "$public/script"
    chmod 755 "$public/script"
    chmod 777 "$public/home" "$public/tmp"
    # shellcheck disable=SC2016 # for the shell that is started
    run as_nobody env -u MQ_SPOOL -u XDG_STATE_HOME HOME="$public/home" TMPDIR="$public/tmp" \
        timeout 60 bash -c 'cd "$HOME" && exec bash -eu -o pipefail ../script' 3>&-
    cp -r "$public/home" .
    remove_public
    assert_success
    refute_output --partial 'not found'
    refute_output --partial 'No such file'
}

@test "the README runs as it is written, whatever its reader has not set" {
    local block
    awk '/^```(sh|console)$/ { block++; on = 1; shown = /console/; next } /^```$/ { on = 0 }
        on && (!shown || sub(/^\$ /, "")) { print > sprintf("block-%02d", block) }' "$MQ_ROOT/README.md"
    for block in block-*; do
        # Building, testing and installing have tests of their own.
        grep -qE '^(make|tests/)' "$block" || cat "$block" >>whole
    done
    run_as_reader whole
    assert_line 5040
    assert_exist home/.local/state/mq/jobs
    run -0 mq-stat -S home/.local/state/mq --format '{ready} {inflight} {dead}' jobs
    assert_output '0 0 0'
}

@test "the tour in mq(7) runs as it is written, whatever its reader has not set" {
    blocks_of_page "$MQ_ROOT/man/mq.7" block
    cat block-* >whole
    run_as_reader whole
    assert_not_exist home/.local
    assert_output --partial 'hello12' # the one body, and the bytes of the other
    assert_output --partial 'no such word'
}

# idioms FILE: the shell in it that receives, works and acks, each ended by a NUL.
idioms() {
    sed 's/^> //; s/^\$ //' "$1" | grep -zoE 'mq-recv [a-z]+ \| *\{\s+read -r receipt && \{[^}]*\}[[:space:];]*\}'
}

@test "the idiom is right on an empty queue, when the work is done, and when it fails" {
    local file idiom count=0
    printf '#!/bin/sh\ncat >>seen\nexit "$(cat status)"\n' >work
    chmod +x work
    for file in README.md man/mq.7 man/mq-recv.1; do
        idioms "$MQ_ROOT/$file" >idiom
        assert_file_not_empty idiom
        while read -rd '' idiom; do
            idiom=$(sed -E 's/^mq-recv [a-z]+/mq-recv --no-wait jobs/' <<<"$idiom")
            count=$((count + 1))
            rm -rf "$MQ_SPOOL" seen
            mq-queue create jobs retry-delay=1h
            run -1 --separate-stderr bash -c "$idiom"
            assert_equal "$output$stderr" ''
            assert_not_exist seen
            echo 0 >status
            mq-send -q jobs one
            run -0 --separate-stderr bash -c "$idiom"
            assert_equal "$(<seen)" one
            echo 1 >status
            mq-send -q jobs two
            run -0 --separate-stderr bash -c "$idiom"
            run -0 mq-stat --format '{ready} {delayed} {inflight}' jobs
            assert_output '0 1 0'
        done <idiom
    done
    assert_equal "$count" 3
}

@test "the README's two commands are there, and whatever it points to" {
    local target
    assert_file_executable "$MQ_ROOT/tests/demo"
    assert_file_executable "$MQ_ROOT/tests/run"
    grep -o '](\([^)h][^)]*\))' "$MQ_ROOT/README.md" | tr -d ']()' | while read -r target; do
        assert_exist "$MQ_ROOT/$target"
    done
}

@test "the demo shows what it says" {
    BUILD=$MQ_BUILD run env -u MQ_SPOOL "$MQ_ROOT/tests/demo" 3>&-
    assert_success
    assert_output --partial 'nothing is where it does not belong'
}

# ---- the rules of the source --------------------------------------------------------------

# code FILE…: without comments and the text of strings, "file:line" in front.
code() {
    local file
    for file; do
        cc -fpreprocessed -dD -E -P "$file" 2>/dev/null | sed 's/"\(\\.\|[^"\\]\)*"/""/g' | sed "s|^|${file##*/}: |"
    done
}

# assert_no_code PATTERN FILE…: what matches is a comment or text, if anything. A compiler reads only files where there is some.
assert_no_code() {
    local -a matching
    mapfile -t matching < <(grep -lE "$1" "${@:2}")
    run grep -nE "$1" <(code "${matching[@]}")
    assert_output ''
}

others() { # NAME: the files of lib/ and cmd/ but this one
    find "$MQ_ROOT/lib" "$MQ_ROOT/cmd" -name '*.[ch]' ! -name "$1" | sort
}

library() { # the sources of lib/
    find "$MQ_ROOT/lib" -name '*.c' | sort
}

# shellcheck disable=SC2046 # file names of ours
@test "only fs.c renames, links, unlinks and syncs" {
    assert_no_code '\b(rename|renameat|renameat2|link|linkat|unlink|unlinkat|rmdir|remove|fsync|fdatasync|syncfs)\(' \
        $(others fs.c)
}

# shellcheck disable=SC2046
@test "only page_words.c uses atomics" {
    assert_no_code '\b(_Atomic|atomic_[a-z_]+|__atomic_[a-z_]+|__sync_[a-z_]+)\b|stdatomic' $(others page_words.c | grep -v '/page_layout\.h$')
}

# shellcheck disable=SC2046
@test "the library does not print, exit, or read the environment but for the spool's path" {
    assert_no_code '\b(printf|vprintf|puts|putchar|perror|warnx?|errx?|exit|_exit|_Exit|signal|sigaction|sigprocmask)\(|\bstd(out|err)\b' \
        $(library)
    run grep -lE '\b(secure_)?getenv\(' $(library)
    assert_output --regexp "^$MQ_ROOT/lib/([a-z]+/)?spool\\.c\$"
}

@test "JSON is a matter of the programs" {
    run grep -rl jansson "$MQ_ROOT/lib"
    assert_output ''
}

# ---- the guide to the code ----------------------------------------------------------------

# Every "FILE FUNCTION" that is defined, or called at the beginning of a line, where no call stands.
definitions() {
    (cd "$MQ_ROOT" && awk '/^[a-z]/ {
        for (line = $0; match(line, /[a-z_0-9]+\(/); line = substr(line, RSTART + RLENGTH))
            print FILENAME, substr(line, RSTART, RLENGTH - 1)
    }' lib/*/*.[ch] lib/*.h cmd/*.c cmd/*/*.[ch])
}

# Every "FILE FUNCTION" of CONTRIBUTING.md; FILE is - where the row names none.
named_functions() {
    awk '/`[a-z_0-9]+\(\)`/ {
        gsub(/, called by `[a-z_]*\(\)`/, "")
        file = /^\| / && match($0, /`[^` ]*\.c`/) ? substr($0, RSTART + 1, RLENGTH - 2) : "-"
        for (; match($0, /`[a-z_0-9]+\(\)`/); $0 = substr($0, RSTART + RLENGTH))
            print file, substr($0, RSTART + 1, RLENGTH - 4)
    }' "$MQ_ROOT/CONTRIBUTING.md"
}

@test "every file that CONTRIBUTING.md names is there" {
    local path
    grep -oE '`(lib|cmd|tests|man|completions|examples|share)/[^` ]*' "$MQ_ROOT/CONTRIBUTING.md" | tr -d '`' | sort -u >paths
    assert_file_not_empty paths
    cd "$MQ_ROOT"
    while read -r path; do
        compgen -G "$path" >/dev/null || fail "CONTRIBUTING.md: there is no $path"
    done <"$BATS_TEST_TMPDIR/paths"
}

@test "every function that CONTRIBUTING.md names is there, in the file that its row names" {
    definitions >defined
    named_functions >named
    (($(wc -l <named) > 60))
    sed 's/.* /- /' defined | cat - defined | sort -u >known
    assert_equal "$(grep -vxFf known named || true)" ''
}

@test "the layers in CONTRIBUTING.md are those that tests/layers checks" {
    local folder
    sed -n '/^LAYERS/,/^"""/s/^\([a-z]*\/[a-z]*\) .*/\1/p' "$MQ_ROOT/tests/layers" >folders
    assert_file_not_empty folders
    sed -n '/^## The layers/,/^## Anatomy/p' "$MQ_ROOT/CONTRIBUTING.md" >picture
    while read -r folder; do
        grep -q "$folder\b" picture || fail "CONTRIBUTING.md: $folder is not in the picture"
    done <folders
}

# ---- pages and what they describe ------------------------------------------------------------

@test "libmq(3) has every call of mq.h in its synopsis and in its text, and none that there is not" {
    sed -n 's/^MQ_API.*\b\(mq_[a-z_]*\)(.*/\1/p' "$MQ_ROOT/lib/mq.h" | sort -u >expected
    assert_file_not_empty expected
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.Fn \(mq_[a-z_]*\).*/\1/p' "$MQ_ROOT/man/libmq.3" | sort -u >found
    run diff expected found
    assert_success
    sed -n '/^\.Sh DESCRIPTION/,$p' "$MQ_ROOT/man/libmq.3" | grep -o 'Fn mq_[a-z_]*' | sed 's/Fn //' | sort -u >described
    # The calls that describe a message are named together, and some need no word beside the synopsis.
    run comm -23 <(grep -vE '^mq_message_(set_|id$|priority$|sent_at$)' expected) described
    assert_output ''
}

@test "the constants and members that libmq(3) names are those of mq.h" {
    local word
    grep -oE '\bMQ_[A-Z0-9_]+\b' "$MQ_ROOT/man/libmq.3" | sort -u >words
    while read -r word; do
        [[ $word == MQ_SPOOL ]] || grep -qw "$word" "$MQ_ROOT/lib/mq.h" || fail "libmq(3): there is no $word"
    done <words
    # What a sweep counts is described, not shown.
    sed -n '/^struct mq_swept/,/^}/s/.* \([a-z_]*\);.*/\1/p' "$MQ_ROOT/lib/mq.h" >members
    assert_file_not_empty members
    while read -r word; do
        grep -qx "\.It Fa $word" "$MQ_ROOT/man/libmq.3" || fail "libmq(3): mq_swept has a member $word"
    done <members
}

@test "mq-spool(5) begins with a picture of the states, and its contents are its sections" {
    local page=$MQ_ROOT/man/mq-spool.5
    sed -n '/^\.Sh CONTENTS/,/^\.Sh [^C]/s/^\.Sx \(.*\) :$/\1/p' "$page" >listed
    sed -n 's/^\.Sh \(.*\)/\1/p' "$page" | grep -vxE 'NAME|DESCRIPTION|CONTENTS|SEE ALSO|STANDARDS' >sections
    assert_file_not_empty listed
    run diff sections listed
    assert_success
    sed -n '/^\.Sh DESCRIPTION/,/^\.Sh CONTENTS/p' "$page" >begin
    local state
    for state in ready delayed inflight dead; do
        assert_file_contains begin "| *$state/ *|"
    done
}

@test "mq-spool(5) fits into 78 columns" {
    command -v mandoc || skip "no mandoc"
    run grep -E '.{79}' <(mandoc -T ascii -O width=78 "$MQ_ROOT/man/mq-spool.5" | col -bx)
    assert_output ''
}

@test "every folder is in the README, under Where things are" {
    local folder
    sed -n '/^## Where things are/,$p' "$MQ_ROOT/README.md" >where
    cd "$MQ_ROOT"
    for folder in lib/*/ cmd/*/ tests/*/; do
        folder=${folder%/}
        [[ $folder == tests/shared ]] || grep -qE "^\| \`${folder%%/*}/.*\b${folder#*/}\`" "$BATS_TEST_TMPDIR/where" ||
            fail "README.md: $folder is missing"
    done
}

@test "tests/README.md has every folder, every fuzz target and every model" {
    local name
    cd "$MQ_ROOT/tests"
    for name in */; do
        grep -qF "| \`$name\` |" README.md || fail "tests/README.md: the folder $name is missing"
    done
    for name in fuzz/*.c model/*.pml; do
        name=${name#fuzz/}
        name=${name#model/}
        [[ $name == replay.c ]] || grep -qE "^\| .*\`${name%.c}\`" README.md || fail "tests/README.md: $name is missing"
    done
}

# ---- the tutorial ----------------------------------------------------------------------------

# Its commands as two scripts, user and root: each command is a group whose output goes to out-N, and what the page shows
# of it to shown-N.
scripts_of_tutorial() { # PAGE
    awk '
        function finish() { if (open) print "} >>out-" n " 2>&1 || true" >script; open = 0 }
        /^\.Bd/ { inside = 1; next }
        /^\.Ed/ { finish(); inside = 0; next }
        !inside { next }
        { gsub(/\\e/, "\\"); gsub(/\\&/, "") }
        /^[$#] / {
            finish()
            script = /^\$/ ? "user.sh" : "root.sh"
            open = 1
            printf "" >("shown-" ++n)
            print "{\n" substr($0, 3) >script
            next
        }
        open && /^> / { print substr($0, 3) >script; next }
        open { print >("shown-" n) }' "$1"
}

# Numbers, which may be missing, units and gaps differ from run to run.
alike() {
    sed -E 's/[0-9]+(\.[0-9]+)?/N/g; s/N(ms|[smhd])\b/N/g; s/ +/ /g; s/ - / N /g' "$1" | awk 1
}

# What stands in for the world around: a service manager that runs what the units say, and other hosts and users.
stand_ins() {
    mkdir bin
    ln -s "$MQ_BUILD/mq" bin
    cat >bin/systemctl <<'END'
#!/bin/bash
# enable --now UNIT…: run ExecStart of the unit, or of the timer's service, as it is written.
[[ $1 != enable ]] || for unit in "${@:3}"; do
    name=${unit#*@} file=${unit/@*/@}
    command=$(sed -n 's/^ExecStart=//p' "$UNITS/${file%.timer}.service" | sed "s|%i|$name|g; s|\${MQ_METRICS}|$ROOT/var/lib/prometheus/node-exporter/mq.prom|; s|/usr/local/lib|$ROOT&|; s|--follow|-n 1|")
    if [[ $unit == *@* ]]; then
        $command >"$ROOT/journal" 2>&1 3>&- &
    else
        $command
    fi
done
END
    cat >bin/journalctl <<'END'
#!/bin/bash
for ((i = 0; i < 1000; i++)); do [[ ! -s $ROOT/journal ]] || break; sleep 0.01; done
cat "$ROOT/journal"
END
    printf '#!/bin/bash\nshift\nexec bash -c "$*"\n' >bin/ssh
    printf '#!/bin/bash\nexec "$@"\n' >bin/sudo
    printf '#!/bin/bash\nexec "${@:4}"\n' >bin/runuser
    printf '#!/bin/sh\n' | tee bin/systemd-sysusers >bin/systemd-tmpfiles
    chmod +x bin/*
    PATH=$PWD/bin:$PATH
}

# What each command of the scripts printed is what was shown.
assert_alike() { # COMMANDS
    local shown n=0
    : >different
    for shown in shown-*; do
        diff <(alike "$shown") <(alike "out-${shown#*-}") >>different || echo "in command ${shown#*-}" >>different
        n=$((n + 1))
    done
    assert_equal "$(<different)" ''
    ((n >= $1))
}

@test "the README shows what one sees" {
    sed 's/^```console$/.Bd/; s/^```$/.Ed/' "$MQ_ROOT/README.md" | sed -n '/^\.Bd/,/^\.Ed/p' >taste
    scripts_of_tutorial taste
    bash user.sh 3>&-
    assert_alike 5
}

@test "the tutorial runs as it is written, and one sees what it shows" {
    stand_ins
    make_public
    export ROOT=$public/root HOME=$PWD/home
    export UNITS=$ROOT/units
    mkdir -p home/.local/state "$ROOT"/{etc/prometheus,var/lib/prometheus/node-exporter,var/spool/mq,usr/local/share/mq,units}
    cp "$MQ_ROOT/share/mq-alerts.yml" "$ROOT/usr/local/share/mq"
    local unit
    for unit in "$MQ_ROOT"/share/*.service.in; do
        sed "s|@BINDIR@|$MQ_BUILD|" "$unit" >"$UNITS/$(basename "$unit" .in)"
    done
    chmod 1775 "$ROOT/var/spool/mq"
    scripts_of_tutorial "$MQ_ROOT/man/mq-tutorial.7"
    # As root, the paths moved below the directory of the test.
    sed -i "s, /\(usr/local\|etc/prometheus\|var/lib\|var/spool\), $ROOT/\1,g; s,--group app,--group $(id -gn)," root.sh
    (export MQ_SPOOL=$HOME/.local/state/mq && timeout 60 bash user.sh 3>&-) || fail "the user's part"
    (export MQ_SPOOL=$ROOT/var/spool/mq && timeout 60 bash root.sh 3>&-) || fail "root's part"
    remove_public
    assert_alike 40
}
