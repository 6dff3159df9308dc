/*
 * Waiting until messages are settled.
 *
 * What a listing shows is the truth; events only say when to list again, and what became of a message that is gone. A
 * message that moves may be missed by a listing, so it is gone when several in a row do not show it.
 */
#include "queue/wait_for.h"

#include <poll.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "cli/cli.h"

#define LISTINGS 3

/* Without an event the queue is listed after this time, and after so many times what the last listing took. */
#define LOOK_EVERY (2 * CLOCK_SECOND)
#define POLL_EVERY (CLOCK_SECOND / 10)
#define LISTING_SHARE 20

enum fate { WAITS, GONE, DEAD, UNKNOWN };

struct awaited {
    const char *id;
    enum fate fate;
    bool known;      /* it was seen in the queue */
    bool listed;     /* the last listing showed it */
    bool failed;     /* an event said that it died, expired or was removed */
    unsigned missed; /* listings in a row that did not show it */
};

struct wait {
    mq_queue *queue;
    mq_watch *watch; /* NULL: none is to be had */
    struct awaited *awaited;
    size_t count;
    void *tree; /* the same by their ids */
    int status;
};

static int compare(const void *one, const void *other)
{
    return strcmp(((const struct awaited *)one)->id, ((const struct awaited *)other)->id);
}

static const char *name_of(const struct wait *wait)
{
    return mq_queue_name(wait->queue);
}

/* ---- listing ------------------------------------------------------------------------ */

static int note_entry(const struct mq_entry *entry, void *context)
{
    struct wait *wait = context;
    struct awaited *const *found = tfind(&(struct awaited){.id = entry->id}, &wait->tree, compare);
    if (!found)
        return 0;
    (*found)->listed = (*found)->known = true;
    if (entry->state == MQ_DEAD && (*found)->fate == WAITS) {
        (*found)->fate = DEAD;
        wait->status = cli_worse(wait->status, cli_fail(STATUS_DATA, name_of(wait), "%s: it is a dead letter: %s",
                                                        entry->id, entry->reason ? entry->reason : "rejected"));
    }
    return 0;
}

/* It is not in the queue. A message that was acknowledged leaves no trace, unless its consumer remembers it. An id that
   mq-send made was sent; one that somebody chose may be wrong. */
static int judge_unseen(struct wait *wait, struct awaited *awaited)
{
    const int acked = mq_was_acked(wait->queue, awaited->id);
    if (acked < 0)
        return acked;
    awaited->fate = acked == 1 || id_is_in_series(awaited->id) ? GONE : UNKNOWN;
    if (awaited->fate == UNKNOWN)
        wait->status = cli_worse(
            wait->status,
            cli_fail(STATUS_NO_QUEUE, name_of(wait), "%s: no such message, and nothing is known of it", awaited->id));
    return 0;
}

static int judge_missing(struct wait *wait, struct awaited *awaited)
{
    if (++awaited->missed < LISTINGS)
        return 0;
    if (!awaited->known && !awaited->failed)
        return judge_unseen(wait, awaited);
    awaited->fate = awaited->failed ? DEAD : GONE;
    if (awaited->failed)
        wait->status = cli_worse(
            wait->status, cli_fail(STATUS_DATA, name_of(wait), "%s: it died, expired or was removed", awaited->id));
    return 0;
}

/* 1: some message is missing, and another listing may say that it is gone. */
static int list_once(struct wait *wait)
{
    int error = 0, again = 0;
    for (size_t i = 0; i < wait->count; i++)
        wait->awaited[i].listed = false;
    for (int state = 0; state < MQ_STATES && !error; state++)
        error = mq_browse(wait->queue, (enum mq_state)state, note_entry, wait);
    for (size_t i = 0; i < wait->count && !error; i++) {
        struct awaited *awaited = &wait->awaited[i];
        if (awaited->listed)
            awaited->missed = 0;
        else if (awaited->fate == WAITS)
            error = judge_missing(wait, awaited);
        again |= !awaited->listed && awaited->fate == WAITS;
    }
    return error ? error : again;
}

/* Returns how long it took, or a negative errno. */
static int64_t list(struct wait *wait)
{
    const int64_t begun = clock_monotonic();
    int again = 1;
    while (again == 1)
        again = list_once(wait);
    return again < 0 ? again : clock_monotonic() - begun;
}

/* ---- events ------------------------------------------------------------------------- */

static bool is_about(const struct mq_event *event, const struct awaited *awaited)
{
    return event->id && (strcmp(event->id, awaited->id) == 0 ||
                         (event->count > 1 && id_distance(event->id, awaited->id) < event->count));
}

static void note_fate(const struct mq_event *event, struct awaited *awaited)
{
    switch (event->kind) {
    case MQ_EVENT_DEAD:
    case MQ_EVENT_EXPIRED:
    case MQ_EVENT_REMOVED:
        awaited->failed = true;
        break;
    case MQ_EVENT_SENT:
    case MQ_EVENT_REVIVED:
        awaited->failed = false;
        break;
    default:
        break;
    }
}

/* Whether there is a reason to list. */
static bool take_event(const struct wait *wait, const struct mq_event *event)
{
    bool about = event->kind == MQ_EVENT_MISSED || event->kind == MQ_EVENT_DELETED;
    for (size_t i = 0; i < wait->count; i++)
        if (wait->awaited[i].fate == WAITS && is_about(event, &wait->awaited[i])) {
            about = true;
            note_fate(event, &wait->awaited[i]);
        }
    return about;
}

/* What came together with an event is read before the listing. */
static int drain(const struct wait *wait)
{
    struct mq_event event;
    int came;
    while ((came = mq_watch_next(wait->watch, 0, -1, &event)) == 1)
        (void)take_event(wait, &event);
    return came;
}

/* Sleep until an event is about one of the messages, or the time is up. */
static int sleep_until(const struct wait *wait, int64_t time)
{
    for (int64_t left; (left = time - clock_monotonic()) > 0;) {
        struct mq_event event;
        if (!wait->watch) {
            (void)poll(NULL, 0, (int)(left / 1000) + 1);
            continue;
        }
        const int came = mq_watch_next(wait->watch, left, -1, &event);
        if (came == 1 && take_event(wait, &event))
            return drain(wait);
        if (came < 0)
            return came;
    }
    return 0;
}

/* ---- waiting ------------------------------------------------------------------------ */

static bool all_are_settled(const struct wait *wait)
{
    for (size_t i = 0; i < wait->count; i++)
        if (wait->awaited[i].fate == WAITS)
            return false;
    return true;
}

static int wait_for_all(struct wait *wait, int64_t timeout)
{
    const int64_t end = timeout == MQ_FOREVER ? INT64_MAX : clock_monotonic() + timeout;
    for (;;) {
        const int64_t took = list(wait);
        if (took < 0)
            return cli_queue_error((int)took, name_of(wait), "cannot look");
        if (all_are_settled(wait))
            return wait->status;
        const int64_t now = clock_monotonic(), every = wait->watch ? LOOK_EVERY : POLL_EVERY,
                      look = now + every + took * LISTING_SHARE;
        if (now >= end) {
            cli_note(name_of(wait), "the time is up");
            return cli_worse(wait->status, STATUS_NOTHING);
        }
        const int error = sleep_until(wait, look < end ? look : end);
        if (error)
            return cli_error(error, name_of(wait), "cannot watch");
    }
}

/* Without a watch, such as on a network file system, the queue is listed now and then. */
static void watch(struct wait *wait)
{
    if (mq_watch_new(&wait->watch) < 0)
        wait->watch = NULL;
    const int error = wait->watch ? mq_watch_add(wait->watch, wait->queue, false) : 0;
    if (error < 0) {
        mq_watch_free(wait->watch);
        wait->watch = NULL;
    }
    if (!wait->watch)
        cli_note(name_of(wait), "polling, since inotify is not available");
}

static void leave_tree(void *node)
{
    (void)node; /* the nodes are those of the array */
}

int wait_for_messages(const char *name, char *const *ids, int count, int64_t timeout)
{
    struct wait wait = {.status = STATUS_DONE, .count = (size_t)count};
    for (int i = 0; i < count; i++)
        if (!id_is_valid(ids[i]))
            return cli_fail(STATUS_USAGE, name, "'%s': not an id", ids[i]);
    int status = cli_open(name, 0, &wait.queue);
    if (status != STATUS_DONE)
        return status;
    wait.awaited = cli_must(calloc(wait.count, sizeof *wait.awaited));
    for (size_t i = 0; i < wait.count; i++) {
        struct awaited *awaited = &wait.awaited[i];
        awaited->id = ids[i];
        const struct awaited *const *found = cli_must(tsearch(awaited, &wait.tree, compare));
        awaited->fate = *found == awaited ? WAITS : GONE; /* an id that is given twice is waited for once */
    }
    watch(&wait);
    status = wait_for_all(&wait, timeout);
    tdestroy(wait.tree, leave_tree);
    mq_watch_free(wait.watch);
    mq_close(wait.queue);
    free(wait.awaited);
    return status;
}
