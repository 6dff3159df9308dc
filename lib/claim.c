/*
 * Claiming.
 *
 * The rename from ready/ to inflight/ decides; who loses gets ENOENT and takes the next message.
 * What is found to be expired or corrupt is put away on the way.
 */
#include "claim.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "cursor.h"
#include "expire.h"
#include "fs.h"
#include "id.h"
#include "message.h"
#include "move.h"

/* Give back what could not be opened for a reason of ours (no descriptors, no memory): it was not tried. */
static void give_back(mq_queue *queue, int dir, const char *file, const struct name *claimed)
{
    struct name ready = *claimed;
    ready.attempts--;
    (void)move_message(queue, MQ_INFLIGHT, dir, file, MQ_READY, &ready); /* else its deadline brings it back */
}

/* Open what we have claimed. 1 opened, 0 it was corrupt and is dead, or the claim has lapsed already. */
static int open_claimed(mq_queue *queue, const struct name *claimed, mq_message **ret_message)
{
    char file_name[NAME_SIZE];
    const int dir = queue->target[MQ_INFLIGHT].dir;
    name_format(MQ_INFLIGHT, claimed, file_name);
    const int file = fs_open_file(dir, file_name);
    int error = file < 0 ? file : message_load(file, claimed, ret_message);
    if (!error) {
        receipt_format(queue->name, claimed, (*ret_message)->receipt);
        return 1;
    }
    if (file >= 0)
        close(file);
    if (error == -ENOENT)
        return 0;
    if (error == -EBADMSG) {
        const int moved = expire_to_dead(queue, MQ_INFLIGHT, dir, file_name, claimed, "corrupt", clock_now());
        return moved < 0 ? moved : 0;
    }
    give_back(queue, dir, file_name, claimed);
    return error;
}

static int claim(mq_queue *queue, int64_t ack_timeout, int dir, const char *file, const struct name *ready,
                 mq_message **ret_message)
{
    const int64_t now = clock_now();
    if (ready->expires && ready->expires <= now) {
        const int expired = expire_message(queue, MQ_READY, dir, file, ready, now);
        return expired < 0 ? expired : 0;
    }
    struct name claimed = *ready;
    claimed.attempts++;
    claimed.time = ack_timeout < NAME_TIME_MAX - now ? now + ack_timeout : NAME_TIME_MAX;
    claimed.claimed = true;
    claimed.token = id_random();
    claimed.begun = now;
    claimed.owner = queue->owner;
    const int moved = move_message(queue, MQ_READY, dir, file, MQ_INFLIGHT, &claimed);
    if (moved != 1)
        return moved;
    const int opened = open_claimed(queue, &claimed, ret_message);
    if (opened == 1) {
        page_count(queue->page, PAGE_DELIVERED, 1);
        page_count(queue->page, PAGE_REDELIVERED, claimed.attempts > 1);
    }
    return opened;
}

int claim_next(mq_queue *queue, int64_t ack_timeout, mq_message **ret_message)
{
    for (;;) {
        const char *file;
        struct name name;
        int dir;
        const int found = cursor_next(queue, &dir, &file, &name);
        if (found != 1)
            return found;
        const int claimed = claim(queue, ack_timeout, dir, file, &name, ret_message);
        if (claimed != 0)
            return claimed;
    }
}
