# mq-stat --watch: the live screen in a real terminal, and lines elsewhere; and the bar of --progress.
# shellcheck disable=SC2154 # stderr is set by run
load ../helper

setup() {
    setup_spool
    socket=$BATS_TEST_TMPDIR/tmux
    export ASAN_OPTIONS=detect_leaks=0 # who loses its terminal while it looks for leaks looks for ever
}

teardown() {
    tmux -S "$socket" kill-server 2>/dev/null || true
    kill_spawned
}

needs_tmux() {
    command -v tmux >/dev/null || skip "tmux is not installed"
    needs_terminal
}

# open COLUMNS ROWS COMMAND: a terminal in which COMMAND runs, and then says how it ended.
open() {
    # The server of a screen before may still be about to end.
    wait_until 10 tmux -S "$socket" -f /dev/null new-session -d -x "$1" -y "$2" \
        "env PATH='$PATH' LC_ALL=C.UTF-8 MQ_SPOOL='$MQ_SPOOL' sh -c 'echo before; $3; echo ended \$?; stty -a; sleep 100'" 3>&-
}

screen() {
    tmux -S "$socket" capture-pane -p
}

shows() { # PATTERN: the screen has it
    screen | grep -qE -- "$1"
}

shows_not() {
    ! shows "$1"
}

see() { # PATTERN: soon
    wait_until 10 shows "$1" || fail "no '$1' on the screen: $(screen)"
}

press() {
    tmux -S "$socket" send-keys "$@"
}

# The queues from above to below, in one line.
order() {
    screen | sed -n 's/^[> ] \([a-z]*\) .*/\1/p' | paste -sd' '
}

has_order() { # QUEUES
    [[ $(order) == "$1" ]]
}

three_queues() {
    seq 3 | mq-send -q --no-sync -l small
    seq 30 | mq-send -q --no-sync -l large
    mq-queue create empty
}

@test "the screen shows the queues, and follows what happens" {
    needs_tmux
    three_queues
    open 80 24 'mq-stat --watch=100ms'
    see '^> empty +0 '
    see '^  large +30 +0 +0 +0 '
    shows 'QUEUE +READY +DELAYED +INFLIGHT +DEAD +OLDEST +IN/s +OUT/s +ERR% +SIZE'
    shows_not before
    seq 5 | mq-send -q --no-sync -l large
    see '^  large +35 '
    mq-send -q fresh hello
    see '^  fresh +1 '
    mq-queue delete --force fresh
    wait_until 10 shows_not '^  fresh'
    # Topics have a part of their own.
    mq-topic create events unroutable=drop
    mq-topic bind events small
    mq-send -q events four
    see '^  events +1 +1 +1 +0'
    shows 'TOPIC +BINDINGS +PUBLISHED +ROUTED +UNROUTABLE'
}

@test "IN/s, OUT/s and ERR% are what happened since the last look" {
    needs_tmux
    mq-queue create jobs durability=none
    open 80 24 'mq-stat --watch=2s'
    see '^> jobs +0 '
    seq 100 | mq-send -q -l jobs
    mq-recv -a -n 50 jobs >got
    mq-ack --reject "$(claim jobs)"
    see '^> jobs +49 .* [1-9][0-9.]* +[1-9][0-9.]* +[1-9][0-9.]* '
    # And then nothing more.
    see '^> jobs +49 .* 0 +0 +- '
}

@test "q quits, and the terminal is as it was" {
    needs_tmux
    three_queues
    open 80 24 'mq-stat --watch'
    see '^> empty'
    press q
    see '^ended 0'
    shows '^before'
    shows ' icanon'
    shows '[^-]echo '
    assert_equal "$(tmux -S "$socket" display-message -p '#{alternate_on} #{cursor_flag}')" '0 1'
}

@test "a signal ends it, and the terminal is as it was" {
    needs_tmux
    three_queues
    local signal
    for signal in TERM HUP INT SEGV ABRT; do
        open 80 24 "sh -c \"echo \\\$\\\$ >$BATS_TEST_TMPDIR/pid; exec mq-stat --watch\""
        see '^> empty'
        kill -s "$signal" "$(<pid)"
        see '^ended [1-9]'
        shows ' icanon'
        assert_equal "$(tmux -S "$socket" display-message -p '#{alternate_on} #{cursor_flag}')" '0 1'
        tmux -S "$socket" kill-server
    done
}

@test "keys sort, and the same key again turns the order round" {
    needs_tmux
    three_queues
    open 80 24 'mq-stat --watch=100ms'
    see '^> empty'
    has_order 'empty large small'
    press r
    wait_until 10 has_order 'large small empty'
    press r
    wait_until 10 has_order 'empty small large'
    press n
    wait_until 10 has_order 'empty large small'
    press n
    wait_until 10 has_order 'small large empty'
    see 'by -name'
}

@test "arrows choose a queue, Enter looks into it, Escape comes back" {
    needs_tmux
    three_queues
    mq-send -q -i evil large $'\e[31mred'
    spawn holder bash -c 'mq-recv -t 10m large; read -r _ <pipe'
    local holder=$!
    mkfifo pipe
    wait_until 5 test -s holder.out
    open 100 24 'mq-stat --watch=100ms'
    see '^> empty'
    press Down
    see '^> large'
    press Enter
    see '^large   \(Esc back, q quit\)'
    see "^[0-9a-f-]{36} +1 +$holder +here +[a-z]+ +[0-9]+s +(9m|10m)"
    see '^READY 30 +DELAYED 0 +INFLIGHT 1'
    see '^NEXT +PRIORITY +ATTEMPTS +AGE +SIZE +BODY'
    see '^[0-9a-f-]{36} +4 +0 +[0-9]+s +1 +2$'
    press Escape
    see '^> large'
    press Up Up
    see '^> empty'
    press Right
    see '^empty   \(Esc'
    press Left
    see '^> empty'
}

@test "what a message holds cannot write on the screen" {
    needs_tmux
    mq-send -q -i evil jobs $'\e[31mred\e]0;title\a'
    open 100 24 'mq-stat --watch=100ms'
    see '^> jobs'
    press Enter
    see '^evil .*\\x1b\[31mred\\x1b\]0;title\\x07'
}

@test "the screen is as wide as the terminal, also when that changes" {
    needs_tmux
    three_queues
    open 80 24 'mq-stat --watch=100ms'
    see 'DEPTH$'
    assert_regex "$(screen | sed -n 7p)" '^q quit' # no line was wrapped
    shows ' OUT/s +ERR% +SIZE '
    tmux -S "$socket" resize-window -x 200 -y 50
    see 'q quit'
    press r
    see '^> large'
    # There is room for longer lines of the last looks.
    wait_until 20 shows '^. large.*[▁▂▃▄▅▆▇█]{30}'
    tmux -S "$socket" resize-window -x 40 -y 8
    wait_until 10 shows_not ' SIZE'
    see '^> large'
    see '^sort'
}

@test "at 200 columns nothing is cut" {
    needs_tmux
    three_queues
    open 200 50 'mq-stat --watch=100ms'
    see '^> empty'
    shows 'sort: .* s size'
    wait_until 20 shows '^  large.*[▁▂▃▄▅▆▇█]{20}'
}

@test "more queues than lines can be scrolled through" {
    needs_tmux
    local n
    for n in {a..z}; do
        mq-queue create "queue$n"
    done
    open 80 12 'mq-stat --watch'
    see '^> queuea'
    shows_not queuez
    press End
    see '^> queuez'
    shows_not '^. queuea'
    press Home
    see '^> queuea'
    press NPage
    see '^> queueh'
}

@test "it can be stopped and goes on, and the terminal is in order meanwhile" {
    needs_tmux
    three_queues
    tmux -S "$socket" -f /dev/null new-session -d -x 80 -y 24 \
        "env PATH='$PATH' LC_ALL=C.UTF-8 MQ_SPOOL='$MQ_SPOOL' PS1='shell> ' bash --norc -i" 3>&-
    see '^shell>'
    press 'mq-stat -w1' Enter
    see '^> empty'
    press C-z
    see 'Stopped'
    press fg Enter
    see '^> empty'
    press q
    see '^shell>$'
}

@test "without colours and without UTF-8 the screen is plain" {
    needs_tmux
    three_queues
    open 100 24 'env LC_ALL=C NO_COLOR=1 mq-stat --watch=100ms'
    see '^  large.*#'
    refute grep -q '[^ -~]' <(screen)
    refute grep -q $'\e' <(tmux -S "$socket" capture-pane -pe)
}

@test "in a pipe it prints one look after the other, without control sequences" {
    three_queues
    spawn watch mq-stat --watch=100ms --filter 'ready>0'
    local watch=$!
    looked() { (($(grep -c '^QUEUE' watch.out) >= 3)); }
    wait_until 10 looked
    refute grep -q '[^ -~]' watch.out
    refute grep -q '^empty' watch.out
    kill -TERM "$watch"
    local ended=0
    wait "$watch" || ended=$?
    assert_equal "$ended" 143
    assert_equal "$(<watch.err)" ''
    run -0 bash -c 'mq-stat -j --watch=10ms large | head -n 3 | jq -r .ready'
    assert_output $'30\n30\n30'
    mq-topic create events unroutable=drop
    mq-send -q events nobody
    run -0 bash -c 'mq-stat --watch=10ms | head -n 12'
    assert_equal "$(awk '/^TOPIC/ {getline; print}' <<<"$output" | tr -s ' ' | head -n 1)" 'events 0 1 0 1'
    run -0 bash -c 'mq-stat -j --watch=10ms events | head -n 2 | jq -r .unroutable'
    assert_output $'1\n1'
    run -2 mq-stat --check 'unroutable>0'
    assert_output --partial 'CRITICAL - events unroutable is 1 (unroutable>0)'
}

@test "a queue that is missing is told before there is a screen" {
    run -66 --separate-stderr timeout 10 mq-stat --watch missing
    assert_complains 'mq-stat: missing: '
}

# ---- signals ---------------------------------------------------------------------------

is_gone() { # PID
    [[ $(ps -o state= -p "$1") != [^Z]* ]]
}

@test "a signal ends the lines of any interval, whether their reader reads or not" {
    local interval ended
    three_queues
    for interval in 1us 1ms 1h; do
        spawn "watch$interval" mq-stat -j --watch=$interval
        wait_until 10 test -s "watch$interval.out"
        kill -TERM "${spawned[-1]}"
        wait_until 10 is_gone "${spawned[-1]}"
        ended=0
        wait "${spawned[-1]}" || ended=$?
        assert_equal "$ended" 143
    done
    mkfifo pipe
    for options in '' -j '--format {queue}'; do
        exec {both}<>pipe {reader}<pipe
        make_small "$reader"
        spawn watch bash -c 'exec mq-stat --watch=1ms $1 >pipe' watch "$options"
        wait_until 10 is_asleep_in_poll_for_output "${spawned[-1]}"
        kill -TERM "${spawned[-1]}"
        wait_until 10 is_gone "${spawned[-1]}"
        ended=0
        wait "${spawned[-1]}" || ended=$?
        assert_equal "$ended" 143
        exec {both}>&-
        cat <&"$reader" >got
        exec {reader}<&-
        [[ -s got && $(tail -c 1 got) == '' ]]
    done
}

# There is no free page in the pipe, and it sleeps.
is_asleep_in_poll_for_output() { # PID
    holds 1 "$reader" && is_asleep "$1"
}

@test "a signal ends the screen of a terminal that nobody reads" {
    needs_terminal
    three_queues
    run -0 python3 - <<'PYTHON'
import os, pty, select, signal, sys, time
child, master = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp("mq-stat", ["mq-stat", "--watch=1ms"])
os.read(master, 1)
def state():
    return open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[0]
# It sleeps all of a second: what it draws is not read any more.
end, asleep = time.time() + 20, 0
while asleep < 100 and time.time() < end:
    asleep = asleep + 1 if state() == "S" else 0
    time.sleep(0.01)
os.kill(child, signal.SIGTERM)
end = time.time() + 10
while time.time() < end:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        sys.exit(0 if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM else 2)
    time.sleep(0.01)
os.kill(child, signal.SIGKILL)
sys.exit(1)
PYTHON
}

@test "the keys and the order are told whole on a terminal of 80 columns" {
    needs_tmux
    three_queues
    open 80 24 'mq-stat --watch=100ms'
    see '3 queues by name '
    see '^q quit .* reverse order$'
    see '^sort: n name .* s size$'
    press r
    see '3 queues by -ready '
    mq-queue delete --force small
    mq-queue delete empty
    see ' 1 queue by -ready '
}

# ---- --progress ------------------------------------------------------------------------

# The width of the longest line on the screen that has a bar.
width_of_bar() {
    screen | grep '█' | LC_ALL=C.UTF-8 wc -L
}

@test "--progress shows a bar, the rate and the time left, as wide as the terminal, and errors above it" {
    needs_tmux
    seq 3000 >lines
    for columns in 80 200; do
        mq-queue delete -q --force jobs 2>/dev/null || true
        mq-queue create jobs durability=none
        open $columns 24 "mq-send -q -l --progress -f lines jobs"
        see 'ended 0'
        see '^100% █+  3000 sent  [0-9.kM]+/s$'
        assert_equal "$(width_of_bar)" $((columns - 1))
        tmux -S "$socket" kill-server
        open $columns 24 "mq-recv -a -l -n 3000 -w 1 --progress jobs >got"
        see 'ended 0'
        see '^100% █+  3000 done  [0-9.kM]+/s'
        cmp lines got
        tmux -S "$socket" kill-server
    done
    # While it lasts: a part is done, and what is reported takes a line of its own.
    seq 4 | mq-send -q -l jobs
    printf '%s\n' '#!/bin/sh' 'sleep 0.12' 'read -r body' 'until [ "$body" != 3 ] || [ -e go ]; do sleep 0.02; done' 'exit 3' >slow
    chmod +x slow
    open 80 24 'mq-recv --until-empty --progress jobs -- ./slow >nothing'
    see '^ *[0-9]+% █+.? +[12] done  [0-9.]+/s'
    shows '^mq-recv: jobs: [0-9a-f-]+: attempt 1: exit status 3$'
    touch go
    see 'ended 123'
}

@test "--progress shows nothing where there is no terminal, or where the messages come to it" {
    seq 10 | mq-send -q -l --progress jobs 2>err
    mq-recv -a -l -n 10 --progress --no-wait jobs >got 2>>err
    assert_file_empty err
    seq 10 | cmp - got
    run -64 mq-send --progress jobs x
    run -64 mq-recv -a --progress jobs
    needs_tmux
    seq 3 | mq-send -q -l jobs
    open 80 24 'mq-recv -a -l -n 3 --no-wait --progress jobs'
    see 'ended 0'
    shows_not done
    tmux -S "$socket" kill-server
    open 80 24 'TERM=dumb mq-send -q -l --progress -f /dev/null jobs'
    see 'ended 0'
    shows_not sent
}
