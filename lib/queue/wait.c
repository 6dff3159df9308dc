/*
 * Waiting for messages: leaders and followers.
 *
 * No wake-up is lost. A leader opens the bell and writes its number into the page before it looks for messages. A
 * follower makes its FIFO before it tries the lock for the last time. A receiver that is woken looks before it sleeps
 * again. A leader that finds a message claims it before it wakes the next leader: in the other order the next leader
 * would see the message that is being claimed, and wake a third receiver.
 *
 * The kernel takes some 10 ms to close an inotify descriptor that has watches. So the leader watches ready/ only after
 * it has led for a second. It does so for files that nobody rings for: those that were moved by hand or from other
 * machines, and those of senders that were killed before they rang.
 */
#include "queue/wait.h"
#include "format/work_name.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/name.h"
#include "queue/fifo.h"
#include "store/access.h"
#include "store/bucket.h"

/* How often the leader looks by itself. If it is awake a quarter of that earlier, it looks then. */
#define LOOK_EVERY CLOCK_SECOND
#define LOOK_EARLY (LOOK_EVERY / 4)

/* How often all followers together look in that time, and the longest time after which each of them looks. */
#define FOLLOWERS_LOOKS 4
#define LOOK_AT_LEAST (16 * LOOK_EVERY)

#define POLL_FIRST INT64_C(1000)
#define POLL_MOST INT64_C(64000)

/* When nothing is ready there are few buckets: one for each priority, and empty ones that are about to be removed. */
#define WATCHED_BUCKETS 64

enum role { AWAKE, LEADER, FOLLOWER, POLLER };

struct waiter {
    struct wait_queue queue; /* during one call */
    enum role role;
    int dir;                          /* waiters/, an open file of this waiter's own, since the lock belongs to it */
    uint64_t number;                  /* of its leadership, in the page */
    int bell;                         /* while it leads; -1: it could not be opened */
    int64_t look_at;                  /* monotonic: when it looks by itself, at the latest */
    int inotify;                      /* -1: not made yet, or it could not be made */
    int watches[1 + WATCHED_BUCKETS]; /* the first is that of ready/ */
    size_t count_watches;
    int elsewhere[WAIT_DIRS]; /* the watches of directories from where messages come, too */
    int count_elsewhere;
    int fifo; /* of a follower; -1: none */
    char fifo_name[NAME_WAITER_SIZE];
    bool is_polling;
    bool is_network; /* neither inotify nor a FIFO reaches every process on another machine */
    int64_t pause;   /* before the next poll */
    struct listing buckets;
};

bool wait_is_ready(const struct waiter *waiter)
{
    return waiter && waiter->role != AWAKE;
}

bool wait_leads(const struct waiter *waiter)
{
    return waiter && waiter->role == LEADER;
}

bool wait_polls(const struct waiter *waiter)
{
    return waiter && waiter->is_polling;
}

/* ---- watching --------------------------------------------------------------------- */

static void end_watching(struct waiter *waiter)
{
    if (waiter->inotify >= 0)
        close(waiter->inotify);
    waiter->inotify = -1;
    waiter->count_watches = 0;
    waiter->count_elsewhere = 0;
}

/* The descriptor stays open for the next time: without watches it costs nothing, and closing it takes long. */
static void stop_watching(struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->count_watches; i++)
        inotify_rm_watch(waiter->inotify, waiter->watches[i]);
    waiter->count_watches = 0;
    for (int i = 0; i < waiter->count_elsewhere; i++)
        inotify_rm_watch(waiter->inotify, waiter->elsewhere[i]);
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
        const int number = fs_watch_dir(waiter->inotify, dirs[i], IN_CREATE | IN_MOVED_TO);
        waiter->is_polling |= number < 0;
        if (number < 0)
            continue;
        more |= !is_among(waiter->elsewhere, waiter->count_elsewhere, number);
        numbers[watched++] = number;
    }
    for (int i = 0; i < waiter->count_elsewhere; i++)
        if (!is_among(numbers, watched, waiter->elsewhere[i]))
            inotify_rm_watch(waiter->inotify, waiter->elsewhere[i]);
    memcpy(waiter->elsewhere, numbers, sizeof numbers[0] * (size_t)watched);
    waiter->count_elsewhere = watched;
    return more;
}

/* The leader watches from the beginning where messages come from elsewhere. True: it watches more than before, and so has
   to look once more before it sleeps. */
static bool watch_elsewhere(struct waiter *waiter)
{
    int dirs[WAIT_DIRS];
    if (waiter->role != LEADER || !waiter->queue.open_watched)
        return false;
    if (waiter->inotify < 0)
        waiter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (waiter->inotify < 0) {
        waiter->is_polling = true;
        return false;
    }
    const int count = waiter->queue.open_watched(waiter->queue.context, dirs);
    const bool more = watch_dirs(waiter, dirs, count);
    for (int i = 0; i < count; i++)
        close(dirs[i]);
    return more;
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
static int watch_buckets(struct waiter *waiter)
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
static int start_watching(struct waiter *waiter)
{
    if (waiter->inotify < 0)
        waiter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int error = waiter->inotify < 0 ? -errno : watch_ready(waiter);
    if (!error)
        error = watch_buckets(waiter);
    if (error)
        end_watching(waiter);
    return error;
}

/* Take all events. An event means no more than that there may be something new. True: there may be a new bucket. */
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

static void become_poller(struct waiter *waiter)
{
    waiter->is_polling = true;
    waiter->role = POLLER;
    waiter->pause = POLL_FIRST;
    waiter->look_at = INT64_MAX;
}

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static int64_t look_every(const struct waiter *waiter)
{
    const uint64_t followers = page_followers(waiter->queue.page);
    if (followers >= FOLLOWERS_LOOKS * LOOK_AT_LEAST / LOOK_EVERY)
        return LOOK_AT_LEAST;
    return followers > FOLLOWERS_LOOKS ? (int64_t)followers * LOOK_EVERY / FOLLOWERS_LOOKS : LOOK_EVERY;
}

/* Followers look at different moments. The leader wakes once a second in any case, when something may be due; it looks
   a little later than that, so that it wakes once for both. */
static void set_next_look(struct waiter *waiter)
{
    waiter->look_at = clock_monotonic();
    if (waiter->role == LEADER) {
        waiter->look_at += LOOK_EVERY + LOOK_EARLY / 2;
    } else {
        const int64_t every = look_every(waiter);
        waiter->look_at += every - every / 8 + (int64_t)(id_random() % (uint64_t)(every / 4));
    }
}

static bool is_time_to_look(const struct waiter *waiter)
{
    return clock_monotonic() >= waiter->look_at - (waiter->role == LEADER ? LOOK_EARLY : 0);
}

/* Watch ready/ if that is possible, else poll. */
static void watch_or_poll(struct waiter *waiter)
{
    waiter->is_polling = start_watching(waiter) < 0;
}

/* Let senders know that somebody leads: first open the bell, then write the page. */
static void answer_bell(struct waiter *waiter)
{
    if (waiter->bell < 0)
        waiter->bell = fifo_open_bell(waiter->dir, waiter->queue.sharing);
    if (waiter->bell >= 0)
        page_set_leader(waiter->queue.page, waiter->number);
}

/* 1: this process leads now; 0: another one does. */
static int try_to_lead(struct waiter *waiter)
{
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    drop_fifo(waiter);
    waiter->role = LEADER;
    waiter->number = (uint64_t)clock_now();
    waiter->pause = POLL_FIRST;
    set_next_look(waiter);
    waiter->is_polling = false;
    answer_bell(waiter);
    if (waiter->bell < 0 || page_is_private(waiter->queue.page)) /* nobody would ring */
        watch_or_poll(waiter);
    return 1;
}

static int follow(struct waiter *waiter)
{
    if (waiter->fifo >= 0)
        return 0;
    name_format_waiter(id_random(), waiter->fifo_name);
    waiter->fifo = fs_make_fifo(waiter->dir, waiter->fifo_name, access_mode(waiter->queue.sharing, ACCESS_FIFO));
    if (waiter->fifo < 0)
        return waiter->fifo;
    waiter->role = FOLLOWER;
    set_next_look(waiter);
    return 0;
}

static struct waiter *new_waiter(int dir, int queue_dir)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->dir = dir;
    waiter->is_network = fs_is_network(queue_dir);
    waiter->inotify = waiter->fifo = waiter->bell = -1;
    return waiter;
}

static int make_waiter(struct waiter **ret_waiter, int queue_dir)
{
    const int dir = fs_open_dir(queue_dir, "waiters");
    if (dir == -ENOENT)
        return dir;
    *ret_waiter = new_waiter(dir, queue_dir);
    if (*ret_waiter)
        return 0;
    if (dir >= 0)
        close(dir);
    return -ENOMEM;
}

int wait_enter(struct waiter **made, const struct wait_queue *queue)
{
    const int error = *made ? 0 : make_waiter(made, queue->dir);
    if (error)
        return error;
    struct waiter *waiter = *made;
    waiter->queue = *queue;
    int leads = waiter->is_network ? -EOPNOTSUPP : try_to_lead(waiter);
    if (leads == 0)
        leads = follow(waiter);
    if (leads == 0)
        leads = try_to_lead(waiter); /* the leader may have left before it could see our FIFO */
    if (leads < 0)
        become_poller(waiter);
    return 0;
}

/* ---- handing on ------------------------------------------------------------------- */

/* Whether the lock is free. It is taken for a moment: a follower that tries it just then finds it taken although nobody
   leads, and is rung by this process next. */
static bool nobody_leads(const struct waiter *waiter)
{
    if (flock(waiter->dir, LOCK_EX | LOCK_NB) < 0)
        return false;
    flock(waiter->dir, LOCK_UN);
    return true;
}

/* The page first, while this process holds the lock: afterwards the page is the next leader's. */
static void stop_leading(struct waiter *waiter)
{
    page_set_leader(waiter->queue.page, 0);
    flock(waiter->dir, LOCK_UN);
    if (waiter->bell >= 0)
        close(waiter->bell);
    waiter->bell = -1;
}

void wait_leave(struct waiter *waiter, const struct wait_queue *queue)
{
    if (!waiter || waiter->role == AWAKE)
        return;
    waiter->queue = *queue;
    bool duty = fifo_read(waiter->fifo); /* a follower that was woken to lead, and leaves instead */
    drop_fifo(waiter);
    if (waiter->role == LEADER) {
        stop_leading(waiter);
        duty = true;
    } else if (waiter->role == FOLLOWER && nobody_leads(waiter)) {
        duty = true; /* it may have been rung after the read: a leader drops the lock before it rings */
    }
    waiter->role = AWAKE;
    if (duty && !fifo_ring_follower(waiter->dir))
        page_set_followers(waiter->queue.page, 0);
    stop_watching(waiter);
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

/* Sleep for at most `longest`, or until one of the descriptors is readable. */
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

static int64_t until_look(struct waiter *waiter, int64_t due)
{
    const int64_t left = not_past(waiter->look_at - clock_monotonic());
    if (waiter->role == FOLLOWER)
        return left;
    const int64_t time = least(left, not_past(due - clock_now()));
    return waiter->role == POLLER || waiter->is_polling ? least(time, next_poll(waiter)) : time;
}

/* The page may be a new one, and the bell may have been removed. */
static void look_as_leader(struct waiter *waiter)
{
    if (waiter->bell >= 0 && !fs_has_name(waiter->bell)) {
        close(waiter->bell);
        waiter->bell = -1;
    }
    answer_bell(waiter);
    if (waiter->count_watches == 0)
        watch_or_poll(waiter);
}

static int count_follower(void *context, const char *name, unsigned char type)
{
    (void)type;
    *(uint64_t *)context += name_is_waiter(name);
    return 0;
}

static void count_followers(struct waiter *waiter)
{
    uint64_t followers = 0;
    if (fs_list_at(waiter->dir, ".", count_follower, &followers) == 0)
        page_set_followers(waiter->queue.page, followers);
}

/* Nobody rang, but the process that should have may be dead or stopped. */
static void look_by_itself(struct waiter *waiter)
{
    if (waiter->role == LEADER)
        look_as_leader(waiter);
    else
        count_followers(waiter);
    set_next_look(waiter);
}

static void after_sleep(struct waiter *waiter, const struct pollfd fds[SOURCES])
{
    if (fds[SOURCE_FIFO].revents)
        (void)fifo_read(fds[SOURCE_FIFO].fd);
    if (fds[SOURCE_INOTIFY].revents && take_events(waiter))
        (void)watch_buckets(waiter); /* if that fails, the leader looks within a second anyway */
    if (is_time_to_look(waiter))
        look_by_itself(waiter);
    if (waiter->role == FOLLOWER)
        (void)try_to_lead(waiter); /* rung, or the leader may be dead */
}

int wait_sleep(struct waiter *waiter, const struct wait_queue *queue, int64_t due, int64_t longest, int cancel_fd)
{
    waiter->queue = *queue;
    if (watch_elsewhere(waiter))
        return 0;
    struct pollfd fds[SOURCES] = {
        [SOURCE_FIFO] = {.fd = waiter->role == LEADER ? waiter->bell : waiter->fifo, .events = POLLIN},
        [SOURCE_INOTIFY] = {.fd = waiter->role == LEADER ? waiter->inotify : -1, .events = POLLIN},
        [SOURCE_CANCEL] = {.fd = cancel_fd, .events = POLLIN},
    };
    sleep_on(fds, least(longest, until_look(waiter, due)));
    if (fds[SOURCE_CANCEL].revents)
        return -ECANCELED;
    after_sleep(waiter, fds);
    return 0;
}
