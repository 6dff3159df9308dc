/*
 * libmq: message queues that are directories.
 *
 * A queue is a directory in a spool, a message is a file, and every change of
 * state is one atomic link, rename or unlink (mq-spool(5) tells which). There is
 * no server: any number of processes may send to and receive from a queue.
 *
 *     mq_queue *queue;
 *     mq_message *message;
 *     mq_open(NULL, "jobs", MQ_CREATE, &queue);
 *     mq_receive(queue, &(struct mq_receive_options){MQ_RECEIVE_DEFAULTS}, &message);
 *     ... mq_message_read(message, buffer, sizeof buffer) ...
 *     mq_ack(queue, mq_message_receipt(message));
 *     mq_message_free(message);
 *     mq_close(queue);
 *
 * Errors. Calls return 0 or more when they worked and a negative errno when they
 * did not; what they return through `ret_` pointers is untouched then. The library
 * never prints, never exits and changes no signal disposition. Besides the plain
 * errors of the file system these have a meaning of their own:
 *
 *     -ENOENT     no such queue
 *     -EINVAL     an argument is malformed: a queue name, id, header, key, duration
 *     -ESTALE     the claim has ended: the receipt is worthless
 *     -EBADMSG    malformed data: a receipt, a configuration (see mq_config_explain)
 *     -EMSGSIZE   the body is larger than the queue's max-size
 *     -ENOBUFS    the queue is full (max-depth)
 *     -ECANCELED  the caller's cancel_fd became readable
 *
 * Signals. A queue's counters are a shared mapping of a file below host/. Should somebody cut that file short,
 * touching it raises SIGBUS, as with any mapped file; a program that must survive even that maps an empty page over
 * the place, as the mq programs do: nothing depends on what is in it.
 *
 * Threads. The library has no global state. A handle may move between threads, but
 * only one thread may use it at a time; several handles on one queue are independent.
 *
 * Times are microseconds: since the epoch where a moment is meant, plain where a
 * duration is.
 */
#ifndef MQ_H
#define MQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MQ_API __attribute__((visibility("default")))

#define MQ_QUEUE_NAME_SIZE 129 /* room for the longest queue name and its NUL */
#define MQ_ID_SIZE 65          /* room for the longest message id and its NUL */
#define MQ_TX_SIZE 17          /* room for a transaction's id and its NUL */
#define MQ_RECEIPT_SIZE 400    /* room for the longest receipt and its NUL */
#define MQ_PRIORITY_DEFAULT 4
#define MQ_FOREVER ((int64_t)-1)  /* a wait without end */
#define MQ_BACK_OFF ((int64_t)-1) /* a delay chosen by the queue's retry policy */

typedef struct mq_queue mq_queue;
typedef struct mq_message mq_message;
typedef struct mq_watch mq_watch;

enum mq_state { MQ_READY, MQ_DELAYED, MQ_INFLIGHT, MQ_DEAD };
#define MQ_STATES 4

/* The library's version, "MAJOR.MINOR.PATCH"; static storage. */
MQ_API const char *mq_version(void);

/* ---- spools and queues ---------------------------------------------------------- */

/*
 * Write the path of the spool to `ret_path`: `spool` itself, or where it is NULL
 * $MQ_SPOOL, /var/spool/mq for root, else ${XDG_STATE_HOME:-$HOME/.local/state}/mq.
 * -ENAMETOOLONG where it does not fit, -ENOENT where there is no home to put it in.
 */
MQ_API int mq_spool_path(const char *spool, char *ret_path, size_t size);

/* Whether `name` may name a queue: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}. */
MQ_API bool mq_queue_name_is_valid(const char *name);

/*
 * Call `each` with the name of every queue of the spool but reply queues, in byte order; a non-zero
 * return of `each` ends the listing and is returned. A missing spool has no queues.
 */
MQ_API int mq_list(const char *spool, int (*each)(const char *queue, void *context), void *context);

/* Make a queue (and the spool). 1 made, 0 it was there. However many processes race, one good queue results. */
MQ_API int mq_create(const char *spool, const char *queue);

/*
 * The same for a queue that others share. `mode` is an octal number as of chmod, with a digit for the owner, the group
 * and all others: 4 may look, 2 may send, 6 may do both, receive and settle. The owner's is 6; others
 * receive only where the group does, and do not send where it only looks. The queue's group becomes `group`, of which the caller must be a member: -EPERM
 * otherwise. -EEXIST: there is a queue with another mode or group.
 */
#define MQ_OWN_GROUP ((gid_t)-1)
MQ_API int mq_create_shared(const char *spool, const char *queue, unsigned mode, gid_t group);
MQ_API bool mq_mode_is_valid(unsigned mode);

/*
 * Delete a queue. Without `force` only one that holds no message in any state:
 * -ENOTEMPTY otherwise. A message sent meanwhile is never deleted without `force`.
 */
MQ_API int mq_delete(const char *spool, const char *queue, bool force);

/* Make the queue if it is not there: also later, when it was deleted while the handle was open. */
#define MQ_CREATE 1u

/*
 * Open a queue; `spool` as in mq_spool_path. The caller closes what `ret_queue` gets.
 * -ENOENT: no such queue; -EBADMSG: its configuration is bad (mq_config_explain tells how).
 */
MQ_API int mq_open(const char *spool, const char *queue, unsigned flags, mq_queue **ret_queue);
MQ_API void mq_close(mq_queue *queue); /* NULL is fine */

/*
 * Make a private queue for the reply to one request: its name goes into the request's Reply-To. It is not durable, takes
 * bodies of any size, is not listed by mq_list, and lives as long as its owner: mq_reply_close removes it, and what one
 * who was killed leaves behind goes with mq_sweep_spool.
 */
MQ_API int mq_reply_open(const char *spool, mq_queue **ret_queue);
MQ_API void mq_reply_close(mq_queue *queue); /* NULL is fine */

/* The queue's name; lives as long as the handle. */
MQ_API const char *mq_queue_name(const mq_queue *queue);

/* Whether receiving waits by polling, since inotify is not to be had here (known once it has waited). */
MQ_API bool mq_queue_is_polling(const mq_queue *queue);

/* ---- configuration -------------------------------------------------------------- */

/* The keys, in the order of the manual; the last one is NULL. Static storage. */
MQ_API const char *const *mq_config_keys(void);

/* Write the value in force to `ret_value`, as text that mq_config_set takes. -EINVAL: no such key. */
MQ_API int mq_config_get(mq_queue *queue, const char *key, char *ret_value, size_t size);

/* Whether a key takes a value (NULL: its default): 0, or -EINVAL and what is wrong in `ret_text`. */
MQ_API int mq_config_check(const char *key, const char *value, char *ret_text, size_t size);

/* Set a key, or with a NULL `value` return it to its default. The change is atomic and durable. -EINVAL: bad key
   or value. */
MQ_API int mq_config_set(const char *spool, const char *queue, const char *key, const char *value);

/* What is wrong with a queue's configuration, naming line and key, as "line 3: ttl: not a duration". 0 nothing, 1
   explained. */
MQ_API int mq_config_explain(const char *spool, const char *queue, char *ret_text, size_t size);

/* ---- messages to send ----------------------------------------------------------- */

/* A new message without id, headers or body; freed by the caller. */
MQ_API int mq_message_new(mq_message **ret_message);
MQ_API void mq_message_free(mq_message *message); /* NULL is fine; a claim goes on: settle it, or its deadline will */

/* An id of the sender's: [A-Za-z0-9_-]{1,64}. Without one, mq_send makes a UUIDv7 (RFC 9562). -EINVAL otherwise. */
MQ_API int mq_message_set_id(mq_message *message, const char *id);

/*
 * Set a header; it replaces one of that name (names compare without case). -EINVAL: the name is not
 * [A-Za-z0-9-]+ or the value is not one line of UTF-8 without control characters; -EPERM: the
 * library writes that header itself (Id, Timestamp, Content-Length, Priority, Expires, Mq-*), or the message was received;
 * -E2BIG: the headers are over 64 KiB.
 */
MQ_API int mq_message_set_header(mq_message *message, const char *name, const char *value);

MQ_API int mq_message_set_priority(mq_message *message, int priority); /* 0 to 9, the highest first; -EINVAL */
MQ_API int mq_message_set_delay(mq_message *message, int64_t delay);   /* not delivered before now + delay */
MQ_API int mq_message_set_due(mq_message *message, int64_t due);       /* not delivered before that moment */
MQ_API int mq_message_set_ttl(mq_message *message, int64_t ttl); /* expires now + ttl; instead of the queue's ttl */
MQ_API int mq_message_set_expires(mq_message *message, int64_t expires);

/* The body: bytes that stay the caller's and must live until mq_send returns. */
MQ_API void mq_message_set_body(mq_message *message, const void *data, size_t size);

/* The body: what mq_send reads from `fd` up to its end, waiting for it even where O_NONBLOCK is set; never held in
   memory as a whole. */
MQ_API void mq_message_set_body_fd(mq_message *message, int fd);

struct mq_send_options {
    bool no_sync;   /* do not wait for the disk, whatever the queue's durability says */
    int64_t block;  /* how long to wait while the queue is full: 0 not at all, or MQ_FOREVER */
    int cancel_fd;  /* ends such a wait when readable; -1 for none */
    uint64_t batch; /* messages in a file at most, for mq_send_batch; 0: as the queue's batch-count says */
};
#define MQ_SEND_DEFAULTS .no_sync = false, .block = 0, .cancel_fd = -1, .batch = 0

/*
 * Send a message. When it returns 0 the message is in the queue and, unless durability is off, on
 * the disk; its id is in `ret_id`, MQ_ID_SIZE bytes, where that is not NULL. On failure no
 * consumer sees it and nothing of it is left behind: -EMSGSIZE, -ENOBUFS, -ENOSPC, -EDQUOT, -EIO …
 */
MQ_API int mq_send(mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id);

/* How many messages the two calls below make the most of at a time: more cost no less. */
MQ_API size_t mq_send_batch_most(const mq_queue *queue, const struct mq_send_options *options);

/*
 * Send many messages, in order; those that agree in priority, delay and expiry share files, which costs a fraction. In
 * any case the first `ret_sent` of them are sent as with mq_send, and their ids are in `ret_ids`, where that is not
 * NULL; none of the others is. An error is that of the first of those. The messages may be used again.
 */
MQ_API int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count,
                         const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);

/*
 * The same for messages that differ in nothing but their bodies: `message`, which stays as it is, with one body after
 * the other. Where none of those that share a file has a newline in it, or none a NUL, they share the headers, too,
 * which costs least; bodies that lie in memory one behind the other with just that byte between them, as lines of a text
 * do, are written from there, without a copy. -EINVAL: it has an id.
 */
MQ_API int mq_send_bodies(mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                          const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);

/* ---- messages received ---------------------------------------------------------- */

struct mq_receive_options {
    int64_t wait;        /* how long to wait for a message: 0 not at all, or MQ_FOREVER */
    int64_t ack_timeout; /* how long the claim lives; 0: as the queue's ack-timeout says */
    int cancel_fd;       /* ends the wait when readable; -1 for none */
    pid_t owner;         /* the process that is to be shown as the holder; 0: the caller's own */
};
#define MQ_RECEIVE_DEFAULTS .wait = MQ_FOREVER, .ack_timeout = 0, .cancel_fd = -1, .owner = 0

/*
 * Claim the next message: highest priority first, then the oldest. 1 claimed, 0 none came in time.
 * Nobody else receives it until the claim ends: by mq_ack, mq_nack, mq_reject, mq_release, or its
 * deadline. -ECANCELED: cancel_fd became readable and nothing is held.
 */
MQ_API int mq_receive(mq_queue *queue, const struct mq_receive_options *options, mq_message **ret_message);

/* What a received or opened message says of itself. The strings live as long as the message. */
MQ_API const char *mq_message_id(const mq_message *message);
MQ_API const char *mq_message_receipt(const mq_message *message); /* NULL where it is not claimed */
MQ_API unsigned mq_message_attempts(const mq_message *message);   /* deliveries so far, this one included */
MQ_API int mq_message_priority(const mq_message *message);
MQ_API int64_t mq_message_sent_at(const mq_message *message);
MQ_API int64_t mq_message_expires_at(const mq_message *message); /* 0: never */

/* The value of a header, or NULL. */
MQ_API const char *mq_message_header(const mq_message *message, const char *name);

/* The header at `index`, counted from 0 in the order they were sent: 1 and its name and value, or 0 past the last. */
MQ_API int mq_message_header_at(const mq_message *message, size_t index, const char **ret_name, const char **ret_value);

MQ_API uint64_t mq_message_size(const mq_message *message); /* bytes of body */

/* Read the next bytes of the body: how many, 0 at its end. */
MQ_API ssize_t mq_message_read(mq_message *message, void *buffer, size_t size);

/* ---- many at a time ------------------------------------------------------------- */

/* Messages that were received by one claim, to be read one after the other. */
typedef struct mq_batch mq_batch;

/* A new one, without messages; its memory serves for any number of receives. Freed by the caller. */
MQ_API int mq_batch_new(mq_batch **ret_batch);
MQ_API void mq_batch_free(mq_batch *batch); /* NULL is fine; a claim goes on, as with mq_message_free */

/*
 * Claim the next message, or up to `most` of those that were sent together with it: what is faster than one at a time,
 * and all the same to whoever acks them in order. Returns as mq_receive.
 */
MQ_API int mq_receive_batch(mq_queue *queue, const struct mq_receive_options *options, uint64_t most, mq_batch *batch);

MQ_API size_t mq_batch_count(const mq_batch *batch); /* messages claimed */

/* The next one: 1, 0 past the last, -EBADMSG: it, and what comes after it, is corrupt, and to be released, which makes a
   dead letter of it. The message lives until the next call with this batch, which owns it. Only one
   that was claimed alone has a receipt. */
MQ_API int mq_batch_next(mq_batch *batch, mq_message **ret_message);

/* Ack the first `done` messages, counted from the claim's beginning. The claim on the others goes on, for the ack
   timeout from now. */
MQ_API int mq_batch_ack(mq_queue *queue, mq_batch *batch, size_t done);

/* The same, and the others go back to their place, their attempt not counted. */
MQ_API int mq_batch_release(mq_queue *queue, mq_batch *batch, size_t done);

/* Let the claim live for the ack timeout from now, if half of it has passed: to be called now and then. */
MQ_API int mq_batch_keep(mq_queue *queue, mq_batch *batch);

/* ---- settling a claim ----------------------------------------------------------- */

/* Write the name of the queue that a receipt is of, MQ_QUEUE_NAME_SIZE bytes. -EBADMSG: not a receipt. */
MQ_API int mq_receipt_queue(const char *receipt, char *ret_queue);

/*
 * End a claim. All return 0, -ESTALE where the claim had ended before, or -EBADMSG where the text
 * is no receipt of this queue. mq_ack: the work is done, the message is removed. mq_nack: it failed, the message is
 * delivered again after `delay` (0: at once; MQ_BACK_OFF: as the retry policy says), or becomes a
 * dead letter once max-attempts is reached. mq_reject: it will never work, the message becomes a dead
 * letter; `reason` is one line of text of which about 80 bytes are kept, NULL for "rejected".
 * mq_release: it was not tried, the message goes back to its place and the attempt is not counted.
 */
MQ_API int mq_ack(mq_queue *queue, const char *receipt);
MQ_API int mq_nack(mq_queue *queue, const char *receipt, int64_t delay);
MQ_API int mq_reject(mq_queue *queue, const char *receipt, const char *reason);
MQ_API int mq_release(mq_queue *queue, const char *receipt);

/*
 * The same as mq_ack, and the message's id is remembered for the queue's dedup-window: the mark and the ack are one
 * rename. mq_was_acked: 1 the id was acked so within the window, 0 not.
 */
MQ_API int mq_ack_once(mq_queue *queue, const char *receipt);
MQ_API int mq_was_acked(mq_queue *queue, const char *id);

/* Move the claim's deadline to now + `ack_timeout`. The receipt stays good. Returns as the others. */
MQ_API int mq_extend(mq_queue *queue, const char *receipt, int64_t ack_timeout);

/* ---- what went wrong with a message ---------------------------------------------- */

/*
 * Keep a line of text, of at most 32 KiB and with its newline, that tells of a failed attempt on a claimed message. It goes when the
 * message goes; a message's oldest lines go when there are more than 256 KiB. -ESTALE: the claim has ended.
 */
MQ_API int mq_failure_add(mq_queue *queue, const char *receipt, const char *line, size_t size);

/* The lines kept of a message, oldest first: 1 and text that the caller frees, or 0 where there are none. */
MQ_API int mq_failures(mq_queue *queue, const char *id, char **ret_text, size_t *ret_size);

/* ---- transactions ----------------------------------------------------------------- */

/*
 * Several moves that happen all or not at all: messages for any number of queues, claims that are acked, files that are
 * replaced. Nothing of it is seen before the commit. A commit is decided by one rename; what it decided is carried out
 * at once by the caller, or if that dies, by any process of the same user that comes by, about a second later where
 * one waits for messages. A transaction that is not committed by its deadline is undone.
 *
 *     mq_tx_begin(NULL, 60 * 1000000, &tx);
 *     mq_tx_send(tx, queue, message, &options, id);
 *     mq_tx_take(tx, jobs, mq_message_receipt(job), 0);
 *     mq_tx_commit(tx);
 *     mq_tx_free(tx);
 *
 * -ESTALE: the transaction is over: undone at its deadline, aborted, or committed before. Max-depth is looked at when
 * a message is put into a transaction, and never refuses what was committed.
 */
typedef struct mq_tx mq_tx;

/* Begin one; `timeout` from now is its deadline. -EINVAL where that is not positive. */
MQ_API int mq_tx_begin(const char *spool, int64_t timeout, mq_tx **ret_tx);

/* One that any process of this user began, by its id. -ENOENT: there is none; -EINVAL: that is no id. */
MQ_API int mq_tx_open(const char *spool, const char *id, mq_tx **ret_tx);

/* Without a commit or abort it stays open. NULL is fine. */
MQ_API void mq_tx_free(mq_tx *tx);

MQ_API const char *mq_tx_id(const mq_tx *tx); /* lives as long as the transaction's handle */

/* As mq_send, mq_send_batch and mq_send_bodies, into the transaction. */
MQ_API int mq_tx_send(mq_tx *tx, mq_queue *queue, mq_message *message, const struct mq_send_options *options,
                      char *ret_id);
MQ_API int mq_tx_send_batch(mq_tx *tx, mq_queue *queue, mq_message *const *messages, size_t count,
                            const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);
MQ_API int mq_tx_send_bodies(mq_tx *tx, mq_queue *queue, const mq_message *message, const struct iovec *bodies,
                             size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                             size_t *ret_sent);

/* Take a claim into the transaction, whose commit acks it; when it is undone the message is delivered again, its
   attempt counted. The transaction's deadline becomes the claim's, if that is earlier. The receipt is worthless then.
   -ESTALE: the claim has ended. */
#define MQ_TX_ONCE 1u /* as with mq_ack_once */
MQ_API int mq_tx_take(mq_tx *tx, mq_queue *queue, const char *receipt, unsigned flags);

/* What can be read from `fd` up to its end becomes the content of the file `path` when the transaction is committed,
   with the mode of the file that is there now, or else `mode`. -EXDEV: it is not on the spool's file system. */
MQ_API int mq_tx_put(mq_tx *tx, int fd, const char *path, mode_t mode);

/* Move the deadline to now + `timeout`. */
MQ_API int mq_tx_extend(mq_tx *tx, int64_t timeout);

/* 0: it is decided, on the disk if anything of it is to be durable, and carried out as far as that can be now. Any
   other error than -ESTALE leaves it open to be tried again, but for one of syncing, after which it may be either. */
MQ_API int mq_tx_commit(mq_tx *tx);
MQ_API int mq_tx_abort(mq_tx *tx);

enum mq_tx_state { MQ_TX_OPEN, MQ_TX_COMMITTED, MQ_TX_ABORTED };

struct mq_tx_entry {
    const char *id;
    enum mq_tx_state state;
    int64_t deadline; /* of an open one; else 0 */
    uid_t owner;
    uint64_t messages, claims, files; /* in it, as far as this process may see */
};

/* Call `each` for every transaction that is not finished, in no order. A non-zero return of `each` ends it and is
   returned. */
MQ_API int mq_tx_list(const char *spool, int (*each)(const struct mq_tx_entry *entry, void *context), void *context);

/* Finish what is decided, or past its deadline, of this user. 0, or the first error. */
MQ_API int mq_tx_finish(const char *spool);

/* ---- looking without claiming --------------------------------------------------- */

struct mq_entry {
    enum mq_state state;
    const char *id;
    unsigned attempts;
    int priority;
    int64_t time;       /* delayed: due; in flight: deadline; dead: when it died; ready: 0 */
    int64_t expires;    /* 0: never */
    const char *reason; /* dead: why, as plain text; else NULL */
    int64_t begun;      /* in flight: when it was claimed; 0: not known */
    pid_t owner;        /* in flight: by which process; 0: not known */
    const char *host;   /* in flight: on which host, by the first 8 characters of its machine id; else NULL */
    bool is_here;       /* in flight: and that is this one */
    const char *bucket; /* where the file lies: STATE/bucket/file */
    const char *file;
    uint64_t offset; /* where in the file the message begins: a file may hold several */
};

/*
 * Call `each` for every message in a state: ready in order of delivery, the others in order of their
 * time. A non-zero return of `each` ends the walk and is returned. The entry lives until `each`
 * returns. Others go on meanwhile: what moves during the walk may be seen or not.
 */
MQ_API int mq_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
                     void *context);

/* Open an entry's message to read. 1 opened, 0 it has moved on, -EBADMSG it is corrupt. */
MQ_API int mq_entry_open(mq_queue *queue, const struct mq_entry *entry, mq_message **ret_message);

/* Remove an entry's message for good. 1 removed, 0 it has moved on. */
MQ_API int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry);

/* Remove all messages of a state; how many in `ret_purged`. */
MQ_API int mq_purge(mq_queue *queue, enum mq_state state, uint64_t *ret_purged);

/* Make a dead letter ready again, its attempts at 0, in its old place or at the end of another queue. 1 done, 0 it
   has moved on. */
MQ_API int mq_entry_retry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to);

/* ---- following what happens ------------------------------------------------------ */

enum mq_event_kind {
    MQ_EVENT_NONE,
    MQ_EVENT_SENT,
    MQ_EVENT_DUE,
    MQ_EVENT_CLAIMED,
    MQ_EVENT_EXTENDED,
    MQ_EVENT_ACKED,
    MQ_EVENT_RETRIED,  /* given back, now or after a delay */
    MQ_EVENT_RELEASED, /* the same, uncounted */
    MQ_EVENT_LAPSED,   /* the claim's deadline passed */
    MQ_EVENT_DEAD,
    MQ_EVENT_EXPIRED, /* dead or removed, past its ttl */
    MQ_EVENT_REVIVED, /* a dead letter is tried again */
    MQ_EVENT_REMOVED, /* purged */
    MQ_EVENT_LEFT,    /* it went to where nobody watches: a directory newly made, or out of the queue */
    MQ_EVENT_MISSED,  /* of the queue, or of all: more happened than is told */
    MQ_EVENT_DELETED  /* of the queue */
};

struct mq_event {
    enum mq_event_kind kind;
    mq_queue *queue; /* NULL: of all */
    /* of the message; NULL and 0 where the event is not one's */
    const char *id;
    unsigned count; /* how many messages it is, from this one on: those sent together may go together */
    unsigned attempts;
    int priority;
    bool was, is;           /* whether it was in a state before, and is in one now: */
    enum mq_state from, to; /* in these */
    int64_t time;           /* due, deadline or death, as its state is; else 0 */
    const char *reason;     /* dead: why, as plain text; else NULL */
    pid_t owner;            /* claimed: by which process; 0: not known */
};

/*
 * Follow what becomes of the messages of queues, by what inotify tells of their directories; nothing is changed by
 * that. -EMFILE, -ENOSPC: this user has no more instances or watches; -EOPNOTSUPP: the queue is on a network file
 * system, whose other users inotify does not see. `whole`: tell of what lies there already, too. The queue must
 * stay open as long as the watch.
 */
MQ_API int mq_watch_new(mq_watch **ret_watch);
MQ_API int mq_watch_add(mq_watch *watch, mq_queue *queue, bool whole);
MQ_API void mq_watch_free(mq_watch *watch); /* NULL is fine */

/*
 * The next event: 1, 0 none came within `wait`, -ECANCELED `cancel_fd` became readable. Its strings live until the
 * next call. What happens in a directory between its making and its being watched, a matter of microseconds, may not
 * be seen.
 */
MQ_API int mq_watch_next(mq_watch *watch, int64_t wait, int cancel_fd, struct mq_event *ret_event);

/* ---- figures and upkeep --------------------------------------------------------- */

/* What makes a dead letter: mq_reject, whatever its reason; and what the toolkit itself does. */
enum mq_death { MQ_DEATH_REJECTED, MQ_DEATH_MAX_ATTEMPTS, MQ_DEATH_EXPIRED, MQ_DEATH_CORRUPT };
#define MQ_DEATHS 4

enum mq_span { MQ_1_MINUTE, MQ_5_MINUTES, MQ_15_MINUTES };
#define MQ_SPANS 3

#define MQ_HELD_BUCKETS 25
#define MQ_HELD_LIMIT(bucket) (INT64_C(1024) << (bucket)) /* microseconds: about a millisecond, then doubling */

struct mq_stats {
    uint64_t count[MQ_STATES]; /* messages now in each state */
    uint64_t bytes;            /* of all their files */
    int64_t oldest;            /* when the oldest ready message was sent; 0: none is ready */
    /* counters: since the page of each host was made, that is about since boot */
    uint64_t sent, delivered, acked, retried, expired, died;
    uint64_t redelivered;       /* deliveries that were not the first */
    uint64_t failed;            /* attempts that ended by nack, reject or the deadline */
    uint64_t duplicates;        /* messages acked since they had been worked on before */
    uint64_t deaths[MQ_DEATHS]; /* of `died`, by cause */
    /* how many acked messages were held for how long, from claim to ack: less than MQ_HELD_LIMIT(i), or in the last
       one any longer; and the sum of these times */
    uint64_t held[MQ_HELD_BUCKETS];
    uint64_t held_total;
    /* messages a second on average over the last minutes; decaying, as load averages do */
    double sent_rate[MQ_SPANS], acked_rate[MQ_SPANS], failed_rate[MQ_SPANS];
};

/* The figures of a queue. They come from shared counters at a cost that does not grow with depth; `exact` lists
   instead. */
MQ_API int mq_stat(mq_queue *queue, bool exact, struct mq_stats *ret_stats);

/*
 * How old the messages of a state are: `ret_counts[i]` of them were sent less than `limits[i]` ago, which grow, and
 * not less than the limit before; the last of the `count` + 1 are older than all limits. Lists and looks at each.
 */
MQ_API int mq_ages(mq_queue *queue, enum mq_state state, const int64_t *limits, size_t count, uint64_t *ret_counts);

/* What the file system of the queue has left for its user. */
struct mq_room {
    uint64_t bytes;
    uint64_t files; /* UINT64_MAX: it does not count them */
};
MQ_API int mq_room(mq_queue *queue, struct mq_room *ret_room);

struct mq_swept {
    uint64_t due;       /* delayed messages that became ready */
    uint64_t lapsed;    /* claims whose deadline had passed */
    uint64_t expired;   /* messages past their ttl, dead letters past dead-ttl */
    uint64_t leftovers; /* stale files in tmp/, empty buckets, FIFOs of dead waiters */
};

/* Do all the housekeeping that sending and receiving otherwise do bit by bit, and put the counters right. */
MQ_API int mq_sweep(mq_queue *queue, struct mq_swept *ret_swept);

/* Remove what queues that were never finished or half deleted have left in a spool, and reply queues whose owner was
   killed: how many. Never a live one. */
MQ_API int mq_sweep_spool(const char *spool);

/*
 * Verify names, buckets and files; call `each` with the path (below the queue) of whatever does not
 * belong, and why. With `repair` it is moved into the queue's aside/, never deleted. Returns how many.
 */
MQ_API int mq_check(mq_queue *queue, bool repair, void (*each)(const char *path, const char *problem, void *context),
                    void *context);

#ifdef __cplusplus
}
#endif
#endif
