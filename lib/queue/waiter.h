/*
 * A waiter, and what it watches with inotify: ready/ and its buckets, and where messages come from elsewhere. For wait.c,
 * whose comment tells when it does.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_WAITER_H
#define MQ_WAITER_H

#include "format/work_name.h"
#include "store/bucket.h"
#include "store/page.h"

struct waiter;

#define WAIT_DIRS 2

/* What waiting uses of a queue. Each call is given it, since the page may be replaced between two calls. */
struct wait_queue {
    int dir;
    unsigned sharing;
    struct page *page;
    int *inotify; /* the descriptor of all waiters that sleep together, or -1: not made yet; NULL: each has its own */
    /* Messages may also come from elsewhere, where no process rings: open the directories to watch. Returns how many. NULL:
       they do not. */
    int (*open_watched)(void *context, int ret_dirs[WAIT_DIRS]);
    void *context;
};

/* A waiter that sleeps. `due` is the moment by the clock when a message of its queue must be moved next; only a follower
   sleeps through it, since the leader does that. */
struct wait_member {
    struct waiter *waiter;
    struct wait_queue queue;
    int64_t due;
    bool woken; /* set by wait_sleep: there is a reason to look into this queue */
};

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
    int inotify;                      /* its own, unless others share one; -1: not made yet, or it could not be made */
    bool new_bucket;                  /* ready/ may have got one */
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

/* Watch ready/ and its buckets. After an error nothing is watched there. */
int waiter_watch(struct waiter *waiter);

/* Watch the last of the buckets that exist. */
int waiter_watch_buckets(struct waiter *waiter);

/* The leader watches from the beginning where messages come from elsewhere. True: it watches more than before, and so has
   to look once more before it sleeps. */
bool waiter_watch_elsewhere(struct waiter *waiter);

/* The descriptor; -1: none. */
int *waiter_inotify(struct waiter *waiter);

/* Take all events of a descriptor, and note for each of the members whether ready/ may have a new bucket. */
void waiter_take_events(struct wait_member *members, size_t count, int inotify);

/* Watch nothing. The descriptor stays open for the next time: without watches it costs nothing, and closing it takes
   long. */
void waiter_stop_watching(struct waiter *waiter);
void waiter_end_watching(struct waiter *waiter); /* and close it, unless others share it */

#endif
