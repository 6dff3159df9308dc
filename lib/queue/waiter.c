/* What a waiter watches with inotify. */
#include "queue/waiter.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "format/name.h"

int *waiter_inotify(struct waiter *waiter)
{
    return waiter->queue.inotify ? waiter->queue.inotify : &waiter->inotify;
}

/* The descriptor stays open for the next time: without watches it costs nothing, and closing it takes long. */
void waiter_stop_watching(struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->count_watches; i++)
        inotify_rm_watch(*waiter_inotify(waiter), waiter->watches[i]);
    waiter->count_watches = 0;
    for (int i = 0; i < waiter->count_elsewhere; i++)
        inotify_rm_watch(*waiter_inotify(waiter), waiter->elsewhere[i]);
    waiter->count_elsewhere = 0;
}

static bool is_among(const int *numbers, int count, int number)
{
    for (int i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* Watch these directories, and no longer those of the last time. True: one of them was not watched. */
static bool watch_dirs(struct waiter *waiter, const int *dirs, int count)
{
    int numbers[WAIT_DIRS], watched = 0;
    bool more = false;
    for (int i = 0; i < count; i++) {
        const int number = fs_watch_dir(*waiter_inotify(waiter), dirs[i], IN_CREATE | IN_MOVED_TO);
        waiter->is_polling |= number < 0;
        if (number < 0)
            continue;
        more |= !is_among(waiter->elsewhere, waiter->count_elsewhere, number);
        numbers[watched++] = number;
    }
    for (int i = 0; i < waiter->count_elsewhere; i++)
        if (!is_among(numbers, watched, waiter->elsewhere[i]))
            inotify_rm_watch(*waiter_inotify(waiter), waiter->elsewhere[i]);
    memcpy(waiter->elsewhere, numbers, sizeof numbers[0] * (size_t)watched);
    waiter->count_elsewhere = watched;
    return more;
}

/* The leader watches from the beginning where messages come from elsewhere. True: it watches more than before, and so has
   to look once more before it sleeps. */
bool waiter_watch_elsewhere(struct waiter *waiter)
{
    int dirs[WAIT_DIRS];
    if (waiter->role != LEADER || !waiter->queue.open_watched)
        return false;
    int *inotify = waiter_inotify(waiter);
    if (*inotify < 0)
        *inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (*inotify < 0) {
        waiter->is_polling = true;
        return false;
    }
    const int count = waiter->queue.open_watched(waiter->queue.context, dirs);
    const bool more = watch_dirs(waiter, dirs, count);
    for (int i = 0; i < count; i++)
        close(dirs[i]);
    return more;
}

void waiter_end_watching(struct waiter *waiter)
{
    waiter_stop_watching(waiter);
    if (waiter->inotify >= 0)
        close(waiter->inotify);
    waiter->inotify = -1;
}

static int watch(struct waiter *waiter, int dir)
{
    const int number = fs_watch_dir(*waiter_inotify(waiter), dir, IN_CREATE | IN_MOVED_TO);
    if (number < 0)
        return number;
    for (size_t i = 0; i < waiter->count_watches; i++)
        if (waiter->watches[i] == number)
            return 0;
    if (waiter->count_watches == sizeof waiter->watches / sizeof *waiter->watches)
        return -ENOSPC;
    waiter->watches[waiter->count_watches++] = number;
    return 0;
}

static int watch_bucket(struct waiter *waiter, const char *bucket)
{
    const int dir = bucket_open(waiter->queue.dir, MQ_READY, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    const int error = watch(waiter, dir);
    close(dir);
    return error;
}

/* Watch the last of the buckets that exist, and open no others. To watch one twice does no harm: the kernel gives the
   same watch. */
int waiter_watch_buckets(struct waiter *waiter)
{
    struct listing *buckets = &waiter->buckets;
    int error = bucket_list(waiter->queue.dir, MQ_READY, buckets);
    const size_t first = buckets->count > WATCHED_BUCKETS ? buckets->count - WATCHED_BUCKETS : 0;
    for (size_t i = first; i < buckets->count && !error; i++)
        error = watch_bucket(waiter, listing_at(buckets, i));
    return error;
}

static int watch_ready(struct waiter *waiter)
{
    const int ready = fs_open_dir(waiter->queue.dir, name_of_state(MQ_READY));
    if (ready < 0)
        return ready;
    const int error = watch(waiter, ready);
    close(ready);
    return error;
}

/* ready/ and its buckets. */
int waiter_watch(struct waiter *waiter)
{
    int *inotify = waiter_inotify(waiter);
    if (*inotify < 0)
        *inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int error = *inotify < 0 ? -errno : watch_ready(waiter);
    if (!error)
        error = waiter_watch_buckets(waiter);
    if (error)
        waiter_end_watching(waiter);
    return error;
}

/* ready/ of a waiter has an event: there may be a new bucket. */
static void take_event(struct wait_member *members, size_t count, int inotify, const struct inotify_event *event)
{
    for (size_t i = 0; i < count; i++) {
        struct waiter *waiter = members[i].waiter;
        if (*waiter_inotify(waiter) != inotify)
            continue;
        if (event->mask & IN_Q_OVERFLOW || (waiter->count_watches > 0 && event->wd == waiter->watches[0]))
            waiter->new_bucket = true;
    }
}

/* Take all events. An event means no more than that there may be something new. */
void waiter_take_events(struct wait_member *members, size_t count, int inotify)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t size;
    while ((size = read(inotify, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
            at += (ssize_t)sizeof *event + event->len;
            take_event(members, count, inotify, event);
        }
}
