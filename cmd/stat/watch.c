/* mq-stat --watch. */
#include "stat/watch.h"

#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "stat/screen.h"
#include "term/terminal.h"

#define MILLISECOND 1000

struct loop {
    const struct watch *watch;
    struct snapshot_list now[SNAPSHOT_KINDS], before; /* the queues before */
    struct screen *screen;                            /* NULL: none */
    int endings, changes;                             /* descriptors of signals; -1: none */
    int64_t next;                                     /* when to look again, monotonic */
    bool over;
};

static size_t look(struct loop *loop)
{
    const struct watch *watch = loop->watch;
    const struct snapshot_list old = loop->before;
    loop->before = loop->now[SNAPSHOT_QUEUE];
    loop->now[SNAPSHOT_QUEUE] = old;
    const size_t unseen = snapshots_look(watch->names, watch->name_count, loop->now);
    snapshots_compare(&loop->now[SNAPSHOT_QUEUE], &loop->before);
    loop->next = clock_monotonic() + watch->interval;
    return unseen;
}

static int milliseconds_left(const struct loop *loop)
{
    const int64_t left = loop->next - clock_monotonic();
    return left <= 0 ? 0 : left / MILLISECOND < 3600000 ? (int)(left / MILLISECOND) + 1 : 3600000;
}

/* ---- lines ----------------------------------------------------------------------------- */

/* Sleep until the next look. A signal that ends the program is noticed even if the sleep is too short to wait for
   it. */
static void pause_between(struct loop *loop)
{
    struct pollfd ending = {.fd = loop->endings, .events = POLLIN};
    int ready = poll(&ending, 1, milliseconds_left(loop));
    while (ready == 0 && milliseconds_left(loop) > 0)
        ready = poll(&ending, 1, milliseconds_left(loop));
    if (ready > 0)
        signals_obey(loop->endings);
}

/* The queues are kept as they are, to be compared with. */
static void print_look(const struct loop *loop)
{
    struct snapshot_list shown[SNAPSHOT_KINDS] = {0};
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
        snapshots_append(&shown[kind], &loop->now[kind]);
        overview_arrange(loop->watch->overview, &shown[kind]);
    }
    overview_print_all(loop->watch->overview, shown);
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        snapshots_release(&shown[kind]);
}

static int print_looks(struct loop *loop)
{
    const int error = output_cancel_by(loop->endings);
    if (error)
        return cli_error(error, NULL, "cannot watch for signals");
    for (bool first = true;; first = false) {
        (void)look(loop);
        if (!first && !cli_json && !loop->watch->overview->template)
            putchar('\n');
        print_look(loop);
        if (fflush(stdout) != 0) {
            signals_obey(loop->endings);
            return output_finish(STATUS_DONE);
        }
        pause_between(loop);
    }
}

/* ---- the screen ------------------------------------------------------------------------ */

/* A descriptor for the signals that change the screen: a new size of the window, a stop and its end. */
static int open_changes(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int take_changes(const struct loop *loop)
{
    struct signalfd_siginfo came;
    int error = 0;
    while (!error && read(loop->changes, &came, sizeof came) == sizeof came)
        if (came.ssi_signo == SIGTSTP) {
            terminal_close();
            (void)raise(SIGSTOP);
            error = terminal_open(loop->endings);
        }
    return error;
}

static void take_keys(struct loop *loop)
{
    int key;
    while (!loop->over && (key = terminal_key()) != TERMINAL_NONE) {
        loop->over = key == TERMINAL_GONE || !screen_key(loop->screen, key);
        if (key == ' ')
            loop->next = 0;
    }
}

/* Sleep until there is something to draw. */
static int wait_for_change(struct loop *loop)
{
    struct pollfd fds[3] = {{.fd = terminal_fd(), .events = POLLIN},
                            {.fd = loop->changes, .events = POLLIN},
                            {.fd = loop->endings, .events = POLLIN}};
    if (poll(fds, 3, milliseconds_left(loop)) < 0 && errno != EINTR)
        return -errno;
    if (fds[2].revents) {
        terminal_close();
        signals_obey(loop->endings);
    }
    take_keys(loop);
    return fds[1].revents ? take_changes(loop) : 0;
}

static void note(struct loop *loop)
{
    const size_t unseen = look(loop);
    screen_note(loop->screen, loop->now, unseen);
}

static int show_screen(struct loop *loop)
{
    int error = 0;
    while (!error && !loop->over) {
        if (milliseconds_left(loop) == 0)
            note(loop);
        error = screen_draw(loop->screen);
        if (!error)
            error = wait_for_change(loop);
    }
    return error;
}

static int run_screen(struct loop *loop)
{
    loop->changes = open_changes();
    if (loop->changes < 0)
        return cli_error(loop->changes, NULL, "cannot watch for signals");
    loop->screen = screen_new(loop->watch->overview, loop->watch->interval);
    int error = terminal_open(loop->endings);
    if (!error)
        error = show_screen(loop);
    terminal_close();
    if (error == -ECANCELED)
        signals_obey(loop->endings);
    screen_free(loop->screen);
    close(loop->changes);
    return error ? cli_error(error, NULL, "cannot show the screen") : STATUS_DONE;
}

int watch_run(const struct watch *watch)
{
    struct loop loop = {.watch = watch, .endings = signals_open(), .changes = -1};
    if (loop.endings < 0)
        return cli_error(loop.endings, NULL, "cannot watch for signals");
    const bool lines = cli_json || watch->overview->template || !output_is_terminal() || output_is_dumb();
    /* A missing queue is reported before the screen hides the report. */
    int status = watch->name_count > 0 ? snapshots_gather(watch->names, watch->name_count, false, loop.now)
                                       : cli_check_spool();
    if (status == STATUS_DONE)
        status = lines ? print_looks(&loop) : run_screen(&loop);
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++)
        snapshots_release(&loop.now[kind]);
    snapshots_release(&loop.before);
    return status;
}
