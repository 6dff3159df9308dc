/*
 * Following what happens in queues.
 *
 * A transition is one rename, link or unlink, and inotify tells of each: a link as a file made, an unlink as one
 * removed, a rename as one gone and one come, bound by a cookie. The two names say what it meant.
 *
 * New buckets. Between the making of a bucket and our watching it files may come into it. So it is watched first
 * and listed then, and what the listing shows is told as if it had just come. What came between the two is in the
 * listing and in inotify's queue: the names of a listing are remembered until the events that were in the queue at its
 * end are worked off. What came and went before the watch is not seen: of a rename into such a bucket there is
 * only the half that went, which is told as MQ_EVENT_LEFT when nothing else comes.
 *
 * Memory is bounded: so many directories, half renames and remembered names, and no more.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/transition.h"
#include "admin/watch_table.h"
#include "base/clock.h"
#include "base/fs.h"
#include "store/bucket.h"

#define DEPARTURES 32
#define TOLD 4096
#define BUFFER 16384

/* The other half of a rename is in the queue already, or in a bucket that we list next. */
#define HALF_RENAME_WAIT (20 * CLOCK_SECOND / 1000)

/* A file that went, and has not come anywhere yet. */
struct departure {
    uint32_t cookie;
    struct followed *followed;
    struct place place;
};

struct mq_watch {
    int inotify;
    struct watch_table spots;
    struct followed **followed;
    size_t followed_count;
    bool incomplete; /* not all could be watched, and that is not told yet */

    size_t size, at; /* of the events in `buffer` */
    struct departure departures[DEPARTURES];
    size_t departed;

    size_t untold; /* spots */
    struct watched telling;
    struct listing files;
    size_t next_file;

    uint64_t told[TOLD]; /* marks of names that a listing has shown */
    size_t told_count;
    size_t told_until; /* bytes of events that may tell of them again */

    char id[MQ_ID_SIZE], reason[NAME_REASON_SIZE]; /* of the last event */
    _Alignas(struct inotify_event) char buffer[BUFFER];
};

/* ---- what to watch ------------------------------------------------------------------ */

/* Watch a directory that is open. 1 watched, 0 it was. */
static int watch_dir(mq_watch *watch, int dir, uint32_t events, struct watched *spot)
{
    const int number = fs_watch_dir(watch->inotify, dir, events);
    if (number < 0)
        return number;
    spot->watch = number;
    const int added = watch_table_add(&watch->spots, spot);
    if (added == 1)
        watch->untold += spot->untold;
    return added;
}

static int watch_bucket(mq_watch *watch, struct followed *followed, enum mq_state state, const char *bucket,
                        bool untold)
{
    struct watched spot = {.kind = WATCHED_BUCKET, .followed = followed, .state = state, .untold = untold};
    const int dir = bucket_open(followed->queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    memcpy(spot.bucket, bucket, strlen(bucket) + 1);
    int error = watch_dir(watch, dir, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO, &spot);
    close(dir);
    if (error == -ENOSPC) {
        watch->incomplete = true;
        error = 0;
    }
    return error < 0 ? error : 0;
}

static int watch_state(mq_watch *watch, struct followed *followed, enum mq_state state, bool untold)
{
    struct watched spot = {.kind = WATCHED_STATE, .followed = followed, .state = state};
    struct listing buckets = {0};
    const int dir = fs_open_dir(followed->queue->dir, name_of_state(state));
    int error = dir < 0 ? dir : watch_dir(watch, dir, IN_CREATE | IN_MOVED_TO, &spot);
    if (dir >= 0)
        close(dir);
    if (error >= 0)
        error = bucket_list(followed->queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && error >= 0; i++)
        error = watch_bucket(watch, followed, state, listing_at(&buckets, i), untold);
    listing_free(&buckets);
    return error < 0 ? error : 0;
}

static int watch_queue(mq_watch *watch, struct followed *followed, bool untold)
{
    struct watched spot = {.kind = WATCHED_QUEUE, .followed = followed};
    int error = watch_dir(watch, followed->queue->dir, IN_DELETE | IN_MOVE_SELF, &spot);
    for (int state = 0; state < MQ_STATES && error >= 0; state++)
        error = watch_state(watch, followed, (enum mq_state)state, untold);
    return error < 0 ? error : 0;
}

/* Nothing more of this queue, which may be closed from now on; what inotify still tells of it finds no spot. */
static void forget(mq_watch *watch, struct followed *followed)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->spots.count; i++)
        if (watch->spots.items[i].followed == followed) {
            watch->untold -= watch->spots.items[i].untold;
            (void)inotify_rm_watch(watch->inotify, watch->spots.items[i].watch);
        }
    watch_table_remove_all(&watch->spots, followed);
    for (size_t i = 0; i < watch->departed; i++)
        if (watch->departures[i].followed != followed)
            watch->departures[kept++] = watch->departures[i];
    watch->departed = kept;
    if (watch->telling.followed == followed)
        watch->files.count = 0;
    watch->followed_count = watch_table_unfollow(watch->followed, watch->followed_count, followed);
}

int mq_watch_new(mq_watch **ret_watch)
{
    mq_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return -ENOMEM;
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->inotify < 0) {
        const int error = -errno;
        free(watch);
        return error;
    }
    *ret_watch = watch;
    return 0;
}

int mq_watch_add(mq_watch *watch, mq_queue *queue, bool whole)
{
    if (fs_is_network(queue->dir))
        return -EOPNOTSUPP;
    struct followed **list = reallocarray(watch->followed, watch->followed_count + 1, sizeof *list);
    if (list)
        watch->followed = list;
    struct followed *followed = list ? calloc(1, sizeof *followed) : NULL;
    if (!followed)
        return -ENOMEM;
    followed->queue = queue;
    list[watch->followed_count++] = followed;
    const int error = watch_queue(watch, followed, whole);
    if (error)
        forget(watch, followed);
    return error;
}

void mq_watch_free(mq_watch *watch)
{
    if (!watch)
        return;
    close(watch->inotify);
    for (size_t i = 0; i < watch->followed_count; i++)
        free(watch->followed[i]);
    free(watch->followed);
    free(watch->spots.items);
    listing_free(&watch->files);
    free(watch);
}

/* ---- what was told already ------------------------------------------------------------ */

/* FNV-1a: of a name that is in two places the marks differ. */
static uint64_t mark(int watch_number, const char *file)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)(unsigned)watch_number;
    for (; *file; file++)
        hash = (hash ^ (unsigned char)*file) * UINT64_C(1099511628211);
    return hash;
}

/* Where there is no room for more, something may be told twice. */
static void remember(mq_watch *watch, int number, const char *file)
{
    if (watch->told_count < TOLD)
        watch->told[watch->told_count++] = mark(number, file);
}

static bool was_told(mq_watch *watch, int number, const char *file)
{
    const uint64_t wanted = watch->told_count ? mark(number, file) : 0;
    for (size_t i = 0; i < watch->told_count; i++)
        if (watch->told[i] == wanted) {
            watch->told[i] = watch->told[--watch->told_count];
            return true;
        }
    return false;
}

static void work_off(mq_watch *watch, size_t bytes)
{
    watch->told_until = watch->told_until > bytes ? watch->told_until - bytes : 0;
    if (watch->told_until == 0)
        watch->told_count = 0;
}

/* ---- events --------------------------------------------------------------------------- */

static int tell(mq_watch *watch, const struct followed *followed, enum mq_event_kind kind, const struct place *from,
                const struct place *to, struct mq_event *ret_event)
{
    const struct place *place = to ? to : from;
    struct mq_event event = {.kind = kind, .queue = followed ? followed->queue : NULL};
    if (kind == MQ_EVENT_NONE)
        return 0;
    if (place) {
        const struct message_name *name = &place->name;
        memcpy(watch->id, name->id, sizeof watch->id);
        name_unescape_reason(name->reason, watch->reason);
        event.id = watch->id;
        event.count = transition_count(from, to);
        event.attempts = name->attempts;
        event.priority = name->priority;
        event.time = to && to->state != MQ_READY ? name->time : 0;
        event.reason = to && to->state == MQ_DEAD ? watch->reason : NULL;
        event.owner = to && to->state == MQ_INFLIGHT ? (pid_t)name->owner.process : 0;
    }
    event.was = from != NULL;
    event.is = to != NULL;
    event.from = from ? from->state : MQ_READY;
    event.to = to ? to->state : MQ_READY;
    *ret_event = event;
    return 1;
}

static void drop_departure(mq_watch *watch, size_t place)
{
    watch->departed--;
    memmove(watch->departures + place, watch->departures + place + 1,
            (watch->departed - place) * sizeof *watch->departures);
}

/* The oldest half of a rename: the other half will not be seen. */
static int tell_departure(mq_watch *watch, struct mq_event *ret_event)
{
    const struct departure gone = watch->departures[0];
    drop_departure(watch, 0);
    return tell(watch, gone.followed, MQ_EVENT_LEFT, &gone.place, NULL, ret_event);
}

/* A file has come, by a rename whose first half has this cookie. */
static int tell_arrival(mq_watch *watch, struct followed *followed, const struct place *to, uint32_t cookie,
                        struct mq_event *ret_event)
{
    struct place from;
    size_t i = 0;
    while (i < watch->departed && (cookie == 0 || watch->departures[i].cookie != cookie))
        i++;
    const bool seen = i < watch->departed;
    if (seen) {
        from = watch->departures[i].place;
        drop_departure(watch, i);
    }
    return tell(watch, followed, transition_kind(seen ? &from : NULL, to, clock_now()), seen ? &from : NULL, to,
                ret_event);
}

static int tell_removal(mq_watch *watch, const struct watched *spot, const struct place *from,
                        struct mq_event *ret_event)
{
    const enum mq_event_kind kind = spot->followed->moved ? MQ_EVENT_REMOVED : transition_kind(from, NULL, clock_now());
    return tell(watch, spot->followed, kind, from, NULL, ret_event);
}

/* Keep the first half of a rename; where there is no room the oldest one is told. */
static int depart(mq_watch *watch, const struct watched *spot, const struct place *from, uint32_t cookie,
                  struct mq_event *ret_event)
{
    const int told = watch->departed == DEPARTURES ? tell_departure(watch, ret_event) : 0;
    watch->departures[watch->departed++] = (struct departure){cookie, spot->followed, *from};
    return told;
}

static int take_file(mq_watch *watch, const struct watched *spot, const struct inotify_event *event,
                     struct mq_event *ret_event)
{
    struct place place = {.state = spot->state};
    if (event->mask == 0 || event->mask & IN_ISDIR || event->len == 0 ||
        !name_parse(spot->state, event->name, &place.name))
        return 0;
    if (event->mask & IN_MOVED_FROM)
        return depart(watch, spot, &place, event->cookie, ret_event);
    if (event->mask & IN_DELETE)
        return tell_removal(watch, spot, &place, ret_event);
    return was_told(watch, spot->watch, event->name)
               ? 0
               : tell_arrival(watch, spot->followed, &place, event->cookie, ret_event);
}

/* A queue that is deleted gets another name first, and one that turns out not to be empty its old one again. */
static int take_queue(mq_watch *watch, const struct watched *spot, const struct inotify_event *event,
                      struct mq_event *ret_event)
{
    struct followed *followed = spot->followed;
    if (event->mask & IN_MOVE_SELF)
        followed->moved = !followed->moved;
    if (!(event->mask & IN_DELETE) || !(event->mask & IN_ISDIR) || strcmp(event->name, name_of_state(MQ_READY)) != 0)
        return 0;
    const struct followed gone = *followed;
    forget(watch, followed);
    return tell(watch, &gone, MQ_EVENT_DELETED, NULL, NULL, ret_event);
}

/* More came than the kernel keeps: what we do not watch yet is found by looking again. */
static int take_overflow(mq_watch *watch, struct mq_event *ret_event)
{
    for (size_t i = 0; i < watch->followed_count; i++)
        if (!watch->followed[i]->moved)
            (void)watch_queue(watch, watch->followed[i], false);
    return tell(watch, NULL, MQ_EVENT_MISSED, NULL, NULL, ret_event);
}

static int take_event(mq_watch *watch, const struct inotify_event *event, struct mq_event *ret_event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return take_overflow(watch, ret_event);
    const struct watched *found = watch_table_find(&watch->spots, event->wd);
    if (!found)
        return 0;
    if (event->mask & IN_IGNORED) {
        watch->untold -= found->untold;
        watch_table_remove(&watch->spots, event->wd);
        return 0;
    }
    const struct watched spot = *found;
    if (spot.kind == WATCHED_BUCKET)
        return take_file(watch, &spot, event, ret_event);
    if (spot.kind == WATCHED_QUEUE)
        return take_queue(watch, &spot, event, ret_event);
    return event->len > 0 && name_is_bucket(spot.state, event->name)
               ? watch_bucket(watch, spot.followed, spot.state, event->name, true)
               : 0;
}

/* ---- new buckets ---------------------------------------------------------------------- */

/* Add to the buffer what fits into it. 1 something came, 0 nothing, or an error. */
static int read_events(mq_watch *watch)
{
    memmove(watch->buffer, watch->buffer + watch->at, watch->size - watch->at);
    watch->size -= watch->at;
    watch->at = 0;
    const ssize_t got = read(watch->inotify, watch->buffer + watch->size, sizeof watch->buffer - watch->size);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    watch->size += (size_t)got;
    return got > 0;
}

static bool is_same(const struct place *one, const struct place *other)
{
    return one->name.position == other->name.position && strcmp(one->name.id, other->name.id) == 0;
}

/* Where a file was that a listing shows: by the first half of its rename, which is seen already or comes next; then
   it is taken out of what comes. */
static bool find_origin(mq_watch *watch, const struct place *to, struct place *ret_from)
{
    for (size_t i = 0; i < watch->departed; i++)
        if (is_same(&watch->departures[i].place, to)) {
            *ret_from = watch->departures[i].place;
            drop_departure(watch, i);
            return true;
        }
    for (size_t at = watch->at; at < watch->size;) {
        struct inotify_event *event = (struct inotify_event *)(void *)(watch->buffer + at);
        const struct watched *spot = event->mask & IN_MOVED_FROM ? watch_table_find(&watch->spots, event->wd) : NULL;
        at += sizeof *event + event->len;
        if (!spot || spot->kind != WATCHED_BUCKET || spot->followed != watch->telling.followed)
            continue;
        ret_from->state = spot->state;
        if (name_parse(spot->state, event->name, &ret_from->name) && is_same(ret_from, to)) {
            event->mask = 0;
            return true;
        }
    }
    return false;
}

/* List a bucket whose content is news. */
static void list_untold(mq_watch *watch)
{
    struct watched *spot = watch->spots.items;
    int unread = 0;
    while (!spot->untold)
        spot++;
    spot->untold = false;
    watch->untold--;
    watch->telling = *spot;
    watch->next_file = watch->files.count = 0;
    const int dir = bucket_open(spot->followed->queue->dir, spot->state, spot->bucket);
    if (dir < 0)
        return; /* it is gone, and all that was in it */
    if (bucket_read(dir, spot->state, &watch->files) < 0)
        watch->files.count = 0;
    close(dir);
    (void)read_events(watch);
    (void)ioctl(watch->inotify, FIONREAD, &unread);
    watch->told_until = watch->size - watch->at + (size_t)unread;
    for (size_t i = 0; i < watch->files.count && watch->told_until > 0; i++)
        remember(watch, spot->watch, listing_at(&watch->files, i));
}

static int tell_listed(mq_watch *watch, struct mq_event *ret_event)
{
    struct place to = {.state = watch->telling.state}, from;
    name_parse(to.state, listing_at(&watch->files, watch->next_file++), &to.name);
    const struct place *origin = find_origin(watch, &to, &from) ? &from : NULL;
    return tell(watch, watch->telling.followed, transition_kind(origin, &to, clock_now()), origin, &to, ret_event);
}

/* ---- the next event ------------------------------------------------------------------- */

static int next_in_buffer(mq_watch *watch, struct mq_event *ret_event)
{
    const struct inotify_event *event = (const struct inotify_event *)(const void *)(watch->buffer + watch->at);
    const size_t size = sizeof *event + event->len;
    watch->at += size;
    const int told = take_event(watch, event, ret_event);
    work_off(watch, size);
    return told;
}

/* 1 there is something, 0 nothing, -ECANCELED. */
static int wait_for_events(const mq_watch *watch, int64_t wait, int cancel_fd)
{
    struct pollfd fds[2] = {{.fd = watch->inotify, .events = POLLIN}, {.fd = cancel_fd, .events = POLLIN}};
    const struct timespec time = {.tv_sec = wait / CLOCK_SECOND, .tv_nsec = wait % CLOCK_SECOND * 1000};
    const int ready = ppoll(fds, 2, wait == MQ_FOREVER ? NULL : &time, NULL);
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    return fds[1].revents ? -ECANCELED : ready > 0;
}

/* What can be told without waiting: 1, 0 nothing, or an error. */
static int next_at_hand(mq_watch *watch, struct mq_event *ret_event)
{
    int told = 0;
    while (told == 0) {
        if (watch->incomplete) {
            watch->incomplete = false;
            told = tell(watch, NULL, MQ_EVENT_MISSED, NULL, NULL, ret_event);
        } else if (watch->next_file < watch->files.count) {
            told = tell_listed(watch, ret_event);
        } else if (watch->untold > 0) {
            list_untold(watch);
        } else if (watch->at < watch->size) {
            told = next_in_buffer(watch, ret_event);
        } else {
            const int came = read_events(watch);
            if (came != 1)
                return came;
        }
    }
    return told;
}

int mq_watch_next(mq_watch *watch, int64_t wait, int cancel_fd, struct mq_event *ret_event)
{
    const int64_t since = clock_monotonic();
    for (;;) {
        const int told = next_at_hand(watch, ret_event);
        if (told != 0)
            return told;
        const int64_t waited = clock_monotonic() - since;
        const int64_t left = wait == MQ_FOREVER ? MQ_FOREVER : waited < wait ? wait - waited : 0;
        const bool halves = watch->departed > 0;
        const int came = wait_for_events(watch, halves ? HALF_RENAME_WAIT : left, cancel_fd);
        if (came < 0)
            return came;
        if (came == 0 && halves)
            return tell_departure(watch, ret_event);
        if (came == 0 && left == 0)
            return 0;
    }
}
