/*
 * Waiting for messages: leaders and followers.
 *
 * No wake-up is lost: a leader watches before it looks, a follower has its FIFO before it tries the lock for
 * the last time, and whoever is woken looks before he sleeps again. A leader that finds work claims it before
 * it hands on: the other order lets the next leader see the very message that is being claimed, and wake a third.
 */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "access.h"
#include "bucket.h"
#include "clock.h"
#include "expire.h"
#include "fs.h"
#include "id.h"

/* Each waiter looks by itself this often, give or take an eighth so that they do not all do it at once. */
#define LOOK_EVERY CLOCK_SECOND

#define POLL_FIRST INT64_C(1000)
#define POLL_MOST INT64_C(64000)

/* When nothing is ready there are few buckets: one a priority, and what others are about to remove. */
#define WATCHED_BUCKETS 64

enum role { AWAKE, LEADER, FOLLOWER, POLLER };

struct waiter {
    enum role role;
    int dir;     /* waiters/, an open file of this waiter's own, since the lock belongs to it */
    int inotify; /* -1: not to be had */
    int ready_watch;
    int fifo;
    char fifo_name[NAME_WAITER_SIZE];
    int64_t pause; /* of a poller */
    struct listing buckets;
};

bool wait_is_ready(const mq_queue *queue)
{
    return queue->waiter && queue->waiter->role != AWAKE;
}

/* ---- watching --------------------------------------------------------------------- */

static int watch_bucket(mq_queue *queue, const char *bucket)
{
    const int dir = bucket_open(queue->dir, MQ_READY, bucket);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = fs_watch_dir(queue->waiter->inotify, dir, IN_CREATE | IN_MOVED_TO);
    close(dir);
    return error < 0 ? error : 0;
}

/* Watch the buckets there are. Watching one again is no harm: it is the same watch. */
static int watch_buckets(mq_queue *queue)
{
    struct listing *buckets = &queue->waiter->buckets;
    int error = bucket_list(queue->dir, MQ_READY, buckets);
    const size_t first = buckets->count > WATCHED_BUCKETS ? buckets->count - WATCHED_BUCKETS : 0;
    for (size_t i = first; i < buckets->count && !error; i++)
        error = watch_bucket(queue, listing_at(buckets, i));
    return error;
}

static int watch_ready(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    const int ready = fs_open_dir(queue->dir, "ready");
    if (ready < 0)
        return ready;
    waiter->ready_watch = fs_watch_dir(waiter->inotify, ready, IN_CREATE | IN_MOVED_TO);
    close(ready);
    return waiter->ready_watch < 0 ? waiter->ready_watch : 0;
}

static void stop_watching(struct waiter *waiter)
{
    if (waiter->inotify >= 0)
        close(waiter->inotify);
    waiter->inotify = -1;
}

/* Everything that may bring work: ready/, its buckets, and the bell for what falls due sooner than we would look. */
static int start_watching(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->inotify < 0) {
        waiter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        int error = waiter->inotify < 0 ? -errno : watch_ready(queue);
        if (!error) {
            const int bell = fs_watch_dir(waiter->inotify, waiter->dir, IN_ATTRIB);
            error = bell < 0 ? bell : 0;
        }
        if (error) {
            stop_watching(waiter);
            return error;
        }
    }
    return watch_buckets(queue);
}

/* Take all events. An event means 'look again', never more; true: there is a new bucket to watch. */
static bool take_events(struct waiter *waiter)
{
    _Alignas(struct inotify_event) char buffer[4096];
    bool new_bucket = false;
    ssize_t size;
    while ((size = read(waiter->inotify, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
            at += (ssize_t)sizeof *event + event->len;
            if (event->wd == waiter->ready_watch || event->mask & IN_Q_OVERFLOW)
                new_bucket = true;
        }
    return new_bucket;
}

/* ---- roles ------------------------------------------------------------------------ */

static void drop_fifo(struct waiter *waiter)
{
    if (waiter->fifo < 0)
        return;
    close(waiter->fifo);
    waiter->fifo = -1;
    (void)fs_unlink(waiter->dir, waiter->fifo_name);
}

static void become_poller(mq_queue *queue)
{
    queue->polling = true;
    queue->waiter->role = POLLER;
    queue->waiter->pause = POLL_FIRST;
}

/* 1 we lead now, 0 somebody else does. */
static int try_to_lead(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    drop_fifo(waiter);
    waiter->role = LEADER;
    waiter->pause = POLL_FIRST;
    queue->polling = start_watching(queue) < 0;
    if (queue->polling)
        stop_watching(waiter);
    return 1;
}

static int follow(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->fifo >= 0)
        return 0;
    name_format_waiter(id_random(), waiter->fifo_name);
    waiter->fifo = fs_make_fifo(waiter->dir, waiter->fifo_name, access_mode(queue->sharing, ACCESS_FIFO));
    return waiter->fifo < 0 ? waiter->fifo : 0;
}

static struct waiter *new_waiter(int dir)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->dir = dir;
    waiter->inotify = waiter->fifo = -1;
    return waiter;
}

static int get_waiter(mq_queue *queue)
{
    if (queue->waiter)
        return 0;
    const int dir = fs_open_dir(queue->dir, "waiters");
    if (dir == -ENOENT)
        return dir;
    queue->waiter = new_waiter(dir);
    if (queue->waiter)
        return 0;
    if (dir >= 0)
        close(dir);
    return -ENOMEM;
}

int wait_enter(mq_queue *queue)
{
    int leads = get_waiter(queue);
    if (leads < 0)
        return leads;
    /* Across machines neither inotify nor a FIFO reaches everybody. */
    leads = fs_is_network(queue->dir) ? -EOPNOTSUPP : try_to_lead(queue);
    if (leads == 0)
        leads = follow(queue);
    if (leads == 0) {
        queue->waiter->role = FOLLOWER;
        leads = try_to_lead(queue); /* the leader may have left before it could see our FIFO */
    }
    if (leads < 0)
        become_poller(queue);
    return 0;
}

/* ---- handing on ------------------------------------------------------------------- */

/* 1 rung, 0 not this one. */
static int ring(int dir, const char *name)
{
    int unread = 0;
    const int fifo = fs_open_fifo(dir, name);
    if (fifo == -ENXIO)
        (void)fs_unlink(dir, name); /* its reader is dead */
    if (fifo < 0)
        return 0;
    /* One that has not answered its last ring is stopped or about to: either way another one is needed. */
    const bool rung = ioctl(fifo, FIONREAD, &unread) == 0 && unread == 0 && write(fifo, "!", 1) == 1;
    close(fifo);
    return rung;
}

static int ring_first(void *context, const char *name, unsigned char type)
{
    (void)type;
    return name_is_waiter(name) ? ring(*(const int *)context, name) : 0;
}

static void hand_on(struct waiter *waiter)
{
    (void)fs_list_at(waiter->dir, ".", ring_first, &waiter->dir);
}

static bool was_rung(const struct waiter *waiter)
{
    char bytes[16];
    return waiter->fifo >= 0 && read(waiter->fifo, bytes, sizeof bytes) > 0;
}

/* Whether the lock is free; taken and dropped, so that somebody may find it taken and nobody leads: he has
   our bell to come. */
static bool nobody_leads(const struct waiter *waiter)
{
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return false;
    flock(waiter->dir, LOCK_UN);
    return true;
}

void wait_leave(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (!waiter || waiter->role == AWAKE)
        return;
    bool duty = was_rung(waiter); /* a follower that was to lead and leaves instead */
    drop_fifo(waiter);
    if (waiter->role == LEADER) {
        flock(waiter->dir, LOCK_UN);
        duty = true;
    } else if (waiter->role == FOLLOWER && nobody_leads(waiter)) {
        duty = true; /* the bell may have come after we read: whoever rings has dropped the lock before */
    }
    waiter->role = AWAKE;
    if (duty)
        hand_on(waiter);
}

void waiter_free(struct waiter *waiter)
{
    if (!waiter)
        return;
    stop_watching(waiter);
    drop_fifo(waiter);
    listing_free(&waiter->buckets);
    if (waiter->dir >= 0)
        close(waiter->dir);
    free(waiter);
}

/* ---- sleeping --------------------------------------------------------------------- */

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static int64_t next_look(void)
{
    return LOOK_EVERY - LOOK_EVERY / 8 + (int64_t)(id_random() % (LOOK_EVERY / 4));
}

/* Up to `longest`, or until one of two descriptors is readable. True: it was the second. */
static bool sleep_on(int fd, int cancel_fd, int64_t longest)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = cancel_fd, .events = POLLIN}};
    const struct timespec time = {.tv_sec = longest / CLOCK_SECOND, .tv_nsec = longest % CLOCK_SECOND * 1000};
    return ppoll(fds, 2, &time, NULL) > 0 && fds[1].revents != 0;
}

static int64_t next_poll(struct waiter *waiter)
{
    const int64_t pause = waiter->pause;
    waiter->pause = least(pause * 2, POLL_MOST);
    return pause;
}

static int64_t until_due(const mq_queue *queue)
{
    const int64_t now = clock_now(), left = expire_next(queue, now) - now;
    return left > 0 ? left : 0;
}

static void after_sleep(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->role == LEADER && waiter->inotify >= 0) {
        if (take_events(waiter))
            (void)watch_buckets(queue); /* at worst we see it in a second */
    } else if (waiter->role == FOLLOWER) {
        (void)was_rung(waiter);
        (void)try_to_lead(queue); /* rung, or the leader may be dead */
    }
}

int wait_sleep(mq_queue *queue, int64_t longest, int cancel_fd)
{
    struct waiter *waiter = queue->waiter;
    int fd = -1;
    int64_t time = least(longest, next_look());
    if (waiter->role == FOLLOWER) {
        fd = waiter->fifo;
    } else {
        time = least(time, until_due(queue));
        fd = waiter->role == LEADER ? waiter->inotify : -1;
        if (fd < 0)
            time = least(time, next_poll(waiter));
    }
    if (sleep_on(fd, cancel_fd, time))
        return -ECANCELED;
    after_sleep(queue);
    return 0;
}
