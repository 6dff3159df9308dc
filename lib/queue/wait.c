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
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_fifo.h"
#include "base/fs_list.h"
#include "base/fs_network.h"
#include "base/id.h"
#include "format/name.h"
#include "queue/fifo.h"
#include "queue/waiter.h"
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
#define POLL_MOST_ON_NETWORK INT64_C(400000) /* there a look costs more; a message is taken within half a second */

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
    waiter->is_polling = waiter_watch(waiter) < 0;
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
    waiter->number = name_waiter_number((uint32_t)getpid(), (uint64_t)clock_now());
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
    name_format_waiter(name_waiter_number((uint32_t)getpid(), id_random()), waiter->fifo_name);
    waiter->fifo = fs_make_fifo(waiter->dir, waiter->fifo_name, access_mode(waiter->queue.sharing, ACCESS_FIFO));
    if (waiter->fifo < 0)
        return waiter->fifo;
    waiter->role = FOLLOWER;
    page_note_follower(waiter->queue.page);
    set_next_look(waiter);
    return 0;
}

static struct waiter *new_waiter(int dir, int queue_dir)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->dir = dir;
    waiter->is_network = fs_is_network(queue_dir) != 0;
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

/* The page tells whether there may be any. A follower first makes its FIFO, then notes itself in the page, then tries the
   lock again. So either this listing shows the FIFO, or the page keeps what it says. */
static void wake_follower(struct waiter *waiter)
{
    struct page *page = waiter->queue.page;
    const uint64_t followed = page_followed(page);
    if (page_followers(page) == 0 && !page_is_private(page))
        return;
    if (fifo_ring_follower(waiter->dir) == 0)
        page_forget_followers(page, followed);
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
    if (duty)
        wake_follower(waiter);
    waiter_stop_watching(waiter);
}

void waiter_free(struct waiter *waiter)
{
    if (!waiter)
        return;
    waiter_end_watching(waiter);
    drop_fifo(waiter);
    if (waiter->bell >= 0)
        close(waiter->bell);
    listing_free(&waiter->buckets);
    if (waiter->dir >= 0)
        close(waiter->dir);
    free(waiter);
}

/* ---- sleeping --------------------------------------------------------------------- */

enum source { SOURCE_FIFO, SOURCE_INOTIFY, SOURCES }; /* of each waiter; the first of all descriptors cancels */

/* Sleep for at most `longest`, or until one of the descriptors is readable. */
static void sleep_on(struct pollfd *fds, size_t count, int64_t longest)
{
    const struct timespec time = {.tv_sec = longest / CLOCK_SECOND, .tv_nsec = longest % CLOCK_SECOND * 1000};
    if (ppoll(fds, count, longest == INT64_MAX ? NULL : &time, NULL) <= 0)
        for (size_t i = 0; i < count; i++)
            fds[i].revents = 0;
}

static int64_t next_poll(struct waiter *waiter)
{
    const int64_t pause = waiter->pause;
    waiter->pause = least(pause * 2, waiter->is_network ? POLL_MOST_ON_NETWORK : POLL_MOST);
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

static void after_sleep(struct wait_member *member, const struct pollfd fds[SOURCES])
{
    struct waiter *waiter = member->waiter;
    const enum role role = waiter->role;
    member->woken = fds[SOURCE_FIFO].revents || fds[SOURCE_INOTIFY].revents || waiter->is_polling ||
                    is_time_to_look(waiter) || (role == LEADER && member->due <= clock_now());
    if (fds[SOURCE_FIFO].revents)
        (void)fifo_read(fds[SOURCE_FIFO].fd);
    if (waiter->new_bucket)
        (void)waiter_watch_buckets(waiter); /* if that fails, the leader looks within a second anyway */
    waiter->new_bucket = false;
    if (is_time_to_look(waiter))
        look_by_itself(waiter);
    if (waiter->role == FOLLOWER)
        (void)try_to_lead(waiter); /* rung, or the leader may be dead */
    member->woken = member->woken || waiter->role != role;
}

static void listen_to(struct waiter *waiter, struct pollfd fds[SOURCES])
{
    const bool leads = waiter->role == LEADER;
    fds[SOURCE_FIFO] = (struct pollfd){.fd = leads ? waiter->bell : waiter->fifo, .events = POLLIN};
    fds[SOURCE_INOTIFY] = (struct pollfd){.fd = leads ? *waiter_inotify(waiter) : -1, .events = POLLIN};
}

int wait_sleep(struct wait_member *members, size_t count, int64_t longest, int cancel_fd, struct pollfd *fds)
{
    bool more = false;
    fds[0] = (struct pollfd){.fd = cancel_fd, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        members[i].waiter->queue = members[i].queue;
        members[i].woken = waiter_watch_elsewhere(members[i].waiter);
        more |= members[i].woken;
        listen_to(members[i].waiter, fds + WAIT_FDS(i));
        longest = least(longest, until_look(members[i].waiter, members[i].due));
    }
    if (more)
        return 0;
    sleep_on(fds, WAIT_FDS(count), longest);
    if (fds[0].revents)
        return -ECANCELED;
    for (size_t i = 0; i < count; i++)
        if (fds[WAIT_FDS(i) + SOURCE_INOTIFY].revents)
            waiter_take_events(members, count, fds[WAIT_FDS(i) + SOURCE_INOTIFY].fd);
    for (size_t i = 0; i < count; i++)
        after_sleep(&members[i], fds + WAIT_FDS(i));
    return 0;
}
