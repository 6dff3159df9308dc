/*
 * Waiting for messages: leaders and followers.
 *
 * No wake-up is lost: a leader opens the bell, has its number in the page and only then looks; a follower has its FIFO
 * before it tries the lock for the last time; and whoever is woken looks before he sleeps again. A leader that finds
 * work claims it before it hands on: the other order lets the next leader see the very message that is being claimed,
 * and wake a third.
 *
 * To close an inotify descriptor that watched takes the kernel some 10 ms. So the leader watches only when it has led
 * for a second, for what nobody rings for: files that were moved by hand or from other machines, and senders that were
 * killed before they rang.
 */
#include "queue/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "lifecycle/expire.h"
#include "queue/bell.h"
#include "store/access.h"
#include "store/bucket.h"

/* The leader looks by itself this often, give or take an eighth: earlier than it meant to if it is awake then. */
#define LOOK_EVERY CLOCK_SECOND
#define LOOK_EARLY (LOOK_EVERY / 4)

/* The followers together look so often in that time, and none less often than this. */
#define FOLLOWERS_LOOKS 4
#define LOOK_AT_LEAST (16 * LOOK_EVERY)

#define POLL_FIRST INT64_C(1000)
#define POLL_MOST INT64_C(64000)

/* When nothing is ready there are few buckets: one a priority, and what others are about to remove. */
#define WATCHED_BUCKETS 64

enum role { AWAKE, LEADER, FOLLOWER, POLLER };

struct waiter {
    enum role role;
    int dir;                          /* waiters/, an open file of this waiter's own, since the lock belongs to it */
    uint64_t number;                  /* of its leadership, in the page */
    int bell;                         /* while it leads; -1: not to be had */
    int64_t look_at;                  /* monotonic: when it looks by itself, at the latest */
    int inotify;                      /* -1: not made yet, or not to be had */
    int watches[1 + WATCHED_BUCKETS]; /* the first is that of ready/ */
    size_t count_watches;
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

static void end_watching(struct waiter *waiter)
{
    if (waiter->inotify >= 0)
        close(waiter->inotify);
    waiter->inotify = -1;
    waiter->count_watches = 0;
}

/* The descriptor stays open for the next time: without watches it costs nobody anything, and to close it takes time. */
static void stop_watching(struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->count_watches; i++)
        inotify_rm_watch(waiter->inotify, waiter->watches[i]);
    waiter->count_watches = 0;
}

static int watch(struct waiter *waiter, int dir)
{
    const int number = fs_watch_dir(waiter->inotify, dir, IN_CREATE | IN_MOVED_TO);
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

static int watch_bucket(mq_queue *queue, const char *bucket)
{
    const int dir = bucket_open(queue->dir, MQ_READY, bucket);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = watch(queue->waiter, dir);
    close(dir);
    return error;
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
    const int ready = fs_open_dir(queue->dir, "ready");
    if (ready < 0)
        return ready;
    const int error = watch(queue->waiter, ready);
    close(ready);
    return error;
}

/* ready/ and its buckets. */
static int start_watching(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->inotify < 0)
        waiter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int error = waiter->inotify < 0 ? -errno : watch_ready(queue);
    if (!error)
        error = watch_buckets(queue);
    if (error)
        end_watching(waiter);
    return error;
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
            if (event->wd == waiter->watches[0] || event->mask & IN_Q_OVERFLOW)
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
    queue->waiter->look_at = INT64_MAX;
}

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static int64_t look_every(const mq_queue *queue)
{
    const uint64_t followers = page_followers(queue->page);
    if (followers >= FOLLOWERS_LOOKS * LOOK_AT_LEAST / LOOK_EVERY)
        return LOOK_AT_LEAST;
    return followers > FOLLOWERS_LOOKS ? (int64_t)followers * LOOK_EVERY / FOLLOWERS_LOOKS : LOOK_EVERY;
}

/* Followers not all at once. The leader, which the page has wake once a second in any case, a little later than that: so
   it wakes once for both. */
static void set_next_look(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    waiter->look_at = clock_monotonic();
    if (waiter->role == LEADER) {
        waiter->look_at += LOOK_EVERY + LOOK_EARLY / 2;
    } else {
        const int64_t every = look_every(queue);
        waiter->look_at += every - every / 8 + (int64_t)(id_random() % (uint64_t)(every / 4));
    }
}

static bool is_time_to_look(const struct waiter *waiter)
{
    return clock_monotonic() >= waiter->look_at - (waiter->role == LEADER ? LOOK_EARLY : 0);
}

/* Watch, where that can be; else we poll. */
static void watch_or_poll(mq_queue *queue)
{
    queue->polling = start_watching(queue) < 0;
}

/* Let those who send know whom to ring: first the bell, then the page. */
static void answer_bell(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->bell < 0)
        waiter->bell = bell_open(queue, waiter->dir);
    if (waiter->bell >= 0)
        page_set_leader(queue->page, waiter->number);
}

/* 1 we lead now, 0 somebody else does. */
static int try_to_lead(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    drop_fifo(waiter);
    waiter->role = LEADER;
    waiter->number = (uint64_t)clock_now();
    waiter->pause = POLL_FIRST;
    set_next_look(queue);
    queue->polling = false;
    answer_bell(queue);
    if (waiter->bell < 0 || page_is_private(queue->page)) /* nobody would ring */
        watch_or_poll(queue);
    return 1;
}

static int follow(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->fifo >= 0)
        return 0;
    name_format_waiter(id_random(), waiter->fifo_name);
    waiter->fifo = fs_make_fifo(waiter->dir, waiter->fifo_name, access_mode(queue->sharing, ACCESS_FIFO));
    if (waiter->fifo < 0)
        return waiter->fifo;
    waiter->role = FOLLOWER;
    set_next_look(queue);
    return 0;
}

static struct waiter *new_waiter(int dir)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->dir = dir;
    waiter->inotify = waiter->fifo = waiter->bell = -1;
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
    if (leads == 0)
        leads = try_to_lead(queue); /* the leader may have left before it could see our FIFO */
    if (leads < 0)
        become_poller(queue);
    return 0;
}

/* ---- handing on ------------------------------------------------------------------- */

/* Whether the lock is free; taken and dropped, so that somebody may find it taken and nobody leads: he has
   our bell to come. */
static bool nobody_leads(const struct waiter *waiter)
{
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return false;
    flock(waiter->dir, LOCK_UN);
    return true;
}

/* The page first, while the lock is ours: what it says later is the next leader's. */
static void stop_leading(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    page_set_leader(queue->page, 0);
    flock(waiter->dir, LOCK_UN);
    if (waiter->bell >= 0)
        close(waiter->bell);
    waiter->bell = -1;
}

void wait_leave(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (!waiter || waiter->role == AWAKE)
        return;
    bool duty = bell_read(waiter->fifo); /* a follower that was to lead and leaves instead */
    drop_fifo(waiter);
    if (waiter->role == LEADER) {
        stop_leading(queue);
        duty = true;
    } else if (waiter->role == FOLLOWER && nobody_leads(waiter)) {
        duty = true; /* the bell may have come after we read: whoever rings has dropped the lock before */
    }
    waiter->role = AWAKE;
    if (duty && !bell_ring_follower(waiter->dir))
        page_set_followers(queue->page, 0);
    stop_watching(waiter);
}

bool wait_leads(const mq_queue *queue)
{
    return queue->waiter && queue->waiter->role == LEADER;
}

void waiter_free(struct waiter *waiter)
{
    if (!waiter)
        return;
    end_watching(waiter);
    drop_fifo(waiter);
    if (waiter->bell >= 0)
        close(waiter->bell);
    listing_free(&waiter->buckets);
    if (waiter->dir >= 0)
        close(waiter->dir);
    free(waiter);
}

/* ---- sleeping --------------------------------------------------------------------- */

enum source { SOURCE_FIFO, SOURCE_INOTIFY, SOURCE_CANCEL, SOURCES };

/* Up to `longest`, or until one of the descriptors is readable. */
static void sleep_on(struct pollfd fds[SOURCES], int64_t longest)
{
    const struct timespec time = {.tv_sec = longest / CLOCK_SECOND, .tv_nsec = longest % CLOCK_SECOND * 1000};
    if (ppoll(fds, SOURCES, &time, NULL) <= 0)
        for (int i = 0; i < SOURCES; i++)
            fds[i].revents = 0;
}

static int64_t next_poll(struct waiter *waiter)
{
    const int64_t pause = waiter->pause;
    waiter->pause = least(pause * 2, POLL_MOST);
    return pause;
}

static int64_t not_past(int64_t left)
{
    return left > 0 ? left : 0;
}

static int64_t until_due(const mq_queue *queue)
{
    const int64_t now = clock_now();
    return not_past(expire_next(queue, now) - now);
}

static int64_t until_look(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    const int64_t left = not_past(waiter->look_at - clock_monotonic());
    if (waiter->role == FOLLOWER)
        return left;
    const int64_t time = least(left, until_due(queue));
    return waiter->role == POLLER || queue->polling ? least(time, next_poll(waiter)) : time;
}

/* What the page says may have been lost, and the bell may have been removed. */
static void look_as_leader(mq_queue *queue)
{
    struct waiter *waiter = queue->waiter;
    if (waiter->bell >= 0 && !fs_has_name(waiter->bell)) {
        close(waiter->bell);
        waiter->bell = -1;
    }
    answer_bell(queue);
    if (waiter->count_watches == 0)
        watch_or_poll(queue);
}

static int count_follower(void *context, const char *name, unsigned char type)
{
    (void)type;
    *(uint64_t *)context += name_is_waiter(name);
    return 0;
}

static void count_followers(mq_queue *queue)
{
    uint64_t followers = 0;
    if (fs_list_at(queue->waiter->dir, ".", count_follower, &followers) == 0)
        page_set_followers(queue->page, followers);
}

/* By itself, since nobody rang: for those who are dead or stopped. */
static void look_by_itself(mq_queue *queue)
{
    if (queue->waiter->role == LEADER)
        look_as_leader(queue);
    else
        count_followers(queue);
    set_next_look(queue);
}

static void after_sleep(mq_queue *queue, const struct pollfd fds[SOURCES])
{
    struct waiter *waiter = queue->waiter;
    if (fds[SOURCE_FIFO].revents)
        (void)bell_read(fds[SOURCE_FIFO].fd);
    if (fds[SOURCE_INOTIFY].revents && take_events(waiter))
        (void)watch_buckets(queue); /* at worst we see it in a second */
    if (is_time_to_look(waiter))
        look_by_itself(queue);
    if (waiter->role == FOLLOWER)
        (void)try_to_lead(queue); /* rung, or the leader may be dead */
}

int wait_sleep(mq_queue *queue, int64_t longest, int cancel_fd)
{
    const struct waiter *waiter = queue->waiter;
    struct pollfd fds[SOURCES] = {
        [SOURCE_FIFO] = {.fd = waiter->role == LEADER ? waiter->bell : waiter->fifo, .events = POLLIN},
        [SOURCE_INOTIFY] = {.fd = waiter->role == LEADER ? waiter->inotify : -1, .events = POLLIN},
        [SOURCE_CANCEL] = {.fd = cancel_fd, .events = POLLIN},
    };
    sleep_on(fds, least(longest, until_look(queue)));
    if (fds[SOURCE_CANCEL].revents)
        return -ECANCELED;
    after_sleep(queue, fds);
    return 0;
}
