/* Looking at all messages with their contents. */
#include <errno.h>
#include <string.h>

#include "admin/browse.h"
#include "admin/lane_browse.h"
#include "base/clock.h"
#include "base/fs.h"
#include "format/batch.h"
#include "format/message.h"
#include "lane/lane.h"
#include "lifecycle/inbox.h"
#include "lifecycle/receive.h"
#include "queue/blame.h"

struct reading {
    mq_queue *queue;
    int (*each)(const struct mq_entry *entry, mq_message *message, void *context);
    void *context;
    mq_batch *batch;
    mq_message *message;      /* the next one to show; NULL: it is corrupt */
    struct lane_tokens heads; /* the tokens that the walk has come to */
    int stop;                 /* what `each` returned; any value may be */
};

/* Of a message that is opened by itself. */
static int read_one(const struct mq_entry *entry, void *context)
{
    struct reading *reading = context;
    mq_message *message = NULL;
    const int opened = mq_entry_open(reading->queue, entry, &message);
    const bool is_corrupt = opened == -EBADMSG || opened == -EMSGSIZE || opened == -EAGAIN;
    if (opened != 1 && !is_corrupt)
        return opened;
    const int stop = reading->each(entry, message, reading->context);
    mq_message_free(message);
    return stop;
}

static int show_opened(const struct mq_entry *entry, void *context)
{
    const struct reading *reading = context;
    return reading->each(entry, reading->message, reading->context);
}

/* The names of the message that was handed out last, and of those from it on. */
static void step(const mq_batch *batch, const mq_message *message, bool is_first, struct message_name *rest,
                 struct message_name *ret_one)
{
    struct batch_part part;
    memcpy(part.id, message->name.id, sizeof part.id);
    receive_extent(batch, &part.offset, &part.length);
    if (!is_first)
        *rest = batch_rest(rest, &part);
    *ret_one = batch_first(rest, &part);
}

/* The messages of a file, from one reading of it. What cannot be read of them is shown as one message. */
static int read_several(struct reading *reading, const struct bucket_file *file, int opened)
{
    struct message_name rest = file->name, one;
    int got, stop = 0;
    for (bool is_first = true; !stop && (got = mq_batch_next(reading->batch, &reading->message)) != 0;
         is_first = false) {
        if (got < 0)
            reading->message = NULL;
        else
            step(reading->batch, reading->message, is_first, &rest, &one);
        if (got == 1 && blame_is_too_large(reading->queue, reading->message->body_size))
            reading->message = NULL;
        stop = browse_show_one(reading->queue, file, opened, got < 0 ? &rest : &one, show_opened, reading);
        if (got < 0)
            break;
    }
    return stop;
}

static int read_file(struct reading *reading, const struct bucket_file *file)
{
    if (file->name.settled)
        return 0;
    if (file->name.count == 1 || lane_is_token(&file->name))
        return browse_show(reading->queue, file, read_one, reading);
    const int opened = fs_open_file(file->dir, file->file);
    if (opened == -ENOENT)
        return 0;
    const int error = opened < 0 ? opened : receive_view(reading->batch, opened, &file->name);
    return error ? browse_show(reading->queue, file, read_one, reading) : read_several(reading, file, opened);
}

static int visit(void *context, const struct bucket_file *file)
{
    struct reading *reading = context;
    const int error = lane_browse_note(&reading->heads, file);
    reading->stop = error ? error : read_file(reading, file);
    return reading->stop != 0;
}

static int walk(struct reading *reading, enum mq_state state)
{
    int error = queue_demand(reading->queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(reading->queue);
    if (error)
        return error;
    (void)inbox_take(reading->queue, queue_now(reading->queue),
                     INBOX_ALL); /* a message that stays in the inbox is shown as delayed */
    error = bucket_walk(reading->queue->dir, state, visit, reading);
    if (error || reading->stop)
        return error < 0 ? error : reading->stop;
    return lane_browse(reading->queue, state, &reading->heads, read_one, reading);
}

int mq_browse_messages(mq_queue *queue, enum mq_state state,
                       int (*each)(const struct mq_entry *entry, mq_message *message, void *context), void *context)
{
    struct reading reading = {.queue = queue, .each = each, .context = context};
    int stop = mq_batch_new(&reading.batch);
    if (stop)
        return stop;
    stop = walk(&reading, state);
    lane_tokens_free(&reading.heads);
    mq_batch_free(reading.batch);
    return stop;
}
