/* A queue's handle: what is open of it, its page, its configuration. */
#ifndef MQ_QUEUE_H
#define MQ_QUEUE_H

#include "base/fs.h"
#include "format/name.h"
#include "mq.h"
#include "store/access.h"
#include "store/config.h"
#include "store/page.h"

struct cursor;
struct sent_slots;
struct waiter;

struct mq_queue {
    char name[MQ_QUEUE_NAME_SIZE];
    char host[PAGE_NAME_SIZE];
    pid_t process;           /* this one; 0: not asked for yet */
    struct name_owner owner; /* of the claims that are made; set by mq_receive */
    char *spool;
    unsigned flags;   /* it was opened with */
    unsigned sharing; /* as access.h has it */
    unsigned rights;  /* this process's: a digit of the same */
    int dir;
    struct fs_identity identity; /* of `dir`, once it was asked for */
    bool identified;
    int tmp;             /* its tmp/; -1: not open */
    bool persisted;      /* the queue's own name is known to be on the disk */
    bool fresh;          /* nothing was done with it since it was opened */
    bool names_drafts;   /* a file without a name could not get one here */
    enum fs_order order; /* of the file system that it lies on */
    unsigned openings;   /* how often it was opened: what was begun before the last time was begun for another queue */
    int64_t config_read_at; /* monotonic */
    struct config config;
    struct page *page;
    struct {
        int dir; /* -1: none */
        char name[NAME_BUCKET_SIZE];
    } target[MQ_STATES];     /* the buckets that messages were last moved into */
    struct cursor *cursor;   /* the reader's place in ready/, made by the first claim */
    struct waiter *waiter;   /* made by the first wait */
    struct sent_slots *sent; /* made by the first message that is sent once */
    char *pack;              /* where several messages become a file's content; NULL until then */
    size_t pack_room;
};

/* Before each operation: notice a page that was replaced, truncated or deleted, a changed configuration, and that
   the queue's name is another's or nobody's: then it is as with queue_reopen. */
int queue_refresh(mq_queue *queue);

/* Whether the name is still that of the directory that is open: 1 or 0, or why that cannot be told. Without it nothing
   can be told of the queue: what lies in the directory may be deleted or moved to another one. */
int queue_has_name(mq_queue *queue);

/* The queue was deleted since it was opened, or a part of it is missing: open what has its name now, made whole, or
   made anew where MQ_CREATE says so. -ENOENT where it does not, and nothing has the name. */
int queue_reopen(mq_queue *queue);

/* -EACCES, or -EROFS, where this process has not all of these rights. */
int queue_demand(const mq_queue *queue, unsigned rights);

/* Whether it may send, and no more. */
static inline bool queue_only_sends(const mq_queue *queue)
{
    return queue->rights == ACCESS_SEND;
}

/* Make the queue's own name durable, unless it is known to be. */
int queue_persist(mq_queue *queue);

/* Open a bucket of a state to put something in, made where it is missing; the handle keeps it open. For who only sends
   it is there, and is the inbox. */
int queue_target(mq_queue *queue, enum mq_state state, const char *bucket, int *ret_dir);

/* Its tmp/, which the handle keeps open. */
int queue_tmp(mq_queue *queue, int *ret_dir);

/* That bucket was removed by others. */
void queue_forget_target(mq_queue *queue, enum mq_state state);

/* The pages of the other hosts that use this queue. `each` returns non-zero to stop. */
int queue_each_other_page(mq_queue *queue, int (*each)(void *context, const struct page *page), void *context);

#endif
