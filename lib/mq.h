/*
 * libmq: message queues that are directories.
 *
 * A queue is a directory in a spool. A message is a file. Every change of state is
 * one atomic link, rename or unlink; mq-spool(5) lists them. There is no server: any
 * number of processes may send to a queue and receive from it.
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
 * Errors. A call returns 0 or more if it worked, and a negative errno if it failed.
 * A call that failed has not written through its `ret_` pointers. The library never
 * prints, never exits and changes no signal disposition. Most errors are those of the
 * file system. These have a meaning of their own:
 *
 *     -ENOENT     no such queue
 *     -EINVAL     an argument is malformed: a queue name, id, header, key, duration
 *     -ESTALE     the claim has ended: the receipt is worthless
 *     -EBADMSG    malformed data: a receipt, a configuration (see mq_config_explain)
 *     -EMSGSIZE   the body is larger than the queue's max-size
 *     -ENOBUFS    the queue is full (max-depth, max-bytes)
 *     -ESHUTDOWN  the queue is paused for senders
 *     -ENODATA    the message lacks a header that the queue requires
 *     -ECANCELED  the caller's cancel_fd became readable
 *
 * Signals. A queue's counters are a shared mapping of a file below host/. If another process truncates that file,
 * the next access raises SIGBUS, as with any mapped file. A program that must survive this maps an empty page over
 * the address, as the mq programs do. No message depends on what the page holds.
 *
 * Threads. The library has no global state. A handle may move between threads, but only one thread may use it at
 * a time. Several handles on one queue are independent of each other.
 *
 * Times are in microseconds. A moment counts from the epoch.
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

#define MQ_QUEUE_NAME_SIZE 258 /* room for the longest name of a queue, LOG/GROUP, and its NUL */
#define MQ_ID_SIZE 65          /* room for the longest message id and its NUL */
#define MQ_TX_SIZE 17          /* room for a transaction's id and its NUL */
#define MQ_RECEIPT_SIZE 528    /* room for the longest receipt and its NUL */
#define MQ_PRIORITY_DEFAULT 4
#define MQ_FOREVER ((int64_t)-1)  /* a wait without end */
#define MQ_BACK_OFF ((int64_t)-1) /* a delay chosen by the queue's retry policy */

typedef struct mq_queue mq_queue;
typedef struct mq_message mq_message;
typedef struct mq_watch mq_watch;

enum mq_state { MQ_READY, MQ_DELAYED, MQ_INFLIGHT, MQ_DEAD };
#define MQ_STATES 4

/* The name of a state: ready, delayed, inflight or dead. Its directory in a queue has the same name. */
MQ_API const char *mq_state_name(enum mq_state state);

/* What the time of a message in a state is called: due, deadline or died. NULL: a ready message has no time. */
MQ_API const char *mq_state_time_name(enum mq_state state);

/* The library's version, "MAJOR.MINOR.PATCH"; static storage. */
MQ_API const char *mq_version(void);

/* ---- spools and queues ---------------------------------------------------------- */

/*
 * Write the path of the spool to `ret_path`: `spool` itself, or if that is NULL
 * $MQ_SPOOL, /var/spool/mq for root, else ${XDG_STATE_HOME:-$HOME/.local/state}/mq.
 * -ENAMETOOLONG: the path does not fit. -ENOENT: the user has no home directory.
 */
MQ_API int mq_spool_path(const char *spool, char *ret_path, size_t size);

/* Whether `name` may name a queue: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}. */
MQ_API bool mq_queue_name_is_valid(const char *name);

/* Whether `name` may name a group of a log: two such names and a slash between them. Calls that take the name of a queue
   also take that of a group, except for those that make queues. */
MQ_API bool mq_group_name_is_valid(const char *name);

/* Whether `name` is a name that mq_reply_open gives to a queue. */
MQ_API bool mq_queue_name_is_reply(const char *name);

/*
 * Call `each` with the name of every queue of the spool, in byte order. Reply queues are left out. If `each` returns
 * non-zero, the listing ends and returns that. A missing spool has no queues.
 */
MQ_API int mq_list(const char *spool, int (*each)(const char *queue, void *context), void *context);

/* Make a queue, and the spool if it is missing. If the queue exists, make the directories that it lacks. 1: the queue
   was made. 0: it existed. Any number of processes may call this at once; the result is one complete queue. -ENOTDIR:
   something that is not a queue has the name. */
MQ_API int mq_create(const char *spool, const char *queue);

/*
 * Make a queue that several users share. `mode` is an octal number as chmod(1) takes, with a digit each for the owner,
 * the group and all others: 4 may look, 2 may send, 6 may look, send, receive and settle. The owner's digit is 6.
 * The others' digit may be 6 only if the group's is, and may not be 2 or 6 if the group's is 4.
 * The queue gets the group `group`; -EPERM: the caller is not a member of it.
 * -EEXIST: there is a queue of this name with another mode or group.
 */
#define MQ_OWN_GROUP ((gid_t)-1)
MQ_API int mq_create_shared(const char *spool, const char *queue, unsigned mode, gid_t group);
MQ_API bool mq_mode_is_valid(unsigned mode);

/*
 * Make a queue that keeps an order: "group" (of the messages with the same header Group) or "strict" (of all). This never
 * changes. `mode` and `group` are as above; a private queue has the mode 0600. Nobody may have the right 2, which is only
 * to send: -EINVAL. -ESTALE: there is a queue of this name with another order.
 */
MQ_API int mq_create_ordered(const char *spool, const char *queue, const char *order, unsigned mode, gid_t group);

/* The same; `by` is the header that tells a message's group, in place of Group. */
MQ_API int mq_create_ordered_by(const char *spool, const char *queue, const char *order, const char *by, unsigned mode,
                                gid_t group);

/*
 * Delete a queue. Without `force`, a queue that holds a message in any state stays: -ENOTEMPTY. A message that is
 * sent during the call is never deleted without `force`.
 */
MQ_API int mq_delete(const char *spool, const char *queue, bool force);

/* A flag of mq_open: make the queue if it is missing. The flag holds for the life of the handle: if the queue is
   deleted, the next call makes it again. A handle whose queue was deleted uses the queue that then has the name. If no
   queue has the name, calls with a handle without this flag return -ENOENT. */
#define MQ_CREATE 1u

/*
 * Open a queue; `spool` is as in mq_spool_path. The caller closes the handle in `ret_queue`.
 * -ENOENT: no such queue. -EBADMSG: its configuration is malformed; mq_config_explain says where.
 */
MQ_API int mq_open(const char *spool, const char *queue, unsigned flags, mq_queue **ret_queue);
MQ_API void mq_close(mq_queue *queue); /* NULL is fine */

/*
 * Make a private queue for the reply to one request. The request names it in its Reply-To header. The queue is not
 * durable, takes bodies of any size, and mq_list leaves it out. mq_reply_close removes it. If its owner is killed,
 * mq_sweep_spool removes it.
 */
MQ_API int mq_reply_open(const char *spool, mq_queue **ret_queue);
MQ_API void mq_reply_close(mq_queue *queue); /* NULL is fine */

/* The queue's name; lives as long as the handle. */
MQ_API const char *mq_queue_name(const mq_queue *queue);

/* Whether a directory has the name of this host's page, so that this handle uses a page of its own. Figures, order and
   wake-ups suffer until mq_check has moved the directory aside. */
MQ_API bool mq_queue_is_alone(const mq_queue *queue);

/* Whether receivers poll while they wait, because inotify is not available here. Known after the first wait. */
MQ_API bool mq_queue_is_polling(const mq_queue *queue);

/* Whether several hosts may share the file system. Receivers poll there, and leases go by the file system's clock. */
MQ_API bool mq_queue_is_on_network(const mq_queue *queue);

/* By how many microseconds this host's clock is ahead of the file system's, less than 0: behind. 1: that is more than the
   queue's ack-timeout, 0: less. `ret_skew` is 0 if that clock is not known, as on a file system of one host. */
MQ_API int mq_queue_skew(const mq_queue *queue, int64_t *ret_skew);

/* ---- configuration -------------------------------------------------------------- */

/* The keys, in the order of the manual; the last one is NULL. Static storage. */
MQ_API const char *const *mq_config_keys(void);

/* Write the value in force to `ret_value`, as text that mq_config_set takes. -EINVAL: no such key. */
MQ_API int mq_config_get(mq_queue *queue, const char *key, char *ret_value, size_t size);

/* Whether a value is valid for a key (NULL: the default). 0: it is. -EINVAL: it is not, and `ret_text` says why. */
MQ_API int mq_config_check(const char *key, const char *value, char *ret_text, size_t size);

/* Whether a queue's dead letters may go on to `name`: 0. -ENXIO: there is no queue or topic of that name. -ELOOP: dead
   letters may come back from there. The queue itself need not exist. */
MQ_API int mq_dead_letter_check(const char *spool, const char *queue, const char *name);

/* Set a key; a NULL `value` restores the default. The change is atomic and durable. -EINVAL: the key or the value is
   malformed. -EPERM: the key is fixed when the queue is made. For dead-letter also the errors of mq_dead_letter_check. */
MQ_API int mq_config_set(const char *spool, const char *queue, const char *key, const char *value);

/*
 * Pause a queue, or resume it, until the opposite is called. The receivers of a paused queue get nothing and wait, as if it
 * were empty. Its senders are refused with -ESHUTDOWN, or wait as for a full queue. Claims are settled and messages expire
 * as usual. This is the key paused of the configuration: "none", "receive", "send" or "all". After mq_pause no process of
 * this host begins to deliver or send; other hosts follow within a second. mq_resume wakes receivers.
 */
#define MQ_PAUSE_RECEIVE 1u
#define MQ_PAUSE_SEND 2u
MQ_API int mq_pause(mq_queue *queue, unsigned what);
MQ_API int mq_resume(mq_queue *queue, unsigned what);

/* Write to `ret_text` what is wrong with a queue's configuration, such as "line 3: ttl: not a duration". 1: written.
   0: nothing is wrong. */
MQ_API int mq_config_explain(const char *spool, const char *queue, char *ret_text, size_t size);

/* ---- messages to send ----------------------------------------------------------- */

/* A new message without id, headers or body; freed by the caller. */
MQ_API int mq_message_new(mq_message **ret_message);
MQ_API void mq_message_free(mq_message *message); /* NULL is fine. This does not end the message's claim. */

/* Set the id: [A-Za-z0-9_-]{1,64}, else -EINVAL. A message without an id gets a UUIDv7 (RFC 9562) from mq_send. */
MQ_API int mq_message_set_id(mq_message *message, const char *id);

/*
 * Set a header. It replaces a header of the same name; names compare without case. -EINVAL: the name is not
 * [A-Za-z0-9-]+, or the value is not one line of UTF-8 without control characters. -EPERM: the message was received,
 * or the library writes this header itself (Id, Timestamp, Content-Length, Priority, Expires, Mq-*).
 * -E2BIG: the headers take more than 64 KiB.
 */
MQ_API int mq_message_set_header(mq_message *message, const char *name, const char *value);

/* When and for how long the message waits. -EINVAL: out of range. */
MQ_API int mq_message_set_priority(mq_message *message, int priority); /* 0 to 9; 9 is delivered first */
MQ_API int mq_message_set_delay(mq_message *message, int64_t delay);   /* not delivered before now + delay */
MQ_API int mq_message_set_due(mq_message *message, int64_t due);       /* not delivered before this moment */
MQ_API int mq_message_set_ttl(mq_message *message, int64_t ttl); /* expires at now + ttl, whatever the queue's ttl is */
MQ_API int mq_message_set_expires(mq_message *message, int64_t expires); /* expires at this moment */

/* How often the message is delivered before it becomes a dead letter, whatever the queue says: up to 1000000; 0: as the
   queue says. Not with `once`: -EOPNOTSUPP from mq_send. */
#define MQ_MAX_ATTEMPTS_MOST 1000000
MQ_API int mq_message_set_max_attempts(mq_message *message, unsigned attempts);

/* For messages that come back from a backup: when they were sent, how often they were delivered, and, if they are dead
   letters, when they died and why. -EINVAL: out of range. With `once` the attempts begin at 0, and dead letters are sent in
   any case. */
MQ_API int mq_message_set_sent_at(mq_message *message, int64_t moment);
MQ_API int mq_message_set_attempts(mq_message *message, unsigned attempts);
MQ_API int mq_message_set_death(mq_message *message, int64_t died, const char *reason);

/* Set the body to bytes in memory. They stay the caller's and must live until mq_send returns. */
MQ_API void mq_message_set_body(mq_message *message, const void *data, size_t size);

/* Set the body to what mq_send will read from `fd` up to its end. mq_send waits for the input even if O_NONBLOCK is
   set, and never holds the whole body in memory. */
MQ_API void mq_message_set_body_fd(mq_message *message, int fd);

struct mq_send_options {
    bool no_sync;         /* do not wait for the disk, even if the queue's durability says so */
    int64_t block;        /* how long to wait while the queue is full; 0: do not wait; or MQ_FOREVER */
    int cancel_fd;        /* ends that wait when it becomes readable; -1: none */
    uint64_t batch;       /* mq_send_batch: the most messages in one file; 0: the queue's batch-count */
    bool once;            /* do not send what was sent within the queue's dedup-window: it is a duplicate */
    bool *ret_duplicates; /* with `once`: whether each message is one; NULL: not wanted */
};
#define MQ_SEND_DEFAULTS                                                                                               \
    .no_sync = false, .block = 0, .cancel_fd = -1, .batch = 0, .once = false, .ret_duplicates = NULL

/*
 * Send a message. After a return of 0 the message is in the queue and, unless durability is off, on the disk. Its id
 * is in `ret_id`, which is NULL or has MQ_ID_SIZE bytes. After a failure no consumer sees the message, and nothing of
 * it is left behind. Errors: -EMSGSIZE, -ENOBUFS, -ENOSPC, -EDQUOT, -EIO and others of the file system.
 *
 * With `once` a message whose id was sent within the queue's dedup-window is not sent again, and the call returns 0 all
 * the same. A message without an id gets one that is made from its headers and its body: equal messages are duplicates.
 * -EACCES: this process may send, but not receive. -EBADMSG: the mark of this id is damaged. If a sync fails, the message
 * may be in the queue although the call failed; it is a duplicate when it is sent again.
 */
MQ_API int mq_send(mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id);

/* The largest batch that the two calls below write as one unit. Passing more is allowed but no faster. */
MQ_API size_t mq_send_batch_most(const mq_queue *queue, const struct mq_send_options *options);

/*
 * Send many messages, in order. Neighbours with the same priority, delay and expiry share a file, which makes each of
 * them much cheaper to send. Even after an error, the first `ret_sent` messages are sent as by mq_send, and none of the
 * others is. In a queue with order = group, messages of a group share files also where others come between them, and
 * only the order within each group is kept. The error is that of the first message that was not sent. The ids are in
 * `ret_ids`, which is NULL or has room for `count` of them. The caller may use the messages again.
 */
MQ_API int mq_send_batch(mq_queue *queue, mq_message *const *messages, size_t count,
                         const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);

/*
 * Send many messages that differ only in their bodies: `message`, which does not change, is sent once with each body.
 * If none of the bodies in a file contains a newline, or none contains a NUL, they share one block of headers, which is
 * the cheapest form. Bodies that follow one another in memory with only that byte between them, such as the lines of a
 * text, are written without being copied. -EINVAL: `message` has an id.
 */
MQ_API int mq_send_bodies(mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                          const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);

/* ---- messages received ---------------------------------------------------------- */

struct mq_receive_options {
    int64_t wait;        /* how long to wait for a message; 0: do not wait; or MQ_FOREVER */
    int64_t ack_timeout; /* how long the claim lasts; 0: the queue's ack-timeout */
    int cancel_fd;       /* ends the wait when it becomes readable; -1: none */
    pid_t owner;         /* the process that listings show as the holder; 0: the calling process */
};
#define MQ_RECEIVE_DEFAULTS .wait = MQ_FOREVER, .ack_timeout = 0, .cancel_fd = -1, .owner = 0

/*
 * Claim the next message: the highest priority first, then the oldest. 1: claimed. 0: none came in time.
 * Nobody else receives the message until mq_ack, mq_nack, mq_reject, mq_release or the deadline ends the claim.
 * -ECANCELED: cancel_fd became readable, and nothing is claimed.
 */
MQ_API int mq_receive(mq_queue *queue, const struct mq_receive_options *options, mq_message **ret_message);

/* The fields of a message that was received or opened. The strings live as long as the message. */
MQ_API const char *mq_message_id(const mq_message *message);
MQ_API const char *mq_message_receipt(const mq_message *message);   /* NULL: it is not claimed */
MQ_API unsigned mq_message_attempts(const mq_message *message);     /* deliveries so far, including this one */
MQ_API unsigned mq_message_max_attempts(const mq_message *message); /* its own; 0: as the queue says */
MQ_API int mq_message_priority(const mq_message *message);
MQ_API int64_t mq_message_sent_at(const mq_message *message);
MQ_API int64_t mq_message_expires_at(const mq_message *message); /* 0: never */

/* The value of a header, or NULL. */
MQ_API const char *mq_message_header(const mq_message *message, const char *name);

/* The header number `index`, counted from 0 in the order sent. 1: its name and value are returned. 0: past the last. */
MQ_API int mq_message_header_at(const mq_message *message, size_t index, const char **ret_name, const char **ret_value);

MQ_API uint64_t mq_message_size(const mq_message *message); /* bytes of body */

/* Read the next bytes of the body. Returns how many; 0 at the end. */
MQ_API ssize_t mq_message_read(mq_message *message, void *buffer, size_t size);

/* ---- many at a time ------------------------------------------------------------- */

/* Messages that one claim received, read one after the other. */
typedef struct mq_batch mq_batch;

/* A new, empty batch, which the caller frees. It can be used for any number of receives. */
MQ_API int mq_batch_new(mq_batch **ret_batch);
MQ_API void mq_batch_free(mq_batch *batch); /* NULL is fine. This does not end the claim. */

/*
 * Claim the next message, together with up to `most` - 1 messages that follow it in the same file. This is faster than
 * one claim each. Returns as mq_receive does.
 */
MQ_API int mq_receive_batch(mq_queue *queue, const struct mq_receive_options *options, uint64_t most, mq_batch *batch);

MQ_API size_t mq_batch_count(const mq_batch *batch); /* messages claimed */

/* The receipt of the claim, by which all of its messages are settled as one. */
MQ_API const char *mq_batch_receipt(const mq_batch *batch);

/* The next message: 1. 0: past the last. -EBADMSG: this message and those after it are corrupt; mq_batch_release
   then makes a dead letter of them. The batch owns the message, which lives until the next call with this batch. The
   message has a receipt only if it was claimed alone. */
MQ_API int mq_batch_next(mq_batch *batch, mq_message **ret_message);

/* Ack the first `done` messages, counted from the beginning of the claim. The others stay claimed, for the ack timeout
   from now. -EINVAL: `done` is less than was acked before, or more than mq_batch_next has returned. */
MQ_API int mq_batch_ack(mq_queue *queue, mq_batch *batch, size_t done);

/* Ack the first `done` messages, and give the others back: they return to their places, and the attempt does not count.
   */
MQ_API int mq_batch_release(mq_queue *queue, mq_batch *batch, size_t done);

/* Extend the claim to the ack timeout from now, if at least half of it has passed. Call this now and then. */
MQ_API int mq_batch_keep(mq_queue *queue, mq_batch *batch);

/* ---- several queues -------------------------------------------------------------- */

/*
 * Queues that are received from together: the next message comes from the first one that has any, in the order in which
 * they were added. With MQ_FAIR they take turns: the queue after the one that gave the last message is tried first. All
 * of them are waited on at once.
 */
typedef struct mq_sources mq_sources;
#define MQ_FAIR 1u

MQ_API int mq_sources_new(unsigned flags, mq_sources **ret_sources);
MQ_API void mq_sources_free(mq_sources *sources); /* NULL is fine. The queues stay open. */

/* Add a queue, which must stay open as long as the sources are received from. -EEXIST: a queue of this name was added. */
MQ_API int mq_sources_add(mq_sources *sources, mq_queue *queue);

/* As mq_receive and mq_receive_batch. An error of one queue, such as -ENOENT, ends the call. -EINVAL also if no queue was
   added. */
MQ_API int mq_sources_receive(mq_sources *sources, const struct mq_receive_options *options, mq_message **ret_message);
MQ_API int mq_sources_receive_batch(mq_sources *sources, const struct mq_receive_options *options, uint64_t most,
                                    mq_batch *batch);

/* The queue that the last call received from, or that its error was about; the first one before any call. */
MQ_API mq_queue *mq_sources_queue(const mq_sources *sources);

/* ---- settling a claim ----------------------------------------------------------- */

/* Write the name of a receipt's queue to `ret_queue`, which has MQ_QUEUE_NAME_SIZE bytes. -EBADMSG: not a receipt. */
MQ_API int mq_receipt_queue(const char *receipt, char *ret_queue);

/*
 * End a claim. These return 0. -ESTALE: the claim had ended before. -EBADMSG: the text is not a receipt of this queue.
 *
 * mq_ack      the work is done: the message is removed.
 * mq_nack     the work failed: the message is delivered again after `delay` (0: at once; MQ_BACK_OFF: as the retry
 *             policy says), or becomes a dead letter if it has reached max-attempts.
 * mq_reject   the work can never succeed: the message becomes a dead letter. `reason` is one line of text, of which
 *             about 80 bytes are kept; NULL means "rejected".
 * mq_release  the work was not tried: the message returns to its place, and the attempt does not count.
 */
MQ_API int mq_ack(mq_queue *queue, const char *receipt);
MQ_API int mq_nack(mq_queue *queue, const char *receipt, int64_t delay);
MQ_API int mq_reject(mq_queue *queue, const char *receipt, const char *reason);
MQ_API int mq_release(mq_queue *queue, const char *receipt);

/*
 * mq_ack_once acks as mq_ack does, and remembers the message's id for the queue's dedup-window; one rename does both.
 * mq_was_acked: 1: the id was acked in this way within the window. 0: it was not. mq_ack_again acks a message that was
 * not worked on because its id was acked before, and counts it as a duplicate.
 */
MQ_API int mq_ack_once(mq_queue *queue, const char *receipt);
MQ_API int mq_ack_again(mq_queue *queue, const char *receipt);
MQ_API int mq_was_acked(mq_queue *queue, const char *id);

/* Move the deadline of the claim to now + `ack_timeout`. The receipt stays valid. Returns as mq_ack does. */
MQ_API int mq_extend(mq_queue *queue, const char *receipt, int64_t ack_timeout);

/* ---- records of failed attempts -------------------------------------------------- */

/*
 * Keep a line of text about a failed attempt on a claimed message: at most 32 KiB, ending in a newline. The lines are
 * removed with the message. If a message has more than 256 KiB of them, the oldest are dropped.
 * -ESTALE: the claim has ended.
 */
MQ_API int mq_failure_add(mq_queue *queue, const char *receipt, const char *line, size_t size);

/* The lines kept of a message, oldest first. 1: `ret_text` gets memory that the caller frees. 0: there are none. */
MQ_API int mq_failures(mq_queue *queue, const char *id, char **ret_text, size_t *ret_size);

/* ---- results of commands ----------------------------------------------------------- */

/*
 * A result keeps what a command that works on a message prints, and how it ends, for the queue's keep-results; each
 * attempt has one of its own. It changes nothing for the message, and is not synced: a loss of power may take it away.
 */
enum mq_stream { MQ_STDOUT, MQ_STDERR };
#define MQ_STREAMS 2

enum mq_outcome {
    MQ_OUTCOME_RUNNING,
    MQ_OUTCOME_DONE,
    MQ_OUTCOME_FAILED,     /* it is tried again, or its attempts are used up */
    MQ_OUTCOME_REJECTED,   /* it said that the message becomes a dead letter */
    MQ_OUTCOME_TIMED_OUT,  /* it was ended, since it ran for too long */
    MQ_OUTCOME_STOPPED,    /* it was ended, since its worker ends */
    MQ_OUTCOME_INTERRUPTED /* its worker died before it ended */
};
#define MQ_OUTCOMES 7

/* What an outcome is called: "running", "done", "failed", "rejected", "timeout", "stopped" or "interrupted". Static
   storage. */
MQ_API const char *mq_outcome_name(enum mq_outcome outcome);

typedef struct mq_result mq_result;

/* Begin the result of a command that starts now for a claimed message. The handle of the queue must live until
   mq_result_end. As long as the caller has the result, and lives, the command is running. */
MQ_API int mq_result_begin(mq_queue *queue, const mq_message *message, mq_result **ret_result);

/* Keep what the command has printed. A quarter of keep-results-size is kept of each stream; of what comes after that, or
   after an error, nothing is kept, and further calls return 0. */
MQ_API int mq_result_write(mq_result *result, enum mq_stream stream, const void *data, size_t size);

/* The command has ended, with an exit status, which may be -1, or by a signal, which may be 0. Frees the result, also after
   an error. -ENOENT: it was removed meanwhile. NULL is fine. */
MQ_API int mq_result_end(mq_result *result, enum mq_outcome outcome, int exit_status, int signal);

struct mq_result_entry {
    const char *id;
    unsigned attempt;
    enum mq_outcome outcome;
    int64_t begun, ended;       /* `ended` 0: it has not, or nobody knows when */
    int exit_status;            /* -1: none */
    int signal;                 /* 0: none */
    uint64_t bytes[MQ_STREAMS]; /* that are kept of each stream */
    bool cut;                   /* not everything was kept */
    const char *bucket;         /* the file with its standard output is results/bucket/file */
    const char *file;
};

/* Call `each` for every result that is kept, in the order in which the commands began. If `each` returns non-zero, the walk
   ends and returns that. The entry lives until `each` returns. */
MQ_API int mq_results(mq_queue *queue, int (*each)(const struct mq_result_entry *entry, void *context), void *context);

/* Open what a command printed, also one that runs. Returns a descriptor for reading, which the caller closes. -ENOENT: it
   printed nothing there, or the result is gone. */
MQ_API int mq_result_open(mq_queue *queue, const struct mq_result_entry *entry, enum mq_stream stream);

/* Whether the command of a standard output that was opened so still runs: 1 or 0. When it does not, all that is kept of it
   is there. */
MQ_API int mq_result_is_running(int file);

/* ---- transactions ----------------------------------------------------------------- */

/*
 * Several moves of which all happen, or none: messages for any number of queues, claims that are acked, files that are
 * replaced. Nobody sees any of them before the commit. The commit is one rename. The caller carries out at once what was
 * committed. If the caller dies, any other process of the same user does; one that waits for messages does so within about
 * a second. A transaction that is not committed by its deadline is undone.
 *
 *     mq_tx_begin(NULL, 60 * 1000000, &tx);
 *     mq_tx_send(tx, queue, message, &options, id);
 *     mq_tx_take(tx, jobs, mq_message_receipt(job), 0);
 *     mq_tx_commit(tx);
 *     mq_tx_free(tx);
 *
 * -ESTALE: the transaction is over: undone at its deadline, aborted, or committed before. max-depth is checked when a
 * message is put into a transaction, and never refuses what was committed.
 */
typedef struct mq_tx mq_tx;

/* Begin a transaction; its deadline is `timeout` from now. -EINVAL: that is not positive. */
MQ_API int mq_tx_begin(const char *spool, int64_t timeout, mq_tx **ret_tx);

/* Begin another transaction with the handle of one that is over. This costs less than a new handle, since what the handle
   opened stays open. The id changes. -EBUSY: the transaction is not over. -EINVAL: as above. */
MQ_API int mq_tx_renew(mq_tx *tx, int64_t timeout);

/* Open a transaction that any process of this user began, by its id. -ENOENT: there is none. -EINVAL: that is not an id. */
MQ_API int mq_tx_open(const char *spool, const char *id, mq_tx **ret_tx);

/* Close the handle. Without a commit or abort the transaction stays open. NULL is fine. */
MQ_API void mq_tx_free(mq_tx *tx);

/* The id, by which other processes can put something in. It lives as long as the transaction's handle. */
MQ_API const char *mq_tx_id(mq_tx *tx);

/* As mq_send, mq_send_batch and mq_send_bodies, into the transaction. The transaction keeps the queue open until it is
   freed, even if the caller closes it; until then one thread uses both. */
MQ_API int mq_tx_send(mq_tx *tx, mq_queue *queue, mq_message *message, const struct mq_send_options *options,
                      char *ret_id);
MQ_API int mq_tx_send_batch(mq_tx *tx, mq_queue *queue, mq_message *const *messages, size_t count,
                            const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);
MQ_API int mq_tx_send_bodies(mq_tx *tx, mq_queue *queue, const mq_message *message, const struct iovec *bodies,
                             size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                             size_t *ret_sent);

/* Take a claim into the transaction, whose commit acks it. If the transaction is undone, the message is delivered again,
   with its attempt counted. The transaction's deadline becomes the claim's, if that is earlier. The receipt is worthless
   from then on. -ESTALE: the claim has ended. */
#define MQ_TX_ONCE 1u /* as with mq_ack_once */
MQ_API int mq_tx_take(mq_tx *tx, mq_queue *queue, const char *receipt, unsigned flags);

/* What can be read from `fd` up to its end becomes the content of the file `path` when the transaction is committed,
   with the mode of the file that is there now, or else `mode`. -EXDEV: it is not on the spool's file system. */
MQ_API int mq_tx_put(mq_tx *tx, int fd, const char *path, mode_t mode);

/* Move the deadline to now + `timeout`. */
MQ_API int mq_tx_extend(mq_tx *tx, int64_t timeout);

/* 0: the transaction is committed, and on the disk if any part of it is durable, and it is carried out as far as possible.
   -EINPROGRESS: it is committed, and is carried out, but a sync failed: a loss of power may undo it. After any other error
   than -ESTALE it stays open, and can be committed again or aborted. */
MQ_API int mq_tx_commit(mq_tx *tx);
MQ_API int mq_tx_abort(mq_tx *tx);

enum mq_tx_state { MQ_TX_OPEN, MQ_TX_COMMITTED, MQ_TX_ABORTED };

struct mq_tx_entry {
    const char *id;
    enum mq_tx_state state;
    int64_t deadline; /* of an open one, by this host's clock; else 0 */
    uid_t owner;
    uint64_t messages, claims, files; /* in it, as far as this process may see */
};

/* Call `each` for every transaction that is not finished, in no order. A non-zero return of `each` ends it and is
   returned. */
MQ_API int mq_tx_list(const char *spool, int (*each)(const struct mq_tx_entry *entry, void *context), void *context);

/* Finish this user's transactions that are decided or past their deadline. 0, or the first error. */
MQ_API int mq_tx_finish(const char *spool);

/* ---- topics ------------------------------------------------------------------------ */

/*
 * A topic holds no messages: what is sent to it goes on to the queues and topics that are bound to it, to all of them or
 * to none, once to each. Its name is in the same spool as those of queues: mq_open of a topic fails with -ENOENT or
 * -ENOTDIR.
 *
 * A message's routing key is its header MQ_ROUTING_KEY; without one it is empty. Patterns are those of AMQP: words
 * between dots, of which `*` matches one and `#` any number.
 */
#define MQ_ROUTING_KEY "Routing-Key"

typedef struct mq_topic mq_topic;

struct mq_binding {
    const char *destination;       /* a queue or a topic */
    const char *pattern;           /* of the routing key; NULL: none */
    const char *const *conditions; /* on headers: "NAME: VALUE", or "NAME" for any value; instead of a pattern */
    size_t condition_count;        /* 0: none; with neither the destination gets every message */
    bool any;                      /* one of the conditions is enough */
    uint64_t used;                 /* how many messages it took; only mq_topic_bindings sets it */
};

/* Make a topic. 1: it was made. 0: it existed. -EEXIST: there is a queue of that name. */
MQ_API int mq_topic_create(const char *spool, const char *name);

/* The same, shared as mq_create_shared says of queues: other users may look, send, or also change the bindings. -EEXIST:
   there is a queue of that name, or a topic with another mode or group. */
MQ_API int mq_topic_create_shared(const char *spool, const char *name, unsigned mode, gid_t group);

/* Delete a topic; the queues that are bound to it stay. -ENOENT: no such topic. -EBUSY: another topic passes messages
   on to it. -EBADMSG: that is not known, since the bindings of another topic are malformed. */
MQ_API int mq_topic_delete(const char *spool, const char *name);

/* Find a topic that passes messages on to this queue or topic, by a binding or as unroutable. 1: found. 0: there is none.
   `ret_topic` takes MQ_QUEUE_NAME_SIZE bytes; after -EBADMSG it names the topic that is malformed. */
MQ_API int mq_topic_find_source(const char *spool, const char *name, char *ret_topic);

/* Bind a destination; a queue is made if it is missing. 1: it was bound. 0: the binding existed. It takes effect for sends
   that begin afterwards. -ELOOP: a topic cannot be bound to itself. -EINVAL: malformed. A circle of topics does no harm. */
MQ_API int mq_topic_bind(const char *spool, const char *topic, const struct mq_binding *binding);

/* Remove that binding, or, without a pattern and conditions, all bindings to the destination. Returns how many. */
MQ_API int mq_topic_unbind(const char *spool, const char *topic, const struct mq_binding *binding);

/* Call `each` for every topic, or every binding of one; a non-zero return of `each` ends it and is returned. */
MQ_API int mq_topic_list(const char *spool, int (*each)(const char *topic, void *context), void *context);
MQ_API int mq_topic_bindings(const char *spool, const char *topic,
                             int (*each)(const struct mq_binding *binding, void *context), void *context);

/* Make a private queue that gets what these bindings take; their destinations are ignored. mq_topic_unfollow removes the
   queue. If this process is killed, other processes remove it. */
MQ_API int mq_topic_follow(const char *spool, const char *topic, const struct mq_binding *bindings, size_t count,
                           mq_queue **ret_queue);
MQ_API void mq_topic_unfollow(const char *topic, mq_queue *queue); /* NULL is fine */

/* Counters of a topic, since it was made. A message counts when it was sent, in a transaction when it was put in. */
struct mq_topic_stats {
    uint64_t bindings;   /* how many it has now */
    uint64_t published;  /* messages that came to it, from senders or other topics */
    uint64_t routed;     /* copies that it passed on: one for each destination that no other topic had led to */
    uint64_t unroutable; /* messages that none of its bindings took: refused, dropped, or passed to another */
    uint64_t duplicates; /* messages that were not sent, because they had been sent once before */
};
MQ_API int mq_topic_stat(const char *spool, const char *topic, struct mq_topic_stats *ret_stats);

/* The settings of a topic. `mq_topic_config_keys` ends with NULL; a value takes MQ_QUEUE_NAME_SIZE bytes, and NULL sets the
   default.
       unroutable   what happens to a message that no binding takes: "refuse", which is the default, "drop", or the name
                    of a queue or topic that gets it
       durability   "full", the default: as each queue says; "none": as with no_sync
   -ENOKEY: no such key; -EINVAL: no such value; -ELOOP: to itself; -ENXIO: nothing has that name. */
MQ_API const char *const *mq_topic_config_keys(void);
MQ_API int mq_topic_config_check(const char *spool, const char *topic, const char *key, const char *value);
MQ_API int mq_topic_config_set(const char *spool, const char *topic, const char *key, const char *value);
MQ_API int mq_topic_config_get(const char *spool, const char *topic, const char *key, char *ret_value);

/* Write to `ret_text` what is wrong with a topic's files, and in which line. 1: written. 0: nothing is wrong. */
MQ_API int mq_topic_explain(const char *spool, const char *topic, char *ret_text, size_t size);

/* Open a topic to send to it. -ENOENT: no such topic; -EBADMSG: see mq_topic_explain. */
MQ_API int mq_topic_open(const char *spool, const char *name, mq_topic **ret_topic);
MQ_API void mq_topic_close(mq_topic *topic); /* NULL is fine */

/* The queue that refused what was sent last; empty: none did. */
MQ_API const char *mq_topic_refused_by(const mq_topic *topic);

/* Call `each` for every queue that would get the message, which may have no body. -ENXIO: none would. */
MQ_API int mq_topic_route(mq_topic *topic, const mq_message *message, int (*each)(const char *queue, void *context),
                          void *context);

/*
 * As mq_send, mq_send_batch and mq_send_bodies, to all queues that the bindings lead to; as part of the transaction
 * `tx`, or, if that is NULL, in a transaction of its own. -ENXIO: no binding takes the message, and such a message is
 * refused. If any queue refuses a message, no queue gets it. Of several messages, those that go to the same places are sent
 * together or not at all.
 */
MQ_API int mq_topic_send(mq_topic *topic, mq_tx *tx, mq_message *message, const struct mq_send_options *options,
                         char *ret_id);
MQ_API int mq_topic_send_batch(mq_topic *topic, mq_tx *tx, mq_message *const *messages, size_t count,
                               const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent);
MQ_API int mq_topic_send_bodies(mq_topic *topic, mq_tx *tx, const mq_message *message, const struct iovec *bodies,
                                size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                                size_t *ret_sent);

/*
 * A filter selects messages as a binding does. It takes a message whose routing key matches one of the patterns, or any
 * key if there are no patterns. The message must also have all of the headers `NAME` or `NAME: VALUE`, or, with `any`, one
 * of them. -EINVAL: a pattern or a header is malformed.
 */
typedef struct mq_filter mq_filter;
MQ_API int mq_filter_new(const char *const *patterns, size_t pattern_count, const char *const *headers,
                         size_t header_count, bool any, mq_filter **ret_filter);
MQ_API bool mq_filter_takes(const mq_filter *filter, const mq_message *message);
MQ_API void mq_filter_free(mq_filter *filter); /* NULL is fine */

/* ---- logs ------------------------------------------------------------------------ */

/*
 * A log keeps messages in one order, and anybody may read them again, from anywhere. Each message has an offset: they are
 * dense, from 0, for ever. Retention removes the oldest.
 *
 *     mq_log *log;
 *     mq_log_create(NULL, "clicks");
 *     mq_log_open(NULL, "clicks", &log);
 *     mq_log_send(log, NULL, message, &(struct mq_send_options){MQ_SEND_DEFAULTS}, id, &offset);
 *     mq_log_reader_new(log, 0, &reader);
 *     while (mq_log_next(reader, &message, &offset) == 1) …
 *
 * -ENOENT: there is no log of that name, or it was deleted meanwhile. -EUCLEAN: it is damaged: it lacks a part, which
 * mq_log_create may make again, or something else has the name of one. -EBADMSG: its configuration is malformed;
 * mq_log_config_explain says where.
 */
typedef struct mq_log mq_log;
typedef struct mq_log_reader mq_log_reader;

/* Make a log. 1: it was made. 0: it existed, and what it lacked is made. -EEXIST: a queue or topic has the name. */
MQ_API int mq_log_create(const char *spool, const char *name);

/* Delete a log. -ENOTEMPTY: it holds messages, and `force` is not set. -EBUSY: another process is appending. */
MQ_API int mq_log_delete(const char *spool, const char *name, bool force);

/* Call `each` with the name of every log, in byte order; a non-zero return of `each` ends it and is returned. */
MQ_API int mq_log_list(const char *spool, int (*each)(const char *log, void *context), void *context);

MQ_API int mq_log_open(const char *spool, const char *name, mq_log **ret_log);
MQ_API void mq_log_close(mq_log *log); /* NULL is fine */
MQ_API const char *mq_log_name(const mq_log *log);

/* The configuration, as with mq_config_keys and the calls after it. */
MQ_API const char *const *mq_log_config_keys(void);
MQ_API int mq_log_config_get(const mq_log *log, const char *key, char *ret_value, size_t size);
MQ_API int mq_log_config_check(const char *key, const char *value, char *ret_text, size_t size);
MQ_API int mq_log_config_set(const char *spool, const char *name, const char *key, const char *value);
MQ_API int mq_log_config_explain(const char *spool, const char *name, char *ret_text, size_t size);

/*
 * As mq_send, mq_send_batch and mq_send_bodies, and the offsets of the messages; `ret_offset` and `ret_offsets` may be
 * NULL. As part of the transaction `tx`, unless that is NULL: then the offsets are MQ_NO_OFFSET, since only carrying it out
 * gives them, or the message is a duplicate. Any number of processes may append at once. -EOPNOTSUPP: the message has a
 * priority, a delay or an expiry, which are for queues, or `once` is set in a transaction, or the file system has no rename
 * that replaces nothing. If a sync fails, or the log is deleted meanwhile, the call fails although the
 * messages may be in the log.
 */
#define MQ_NO_OFFSET UINT64_MAX
MQ_API int mq_log_send(mq_log *log, mq_tx *tx, mq_message *message, const struct mq_send_options *options, char *ret_id,
                       uint64_t *ret_offset);
MQ_API int mq_log_send_batch(mq_log *log, mq_tx *tx, mq_message *const *messages, size_t count,
                             const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                             size_t *ret_sent);
MQ_API int mq_log_send_bodies(mq_log *log, mq_tx *tx, const mq_message *message, const struct iovec *bodies,
                              size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                              uint64_t *ret_offsets, size_t *ret_sent);
MQ_API size_t mq_log_batch_most(const mq_log *log, const struct mq_send_options *options);

struct mq_log_stats {
    uint64_t begin, end;       /* the first offset that is kept, and the one that the next message gets */
    int64_t first_at, last_at; /* when the messages at both ends were appended; 0: the log is empty */
    uint64_t bytes;            /* the size of all files */
};
MQ_API int mq_log_stat(mq_log *log, struct mq_log_stats *ret_stats);

/* The first offset that is kept, and the one after the last message; costs less than mq_log_stat. */
MQ_API int mq_log_bounds(mq_log *log, uint64_t *ret_begin, uint64_t *ret_end);

/* The offset of the first message that was appended at this moment or later, or the end. Messages that share a file have
   one moment. */
MQ_API int mq_log_find(mq_log *log, int64_t moment, uint64_t *ret_offset);

/* Remove what need not be kept, according to the configuration: whole buckets of 4096 messages, and never the last. Senders
   do so little by little. `ret_removed` gets the number of buckets. */
MQ_API int mq_log_trim(mq_log *log, uint64_t *ret_removed);

/* Read from an offset on. The log must stay open as long as the reader. A reader stores nothing. */
MQ_API int mq_log_reader_new(mq_log *log, uint64_t from, mq_log_reader **ret_reader);
MQ_API void mq_log_reader_free(mq_log_reader *reader); /* NULL is fine */

/*
 * The next message: 1. 0: there is none yet. The message lives until the next call. -EBADMSG: what is at `ret_offset` is
 * damaged; the next call continues after it, at mq_log_reader_at.
 */
MQ_API int mq_log_next(mq_log_reader *reader, mq_message **ret_message, uint64_t *ret_offset);

/* Many messages at once, if the next ones share their headers and this separator ends each body: 1, and the bodies with
   their separators. 0: use mq_log_next. At most `most` messages. The bytes live until the next call. */
MQ_API int mq_log_next_bodies(mq_log_reader *reader, char separator, uint64_t most, struct iovec *ret_bodies,
                              uint64_t *ret_count);

/* The offset of the next message, and how many were removed before this reader came to them. */
MQ_API uint64_t mq_log_reader_at(const mq_log_reader *reader);
MQ_API uint64_t mq_log_reader_missed(const mq_log_reader *reader);

/* Wait for a message after the last one. 1: there may be one. 0: none came within `wait`. -ECANCELED: `cancel_fd` became
   readable. */
MQ_API int mq_log_wait(mq_log_reader *reader, int64_t wait, int cancel_fd);

/* ---- groups of logs ----------------------------------------------------------------- */

/*
 * A group is a queue, LOG/GROUP, that takes the messages of its log one after the other, at its own pace; any number of
 * consumers share the work. It has everything that a queue has, and mq_open opens it. Nothing can be sent to it, and
 * mq_open does not make it.
 *
 * -EUCLEAN: it has lost its place, or has two; mq_check repairs that.
 */

/* Make a group, which begins at an offset of the log. 1: it was made. 0: it existed, and what it lacked is made. -ENOENT:
   there is no such log. -ERANGE: the log does not have that offset. */
MQ_API int mq_group_create(const char *spool, const char *name, uint64_t from);

/* The same of a group that keeps an order, which never changes: "group" (of the messages with the same header `by`; NULL:
   Group), or "strict" (of all). -ESTALE: the group is there, with another order. */
MQ_API int mq_group_create_ordered(const char *spool, const char *name, uint64_t from, const char *order,
                                   const char *by);

/* Let a group continue at another offset, even while consumers are at work; what is in flight, delayed or dead stays.
   `ret_from` gets the offset that would have come next. -ERANGE: the log does not have that offset. */
MQ_API int mq_group_seek(const char *spool, const char *name, uint64_t to, uint64_t *ret_from);

/* The offset of a message that was received from a group: 1. 0: the message is not from a group. */
MQ_API int mq_message_offset(const mq_message *message, uint64_t *ret_offset);

/* How many messages were removed from the log before this handle came to them, although `keep-unread` is off. */
MQ_API uint64_t mq_group_overtaken(const mq_queue *group);

/* ---- looking without claiming --------------------------------------------------- */

struct mq_entry {
    enum mq_state state;
    const char *id;
    unsigned attempts;
    int priority;
    int64_t time;       /* delayed: due; in flight: deadline; dead: when it died; ready: 0 */
    int64_t expires;    /* 0: never */
    const char *reason; /* dead: why, as plain text; else NULL */
    int64_t begun;      /* in flight: when it was claimed; 0: unknown */
    pid_t owner;        /* in flight: the process that claimed it; 0: unknown */
    const char *host; /* in flight: the host of that process, as the first 8 characters of its machine id; else NULL */
    bool is_here;     /* in flight: that host is this one */
    const char *bucket; /* the file is STATE/bucket/file */
    const char *file;
    uint64_t offset;   /* where in the file the message begins; a file may hold several messages */
    uint64_t position; /* grows with the moment of sending; of two messages in a queue the later one has the greater */
};

/*
 * Call `each` for every message in a state: ready messages in order of delivery, the others in order of their time.
 * If `each` returns non-zero, the walk ends and returns that. The entry lives until `each` returns. Other processes
 * are not held up: a message that moves during the walk may or may not be shown.
 */
MQ_API int mq_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
                     void *context);

/* Open the message of an entry for reading. 1: opened. 0: it is no longer there. -EBADMSG: it is corrupt. -EMSGSIZE:
   the body is larger than max-size, in a queue that some users may only send to; no honest sender made it. */
MQ_API int mq_entry_open(mq_queue *queue, const struct mq_entry *entry, mq_message **ret_message);

/* As mq_browse, and each message is open already; it lives until `each` returns. NULL: it is corrupt. Faster than opening
   each, since a file of several messages is read once. */
MQ_API int mq_browse_messages(mq_queue *queue, enum mq_state state,
                              int (*each)(const struct mq_entry *entry, mq_message *message, void *context),
                              void *context);

/* Remove the message of an entry for good. 1: removed. 0: it is no longer there. */
MQ_API int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry);

/* The properties that a waiting message gets in place of those that it was sent with. */
struct mq_changes {
    int priority;  /* -1: as it is */
    int64_t delay; /* from now; 0: it is ready; -1: as it is */
    int64_t ttl;   /* from now; 0: it does not expire; -1: as it is */
};
#define MQ_CHANGES_NONE .priority = -1, .delay = -1, .ttl = -1

/* Change the message of an entry, which is ready or delayed. 1: changed. 0: it is no longer there. -EOPNOTSUPP: the queue
   is ordered, so it has no priorities, or the message is of a group. */
MQ_API int mq_entry_set(mq_queue *queue, const struct mq_entry *entry, const struct mq_changes *changes);

/* The receipt of the claim that the message of an entry in flight belongs to: MQ_RECEIPT_SIZE bytes. */
MQ_API int mq_entry_receipt(const mq_queue *queue, const struct mq_entry *entry, char *ret_receipt);

/* End the claim of an entry in flight, as mq_release does: all messages that were claimed together are ready again, and
   the process that had claimed them cannot settle them. 1: ended. 0: it had ended before. */
MQ_API int mq_entry_release(mq_queue *queue, const struct mq_entry *entry);

/* Remove all messages in a state. `ret_purged` gets their number, even after an error. */
MQ_API int mq_purge(mq_queue *queue, enum mq_state state, uint64_t *ret_purged);

/* Make a dead letter ready again with its attempts at 0: in its old place, or at the end of another queue. A ready message
   may go to another queue, too, unless it shares its file with others. 1: done. 0: it is no longer there. */
MQ_API int mq_entry_retry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to);

/*
 * Move the message of an entry that is ready, delayed or dead to the end of another queue of the spool, or copy it there. A
 * delayed message stays delayed. 1: done. 0: it is no longer there. A move is one rename: at every moment the message is in
 * one of the queues. A copy is a link to the same file, if the users of both queues may read that. -ENOBUFS, -EOVERFLOW: as
 * for mq_send. A loss of power may undo the move, or lose the copy, until mq_persist has returned 0 for the other queue.
 */
MQ_API int mq_entry_move(mq_queue *queue, const struct mq_entry *entry, mq_queue *to);
MQ_API int mq_entry_copy(mq_queue *queue, const struct mq_entry *entry, mq_queue *to);
MQ_API int mq_persist(mq_queue *queue);

/* ---- watching events ------------------------------------------------------------- */

enum mq_event_kind {
    MQ_EVENT_NONE,
    MQ_EVENT_SENT,
    MQ_EVENT_DUE,
    MQ_EVENT_CLAIMED,
    MQ_EVENT_EXTENDED,
    MQ_EVENT_ACKED,
    MQ_EVENT_RETRIED,       /* a nack: delivered again, now or after a delay */
    MQ_EVENT_RELEASED,      /* given back, the attempt not counted */
    MQ_EVENT_LEASE_EXPIRED, /* the claim's deadline passed */
    MQ_EVENT_DEAD,
    MQ_EVENT_EXPIRED,  /* its ttl has passed: dead or removed */
    MQ_EVENT_REVIVED,  /* a dead letter is tried again */
    MQ_EVENT_REMOVED,  /* purged */
    MQ_EVENT_LEFT,     /* moved to a directory that is not watched: newly made, or not of this queue */
    MQ_EVENT_MISSED,   /* some events were lost, of one queue or of all */
    MQ_EVENT_DELETED,  /* the queue was deleted */
    MQ_EVENT_OVERTAKEN /* `count` messages were removed from the log before the group came to them */
};

struct mq_event {
    enum mq_event_kind kind;
    mq_queue *queue; /* NULL: all queues */
    /* the message; NULL and 0 if the event is not about a message */
    const char *id;
    unsigned count; /* the number of messages that moved together, this one first; or of those that were overtaken */
    unsigned attempts;
    int priority;
    bool was, is;           /* whether it was in a state before, and whether it is in one now */
    enum mq_state from, to; /* these states */
    int64_t time;           /* the due time, deadline or time of death, as its state says; else 0 */
    const char *reason;     /* dead: why, as plain text; else NULL */
    pid_t owner;            /* claimed: the process; 0: unknown */
};

/*
 * Watch what happens to the messages of queues, by inotify on their directories. Watching changes nothing.
 * -EMFILE, -ENOSPC: this user has no inotify instances or watches left. -EOPNOTSUPP: the queue is on a network file
 * system, where inotify does not report the changes of other hosts. With `whole`, the first events are the messages
 * that are there already. The queue must stay open as long as the watch.
 */
MQ_API int mq_watch_new(mq_watch **ret_watch);
MQ_API int mq_watch_add(mq_watch *watch, mq_queue *queue, bool whole);
MQ_API void mq_watch_free(mq_watch *watch); /* NULL is fine */

/*
 * The next event: 1. 0: none came within `wait`. -ECANCELED: `cancel_fd` became readable. The strings of the event live
 * until the next call. An event can be missed in a directory that was made only microseconds ago and is not watched yet.
 */
MQ_API int mq_watch_next(mq_watch *watch, int64_t wait, int cancel_fd, struct mq_event *ret_event);

/* ---- figures and maintenance ---------------------------------------------------- */

/* The causes of death: mq_reject with any reason, and the reasons of the library itself. */
enum mq_death { MQ_DEATH_REJECTED, MQ_DEATH_MAX_ATTEMPTS, MQ_DEATH_EXPIRED, MQ_DEATH_CORRUPT, MQ_DEATH_OVERFLOW };
#define MQ_DEATHS 5

/* The reason that the library gives for a cause: "rejected", "max-attempts", "expired", "corrupt" or "overflow". Static
   storage. */
MQ_API const char *mq_death_name(enum mq_death death);

enum mq_span { MQ_1_MINUTE, MQ_5_MINUTES, MQ_15_MINUTES };
#define MQ_SPANS 3

#define MQ_HELD_BUCKETS 25
#define MQ_HELD_LIMIT(bucket) (INT64_C(1024) << (bucket)) /* microseconds: the first is about a millisecond */

#define MQ_UNKNOWN UINT64_MAX
struct mq_stats {
    uint64_t count[MQ_STATES]; /* messages in each state now */
    uint64_t bytes;            /* the size of all their files */
    int64_t oldest;            /* when the oldest ready message was sent; 0: none is ready */
    /* counters since each host's page was made, which is about when the host was booted */
    uint64_t sent, delivered, acked, retried, expired, died;
    uint64_t redelivered;       /* deliveries after the first */
    uint64_t failed;            /* attempts that ended by nack, reject or the deadline */
    uint64_t dropped;           /* messages removed because the queue was full (overflow = drop-oldest) */
    uint64_t duplicates;        /* messages acked without work, or not sent, because that had been done before */
    uint64_t deaths[MQ_DEATHS]; /* `died` by cause */
    /* of an ordered queue, by listing: the groups that wait for a consumer, those whose first message failed and waits
       for its next attempt, and those whose first message is in flight */
    uint64_t groups_waiting, groups_blocked, groups_in_flight;
    /* processes that receive: those of this host that wait for a message, those that hold a claim, and both, each once;
       MQ_UNKNOWN: this process may not know */
    uint64_t consumers_waiting, consumers_working, consumers;
    /* of a group: the offset that comes next; how many messages wait in the log, which `count[MQ_READY]` includes; how many
       messages, including these, have not been acked; and how many were removed from the log before the group came to
       them. If nothing is ready, `oldest` is about the next message in the log */
    bool is_group;
    uint64_t next, unread, lag, missed;
    /* a histogram of the times from claim to ack, and their sum: held[i] counts the times below MQ_HELD_LIMIT(i) that
       are not below the limit before it; the last one has no limit */
    uint64_t held[MQ_HELD_BUCKETS];
    uint64_t held_total;
    /* messages per second, averaged over the last minutes with decay, as load averages are */
    double sent_rate[MQ_SPANS], acked_rate[MQ_SPANS], failed_rate[MQ_SPANS];
    uint64_t paused; /* MQ_PAUSE_… */
};

/* The figures of a queue. They come from shared counters, at a cost that does not grow with depth. With `exact` they
   come from listing the directories. */
MQ_API int mq_stat(mq_queue *queue, bool exact, struct mq_stats *ret_stats);

/*
 * A histogram of the ages of the messages in a state. `limits` holds `count` ages in ascending order. `ret_counts` gets
 * `count` + 1 numbers: of the messages younger than limits[0], from limits[0] to limits[1], …, and older than all
 * limits. The cost grows with the number of messages.
 */
MQ_API int mq_ages(mq_queue *queue, enum mq_state state, const int64_t *limits, size_t count, uint64_t *ret_counts);

/* The space that the file system of the queue or log has left for this user. */
struct mq_room {
    uint64_t bytes;
    uint64_t files; /* UINT64_MAX: the file system does not count files */
};
MQ_API int mq_room(mq_queue *queue, struct mq_room *ret_room);
MQ_API int mq_log_room(const mq_log *log, struct mq_room *ret_room);

struct mq_swept {
    uint64_t due;           /* delayed messages that became ready */
    uint64_t lease_expired; /* claims that ended because their deadline had passed */
    uint64_t expired;       /* messages past their ttl, and dead letters past dead-ttl */
    uint64_t sent_on;       /* dead letters that had stayed and went on to where dead-letter says */
    uint64_t kept;          /* those that cannot go on */
    int kept_error;         /* why the first of them cannot, as a negative errno, or 0 */
    uint64_t leftovers;     /* removed: old files in tmp/, empty buckets, FIFOs of waiters that died */
};

/* Do at once all the housekeeping that senders and receivers do bit by bit, and correct the counters. If something
   could not be judged or removed, the call goes on as far as it can and then returns that error. */
MQ_API int mq_sweep(mq_queue *queue, struct mq_swept *ret_swept);

/* Remove from a spool the remains of queues that were never finished or only half deleted, and reply queues whose owner
   was killed. A queue in use is never removed; a half deleted one that still has a message is put back. Returns how many
   were removed or put back. If the spool could not be listed to its end, or something could not be judged or removed,
   the call goes on as far as it can and then returns that error. What this user has no right to remove is left to
   others, and is no error. */
MQ_API int mq_sweep_spool(const char *spool);

/*
 * Verify names, buckets and files. Call `each` with the path below the queue of every file or directory that does not
 * belong there, and with the reason. With `repair` it is moved into the queue's aside/; nothing is deleted. Returns
 * how many were found.
 */
MQ_API int mq_check(mq_queue *queue, bool repair, void (*each)(const char *path, const char *problem, void *context),
                    void *context);

/* The same for a log, but not for its groups, which are queues. With `repair` an entry of no messages takes the place of a
   damaged or a missing one, so that no offset is given again. */
MQ_API int mq_log_check(mq_log *log, bool repair, void (*each)(const char *path, const char *problem, void *context),
                        void *context);

/* The same for a topic: also whether what it leads to is there, and the modes of its files. With `repair` a queue that is
   gone is made, as the next message would make it. Lines of its files that are malformed stay: -EBADMSG. */
MQ_API int mq_topic_check(const char *spool, const char *topic, bool repair,
                          void (*each)(const char *path, const char *problem, void *context), void *context);

#ifdef __cplusplus
}
#endif
#endif
