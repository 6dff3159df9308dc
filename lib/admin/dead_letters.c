/* Retrying a dead letter, in its own queue or in another one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/browse.h"
#include "base/clock.h"
#include "base/fs.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lifecycle/lane_delivery.h"
#include "queue/failures.h"
#include "queue/move.h"

/* After the other queue was deleted and made anew this many times, the retry fails with -EBUSY. */
#define TRIES 10

#define RETRY_AGAIN 2

/* A retried message has had no attempts, no reason of death, and no expiry, which would end it at once. */
static struct message_name revive(const struct message_name *dead)
{
    struct message_name name = *dead;
    name.attempts = 0;
    name.expires = 0;
    name.reason[0] = '\0';
    (void)name_mark_retried(&name); /* without the mark a sweep removes the records of its failures */
    return name;
}

/* The other queue has lost its name: the message becomes a dead letter again, if it is still in `ready_dir`. */
static int take_back(const struct browse_place *place, int ready_dir, const struct message_name *name, int error)
{
    char file[NAME_SIZE];
    name_format(MQ_READY, name, file);
    const int moved = fs_rename(ready_dir, file, place->dir, place->file);
    return moved == -ENOENT ? 1 : moved ? moved : error ? error : RETRY_AGAIN;
}

static int retry_in_lane(mq_queue *queue, const struct browse_place *place, mq_queue *to, const char *lane,
                         struct message_name *name)
{
    const bool same = strcmp(to->name, queue->name) == 0;
    int64_t size;
    const int moved = lane_delivery_move(to, lane, place->dir, place->file, name, same, &size);
    if (moved != 1)
        return moved;
    page_add_messages(queue->page, MQ_DEAD, -1);
    page_add_messages(to->page, MQ_READY, 1);
    if (!same) {
        page_add_bytes(queue->page, -size);
        page_add_bytes(to->page, size);
    }
    if (same)
        (void)lane_prefer(to, lane, name);
    return 1;
}

static int retry(mq_queue *queue, enum mq_state state, const struct browse_place *place, mq_queue *to)
{
    struct message_name name = revive(&place->name);
    int ready_dir = -1;
    char lane[LANE_KEY_SIZE];
    const int is = lane_delivery_find(to, place->dir, place->file, &place->name, lane);
    if (is)
        return is < 0 ? is : retry_in_lane(queue, place, to, lane, &name);
    if (strcmp(to->name, queue->name) == 0)
        return move_message(queue, MQ_DEAD, place->dir, place->file, MQ_READY, &name);
    name.position = page_next_positions(to->page, name.priority, name.count, clock_now());
    const int moved = move_to_queue(queue, state, place->dir, place->file, to, &name, &ready_dir);
    const int has = moved == 1 ? queue_has_name(to) : 1;
    if (has != 1)
        return take_back(place, ready_dir, &name, has);
    if (moved == 1)
        failures_forget(queue, state, &place->name);
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
    for (int tries = 0; tries < TRIES && (moved == RETRY_AGAIN || moved == -ENOENT); tries++) {
        const int opened = queue_reopen(to);
        moved = opened ? opened : retry(queue, entry->state, &place, to);
    }
    close(place.dir);
    if (moved == RETRY_AGAIN)
        return -EBUSY;
    if (moved == 1)
        page_count(queue->page, PAGE_RETRIED, place.name.count);
    if (moved == 1 && entry->state == MQ_DEAD)
        (void)lane_go_on_without(queue, &place.name);
    return moved;
}
