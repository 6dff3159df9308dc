/* Where a name of a route leads, and what is for logs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "format/message.h"
#include "log/append.h"
#include "route/fan_out.h"
#include "route/log_send.h"
#include "store/adopt.h"
#include "txn/transaction.h"

/* Headers of a message at most, with what the library adds. */
#define HEADERS_READ (MESSAGE_HEADERS_MAX + 4096)

bool destination_is_known_log(mq_topic *topic, const char *name)
{
    mq_log *log;
    return log_handles_find(&topic->logs, name) && log_handles_get(&topic->logs, topic->spool_path, name, &log) == 0;
}

int destination_find(mq_topic *topic, const char *name, struct destination *ret_to)
{
    *ret_to = (struct destination){handles_find(&topic->handles, name), log_handles_find(&topic->logs, name)};
    if (ret_to->queue || ret_to->log)
        return 0;
    const int error = handles_get(&topic->handles, topic->spool_path, name, &ret_to->queue);
    if (error != -ENOTDIR)
        return error;
    ret_to->queue = NULL;
    return log_handles_get(&topic->logs, topic->spool_path, name, &ret_to->log) == 0 ? 0 : error;
}

struct destination_kinds destination_kinds(mq_topic *topic)
{
    struct destination_kinds kinds = {0};
    struct destination to;
    for (size_t i = 0; i < topic->route.queues.count; i++) {
        if (destination_find(topic, topic->route.queues.list[i], &to) != 0)
            continue;
        kinds.logs |= to.log != NULL;
        kinds.ordered |= to.queue && to.queue->config.order;
    }
    return kinds;
}

/* How long the body is of the one message of a file: what is behind the first empty line. */
static int measure_body(const struct draft *draft, uint64_t *ret_size)
{
    char *text = malloc(HEADERS_READ);
    const ssize_t got = text ? io_read_at(draft->file.file, text, HEADERS_READ, 0) : -ENOMEM;
    const char *end = got > 0 ? memmem(text, (size_t)got, "\n\n", 2) : NULL;
    *ret_size = end ? draft->size - (uint64_t)(end + 2 - text) : draft->size;
    free(text);
    return got < 0 ? (int)got : 0;
}

int destination_check_size(const mq_topic *topic, uint64_t max_size, const struct draft *draft)
{
    uint64_t size = topic->largest;
    const int error = size == UINT64_MAX ? measure_body(draft, &size) : 0;
    return error ? error : size > max_size ? -EMSGSIZE : 0;
}

/* The log's owner has to be able to read the file. */
int destination_take_for_log(mq_topic *topic, mq_log *log, struct draft *draft)
{
    struct draft own = *draft;
    int error = draft->state == MQ_DELAYED ? -EOPNOTSUPP : log_send_refresh(log);
    if (!error)
        error = destination_check_size(topic, log->config.max_size, draft);
    if (!error && log->owner != geteuid())
        error = adopt_unnamed(topic->feed->dir, topic->feed->sharing, &draft->file);
    if (!error)
        error = log_give_to_owner(log, draft->file.file);
    own.file = draft->file;
    own.durable = log->config.durable && !topic->options->no_sync;
    if (!error)
        error = transaction_take_for_log(topic->tx, log, topic->feed, &own);
    draft->synced = own.synced;
    return error;
}

int destination_send_to_log(mq_log *log, mq_tx *tx, const struct fan_out_load *load)
{
    size_t sent;
    log->is_indirect = true;
    if (load->model)
        return mq_log_send_bodies(log, tx, load->model, load->bodies, load->count, load->options, load->ids, NULL,
                                  &sent);
    if (load->count == 1)
        return mq_log_send(log, tx, load->messages[0], load->options, load->ids ? load->ids[0] : NULL, NULL);
    return mq_log_send_batch(log, tx, load->messages, load->count, load->options, load->ids, NULL, &sent);
}

const char *mq_topic_refused_by(const mq_topic *topic)
{
    return topic->refused_by;
}
