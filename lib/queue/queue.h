/*
 * A handle of a queue: what this process has open of it, its page and its configuration.
 *
 *     error = queue_demand(queue, ACCESS_SEND);
 *     if (!error)
 *         error = queue_refresh(queue);             before each operation
 *     …
 *     error = queue_target(queue, MQ_READY, bucket, &dir);
 *     if (error == -ENOENT)
 *         error = queue_reopen(queue);              it was deleted: go on with the one that has its name
 *
 * Errors are negative errno values. After an error the handle can be used as before.
 */
#ifndef MQ_QUEUE_H
#define MQ_QUEUE_H

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/name.h"
#include "mq.h"
#include "store/access.h"
#include "store/config.h"
#include "store/page.h"
#include "store/shared_clock.h"

struct cursor;
struct draft;
struct lane_kept;
struct lane_shown;
struct sent_slots;
struct shown;
struct waiter;

/* What an outlet has taken for a queue. `bytes` is 0 if the queue has no max-bytes. */
struct outlet_load {
    uint64_t messages, bytes;
};

struct outlet;

/* How an outlet takes what is sent to it once (send_once.h): a draft gets a name in tmp/, and one rename delivers it. */
struct outlet_once {
    /* Give the draft its name. If this fails it has none. */
    int (*name)(struct outlet *outlet, mq_queue *feed, struct draft *draft, int tmp, const char *text);
    /* Put a draft that is written into what the last call of `name` made, which goes with its name if this fails. NULL: the
       name is that of the file. */
    int (*fill)(struct outlet *outlet, mq_queue *feed, struct draft *draft);
    /* Deliver what has the name, whichever process gave it: 1 done, 0 there is nothing of that name. -EPERM: it is another
       user's. -EINPROGRESS: done, but a sync failed. Without `sync` the caller makes it durable. */
    int (*deliver)(struct outlet *outlet, mq_queue *feed, int tmp, const char *text, uint32_t count, bool sync);
};

/* Takes the drafts that are sent to a queue, in place of the queue: a transaction, or a topic. */
struct outlet {
    int (*take)(struct outlet *outlet, mq_queue *queue, struct draft *draft);
    /* NULL: what it takes does not count towards the limits of the queue. */
    int (*count)(struct outlet *outlet, const mq_queue *queue, struct outlet_load *ret_taken);
    /* Make again what the directory of its feed lacks, since a cleaner has removed it. NULL: it has no feed. */
    int (*heal)(struct outlet *outlet);
    bool wants_content;             /* of durable drafts, where no name can reach the disk before it */
    const struct outlet_once *once; /* NULL: nothing can be sent to it once */
    unsigned sharing;               /* of the slots and marks of what is sent to it once (access.h) */
};

/* A handle keeps a bucket of every state open, and two of inflight/ for the tokens of lanes whose heads are settled: their
   deadlines are earlier than those of claims, and those of lanes at rest may be later. */
#define QUEUE_SETTLED MQ_STATES
#define QUEUE_TARGETS (MQ_STATES + 2)

/* Sends a dead letter on that lies in the open bucket `dir`: 1 done, 0 it stays, or why it cannot. A layer above knows how,
   and gives it to the handles that it opens. NULL: dead letters stay until a sweep. */
typedef int queue_send_on_fn(mq_queue *queue, int dir, const char *file, const struct message_name *name);

/* What a source has linked for a queue: a file in the queue's tmp/, and its name in ready/. */
struct source_file {
    char file[NAME_SIZE];
    struct message_name name;
};

#define SOURCE_DIRS 2

/* Where a queue gets its messages when it holds none: a group has its log. A layer above gives it to the handles that it
   opens. The handle owns it. NULL: it is a queue that is sent to. */
struct queue_source {
    /* 1: the queue has these messages now, and whoever moves the file has them; 0: there are none yet; SOURCE_READY:
       something became ready. */
    int (*take)(struct queue_source *source, mq_queue *queue, struct source_file *ret_file);
    /* The file of the last take was moved, or is gone. */
    void (*taken)(struct queue_source *source);
    /* Open the directories in which new messages appear. Returns how many; the caller closes them. */
    int (*open_watched)(struct queue_source *source, mq_queue *queue, int ret_dirs[SOURCE_DIRS]);
    void (*let_go)(struct queue_source *source); /* of what it has open: the handle is opened anew */
    void (*end)(struct queue_source *source);
};
#define SOURCE_READY 2

/* A handle knows the sizes of so many messages that it has claimed. */
#define QUEUE_SIZES 16

struct mq_queue {
    char name[MQ_QUEUE_NAME_SIZE];
    char host[PAGE_NAME_SIZE];
    pid_t process;           /* this process; 0: getpid was not called yet */
    struct name_owner owner; /* what claims say of their owner; the process in it is set by mq_receive */
    char *spool;
    unsigned flags;   /* of mq_open */
    unsigned keepers; /* mq_close leaves it open for these */
    unsigned sharing; /* who shares it (access.h) */
    unsigned rights;  /* what this process may do: one of the ACCESS_ rights, or 0 */
    int dir;
    struct fs_identity identity; /* of `dir`, if `identified` */
    bool identified;
    int tmp;                   /* its tmp/; -1: not open */
    bool persisted;            /* the queue's own name is known to be on the disk */
    bool fresh;                /* it was just opened, and no operation has begun */
    bool is_feed;              /* of a topic or log: it has neither a name nor a configuration that could change */
    bool counts_entries;       /* of a log: a file of several messages begins with their number (log_entry.h) */
    bool names_drafts;         /* drafts need a name in tmp/: this file system cannot link a file that has none */
    struct fs_order order;     /* what is known of the file system (fs_sync_ahead) */
    struct shared_clock clock; /* the host's, or that of a file system that several hosts share */
    unsigned openings;         /* how often it was opened: a draft of an earlier opening was made for another queue */
    int64_t config_read_at;    /* monotonic */
    uint64_t configured;       /* page_configured() before it was read */
    int64_t seen_at;           /* monotonic: when one look told that the name and the page are its own; 0: it did not */
    struct config config;
    struct page *page;
    int lock; /* of the owner of a reply queue, which reaches other hosts (reply_queue.c); -1: none */
    struct {
        int dir; /* -1: none */
        char name[NAME_BUCKET_SIZE];
    } target[QUEUE_TARGETS]; /* the buckets that messages were last moved into */
    unsigned settled;        /* which of the two of settled tokens was used last */
    uint64_t marks;          /* of claims (id_random_of) */
    struct id_source ids;    /* of messages */
    struct {
        uint64_t position;
        int64_t size; /* of the file; 0: none */
        char id[MQ_ID_SIZE];
    } sizes[QUEUE_SIZES];                /* of the messages that were claimed last (move_note_size) */
    struct lane_kept *lane;              /* made when a lane goes on: what is known of lanes (lane_kept.h) */
    struct cursor *cursor;               /* made by the first claim */
    struct waiter *waiter;               /* made by the first wait */
    struct sent_slots *sent;             /* made by the first message that is sent once */
    const struct shown *shown;           /* the message that a walk is at (browse.c); NULL: none */
    const struct lane_shown *lane_shown; /* the same of one that waits in a lane (lane_browse.c) */
    struct outlet *outlet;               /* NULL except while messages are sent into a transaction */
    queue_send_on_fn *send_on;
    struct queue_source *source;
};

/* mq_open without what higher layers add to a handle, and mq_config_set without what they check. */
int queue_open(const char *spool, const char *name, unsigned flags, mq_queue **ret_queue);
int queue_configure(const char *spool, const char *queue, const char *key, const char *value);

/* A handle of what is no queue, but is sent to as one: a topic or a log. Its drafts are written in the tmp/ of `dir`,
   and go to the outlet. It is the caller's to close, and closes `dir`, which is also closed if this fails, or a
   negative errno that is returned. */
int queue_open_feed(const char *spool, const char *name, int dir, struct outlet *outlet, mq_queue **ret_feed);

/* Learn by which time what is sent to a feed is judged, since it has no page that knows. For those who send once: windows
   begin and end by it. */
int queue_learn_clock(mq_queue *feed);

/* Bring the handle up to date before an operation. It notices a page that was replaced or damaged, a configuration that
   was changed, and a queue that has lost its name, which it opens as queue_reopen does. */
int queue_refresh(mq_queue *queue);

/* The same before an operation that asks at its end whether the directory still has the name, or whose last call does nothing
   if another process has moved the message with the queue. A look of a moment ago will do then: this process might as well
   have been stopped for that moment after a new one. */
#define QUEUE_MOMENT (CLOCK_SECOND / 1000)
static inline int queue_refresh_soon(mq_queue *queue)
{
    const bool was_seen = clock_monotonic() - queue->seen_at < QUEUE_MOMENT && !queue->config.paused &&
                          page_configured(queue->page) == queue->configured;
    return was_seen && !queue->fresh ? 0 : queue_refresh(queue);
}

/* Whether the open directory still has the queue's name: 1 or 0, or a negative errno if that cannot be known. If it has
   lost the name, another process may delete what lies in it, or move it to another queue. */
int queue_has_name(mq_queue *queue);

/* The queue was deleted since it was opened, or lacks a directory. Open the queue that has the name now, and make what
   it lacks. If no queue has the name it is made, provided that the handle was opened with MQ_CREATE; else -ENOENT. */
int queue_reopen(mq_queue *queue);

/* Whether this process has all of these rights: 0, else -EACCES or -EROFS. -EOPNOTSUPP: nothing is sent to a group. */
int queue_demand(const mq_queue *queue, unsigned rights);

/* Whether this process may send and do nothing else. */
static inline bool queue_only_sends(const mq_queue *queue)
{
    return queue->rights == ACCESS_SEND;
}

/* The time by which everything in the queue is judged: the host's, or that of the file system (shared_clock.h). */
static inline int64_t queue_now(const mq_queue *queue)
{
    return shared_clock_now(&queue->clock);
}

/* Make the queue's own name durable, unless it is known to be durable. */
int queue_persist(mq_queue *queue);

/* Open the bucket that a message is to be put in, of a state or from QUEUE_SETTLED on, and make it if it is missing.
   The handle keeps it open. If this process may only send, it is the inbox, which exists. */
int queue_target(mq_queue *queue, unsigned target, const char *bucket, int *ret_dir);

/* A bucket of inflight/ that the handle has open, or -1. It may have been removed, and made anew since. */
int queue_has_open(const mq_queue *queue, const char *bucket);

/* Its tmp/, which the handle keeps open. */
int queue_tmp(mq_queue *queue, int *ret_dir);

/* Another process has removed that bucket. */
void queue_forget_target(mq_queue *queue, unsigned target);

/* Call `each` with the page of every other host that uses this queue. If it returns non-zero, the listing ends and
   returns that. */
int queue_each_other_page(mq_queue *queue, int (*each)(void *context, const struct page *page), void *context);

#endif
