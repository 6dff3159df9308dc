/* A bridge at work. */
#include "bridge/bridge.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "cli/signals.h"

#define FIRST_BACK_OFF (CLOCK_SECOND / 4)
#define MOST_BACK_OFF (30 * CLOCK_SECOND)
#define TRIES 5 /* in a row, without -f */
#define GRACE (10 * CLOCK_SECOND)
#define SILENT_GRACE (3 * CLOCK_SECOND) /* without any answer */
#define SHORT_GRACE CLOCK_SECOND        /* if it was known before that none comes */
#define NOTIFY_EVERY (10 * CLOCK_SECOND)
#define STABLE (10 * CLOCK_SECOND) /* a connection that was there for so long was a good one */

int bridge_open(struct bridge *bridge, const struct bridge_arguments *arguments, const char *shown)
{
    *bridge = (struct bridge){.arguments = arguments, .shown = shown};
    bridge->signals = signals_open();
    if (bridge->signals < 0)
        return cli_error(bridge->signals, NULL, "cannot watch for signals");
    bridge->poll = epoll_create1(EPOLL_CLOEXEC);
    if (bridge->poll < 0)
        return cli_error(-errno, NULL, "cannot watch for events");
    bridge_watch(bridge, bridge->signals, EPOLLIN);
    return STATUS_DONE;
}

/* ---- what happens ---------------------------------------------------------------- */

enum bridge_result bridge_trouble(struct bridge *bridge, enum bridge_result result, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bridge->trouble.status = status;
    vsnprintf(bridge->trouble.words, sizeof bridge->trouble.words, format, arguments);
    va_end(arguments);
    return result;
}

__attribute__((format(printf, 1, 2))) static void notify_status(const char *format, ...)
{
    char text[BRIDGE_WORDS_SIZE + 256] = "STATUS=";
    const size_t head = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + head, sizeof text - head, format, arguments);
    va_end(arguments);
    notify(text);
}

static void tell_ready(struct bridge *bridge)
{
    if (!bridge->is_ready)
        notify("READY=1");
    bridge->is_ready = true;
}

void bridge_is_up(struct bridge *bridge)
{
    bridge->up_since = clock_monotonic();
    tell_ready(bridge);
    bridge->was_up = true;
    cli_note(bridge->shown, "connected");
    notify_status("Connected to %s", bridge->shown);
}

static void tell_figures(struct bridge *bridge)
{
    const int64_t now = clock_monotonic();
    if (now < bridge->notify_at)
        return;
    bridge->notify_at = now + NOTIFY_EVERY;
    notify_status("Connected to %s; %ju carried, %ju refused", bridge->shown, (uintmax_t)bridge->carried,
                  (uintmax_t)bridge->refused);
}

void bridge_carried(struct bridge *bridge, uint64_t count)
{
    if (count == 0)
        return;
    bridge->carried += count;
    bridge->moved_at = clock_monotonic();
    bridge->tries = 0;
    if (bridge->told != TOLD_NOTHING && !cli_quiet)
        (void)cli_fail(STATUS_DONE, bridge->shown, bridge->told == TOLD_LOSS ? "connected again" : "carrying again");
    bridge->told = TOLD_NOTHING;
    tell_figures(bridge);
}

void bridge_refused(struct bridge *bridge, const char *id)
{
    bridge->refused++;
    bridge->tries = 0;
    bridge->status = cli_worse(bridge->status, STATUS_FAILED);
    if (!cli_quiet)
        (void)cli_fail(STATUS_DONE, bridge->shown, "%s is refused: %s", id, bridge->trouble.words);
}

/* ---- waiting --------------------------------------------------------------------- */

void bridge_watch(const struct bridge *bridge, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (events == 0)
        (void)epoll_ctl(bridge->poll, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(bridge->poll, EPOLL_CTL_MOD, fd, &event) < 0)
        (void)epoll_ctl(bridge->poll, EPOLL_CTL_ADD, fd, &event);
}

static void wait_on(int fd, int64_t until)
{
    const int64_t now = until == MQ_FOREVER ? 0 : clock_monotonic();
    const int64_t left = until > now ? until - now : 0;
    const struct timespec limit = {.tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND * 1000};
    (void)ppoll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, until == MQ_FOREVER ? NULL : &limit, NULL);
}

/* When a bridge that is ending ends in any case. */
static int64_t last_moment(const struct bridge *bridge)
{
    const int64_t silent_at = bridge->moved_at + SILENT_GRACE;
    return silent_at < bridge->ends_at ? silent_at : bridge->ends_at;
}

void bridge_wait(const struct bridge *bridge, int64_t until)
{
    if (bridge->signal && (until == MQ_FOREVER || until > last_moment(bridge)))
        until = last_moment(bridge);
    wait_on(bridge->poll, until);
}

bool bridge_is_ending(const struct bridge *bridge)
{
    return bridge->signal != 0;
}

enum bridge_result bridge_heed_signals(struct bridge *bridge)
{
    const int number = signals_came(bridge->signals) ? signals_take(bridge->signals) : 0;
    const bool is_first = number && !bridge->signal;
    if (is_first) {
        notify("STOPPING=1");
        bridge->signal = number;
        bridge->moved_at = clock_monotonic();
        bridge->ends_at = bridge->moved_at + (bridge->told == TOLD_NOTHING ? GRACE : SHORT_GRACE);
    }
    bridge->is_cut_short = (number && !is_first) || (bridge->signal && clock_monotonic() >= last_moment(bridge));
    if (bridge->is_cut_short)
        return bridge_trouble(bridge, BRIDGE_FAILED, STATUS_TRY_LATER, "ended before all was confirmed");
    return BRIDGE_OK;
}

static volatile sig_atomic_t follows, status_so_far;

static void end_at_once(int number)
{
    if (follows)
        _exit(status_so_far);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void bridge_dies_of_signals(const struct bridge *bridge, bool is_on)
{
    follows = bridge->arguments->follow;
    status_so_far = bridge->status;
    signals_interrupt(is_on ? end_at_once : NULL);
}

/* ---- the pace -------------------------------------------------------------------- */

uint64_t bridge_allows(const struct bridge *bridge, uint64_t pending, uint64_t most, int64_t *ret_next)
{
    const struct bridge_arguments *arguments = bridge->arguments;
    const uint64_t handled = bridge->carried + bridge->refused + pending;
    *ret_next = MQ_FOREVER;
    if (bridge->signal || (arguments->count && handled >= arguments->count))
        return 0;
    if (arguments->count && most > arguments->count - handled)
        most = arguments->count - handled;
    if (arguments->interval == 0)
        return most;
    const int64_t now = clock_monotonic();
    if (now < bridge->next_at) {
        *ret_next = bridge->next_at;
        return 0;
    }
    /* So many as are due within 10 ms: of high rates several at a time. */
    const uint64_t due = (uint64_t)(CLOCK_SECOND / 100 / arguments->interval) + 1;
    return due < most ? due : most;
}

void bridge_took(struct bridge *bridge, uint64_t count)
{
    const int64_t now = bridge->arguments->interval && count ? clock_monotonic() : 0;
    const int64_t from = bridge->next_at > now ? bridge->next_at : now;
    bridge->next_at = from + (int64_t)count * bridge->arguments->interval;
}

/* ---- from connection to connection ----------------------------------------------- */

/* Trouble is said once, until it is over. */
static void say(struct bridge *bridge, enum bridge_told what, const char *is_done)
{
    if (bridge->told != TOLD_NOTHING)
        cli_note(bridge->shown, "%s", bridge->trouble.words);
    else if (!cli_quiet)
        (void)cli_fail(STATUS_DONE, bridge->shown, "%s; %s", bridge->trouble.words, is_done);
    bridge->told = bridge->told == TOLD_NOTHING ? what : bridge->told;
}

void bridge_is_away(struct bridge *bridge)
{
    say(bridge, TOLD_LOSS, "trying again");
    notify_status("Not connected to %s: %s", bridge->shown, bridge->trouble.words);
}

void bridge_has_to_wait(struct bridge *bridge)
{
    say(bridge, TOLD_WAIT, "waiting");
    notify_status("Waiting for %s: %s", bridge->shown, bridge->trouble.words);
}

static void tell_loss(struct bridge *bridge, int64_t pause)
{
    say(bridge, TOLD_LOSS, "trying again");
    notify_status("Not connected to %s: %s; next attempt in %.2f s", bridge->shown, bridge->trouble.words,
                  (double)pause / (double)CLOCK_SECOND);
}

/* With -f the other side may be away for as long as it likes. A service that waits for it has started all the same. */
static bool tries_again(struct bridge *bridge)
{
    if (bridge->arguments->follow)
        tell_ready(bridge);
    return bridge->arguments->follow || (bridge->was_up && bridge->tries < TRIES);
}

bool bridge_goes_on(struct bridge *bridge, enum bridge_result result)
{
    if (bridge->up_since && clock_monotonic() - bridge->up_since > STABLE)
        bridge->tries = 0;
    bridge->up_since = 0;
    if (result == BRIDGE_OK)
        return false;
    if (result == BRIDGE_REFUSED)
        return !bridge->signal;
    bridge->tries++;
    if (result == BRIDGE_FAILED || bridge->signal || !tries_again(bridge)) {
        const bool is_expected = bridge->arguments->follow && bridge->signal &&
                                 (bridge->is_cut_short || result == BRIDGE_LOST);
        const int status = is_expected ? STATUS_DONE : bridge->trouble.status;
        bridge->status = cli_worse(bridge->status, cli_fail(status, bridge->shown, "%s", bridge->trouble.words));
        return false;
    }
    const unsigned doublings = bridge->tries > 8 ? 7 : bridge->tries - 1;
    int64_t pause = FIRST_BACK_OFF << doublings;
    pause = pause > MOST_BACK_OFF ? MOST_BACK_OFF : pause;
    tell_loss(bridge, pause);
    wait_on(bridge->signals, clock_monotonic() + pause);
    (void)bridge_heed_signals(bridge);
    return !bridge->signal;
}

int bridge_close(struct bridge *bridge)
{
    if (!bridge->signal)
        notify("STOPPING=1");
    cli_note(bridge->shown, "%ju carried, %ju refused", (uintmax_t)bridge->carried, (uintmax_t)bridge->refused);
    close(bridge->poll);
    if (bridge->signal && !bridge->arguments->follow)
        signals_die(bridge->signal);
    return bridge->status;
}
