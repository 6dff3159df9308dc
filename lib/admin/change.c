/* Changing messages by name: those that wait, and the claims of others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin/lane_cut.h"
#include "admin/single_out.h"
#include "base/clock.h"
#include "queue/move.h"

/* ---- a message that waits ------------------------------------------------------------ */

/* Positions are given out by priority, so a message of another priority gets a new one. */
static struct message_name changed_name(mq_queue *queue, const struct message_name *name,
                                        const struct mq_changes *changes, int64_t now)
{
    struct message_name changed = *name;
    if (changes->priority >= 0 && changes->priority != name->priority) {
        changed.priority = changes->priority;
        changed.position = page_next_positions(queue->page, changed.priority, changed.count, now);
    }
    if (changes->delay >= 0)
        changed.time = name_time_after(now, changes->delay);
    if (changes->ttl >= 0)
        changed.expires = changes->ttl ? name_time_after(now, changes->ttl) : 0;
    return changed;
}

static int change(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                  const void *argument)
{
    const struct mq_changes *changes = argument;
    const int64_t now = queue_now(queue);
    const enum mq_state to = changes->delay < 0 ? state : changes->delay > 0 ? MQ_DELAYED : MQ_READY;
    char text[NAME_SIZE];
    const struct message_name changed = changed_name(queue, name, changes, now);
    name_format(to, &changed, text);
    if (to == state && strcmp(text, file) == 0)
        return 1;
    return move_message(queue, state, dir, file, to, &changed);
}

static bool are_valid(const struct mq_changes *changes)
{
    const int64_t now = clock_now();
    return changes->priority < NAME_PRIORITIES && (changes->delay < 0 || name_can_say_after(now, changes->delay)) &&
           (changes->ttl < 0 || name_can_say_after(now, changes->ttl));
}

int mq_entry_set(mq_queue *queue, const struct mq_entry *entry, const struct mq_changes *changes)
{
    if ((entry->state != MQ_READY && entry->state != MQ_DELAYED) || !are_valid(changes))
        return -EINVAL;
    int error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    if (!error && (lane_cut_is_meant(entry) || (queue->config.order && changes->priority >= 0)))
        error = -EOPNOTSUPP;
    return error ? error : single_out(queue, entry, change, changes);
}

/* ---- a claim --------------------------------------------------------------------------- */

int mq_entry_receipt(const mq_queue *queue, const struct mq_entry *entry, char *ret_receipt)
{
    if (entry->state != MQ_INFLIGHT)
        return -EINVAL;
    snprintf(ret_receipt, MQ_RECEIPT_SIZE, "%s/%s", queue->name, entry->file);
    return 0;
}

int mq_entry_release(mq_queue *queue, const struct mq_entry *entry)
{
    char receipt[MQ_RECEIPT_SIZE];
    int error = mq_entry_receipt(queue, entry, receipt);
    if (!error)
        error = mq_release(queue, receipt);
    return error == -ESTALE ? 0 : error ? error : 1;
}
