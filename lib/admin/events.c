/*
 * Following what happens in queues.
 *
 * A transition is one rename, link or unlink, and inotify reports each: a link as a file created, an unlink as a file
 * deleted, a rename as a file moved from one name and one moved to another, with the same cookie. The two names say
 * what the transition means.
 *
 * New buckets. Files may come into a bucket after it is made and before it is watched. So the bucket is watched first
 * and listed afterwards, and each file of the listing is reported as if it had just come. A file that came between the
 * two steps is in the listing and in inotify's queue. So the names of a listing are remembered until the events that
 * were queued at its end have been read. A file that came and went before the watch is not seen. If it came by a
 * rename, only the half that left is seen; it is reported as MQ_EVENT_LEFT if the other half does not follow.
 *
 * Memory is bounded: there are limits to the directories, the halves of renames and the names that are remembered.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/overtaken.h"
#include "admin/seen_names.h"
#include "admin/transition.h"
#include "admin/watch_table.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_network.h"
#include "base/grow.h"
#include "store/bucket.h"

#define HALVES_MAX 32
#define BUFFER_SIZE 16384

/* How long to wait for the second half of a rename: it is in inotify's queue already, or in the bucket listed next. */
#define HALF_RENAME_WAIT (20 * CLOCK_SECOND / 1000)

/* The first half of a rename, whose second half has not been seen yet. */
struct half_rename {
    uint32_t cookie;
    struct followed *followed;
    struct place place;
};

struct mq_watch {
    int inotify;
    struct watch_table table;
    struct followed **followed;
    size_t followed_count, followed_room;
    bool incomplete; /* not everything could be watched or listed, and that is not reported yet */

    size_t size, at; /* of the events in `buffer` */
    struct half_rename halves[HALVES_MAX];
    size_t half_count;

    size_t untold; /* buckets of the table that are not listed yet */
    struct watched telling;
    struct listing files;
    size_t next_file;

    struct seen_names told; /* files that were reported from listings */
    size_t told_until;      /* this many bytes of events may report the same files again */

    struct transition_text text; /* of the last event */
    _Alignas(struct inotify_event) char buffer[BUFFER_SIZE];
};

/* ---- what to watch ------------------------------------------------------------------ */

/* Watch an open directory. 1 watched, 0 it was watched already. */
static int watch_dir(mq_watch *watch, int dir, uint32_t events, struct watched *watched)
{
    const int number = fs_watch_dir(watch->inotify, dir, events);
    if (number < 0)
        return number;
    watched->watch = number;
    const int added = watch_table_add(&watch->table, watched);
    if (added == 1)
        watch->untold += watched->untold;
    return added;
}

static int watch_bucket(mq_watch *watch, struct followed *followed, enum mq_state state, const char *bucket,
                        bool untold)
{
    struct watched watched = {.kind = WATCHED_BUCKET, .followed = followed, .state = state, .untold = untold};
    const int dir = bucket_open(followed->queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    memcpy(watched.bucket, bucket, strlen(bucket) + 1);
    int error = watch_dir(watch, dir, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO, &watched);
    close(dir);
    if (error == -ENOSPC) {
        watch->incomplete = true;
        error = 0;
    }
    return error < 0 ? error : 0;
}

/* A loop over names and not bucket_each, because watch_bucket opens a bucket by its name: an event names one, too. */
static int watch_state(mq_watch *watch, struct followed *followed, enum mq_state state, bool untold)
{
    struct watched watched = {.kind = WATCHED_STATE, .followed = followed, .state = state};
    struct listing buckets = {0};
    const int dir = fs_open_dir(followed->queue->dir, name_of_state(state));
    int error = dir < 0 ? dir : watch_dir(watch, dir, IN_CREATE | IN_MOVED_TO, &watched);
    if (dir >= 0)
        close(dir);
    if (error >= 0)
        error = bucket_list(followed->queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && error >= 0; i++)
        error = watch_bucket(watch, followed, state, listing_at(&buckets, i), untold);
    listing_free(&buckets);
    return error < 0 ? error : 0;
}

static int watch_cursor(mq_watch *watch, struct followed *followed, bool untold)
{
    struct watched watched = {.kind = WATCHED_CURSOR, .followed = followed};
    const int dir = overtaken_open_cursor(followed);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int added = watch_dir(watch, dir, IN_MOVED_TO, &watched);
    close(dir);
    if (added == 1 && !untold)
        overtaken_begin(followed);
    return added;
}

static int watch_queue(mq_watch *watch, struct followed *followed, bool untold)
{
    struct watched watched = {.kind = WATCHED_QUEUE, .followed = followed};
    int error = watch_dir(watch, followed->queue->dir, IN_DELETE | IN_MOVE_SELF, &watched);
    for (int state = 0; state < MQ_STATES && error >= 0; state++)
        error = watch_state(watch, followed, (enum mq_state)state, untold);
    if (error >= 0)
        error = watch_cursor(watch, followed, untold);
    return error < 0 ? error : 0;
}

/* Stop following a queue, so that the caller may close it. Its watches are not in the table any more, so the events
   that inotify still has of them are ignored. */
static void forget(mq_watch *watch, struct followed *followed)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->table.count; i++)
        if (watch->table.items[i].followed == followed) {
            watch->untold -= watch->table.items[i].untold;
            (void)inotify_rm_watch(watch->inotify, watch->table.items[i].watch);
        }
    watch_table_remove_all(&watch->table, followed);
    for (size_t i = 0; i < watch->half_count; i++)
        if (watch->halves[i].followed != followed)
            watch->halves[kept++] = watch->halves[i];
    watch->half_count = kept;
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
    const int is_network = fs_is_network(queue->dir);
    if (is_network)
        return is_network < 0 ? is_network : -EOPNOTSUPP;
    struct followed *followed = GROW(watch->followed, watch->followed_count + 1, watch->followed_room)
                                    ? calloc(1, sizeof *followed)
                                    : NULL;
    if (!followed)
        return -ENOMEM;
    followed->queue = queue;
    watch->followed[watch->followed_count++] = followed;
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
    free(watch->table.items);
    listing_free(&watch->files);
    free(watch);
}

/* ---- what was told already ------------------------------------------------------------ */

static void work_off(mq_watch *watch, size_t bytes)
{
    watch->told_until = watch->told_until > bytes ? watch->told_until - bytes : 0;
    if (watch->told_until == 0)
        watch->told.count = 0;
}

/* ---- events --------------------------------------------------------------------------- */

static int tell(mq_watch *watch, const struct followed *followed, enum mq_event_kind kind, const struct place *from,
                const struct place *to, struct mq_event *ret_event)
{
    if (kind == MQ_EVENT_NONE)
        return 0;
    *ret_event = (struct mq_event){.kind = kind, .queue = followed ? followed->queue : NULL};
    transition_describe(from, to, &watch->text, ret_event);
    return 1;
}

static void drop_half(mq_watch *watch, size_t place)
{
    watch->half_count--;
    memmove(watch->halves + place, watch->halves + place + 1, (watch->half_count - place) * sizeof *watch->halves);
}

/* Report the oldest first half of a rename, whose second half will not be seen. */
static int tell_half(mq_watch *watch, struct mq_event *ret_event)
{
    const struct half_rename gone = watch->halves[0];
    drop_half(watch, 0);
    return tell(watch, gone.followed, MQ_EVENT_LEFT, &gone.place, NULL, ret_event);
}

/* Report a file that came by a rename whose first half has this cookie, or by a link (`cookie` is 0). */
static int tell_moved_to(mq_watch *watch, struct followed *followed, const struct place *to, uint32_t cookie,
                         struct mq_event *ret_event)
{
    struct place from;
    size_t i = 0;
    while (i < watch->half_count && (cookie == 0 || watch->halves[i].cookie != cookie))
        i++;
    const bool seen = i < watch->half_count;
    if (seen) {
        from = watch->halves[i].place;
        drop_half(watch, i);
    }
    return tell(watch, followed, transition_kind(seen ? &from : NULL, to, clock_now()), seen ? &from : NULL, to,
                ret_event);
}

static int tell_removal(mq_watch *watch, const struct watched *watched, const struct place *from,
                        struct mq_event *ret_event)
{
    const enum mq_event_kind kind = watched->followed->moved ? MQ_EVENT_REMOVED
                                                             : transition_kind(from, NULL, clock_now());
    return tell(watch, watched->followed, kind, from, NULL, ret_event);
}

/* Keep the first half of a rename. If there is no room, the oldest one is reported. */
static int keep_half(mq_watch *watch, const struct watched *watched, const struct place *from, uint32_t cookie,
                     struct mq_event *ret_event)
{
    const int told = watch->half_count == HALVES_MAX ? tell_half(watch, ret_event) : 0;
    watch->halves[watch->half_count++] = (struct half_rename){cookie, watched->followed, *from};
    return told;
}

static int take_file(mq_watch *watch, const struct watched *watched, const struct inotify_event *event,
                     struct mq_event *ret_event)
{
    struct place place = {.state = watched->state};
    if (event->mask == 0 || event->mask & IN_ISDIR || event->len == 0 ||
        !name_parse(watched->state, event->name, &place.name))
        return 0;
    if (event->mask & IN_MOVED_FROM)
        return keep_half(watch, watched, &place, event->cookie, ret_event);
    if (event->mask & IN_DELETE)
        return tell_removal(watch, watched, &place, ret_event);
    return seen_names_take(&watch->told, watched->watch, event->name)
               ? 0
               : tell_moved_to(watch, watched->followed, &place, event->cookie, ret_event);
}

/* A deleter renames the queue first, and renames it back if it is not empty. */
static int take_queue(mq_watch *watch, const struct watched *watched, const struct inotify_event *event,
                      struct mq_event *ret_event)
{
    struct followed *followed = watched->followed;
    if (event->mask & IN_MOVE_SELF)
        followed->moved = !followed->moved;
    if (!(event->mask & IN_DELETE) || !(event->mask & IN_ISDIR) || strcmp(event->name, name_of_state(MQ_READY)) != 0)
        return 0;
    const struct followed gone = *followed;
    forget(watch, followed);
    return tell(watch, &gone, MQ_EVENT_DELETED, NULL, NULL, ret_event);
}

static int take_cursor(mq_watch *watch, struct followed *followed, const char *name, struct mq_event *ret_event)
{
    const unsigned count = overtaken_by(followed, name);
    if (count == 0)
        return 0;
    (void)tell(watch, followed, MQ_EVENT_OVERTAKEN, NULL, NULL, ret_event);
    ret_event->count = count;
    return 1;
}

/* The kernel dropped events. Look for buckets that are not watched yet; the event tells that some were missed in any
   case. */
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
    const struct watched *found = watch_table_find(&watch->table, event->wd);
    if (!found)
        return 0;
    if (event->mask & IN_IGNORED) {
        watch->untold -= found->untold;
        watch_table_remove(&watch->table, event->wd);
        return 0;
    }
    const struct watched watched = *found;
    if (watched.kind == WATCHED_BUCKET)
        return take_file(watch, &watched, event, ret_event);
    if (watched.kind == WATCHED_QUEUE)
        return take_queue(watch, &watched, event, ret_event);
    if (watched.kind == WATCHED_CURSOR)
        return event->len > 0 ? take_cursor(watch, watched.followed, event->name, ret_event) : 0;
    return event->len > 0 && name_is_bucket(watched.state, event->name)
               ? watch_bucket(watch, watched.followed, watched.state, event->name, true)
               : 0;
}

/* ---- new buckets ---------------------------------------------------------------------- */

/* Read as many events as the buffer has room for. 1: some came. 0: none, or a negative errno. */
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

/* Find where a listed file came from. The first half of its rename was seen already or is in the buffer, and is removed
   from there. */
static bool find_origin(mq_watch *watch, const struct place *to, struct place *ret_from)
{
    for (size_t i = 0; i < watch->half_count; i++)
        if (is_same(&watch->halves[i].place, to)) {
            *ret_from = watch->halves[i].place;
            drop_half(watch, i);
            return true;
        }
    for (size_t at = watch->at; at < watch->size;) {
        struct inotify_event *event = (struct inotify_event *)(void *)(watch->buffer + at);
        const struct watched *watched = event->mask & IN_MOVED_FROM ? watch_table_find(&watch->table, event->wd) : NULL;
        at += sizeof *event + event->len;
        if (!watched || watched->kind != WATCHED_BUCKET || watched->followed != watch->telling.followed)
            continue;
        ret_from->state = watched->state;
        if (name_parse(watched->state, event->name, &ret_from->name) && is_same(ret_from, to)) {
            event->mask = 0;
            return true;
        }
    }
    return false;
}

/* List a new bucket. Each call reports one of its files, so the listing is kept. */
static void list_untold(mq_watch *watch)
{
    struct watched *watched = watch->table.items;
    int unread = 0;
    while (!watched->untold)
        watched++;
    watched->untold = false;
    watch->untold--;
    watch->telling = *watched;
    watch->next_file = watch->files.count = 0;
    const int dir = bucket_open(watched->followed->queue->dir, watched->state, watched->bucket);
    if (bucket_is_missing(dir))
        return; /* it was removed, so it was empty */
    if (dir < 0 || bucket_read(dir, watched->state, &watch->files) < 0) {
        watch->incomplete = true;
        watch->files.count = 0;
    }
    if (dir < 0)
        return;
    close(dir);
    (void)read_events(watch);
    (void)ioctl(watch->inotify, FIONREAD, &unread);
    watch->told_until = watch->size - watch->at + (size_t)unread;
    for (size_t i = 0; i < watch->files.count && watch->told_until > 0; i++)
        seen_names_add(&watch->told, watched->watch, listing_at(&watch->files, i));
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

/* 1: inotify has events. 0: it has none. -ECANCELED: cancel_fd is readable. */
static int wait_for_events(const mq_watch *watch, int64_t wait, int cancel_fd)
{
    struct pollfd fds[2] = {{.fd = watch->inotify, .events = POLLIN}, {.fd = cancel_fd, .events = POLLIN}};
    const struct timespec time = {.tv_sec = wait / CLOCK_SECOND, .tv_nsec = wait % CLOCK_SECOND * 1000};
    const int ready = ppoll(fds, 2, wait == MQ_FOREVER ? NULL : &time, NULL);
    if (ready < 0)
        return errno == EINTR ? 0 : -errno;
    return fds[1].revents ? -ECANCELED : ready > 0;
}

/* Report an event without waiting. 1: reported. 0: there is none. Or a negative errno. */
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
        const bool has_half = watch->half_count > 0;
        const int came = wait_for_events(watch, has_half ? HALF_RENAME_WAIT : left, cancel_fd);
        if (came < 0)
            return came;
        if (came == 0 && has_half)
            return tell_half(watch, ret_event);
        if (came == 0 && left == 0)
            return 0;
    }
}
