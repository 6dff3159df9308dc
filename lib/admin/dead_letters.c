/* Retrying a dead letter, in its own queue or in another one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/browse.h"
#include "admin/transfer.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lane/lane_prefer.h"
#include "lifecycle/lane_delivery.h"
#include "queue/failures.h"
#include "queue/move.h"

/* After the other queue was deleted and made anew this many times, the retry fails with -EBUSY. */
#define TRIES 10

static int retry_in_lane(mq_queue *queue, const struct browse_place *place, const char *lane, struct message_name *name)
{
    int64_t size;
    const int again = lane_halt_retry(queue, place->dir, place->file, &place->name);
    if (again == 1)
        move_count(queue, MQ_DEAD, MQ_READY, &place->name, place->name.length);
    if (again)
        return again;
    const int moved = lane_delivery_move(queue, lane, place->dir, place->file, name, true, &size);
    if (moved != 1)
        return moved;
    move_count(queue, MQ_DEAD, MQ_READY, name, size);
    (void)lane_prefer(queue, lane, name);
    (void)lane_go_on_without(queue, &place->name);
    return 1;
}

static int retry(mq_queue *queue, enum mq_state state, const struct browse_place *place, mq_queue *to)
{
    struct message_name name = transfer_revive(&place->name);
    char lane[LANE_KEY_SIZE];
    if (strcmp(to->name, queue->name) == 0) {
        const int is = lane_delivery_find(to, place->dir, place->file, &place->name, lane);
        return is < 0    ? is
               : is == 1 ? retry_in_lane(queue, place, lane, &name)
                         : move_message(queue, MQ_DEAD, place->dir, place->file, MQ_READY, &name);
    }
    const struct transfer transfer = {queue, state, to, MQ_READY};
    const int moved = transfer_file(&transfer, place->dir, place->file, &place->name, &name);
    if (moved == 1)
        failures_forget(queue, state, &place->name);
    if (moved == 1 && state == MQ_DEAD)
        (void)lane_go_on_without(queue, &place->name);
    return moved;
}

static int find_entry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to, struct browse_place *ret_place)
{
    int error = queue_demand(queue, ACCESS_ALL);
    if (!error)
        error = queue_demand(to, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    if (!error && to != queue)
        error = queue_refresh(to);
    return error ? error : browse_find(queue, entry, ret_place);
}

/* Also a ready message that came here as the dead letter of another queue: it goes back there. */
static bool may_retry(const mq_queue *queue, const struct mq_entry *entry, const mq_queue *to)
{
    if (name_group_part(to->name) && strcmp(queue->name, to->name) != 0) /* a group has the messages of its log only */
        return false;
    return entry->state == MQ_DEAD || (entry->state == MQ_READY && strcmp(queue->name, to->name) != 0);
}

int mq_entry_retry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to)
{
    struct browse_place place = {0};
    const int found = may_retry(queue, entry, to) ? find_entry(queue, entry, to, &place) : -EINVAL;
    if (found != 1)
        return found;
    if (place.name.count > 1 ||
        place.name.split) { /* it shares its file, so it did not come alone from another queue */
        close(place.dir);
        return -EINVAL;
    }
    int moved = retry(queue, entry->state, &place, to);
    for (int tries = 0; tries < TRIES && (moved == TRANSFER_AGAIN || moved == -ENOENT); tries++) {
        const int opened = queue_reopen(to);
        moved = opened ? opened : retry(queue, entry->state, &place, to);
    }
    close(place.dir);
    if (moved == TRANSFER_AGAIN)
        return -EBUSY;
    if (moved == 1)
        page_count(queue->page, PAGE_RETRIED, place.name.count);
    return moved;
}
