# What the bats files share; each begins with `load helper`.
#
# Every test gets a spool of its own, $MQ_SPOOL, which does not exist yet, finds the programs of
# $MQ_BUILD first in its path, and has the processes that it started with `spawn` killed at its end.
# A file with a setup() or teardown() of its own calls setup_spool and kill_spawned in them.
# shellcheck shell=bash disable=SC2154 # output and stderr are run's

bats_require_minimum_version 1.5.0

# Processes are most of what the tests take, and this is read for every test: so it starts none.
MQ_ROOT=${BATS_TEST_DIRNAME%/*/*}
MQ_BUILD=${MQ_BUILD:-$MQ_ROOT/build}
[[ $MQ_BUILD == /* ]] || MQ_BUILD=$PWD/$MQ_BUILD
export MQ_ROOT MQ_BUILD
export PATH=$MQ_BUILD:$PATH LC_ALL=C.UTF-8
! command -v faketime >/dev/null || PATH=$MQ_ROOT/tests/shared/bin:$PATH
unset XDG_STATE_HOME COLUMNS

# Not by the load.bash of each, which starts a process for every file, and bats loads all of this once a test.
load_library() {
    local file
    for file in /usr/{lib,share}/bats/"$1"/src/*.bash; do
        # shellcheck disable=SC1090 # not ours
        [[ ! -e $file ]] || source "$file"
    done
}
load_library bats-support
load_library bats-assert
load_library bats-file

setup_spool() {
    # No DEBUG trap in functions: that of bats takes longer than most commands, for a line in the trace of a failure.
    set +T
    export MQ_SPOOL=$BATS_TEST_TMPDIR/spool
    cd "$BATS_TEST_TMPDIR" || return
    spawned=()
}

setup() {
    setup_spool
}

teardown() {
    kill_spawned
}

# run [!|-N] [--separate-stderr] COMMAND…: as bats has it, where each run of a program starts up to five processes: this
# starts one, and processes are most of what the tests take. It knows no other options, and says what came instead.
run() {
    local - expected='' separate=''
    set +eET
    while [[ $1 == [-!]* ]]; do
        case $1 in
        '!') expected=failure ;;
        -[0-9]*) expected=${1#-} ;;
        --separate-stderr) separate=$BATS_TEST_TMPDIR.$BASHPID.stderr ;;
        *) fail "run: unknown option: $1" || return ;;
        esac
        shift
    done
    local command=$*
    # A function needs the shell that $() makes, a program may take its place.
    if ! declare -F "$1" && type -P "$1"; then
        set -- exec "$@"
    fi >/dev/null
    if [[ -n $separate ]]; then
        output=$("$@" 2>"$separate") && status=0 || status=$?
        read -rd '' stderr <"$separate"
        IFS=$'\n' read -rd '' -a stderr_lines <<<"$stderr"
    else
        output=$("$@" 2>&1) && status=0 || status=$?
    fi
    IFS=$'\n' read -rd '' -a lines <<<"$output"
    case $expected in
    '' | "$status") return 0 ;;
    failure) ((status == 0)) || return 0 ;;
    esac
    fail "status $status, not $expected: $command: $output${separate:+ $stderr}"
}

# ---- processes -------------------------------------------------------------------

# spawn NAME COMMAND…: run COMMAND beside the test, its output in NAME.out and NAME.err; its id is in $!.
spawn() {
    local name=$1
    "${@:2}" >"$name.out" 2>"$name.err" 3>&- </dev/null &
    spawned+=($!)
}

# Also kill these processes, however they were started, at the end of the test.
register() {
    spawned+=("$@")
}

kill_spawned() {
    local pid children
    for pid in "${spawned[@]}"; do
        # A function is run by a shell, whose program would outlive it.
        children=()
        read -rd '' -a children <"/proc/$pid/task/$pid/children" || true
        kill -KILL "$pid" "${children[@]}" || true
    done 2>/dev/null
    for pid in "${spawned[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    spawned=()
}

is_asleep() { # PID: it sleeps, and so has nothing more to do for now
    local stat
    read -r stat <"/proc/$1/stat" && [[ ${stat##*) } == S* ]]
}

is_asleep_as() { # PID PROGRAM: it is that program, and sleeps
    local name
    read -rd '' name <"/proc/$1/cmdline" && [[ $name == "$2" ]] && is_asleep "$1"
}

is_waiting_in_poll() { # PID
    is_asleep_as "$1" mq-recv
}

# holds BYTES PIPE: so many lie at least in the pipe that is open as this descriptor.
holds() {
    python3 -c 'import array, fcntl, sys, termios
n = array.array("i", [0])
fcntl.ioctl(0, termios.FIONREAD, n)
sys.exit(n[0] < int(sys.argv[1]))' "$1" <&"$2"
}

# make_small PIPE: let the pipe be as small as there are any.
make_small() {
    python3 -c 'import fcntl; fcntl.fcntl(0, 1031, 4096)' <&"$1"
}

# ---- messages in and out ---------------------------------------------------------

# The next message, acked: its body in the file `got`, byte for byte.
take() { # QUEUE
    mq-recv -a --no-wait "$1" >got
}

# The same as one JSON object, in $output.
take_json() { # QUEUE
    run -0 --separate-stderr mq-recv -aj --no-wait "$1"
}

# claim QUEUE [OPTION…]: claim the next message and print the receipt; what mq-recv printed is in the file `claimed`.
claim() {
    local receipt
    mq-recv --no-wait "$@" >claimed && IFS= read -r receipt <claimed && echo "$receipt"
}

# ---- what a program said ---------------------------------------------------------

# assert_complains BEGINNING: `run --separate-stderr` caught a message for people: its first line begins so,
# goes on to say why and ends without a full stop; and all of it is plain text.
assert_complains() {
    local first=${stderr%%$'\n'*}
    [[ $first == "$1"?* && $first != *. && ${stderr//$'\n'/} != *[[:cntrl:]]* ]] ||
        fail "no message that begins with '$1': $(printf '%q' "$stderr")"
}

# assert_json FILTER…: the output is JSON, and each jq filter holds for every object of it.
assert_json() {
    local filter all=true
    for filter; do
        all+=" and ($filter)"
    done
    jq -es "length > 0 and all(.[]; $all)" <<<"$output" >/dev/null || fail "not $*: $output"
}

# ---- other users -----------------------------------------------------------------

# Make a directory, $public, that any user may write in, and in it $public/bin with the programs. Not in that of the
# test, which other users may not enter.
make_public() {
    public=$(mktemp -d "${TMPDIR:-/tmp}/mq-test.XXXXXX")
    mkdir "$public/bin"
    cp -l "$MQ_BUILD"/mq{,-*} "$public/bin" 2>/dev/null || cp "$MQ_BUILD"/mq{,-*} "$public/bin"
    chmod -R a+rX "$public"
    chmod 1777 "$public"
    as_nobody test -x "$public/bin/mq-send" || skip "other users do not get to what lies in ${TMPDIR:-/tmp}"
}

remove_public() {
    [[ -z ${public-} ]] || rm -rf "$public"
}

# as_nobody COMMAND…: without any privilege, in $public.
as_nobody() {
    local -a who=()
    if ((EUID == 0)); then
        who=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    fi
    (cd "$public" && PATH=$public/bin:$PATH "${who[@]}" "$@")
}

# Whether this file system has one journal that keeps the order of all that happens to names and sizes.
keeps_order() {
    local device
    case $(stat -f -c %T "${MQ_SPOOL%/*}") in
    xfs) return 0 ;;
    ext*) # with a journal, which content is written in order with
        device=$(readlink "/sys/dev/block/$(stat -c %Hd:%Ld "${MQ_SPOOL%/*}")") &&
            grep -qE '^data=(ordered|journal)$' "/proc/fs/ext4/${device##*/}/options" 2>/dev/null && return 0
        ;;
    esac
    return 1
}

# Containers without devpts have none.
has_terminal() {
    command script -qec true /dev/null </dev/null >/dev/null 2>&1
}

needs_terminal() {
    has_terminal || skip "no pseudo-terminal is to be had"
}

# ---- tracing ---------------------------------------------------------------------

# What takes long, and has a shorter test beside it.
needs_patience() {
    [[ -n ${LONG-} ]] || skip "make check-long runs it"
}

# What takes long and needs a broker, or a stand-in for one.
needs_brokers() {
    [[ -n ${BROKERS-} ]] || skip "make check-brokers runs it"
}

needs_strace() {
    command -v strace >/dev/null || skip "strace is not installed"
    strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
    export ASAN_OPTIONS=detect_leaks=0 # which needs what strace uses
}

# ---- time ------------------------------------------------------------------------

# faketime is a library that is loaded before others, so it needs programs that load any; sanitizers must come second.
if command -v faketime >/dev/null; then
    faketime() {
        local -x ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0
        PATH=$MQ_BUILD/dynamic:$PATH command faketime "$@"
    }
fi

now_us() {
    echo "${EPOCHREALTIME/[.,]/}"
}

# Sleep for 15 ms without a process: in a pipe that nobody writes to. It has a name, since <(…) would change $!.
pause() {
    if [[ -z ${silence-} ]]; then
        [[ -p $BATS_FILE_TMPDIR/silence ]] || mkfifo "$BATS_FILE_TMPDIR/silence" 2>/dev/null || true # or another has
        exec {silence}<>"$BATS_FILE_TMPDIR/silence"
    fi
    read -rt 0.015 -u "$silence" || true
}

# wait_until SECONDS COMMAND…: try COMMAND every 15 ms until it succeeds; fails when the time is up.
wait_until() {
    local end
    printf -v end '%.0f' "${1}e6"
    end=$((end + ${EPOCHREALTIME/[.,]/}))
    until "${@:2}" >/dev/null 2>&1; do
        if ((${EPOCHREALTIME/[.,]/} >= end)); then
            echo "not within $1 s: ${*:2}" >&2
            return 1
        fi
        pause
    done
}

# at_best TRIES COMMAND…: COMMAND, which measures a time, succeeds in one of some tries: what else the machine does may
# make it longer, but never shorter.
at_best() {
    local try
    for ((try = 1; try <= $1; try++)); do
        ! "${@:2}" || return 0
    done
    return 1
}

# ---- looking into a queue --------------------------------------------------------

# find_files QUEUE STATE: the paths of the messages in a state, in $found, by bucket and name.
find_files() {
    local path state=$MQ_SPOOL/$1/$2
    found=()
    for path in "$state"/*/* "$state"/*/.[!.]*; do
        [[ ! -f $path || -L $path ]] || found+=("$path")
    done
}

# files QUEUE STATE: the names of the messages in a state, in order.
files() {
    local found
    find_files "$@"
    ((${#found[@]} == 0)) || printf '%s\n' "${found[@]##*/}" | LC_ALL=C sort
}

# depth QUEUE STATE: how many messages there are; a name with a field nN stands for N.
depth() {
    local found path sum=0
    find_files "$@"
    for path in "${found[@]##*/}"; do
        [[ $path =~ \.n([0-9]+) ]] && sum=$((sum + BASH_REMATCH[1])) || sum=$((sum + 1))
    done
    echo "$sum"
}

has_depth() { # QUEUE STATE NUMBER
    [[ $(depth "$1" "$2") == "$3" ]]
}

# age QUEUE STATE [SECONDS]: let the time of every message in delayed/, inflight/ or dead/ be so long ago (an hour).
# shellcheck disable=SC2012 # names without surprises, made by ourselves
age() {
    local past bits file bucket
    bits=$([[ $2 == dead ]] && echo 32 || echo 24)
    past=$(($(now_us) - ${3:-3600} * 1000000))
    printf -v bucket '%013x' $((past >> bits << bits))
    mkdir -p "$MQ_SPOOL/$1/$2/$bucket"
    for file in "$MQ_SPOOL/$1/$2"/*/*; do
        mv "$file" "$MQ_SPOOL/$1/$2/$bucket/$(printf '%013x' "$past").$(basename "$file" | cut -d. -f2-)"
    done
}
