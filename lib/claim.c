/*
 * Claiming.
 *
 * A rename to inflight/ decides: of a file as it is, or of one message that was split off a batch. Who loses gets
 * ENOENT and takes the next. What is found to be expired or corrupt is put away on the way.
 */
#include "claim.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "cursor.h"
#include "deadletter.h"
#include "decode.h"
#include "expire.h"
#include "fs.h"
#include "id.h"
#include "move.h"
#include "split.h"

struct wish {
    int64_t ack_timeout;
    uint64_t most;
};

/* ---- what was claimed ------------------------------------------------------------- */

void claim_give_back(mq_queue *queue, const struct name *claimed)
{
    char file[NAME_SIZE];
    struct name ready = *claimed;
    name_format(MQ_INFLIGHT, claimed, file);
    ready.attempts--;
    /* Else its deadline brings it back. */
    (void)move_message(queue, MQ_INFLIGHT, queue->target[MQ_INFLIGHT].dir, file, MQ_READY, &ready);
}

static int open_file(const mq_queue *queue, int file, const struct name *claimed, struct claimed *ret_claimed)
{
    struct claimed opened = {.name = *claimed, .file = file};
    if (file < 0)
        return queue_file_error(queue, file);
    const int error = claimed->count > 1 ? 0 : decode_file(file, claimed, &opened.message);
    if (error)
        close(file);
    else
        *ret_claimed = opened;
    return error;
}

/* 1 opened, 0 it was corrupt and is dead, or the claim has lapsed already. */
static int open_claimed(mq_queue *queue, const struct name *claimed, struct claimed *ret_claimed)
{
    char file_name[NAME_SIZE];
    const int dir = queue->target[MQ_INFLIGHT].dir;
    name_format(MQ_INFLIGHT, claimed, file_name);
    const int error = open_file(queue, fs_open_file(dir, file_name), claimed, ret_claimed);
    if (!error) {
        page_count(queue->page, PAGE_DELIVERED, claimed->count);
        if (claimed->attempts > 1)
            page_count(queue->page, PAGE_REDELIVERED, claimed->count);
        return 1;
    }
    if (error == -ENOENT)
        return 0;
    if (error == -EBADMSG) {
        const int moved = deadletter_make_corrupt(queue, MQ_INFLIGHT, dir, file_name, claimed, clock_now());
        return moved < 0 ? moved : 0;
    }
    claim_give_back(queue, claimed); /* for a reason of ours: no descriptors, no memory */
    return error;
}

/* ---- claiming --------------------------------------------------------------------- */

static struct name claimed_name(const mq_queue *queue, const struct name *ready, const struct wish *wish)
{
    const int64_t now = clock_now(); /* the latest there is: a claim that begins late must not be over early */
    struct name claimed = *ready;
    claimed.attempts++;
    claimed.time = name_time_after(now, wish->ack_timeout);
    claimed.claimed = true;
    claimed.split = false;
    claimed.token = id_random();
    claimed.begun = now;
    claimed.owner = queue->owner;
    return claimed;
}

static int claim_whole(mq_queue *queue, const struct wish *wish, int dir, const char *file, const struct name *ready,
                       struct claimed *ret_claimed)
{
    const struct name claimed = claimed_name(queue, ready, wish);
    const int moved = move_message(queue, MQ_READY, dir, file, MQ_INFLIGHT, &claimed);
    return moved == 1 ? open_claimed(queue, &claimed, ret_claimed) : moved;
}

static int claim_split(mq_queue *queue, const struct wish *wish, const struct split *split, struct claimed *ret_claimed)
{
    const struct name claimed = claimed_name(queue, &split->part, wish);
    const int moved = split_take(queue, split, MQ_INFLIGHT, &claimed);
    return moved == 1 ? open_claimed(queue, &claimed, ret_claimed) : moved;
}

/* The first message of a batch; what is left of it comes next. */
static int claim_first(mq_queue *queue, const struct wish *wish, int dir, const char *file, const struct name *ready,
                       struct claimed *ret_claimed)
{
    char rest[NAME_SIZE];
    struct split split;
    const int done = split_off(queue, MQ_READY, dir, file, ready, &split);
    if (done != 1)
        return done;
    name_format(MQ_READY, &split.rest, rest);
    cursor_put_back(queue, rest);
    return claim_split(queue, wish, &split, ret_claimed);
}

/* A message that somebody has split off and not taken: it is the next, and this batch comes after it. */
static int claim_left_over(mq_queue *queue, const struct wish *wish, const char *file, const struct name *ready,
                           struct claimed *ret_claimed)
{
    struct split split;
    int claimed = split_find(queue, MQ_READY, ready, &split);
    if (claimed == 1)
        claimed = claim_split(queue, wish, &split, ret_claimed);
    if (claimed == 1)
        cursor_put_back(queue, file);
    return claimed;
}

static int claim(mq_queue *queue, const struct wish *wish, int dir, const char *file, const struct name *ready,
                 struct claimed *ret_claimed)
{
    const int64_t now = clock_now();
    if (ready->expires && ready->expires <= now) {
        const int expired = expire_message(queue, MQ_READY, dir, file, ready, now);
        return expired < 0 ? expired : 0;
    }
    int claimed = ready->split ? claim_left_over(queue, wish, file, ready, ret_claimed) : 0;
    if (claimed == 0 && (ready->count == 1 || (ready->count <= wish->most && ready->attempts == 0)))
        claimed = claim_whole(queue, wish, dir, file, ready, ret_claimed);
    else if (claimed == 0)
        claimed = claim_first(queue, wish, dir, file, ready, ret_claimed);
    if (claimed != -EBADMSG)
        return claimed;
    const int dead = deadletter_make_corrupt(queue, MQ_READY, dir, file, ready, now);
    return dead < 0 ? dead : 0;
}

int claim_next(mq_queue *queue, int64_t ack_timeout, uint64_t most, struct claimed *ret_claimed)
{
    const struct wish wish = {.ack_timeout = ack_timeout, .most = most};
    for (;;) {
        const char *file;
        struct name name;
        int dir;
        const int found = cursor_next(queue, &dir, &file, &name);
        if (found != 1)
            return found;
        const int claimed = claim(queue, &wish, dir, file, &name, ret_claimed);
        if (claimed != 0)
            return claimed;
        if (name.count > 1)
            cursor_lost(queue);
    }
}
