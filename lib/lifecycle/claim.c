/*
 * Claiming.
 *
 * The rename to inflight/ decides which receiver has the message. It moves a whole file, or one message that was split
 * off a batch. A receiver that comes second gets ENOENT and takes the next message. If a message turns out to be
 * expired, corrupt or too large, the receiver puts it away and goes on.
 */
#include "lifecycle/claim.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/decode.h"
#include "format/message.h"
#include "lane/lane.h"
#include "lane/lane_pass.h"
#include "lifecycle/attempt.h"
#include "lifecycle/dead_letter.h"
#include "lifecycle/expire.h"
#include "queue/blame.h"
#include "queue/cursor.h"
#include "queue/move.h"
#include "queue/split.h"

struct claim_request {
    int64_t ack_timeout;
    uint64_t max_count;
};

/* The file in ready/ that the cursor returned last. */
struct candidate {
    int dir;
    const char *file;
    struct message_name name;
};

/* ---- claim: the rename ------------------------------------------------------------- */

static struct message_name claimed_name(mq_queue *queue, const struct message_name *ready,
                                        const struct claim_request *request)
{
    const int64_t now = queue_now(
        queue); /* read here: listing a bucket may have taken long, and must not shorten the claim */
    struct message_name claimed = *ready;
    name_count_attempt(&claimed);
    claimed.time = name_time_after(now, request->ack_timeout);
    claimed.claimed = true;
    claimed.split = false;
    claimed.token = id_random_of(&queue->marks, now, ready->position);
    claimed.begun = now;
    claimed.owner = queue->owner;
    return claimed;
}

static int claim_whole(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                       struct claimed *claimed)
{
    claimed->name = claimed_name(queue, &candidate->name, request);
    return move_claim(queue, candidate->dir, candidate->file, &claimed->name, &claimed->dir);
}

static int claim_split(mq_queue *queue, const struct claim_request *request, const struct split *split,
                       struct claimed *claimed)
{
    claimed->name = claimed_name(queue, &split->part, request);
    return split_claim(queue, split, &claimed->name, &claimed->dir);
}

/* Split the first message off a batch and claim it. The rest of the batch comes next. */
static int claim_first(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                       struct claimed *claimed)
{
    char rest[NAME_SIZE];
    struct split split;
    const int done = split_off(queue, MQ_READY, candidate->dir, candidate->file, &candidate->name, &split);
    if (done != 1)
        return done;
    name_format(MQ_READY, &split.rest, rest);
    if (split_stays(MQ_READY, &split.part, &split.rest))
        cursor_put_back(queue->cursor, rest);
    return claim_split(queue, request, &split, claimed);
}

/* The same, of the head of a lane: its token stands for that message alone until it is settled. */
static int claim_first_of_lane(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                               struct claimed *claimed)
{
    struct message_name one = candidate->name;
    const int error = lane_name_one(queue, &candidate->name, &one);
    if (error && error != -ENOENT) /* else the claim shows that the head is gone */
        return error;
    claimed->name = claimed_name(queue, &one, request);
    return move_claim(queue, candidate->dir, candidate->file, &claimed->name, &claimed->dir);
}

/* Another receiver has split a message off this batch and has not taken it. That message comes before the batch. */
static int claim_left_over(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                           struct claimed *claimed)
{
    struct split split;
    int moved = split_find(queue, MQ_READY, &candidate->name, &split);
    if (moved == 1)
        moved = claim_split(queue, request, &split, claimed);
    if (moved == 1)
        cursor_put_back(queue->cursor, candidate->file);
    return moved;
}

/* 1 claimed; 0 another receiver was first. */
static int claim(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                 struct claimed *claimed)
{
    const struct message_name *name = &candidate->name;
    const int moved = name->split ? claim_left_over(queue, request, candidate, claimed) : 0;
    if (moved != 0)
        return moved;
    if (name->count == 1 || (name->count <= request->max_count && name->attempts == 0))
        return claim_whole(queue, request, candidate, claimed);
    return lane_is_token(name) ? claim_first_of_lane(queue, request, candidate, claimed)
                               : claim_first(queue, request, candidate, claimed);
}

/* ---- what cannot be claimed or delivered ---------------------------------------------- */

static bool is_fault_of_message(int error)
{
    return error == -EAGAIN || error == -EBADMSG || error == -EMSGSIZE;
}

/* A message that cannot be read must not keep its receiver from other messages. Returns 0 or a negative errno. */
static int put_away(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                    int error)
{
    int moved;
    if (error == -EAGAIN)
        moved = attempt_fail(queue, state, dir, file, name, MQ_BACK_OFF);
    else if (error == -EMSGSIZE)
        moved = dead_letter_make_whole(queue, state, dir, file, name, DEAD_LETTER_TOO_LARGE, queue_now(queue));
    else
        moved = dead_letter_make_corrupt(queue, state, dir, file, name, queue_now(queue));
    return moved < 0 ? moved : 0;
}

static int put_away_candidate(mq_queue *queue, const struct candidate *candidate, int error)
{
    struct message_name tried = candidate->name;
    if (error == -EAGAIN)
        name_count_attempt(&tried);
    return put_away(queue, MQ_READY, candidate->dir, candidate->file, &tried, error);
}

/* If this fails, the message becomes ready again when the claim lapses. */
static void move_back(mq_queue *queue, const struct claimed *claimed)
{
    char file[NAME_SIZE];
    struct message_name ready = claimed->name;
    name_format(MQ_INFLIGHT, &claimed->name, file);
    attempt_uncount(&ready);
    (void)move_message(queue, MQ_INFLIGHT, claimed->dir, file, MQ_READY, &ready);
}

void claim_give_back(mq_queue *queue, struct claimed *claimed)
{
    move_back(queue, claimed);
    if (claimed->message)
        mq_message_free(claimed->message);
    else
        close(claimed->file);
}

/* ---- open: from the claimed file to a message --------------------------------------------- */

/* -ECANCELED: the message was taken out of its lane, whose token went on. */
static int open_file(mq_queue *queue, const char *file_name, struct claimed *claimed)
{
    mq_message *message = NULL;
    const bool is_token = lane_is_token(&claimed->name);
    bool has_cuts = false;
    const int file = is_token                  ? lane_open_head(queue, &claimed->name, &has_cuts)
                     : claimed->name.count > 1 ? fs_open_file(claimed->dir, file_name)
                                               : fs_open_unchecked(claimed->dir, file_name);
    if (file < 0 && is_token)
        return file;
    if (file < 0)
        return blame_file(queue, claimed->dir, file_name, file);
    const int may = has_cuts ? lane_pass(queue, &claimed->dir, &claimed->name) : 1;
    if (may != 1) {
        close(file);
        return may < 0 ? may : -ECANCELED;
    }
    const int error = claimed->name.count > 1 ? 0 : decode_file(file, &claimed->name, &message);
    if (error) {
        close(file);
        return error;
    }
    if (message && blame_is_too_large(queue, message->body_size)) {
        mq_message_free(message);
        return -EMSGSIZE;
    }
    if (message)
        move_note_size(queue, &claimed->name, (int64_t)message->file_size);
    claimed->file = file;
    claimed->message = message;
    return 0;
}

/* 1 opened; 0 the message was put away, or the claim has lapsed already. */
static int open_claimed(mq_queue *queue, struct claimed *claimed)
{
    char file_name[NAME_SIZE];
    name_format(MQ_INFLIGHT, &claimed->name, file_name);
    const int error = open_file(queue, file_name, claimed);
    if (!error) {
        page_count(queue->page, PAGE_DELIVERED, claimed->name.count);
        if (claimed->name.attempts > 1)
            page_count(queue->page, PAGE_REDELIVERED, claimed->name.count);
        return 1;
    }
    if (error == -ENOENT && lane_is_token(&claimed->name))
        return lane_skip(queue, claimed->dir, file_name, &claimed->name);
    if (error == -ENOENT || error == -ECANCELED)
        return 0;
    name_format(MQ_INFLIGHT, &claimed->name, file_name);
    if (is_fault_of_message(error))
        return put_away(queue, MQ_INFLIGHT, claimed->dir, file_name, &claimed->name, error);
    move_back(queue, claimed); /* this process lacks descriptors or memory */
    return error;
}

/* ---- one message after the other, until one is delivered --------------------------------------- */

/* Whether another receiver has the candidate for sure. What is left of a split may be found elsewhere. */
static bool is_gone(const mq_queue *queue, const struct candidate *candidate)
{
    return cursor_is_slow(queue->cursor) && !candidate->name.split && fs_has(candidate->dir, candidate->file) == 0;
}

/* 1 claimed and open; 0 another receiver has the candidate, or it was put away. */
static int take(mq_queue *queue, const struct claim_request *request, const struct candidate *candidate,
                struct claimed *claimed)
{
    const int64_t now = queue_now(queue), expires = candidate->name.expires;
    if (expires && expires <= now) {
        const int expired = expire_message(queue, MQ_READY, candidate->dir, candidate->file, &candidate->name, now);
        return expired < 0 ? expired : 0;
    }
    const int moved = is_gone(queue, candidate) ? 0 : claim(queue, request, candidate, claimed);
    if (moved >= 0)
        cursor_note_try(queue->cursor, moved == 0);
    if (moved == 0 && lane_is_token(&candidate->name))
        cursor_leap(queue->cursor);
    if (is_fault_of_message(moved))
        return put_away_candidate(queue, candidate, moved);
    return moved == 1 ? open_claimed(queue, claimed) : moved;
}

int claim_next(mq_queue *queue, int64_t ack_timeout, uint64_t max_count, struct claimed *ret_claimed)
{
    const struct claim_request request = {.ack_timeout = ack_timeout, .max_count = max_count};
    struct candidate candidate;
    struct claimed claimed;
    const int error = cursor_begin(&queue->cursor, queue->dir, queue->page);
    if (error)
        return error;
    for (;;) {
        const int found = cursor_next(queue->cursor, &candidate.dir, &candidate.file, &candidate.name);
        if (found != 1)
            return found;
        int taken = take(queue, &request, &candidate, &claimed);
        if (blame_is_stuck(candidate.dir, taken))
            taken = cursor_pass_over(queue->cursor, candidate.file);
        if (taken == 1)
            *ret_claimed = claimed;
        if (taken != 0)
            return taken;
        if (candidate.name.count > 1)
            cursor_lost(queue->cursor);
    }
}

/* ---- from the source of a queue ------------------------------------------------------------------ */

/* 1: it lies in inflight/; 0: it became ready, since it is split there, or another process has moved it. */
static int move_taken(mq_queue *queue, const struct claim_request *request, const struct source_file *taken,
                      struct claimed *claimed)
{
    int tmp, error = queue_tmp(queue, &tmp);
    if (error)
        return error;
    if (taken->name.count <= request->max_count) {
        claimed->name = claimed_name(queue, &taken->name, request);
        return move_in(queue, tmp, taken->file, MQ_INFLIGHT, &claimed->name, &claimed->dir);
    }
    const int moved = move_in(queue, tmp, taken->file, MQ_READY, &taken->name, NULL);
    return moved == -EEXIST ? fs_unlink(tmp, taken->file) : moved < 0 ? moved : 0;
}

int claim_taken(mq_queue *queue, int64_t ack_timeout, uint64_t max_count, const struct source_file *taken,
                struct claimed *ret_claimed)
{
    const struct claim_request request = {.ack_timeout = ack_timeout, .max_count = max_count};
    struct claimed claimed = {0};
    int moved = move_taken(queue, &request, taken, &claimed);
    if (moved >= 0)
        queue->source->taken(queue->source);
    if (moved == 1)
        moved = open_claimed(queue, &claimed);
    if (moved == 1)
        *ret_claimed = claimed;
    return moved;
}
