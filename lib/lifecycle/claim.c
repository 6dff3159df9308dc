/*
 * Claiming.
 *
 * A rename to inflight/ decides: of a file as it is, or of one message that was split off a batch. Who loses gets
 * ENOENT and takes the next. What is found to be expired or corrupt is put away on the way.
 */
#include "lifecycle/claim.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/decode.h"
#include "format/message.h"
#include "lifecycle/dead_letter.h"
#include "lifecycle/expire.h"
#include "lifecycle/setback.h"
#include "queue/blame.h"
#include "queue/cursor.h"
#include "queue/move.h"
#include "queue/split.h"

struct claim_request {
    int64_t ack_timeout;
    uint64_t most;
};

/* ---- what was claimed ------------------------------------------------------------- */

void claim_give_back(mq_queue *queue, const struct message_name *claimed)
{
    char file[NAME_SIZE];
    struct message_name ready = *claimed;
    name_format(MQ_INFLIGHT, claimed, file);
    ready.attempts -= ready.attempts > 0;
    /* Else its deadline brings it back. */
    (void)move_message(queue, MQ_INFLIGHT, queue->target[MQ_INFLIGHT].dir, file, MQ_READY, &ready);
}

/* What some may only send to takes nothing larger than it says, by whatever way it was sent. */
static bool is_too_large(const mq_queue *queue, const mq_message *message)
{
    return access_has_inbox(queue->sharing) && message->body_size > queue->config.max_size;
}

static int open_file(const mq_queue *queue, int dir, const char *file_name, const struct message_name *claimed,
                     struct claimed *ret_claimed)
{
    struct claimed opened = {.name = *claimed, .file = fs_open_file(dir, file_name)};
    if (opened.file < 0)
        return blame_file(queue, dir, file_name, opened.file);
    const int error = claimed->count > 1 ? 0 : decode_file(opened.file, claimed, &opened.message);
    if (error) {
        close(opened.file);
        return error;
    }
    if (opened.message && is_too_large(queue, opened.message)) {
        mq_message_free(opened.message);
        return -EMSGSIZE;
    }
    *ret_claimed = opened;
    return 0;
}

static bool is_its_own_fault(int error)
{
    return error == -EAGAIN || error == -EBADMSG || error == -EMSGSIZE;
}

/* A message that keeps its receiver from having it goes, and the next one is taken. 0, or a negative errno. */
static int put_away(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                    int error)
{
    int moved;
    if (error == -EAGAIN)
        moved = setback_make(queue, state, dir, file, name, MQ_BACK_OFF);
    else if (error == -EMSGSIZE)
        moved = dead_letter_make_whole(queue, state, dir, file, name, DEADLETTER_TOO_LARGE, clock_now());
    else
        moved = dead_letter_make_corrupt(queue, state, dir, file, name, clock_now());
    return moved < 0 ? moved : 0;
}

/* 1 opened, 0 it was put away, or the claim has lapsed already. */
static int open_claimed(mq_queue *queue, const struct message_name *claimed, struct claimed *ret_claimed)
{
    char file_name[NAME_SIZE];
    const int dir = queue->target[MQ_INFLIGHT].dir;
    name_format(MQ_INFLIGHT, claimed, file_name);
    const int error = open_file(queue, dir, file_name, claimed, ret_claimed);
    if (!error) {
        page_count(queue->page, PAGE_DELIVERED, claimed->count);
        if (claimed->attempts > 1)
            page_count(queue->page, PAGE_REDELIVERED, claimed->count);
        return 1;
    }
    if (error == -ENOENT)
        return 0;
    if (is_its_own_fault(error))
        return put_away(queue, MQ_INFLIGHT, dir, file_name, claimed, error);
    claim_give_back(queue, claimed); /* for a reason of ours: no descriptors, no memory */
    return error;
}

/* ---- claiming --------------------------------------------------------------------- */

static struct message_name claimed_name(const mq_queue *queue, const struct message_name *ready,
                                        const struct claim_request *request)
{
    const int64_t now = clock_now(); /* the latest there is: a claim that begins late must not be over early */
    struct message_name claimed = *ready;
    name_count_attempt(&claimed);
    claimed.time = name_time_after(now, request->ack_timeout);
    claimed.claimed = true;
    claimed.split = false;
    claimed.token = id_random();
    claimed.begun = now;
    claimed.owner = queue->owner;
    return claimed;
}

static int claim_whole(mq_queue *queue, const struct claim_request *request, int dir, const char *file,
                       const struct message_name *ready, struct claimed *ret_claimed)
{
    const struct message_name claimed = claimed_name(queue, ready, request);
    const int moved = move_message(queue, MQ_READY, dir, file, MQ_INFLIGHT, &claimed);
    return moved == 1 ? open_claimed(queue, &claimed, ret_claimed) : moved;
}

static int claim_split(mq_queue *queue, const struct claim_request *request, const struct split *split,
                       struct claimed *ret_claimed)
{
    const struct message_name claimed = claimed_name(queue, &split->part, request);
    const int moved = split_take(queue, split, MQ_INFLIGHT, &claimed);
    return moved == 1 ? open_claimed(queue, &claimed, ret_claimed) : moved;
}

/* The first message of a batch; what is left of it comes next. */
static int claim_first(mq_queue *queue, const struct claim_request *request, int dir, const char *file,
                       const struct message_name *ready, struct claimed *ret_claimed)
{
    char rest[NAME_SIZE];
    struct split split;
    const int done = split_off(queue, MQ_READY, dir, file, ready, &split);
    if (done != 1)
        return done;
    name_format(MQ_READY, &split.rest, rest);
    cursor_put_back(queue, rest);
    return claim_split(queue, request, &split, ret_claimed);
}

/* A message that somebody has split off and not taken: it is the next, and this batch comes after it. */
static int claim_left_over(mq_queue *queue, const struct claim_request *request, const char *file,
                           const struct message_name *ready, struct claimed *ret_claimed)
{
    struct split split;
    int claimed = split_find(queue, MQ_READY, ready, &split);
    if (claimed == 1)
        claimed = claim_split(queue, request, &split, ret_claimed);
    if (claimed == 1)
        cursor_put_back(queue, file);
    return claimed;
}

static int claim(mq_queue *queue, const struct claim_request *request, int dir, const char *file,
                 const struct message_name *ready, struct claimed *ret_claimed)
{
    const int64_t now = clock_now();
    if (ready->expires && ready->expires <= now) {
        const int expired = expire_message(queue, MQ_READY, dir, file, ready, now);
        return expired < 0 ? expired : 0;
    }
    int claimed = ready->split ? claim_left_over(queue, request, file, ready, ret_claimed) : 0;
    if (claimed == 0 && (ready->count == 1 || (ready->count <= request->most && ready->attempts == 0)))
        claimed = claim_whole(queue, request, dir, file, ready, ret_claimed);
    else if (claimed == 0)
        claimed = claim_first(queue, request, dir, file, ready, ret_claimed);
    if (!is_its_own_fault(claimed))
        return claimed;
    struct message_name tried = *ready;
    if (claimed == -EAGAIN)
        name_count_attempt(&tried);
    return put_away(queue, MQ_READY, dir, file, &tried, claimed);
}

int claim_next(mq_queue *queue, int64_t ack_timeout, uint64_t most, struct claimed *ret_claimed)
{
    const struct claim_request request = {.ack_timeout = ack_timeout, .most = most};
    cursor_begin(queue);
    for (;;) {
        const char *file;
        struct message_name name;
        int dir;
        const int found = cursor_next(queue, &dir, &file, &name);
        if (found != 1)
            return found;
        int claimed = claim(queue, &request, dir, file, &name, ret_claimed);
        if (blame_is_stuck(dir, claimed))
            claimed = cursor_pass_over(queue, file);
        if (claimed != 0)
            return claimed;
        if (name.count > 1)
            cursor_lost(queue);
    }
}
