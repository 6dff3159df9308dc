/* Dead letters that go on. */
#include "route/send_on.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "format/death.h"
#include "format/decode.h"
#include "format/message.h"
#include "log/log.h"
#include "route/fan_out.h"
#include "route/topic.h"
#include "store/bucket.h"
#include "store/spool.h"
#include "txn/transaction.h"

/* A message that has gone on so often stays: it goes in a circle, which was closed by bindings that were made later. */
#define GOES_MOST 32

/* How long a transaction may take. If its process dies the dead letter is back after this. */
#define TIME_TO_SEND (60 * CLOCK_SECOND)

/* A larger body is read from the file while it is sent. It is the only one in its file then. */
#define BODY_IN_MEMORY (8u << 20)

#define COUNT_HEADER "Dead-Count"

/* ---- the message ---------------------------------------------------------------------------- */

static bool is_of_a_death(const char *name)
{
    return strncasecmp(name, "Dead-", 5) == 0;
}

/* The sender's headers. Those that only the library sets are set anew, and a death's replace those of an earlier one. */
static int copy_headers(const mq_message *dead, mq_message *message)
{
    const char *name, *value, *next;
    int error = 0;
    for (const char *at = dead->headers; !error && (next = message_next_header(dead, at, &name, &value)); at = next) {
        error = is_of_a_death(name) ? 0 : mq_message_set_header(message, name, value);
        if (error == -EPERM)
            error = 0;
    }
    return error;
}

static unsigned long count_of(const mq_message *dead)
{
    const char *count = mq_message_header(dead, COUNT_HEADER);
    return count ? strtoul(count, NULL, 10) : mq_message_header(dead, "Dead-From") ? 1 : 0;
}

static int say_death(const mq_queue *queue, const struct message_name *name, unsigned long count, mq_message *message)
{
    char moment[CLOCK_RFC3339_SIZE], reason[NAME_REASON_SIZE], number[24];
    clock_format_rfc3339(name->time, moment);
    name_unescape_reason(name->reason, reason);
    snprintf(number, sizeof number, "%" PRIu32, name->attempts);
    int error = mq_message_set_header(message, "Dead-From", queue->name);
    if (!error)
        error = mq_message_set_header(message, "Dead-Reason", *reason ? reason : mq_death_name(MQ_DEATH_REJECTED));
    if (error == -EINVAL) /* an escape was cut, or it holds what no header may hold */
        error = mq_message_set_header(message, "Dead-Reason", name->reason);
    if (!error)
        error = mq_message_set_header(message, "Dead-Time", moment);
    if (!error)
        error = mq_message_set_header(message, "Dead-Attempts", number);
    snprintf(number, sizeof number, "%lu", count);
    return error || count < 2 ? error : mq_message_set_header(message, COUNT_HEADER, number);
}

/* `ret_body` is to be freed when the message was sent. */
static int copy_body(mq_message *dead, mq_message *message, char **ret_body)
{
    *ret_body = NULL;
    if (dead->body_size > BODY_IN_MEMORY) {
        if (lseek(dead->file, (off_t)dead->body_at, SEEK_SET) < 0)
            return -errno;
        mq_message_set_body_fd(message, dead->file);
        return 0;
    }
    char *body = malloc(dead->body_size + 1);
    size_t have = 0;
    ssize_t got = body ? 1 : -ENOMEM;
    while (got > 0 && have < dead->body_size) {
        got = mq_message_read(dead, body + have, (size_t)dead->body_size - have);
        have += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || have < dead->body_size) {
        free(body);
        return got < 0 ? (int)got : -EBADMSG;
    }
    mq_message_set_body(message, body, have);
    *ret_body = body;
    return 0;
}

static int make_message(const mq_queue *queue, mq_message *dead, mq_message *message, char **ret_body)
{
    const unsigned long count = count_of(dead) + 1;
    *ret_body = NULL;
    if (count > GOES_MOST)
        return -ELOOP;
    message->name.priority = dead->name.priority;
    int error = mq_message_set_id(message, dead->name.id);
    if (!error)
        error = copy_headers(dead, message);
    if (!error)
        error = say_death(queue, &dead->name, count, message);
    return error ? error : copy_body(dead, message, ret_body);
}

/* ---- the transaction ------------------------------------------------------------------------- */

static int send_to_log(mq_tx *tx, const mq_queue *queue, const char *name, mq_message *message)
{
    static const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_log *log;
    int error = log_open(queue->spool, name, &log);
    if (error)
        return error;
    log->is_indirect = true;
    error = mq_log_send(log, tx, message, &options, NULL, NULL);
    mq_log_close(log);
    return error;
}

static int send_to_queue(mq_tx *tx, const mq_queue *queue, const char *name, mq_message *message)
{
    static const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_queue *to;
    int error = queue_open(queue->spool, name, 0, &to);
    if (error == -ENOENT)
        return send_to_log(tx, queue, name, message);
    if (error)
        return error;
    if (to->config.order)
        message->name.priority = MQ_PRIORITY_DEFAULT;
    error = mq_tx_send(tx, to, message, &options, NULL);
    mq_close(to);
    return error;
}

static int send_to(mq_tx *tx, const mq_queue *queue, const char *name, mq_message *message)
{
    static const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    mq_topic *topic;
    int error = topic_open(queue->spool, name, &topic);
    if (error == -ENOENT)
        return send_to_queue(tx, queue, name, message);
    if (error)
        return error;
    error = mq_topic_send(topic, tx, message, &options, NULL);
    mq_topic_close(topic);
    return error;
}

/* The reason goes if there is no room for it: then an undone transaction brings back a dead letter without one. */
static int format_input(const mq_queue *queue, const struct message_name *name, char text[NAME_SIZE])
{
    struct outbox_entry entry = {.kind = OUTBOX_DEAD, .name = *name};
    strcpy(entry.queue, queue->name);
    int error = outbox_format_entry(&entry, text);
    if (error == -ENAMETOOLONG) {
        entry.name.reason[0] = '\0';
        error = outbox_format_entry(&entry, text);
    }
    return error;
}

/* The dead letter goes into the transaction last: of several processes one takes it, and the others find it gone. */
static int move_on(mq_queue *queue, int dir, const char *file, const struct message_name *name, mq_message *message)
{
    mq_tx *tx;
    char input[NAME_SIZE];
    int error = format_input(queue, name, input);
    if (!error)
        error = mq_tx_begin(queue->spool, TIME_TO_SEND, &tx);
    if (error)
        return error;
    error = send_to(tx, queue, queue->config.dead_letter, message);
    if (!error)
        page_announce_outbox(queue->page, queue_now(queue));
    if (!error)
        error = fs_rename(dir, file, tx->dir, input);
    if (!error)
        error = mq_tx_commit(tx);
    if (error == -EINPROGRESS) /* if that is lost, the dead letter is back */
        error = 0;
    if (error)
        (void)mq_tx_abort(tx); /* if this fails, its deadline does */
    mq_tx_free(tx);
    return error == -ENOENT && !fs_exists(dir, file) ? 0 : error ? error : 1;
}

int send_on(mq_queue *queue, int dir, const char *file, const struct message_name *name)
{
    mq_message *dead, *message;
    char *body;
    if (!queue->config.dead_letter[0] || queue->rights != ACCESS_ALL || name->count != 1 ||
        death_cause(name->reason) == MQ_DEATH_CORRUPT)
        return 0;
    const int fd = fs_open_unchecked(dir, file);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    int error = decode_file(fd, name, &dead);
    if (error) {
        close(fd);
        return error == -ENOENT ? 0 : error;
    }
    error = mq_message_new(&message);
    if (!error) {
        error = make_message(queue, dead, message, &body);
        if (!error)
            error = move_on(queue, dir, file, name, message);
        free(body);
        mq_message_free(message);
    }
    mq_message_free(dead);
    return error;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct sending {
    mq_queue *queue;
    uint64_t sent, kept;
    int why;
};

static int visit(void *context, const struct bucket_file *file)
{
    struct sending *sending = context;
    const int done = send_on(sending->queue, file->dir, file->file, &file->name);
    sending->sent += done == 1;
    sending->kept += done < 0;
    if (done < 0 && !sending->why)
        sending->why = done;
    return 0;
}

int send_on_all(mq_queue *queue, uint64_t *ret_sent, uint64_t *ret_kept, int *ret_why)
{
    struct sending sending = {.queue = queue};
    const int error = queue->config.dead_letter[0] ? bucket_walk(queue->dir, MQ_DEAD, visit, &sending) : 0;
    *ret_sent = sending.sent;
    *ret_kept = sending.kept;
    *ret_why = sending.why;
    return error;
}
