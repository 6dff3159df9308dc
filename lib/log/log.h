/*
 * A log's handle, and what its operations are made of.
 *
 * Errors are negative errno values. -ENOENT: there is no log of that name, or it was deleted. -EUCLEAN: it lacks a part, or
 * something else has the name of one. -EBADMSG: its configuration is malformed.
 */
#ifndef MQ_LOG_H
#define MQ_LOG_H

#include "base/fs.h"
#include "log/chain.h"
#include "log/hint.h"
#include "log/log_config.h"
#include "mq.h"
#include "queue/queue.h"
#include "store/layout.h"

#define LOG_ENTRIES "log"
#define LOG_BEGIN LAYOUT_LOG
#define LOG_REMOVED "removed"
#define LOG_HOLD "hold"

/* The bucket that this handle appends to, which nobody empties meanwhile. */
struct log_hold {
    int lock; /* the file hold, open once for each handle; -1: not yet */
    int dir;  /* -1: none */
    uint64_t bucket;
    bool is_above;          /* it was found that the beginning is not behind it */
    bool knows;             /* the next is an entry that was seen in `dir` */
    struct chain_last last; /* the last one that is known */
};

/* What was appended by the call that is running: messages with offsets that follow one another. */
struct log_run {
    uint64_t offset;
    uint32_t count;
};

struct mq_log {
    struct outlet outlet; /* the first: what the feed knows of the log */
    char name[MQ_QUEUE_NAME_SIZE];
    char *spool; /* as mq_open takes it */
    int dir, entries;
    struct fs_identity identity;
    uid_t owner;
    gid_t group;
    struct log_config config;
    int64_t config_read_at; /* monotonic */
    mq_queue *feed;         /* what is sent to the log, to be written; not a queue that anybody can open */
    mq_tx *tx;              /* what is sent goes into this transaction; NULL: into the log */
    bool is_indirect;       /* what is sent came to a topic or died in a queue: its priority and expiry do not matter */
    bool may_have_outputs;  /* log_mark_output was called */
    int64_t looked_at;      /* at the outbox, monotonic */
    void (*look)(mq_log *log); /* finishes transactions: a layer above knows how. NULL: nobody does */
    struct log_hold hold;
    struct hint hint;
    unsigned rivals; /* appends before which the hint is read, since others append too */
    bool persisted;
    bool is_unsynced; /* something durable was appended to the held bucket and is not synced yet */
    bool began_bucket;
    struct log_run *runs;
    size_t run_count, run_room;
    struct { /* what is sent once (lib/route/log_once.h) */
        bool durable;
        char own[NAME_SIZE]; /* the draft of this process */
        uint64_t *offsets;   /* where to tell them; NULL: nowhere */
        const size_t *sent;
    } once;
};

/* mq_log_open without what higher layers add to a handle. */
int log_open(const char *spool, const char *name, mq_log **ret_log);

/* Read the configuration again. */
int log_read_config(mq_log *log);

/* Open the directory of a log. `spool` is as in mq_open. */
int log_open_dir(const char *spool, const char *name);
int log_open_in(int spool, const char *name);

/* Make the directories of a log that are missing, since a cleaner has removed them while they were empty. */
int log_heal(int dir);

/* Open removed/, which is made again if it is missing. */
int log_open_removed(int dir);

/* Whether a log has the name: 1, 0, or a negative errno. */
int log_is_there(int spool, const char *name);

/* Whether a directory is a log's: 1, 0, or a negative errno. */
int log_is_dir(int dir);

/* Whether the log's directory still has its name, as queue_has_name. */
int log_has_name(const mq_log *log);

/* What an error means: -ENOENT if the log was deleted meanwhile, and so lacks parts; else what it is. */
int log_explain(const mq_log *log, int error);

/* ---- the outbox ----------------------------------------------------------------------- */

/* Say that outputs of transactions are on their way to the log: who waits for messages looks then whether some are to be
   carried out. A hint. */
int log_mark_output(mq_log *log);

/* At most once a second, if there may be any, finish transactions. */
void log_look_at_outbox(mq_log *log);

/* ---- appending (append.h has the rest) -------------------------------------------------- */

/* Let go of the bucket. */
void log_release(mq_log *log);

/* Close a hole, so that nothing can appear there behind a reader: a gap from `offset` to `next`. 0: it is closed, or was
   none. */
int log_close_hole(mq_log *log, uint64_t offset, uint64_t next);

/* Put an entry of no messages, from `offset` to `next`, in the place of the entry of that offset, which goes to aside/.
   Nobody meets the place empty. */
int log_replace_by_gap(mq_log *log, uint64_t offset, uint64_t next);

/* ---- retention (retention.c) ---------------------------------------------------------- */

#define LOG_ALL SIZE_MAX /* buckets, and those too that processes left which died: at a cost that grows with the log */

/* Take what is no longer kept and lies before the offset `limit`, the end of the log, out of the log, at most so many
   buckets. */
int log_trim(int dir, const struct log_config *config, uint64_t limit, size_t most, uint64_t *ret_removed);

/* Empty buckets that were taken out of the log, at most so many. */
int log_clear_removed(int dir, size_t most);

#endif
