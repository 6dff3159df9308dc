/*
 * Settling claims: ack, nack, reject, release, extend.
 *
 * A claim is a file in inflight/. One unlink or rename ends or extends it. A process that does not find the file has
 * lost the claim. The file's name holds a token that no other claim has. So a receipt can never end the claim of
 * another receiver, and a claim that was extended is found by its token.
 *
 * Settling has these steps: parse the receipt, find the claim's file, check that the claim has not lapsed, finish the
 * split whose mark its name has, if any, and move or remove the file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/death.h"
#include "format/receipt.h"
#include "lane/lane.h"
#include "lifecycle/attempt.h"
#include "lifecycle/dead_letter.h"
#include "lifecycle/settle.h"
#include "queue/done_marks.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"
#include "store/bucket.h"

/* If a claim is extended during a search, a listing may show neither its old name nor its new one. So the search is
   repeated up to this many times. */
#define SEARCHES 4

/* ---- finding the claim ----------------------------------------------------------- */

/* The handle's bucket of claims, if it is this one; else -1. It is taken out of the handle, so that it stays open whatever
   is moved meanwhile. */
static int borrow_bucket(mq_queue *queue, const char *bucket)
{
    const int dir = queue->target[MQ_INFLIGHT].dir;
    if (dir < 0 || strcmp(queue->target[MQ_INFLIGHT].name, bucket) != 0)
        return -1;
    queue->target[MQ_INFLIGHT].dir = -1;
    return dir;
}

/* Look for the claim under the name in the receipt. 1 found, and its bucket is open; or it is taken for found, unseen. */
static int find_in_place(mq_queue *queue, const struct message_name *wanted, bool unseen, struct claim *ret_claim)
{
    char bucket[NAME_BUCKET_SIZE];
    name_format_bucket(MQ_INFLIGHT, wanted, bucket);
    name_format(MQ_INFLIGHT, wanted, ret_claim->file);
    int dir = borrow_bucket(queue, bucket), has = dir < 0 ? 0 : unseen ? 1 : fs_has(dir, ret_claim->file);
    if (has == 0) { /* the bucket may have been removed, and made anew */
        if (dir >= 0)
            close(dir);
        dir = bucket_open(queue->dir, MQ_INFLIGHT, bucket);
        if (dir < 0)
            return bucket_is_missing(dir) ? 0 : dir;
        has = fs_has(dir, ret_claim->file);
    }
    if (has != 1) {
        close(dir);
        return has;
    }
    ret_claim->name = *wanted;
    ret_claim->dir = dir;
    ret_claim->in_place = true;
    return 1;
}

struct search {
    const struct message_name *wanted;
    struct claim *claim;
};

/* There may be very many names, so only a name with the token is parsed. */
static int match_token(void *context, const char *file, unsigned char type)
{
    const struct search *search = context;
    const struct message_name *wanted = search->wanted;
    struct message_name name;
    (void)type;
    if (!name_has_token(file, wanted->token) || !name_parse(MQ_INFLIGHT, file, &name))
        return 0;
    /* After a part of a batch is acked, its name has the id of another message. */
    if (name.token != wanted->token || (wanted->count == 1 && strcmp(name.id, wanted->id) != 0))
        return 0;
    search->claim->name = name;
    snprintf(search->claim->file, sizeof search->claim->file, "%s", file);
    return 1;
}

static int find_in_bucket(void *context, struct bucket *bucket)
{
    const struct search *search = context;
    const int found = fs_list(bucket->dir, match_token, context);
    if (found == 1) {
        search->claim->dir = bucket->dir;
        bucket->dir = -1; /* it stays open */
    }
    return found;
}

/* Look for the claim in every bucket, by its token. An extended claim has a later deadline than most others: the latest
   bucket first. */
static int find_by_token(mq_queue *queue, const struct message_name *wanted, struct claim *ret_claim)
{
    return bucket_each_last_first(queue->dir, MQ_INFLIGHT, find_in_bucket, &(struct search){wanted, ret_claim});
}

static int find_claim(mq_queue *queue, const struct message_name *wanted, bool unseen, struct claim *ret_claim)
{
    int found = 0;
    if (wanted->time > queue_now(queue))
        found = find_in_place(queue, wanted, unseen, ret_claim);
    return found ? found : find_by_token(queue, wanted, ret_claim);
}

static settle_fn ack, ack_again;

/* ---- settling it ------------------------------------------------------------------ */

/* The handle keeps the bucket unless it has another one by now: the next claim that is settled probably lies there. */
static void let_go(mq_queue *queue, const struct claim *claim, unsigned openings)
{
    if (!claim->in_place || queue->openings != openings || queue->target[MQ_INFLIGHT].dir >= 0) {
        close(claim->dir);
        return;
    }
    queue->target[MQ_INFLIGHT].dir = claim->dir;
    name_format_bucket(MQ_INFLIGHT, &claim->name, queue->target[MQ_INFLIGHT].name);
}

/* `tried` becomes true if the claim was found and its file was gone when it was to be moved. */
static int settle_once(mq_queue *queue, const struct message_name *wanted, bool unseen, settle_fn *action,
                       const void *argument, bool *tried)
{
    struct claim claim = {.dir = -1};
    const unsigned openings = queue->openings;
    const int found = find_claim(queue, wanted, unseen, &claim);
    if (found != 1)
        return found;
    /* A claim ends at its deadline, even if no process has moved the message back yet. */
    int done = claim.name.time > queue_now(queue) && !claim.name.settled ? 0 : -ESTALE;
    if (!done)
        done = split_finish(queue, MQ_INFLIGHT, &claim.name);
    if (!done)
        done = action(queue, &claim, argument);
    *tried |= done == 0;
    let_go(queue, &claim, openings);
    return done;
}

/*
 * On a network file system an unlink may report that the name is missing although it has removed it. The claim was there
 * when it was to be removed, and is nowhere now. Before its deadline no process makes it lapse: so this one has removed
 * it, or another one has removed the message for good. The file system is asked for the time: a machine that was stopped
 * from outside in between knows of no time that has passed. 1 or 0, or a negative errno: it cannot be known.
 * tests/model/lease.pml is the proof.
 */
static int was_removed(mq_queue *queue, const struct message_name *wanted)
{
    if (!queue->clock.is_network || lane_is_token(wanted) || wanted->time <= queue_now(queue))
        return 0;
    const int error = shared_clock_read(&queue->clock, queue->page, queue->dir);
    return error ? error : wanted->time > queue_now(queue);
}

/*
 * The claim was not found (error 0), or its file could not be moved (-ENOENT). A deleter may hold the queue, and put it
 * back later; or the messages may lie in another queue that has the name now. Open the queue that has the name. 0:
 * search again.
 */
static int prepare_next_search(mq_queue *queue, int error)
{
    const int has = error ? 0 : queue_has_name(queue);
    return has == 1 ? 0 : has < 0 ? has : queue_reopen(queue);
}

/* Most claims are where the receipt tells when they are acked. The call that does it tells so if not, and has changed nothing
   then. Over a network it may tell so although it has been done. */
static bool may_be_unseen(const mq_queue *queue, const struct message_name *wanted, settle_fn *action)
{
    return (action == ack || action == ack_again) && !wanted->split && !queue->clock.is_network;
}

int settle_claim(mq_queue *queue, const char *receipt, settle_fn *action, const void *argument)
{
    struct message_name wanted;
    char of_queue[MQ_QUEUE_NAME_SIZE];
    bool tried = false, unseen;
    if (!receipt_parse(receipt, of_queue, &wanted) || strcmp(of_queue, queue->name) != 0)
        return -EBADMSG;
    int done = queue_demand(queue, ACCESS_ALL);
    if (!done)
        done = queue_refresh_soon(queue);
    unseen = may_be_unseen(queue, &wanted, action);
    for (int searches = unseen ? -1 : 0; searches < SEARCHES && done == 0; searches++) {
        done = settle_once(queue, &wanted, unseen, action, argument, &tried);
        if (done == 0 || done == -ENOENT)
            done = prepare_next_search(queue, done);
        unseen = false;
    }
    if (done == 0 && tried && (action == ack || action == ack_again))
        done = was_removed(queue, &wanted);
    return done < 0 ? done : done == 0 ? -ESTALE : 0;
}

void settle_count_acked(mq_queue *queue, const struct message_name *name, uint32_t count)
{
    page_count(queue->page, PAGE_ACKED, count);
    if (name->begun)
        page_note_held(queue->page, (queue_now(queue) - name->begun) / count, count);
    failures_forget(queue, MQ_INFLIGHT, name);
}

static int ack(mq_queue *queue, const struct claim *claim, const void *argument)
{
    (void)argument;
    const int done = lane_remove(queue, MQ_INFLIGHT, claim->dir, claim->file, &claim->name);
    if (done == 1)
        settle_count_acked(queue, &claim->name, claim->name.count);
    return done;
}

int mq_ack(mq_queue *queue, const char *receipt)
{
    return settle_claim(queue, receipt, ack, NULL);
}

static int move_out_of_file(mq_queue *queue, enum mq_state state, int dir, const char *file,
                            const struct message_name *name)
{
    if (!lane_name_is_part(name))
        return move_out(queue, state, dir, file, name);
    move_count_out(queue, state, name, name->length);
    return 1;
}

int settle_mark_done(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const void *argument)
{
    const int done = done_marks_move(queue, dir, file, name, queue_now(queue));
    (void)argument;
    return done == -EEXIST || done == -ENOSPC || done == -EDQUOT ? move_out_of_file(queue, state, dir, file, name)
                                                                 : done;
}

static int ack_once(mq_queue *queue, const struct claim *claim, const void *argument)
{
    const struct message_name *name = &claim->name;
    (void)argument;
    const int done = lane_is_token(name) ? lane_end(queue, MQ_INFLIGHT, claim->dir, claim->file, name, LANE_DONE,
                                                    settle_mark_done, NULL)
                                         : settle_mark_done(queue, MQ_INFLIGHT, claim->dir, claim->file, name, NULL);
    if (done == 1) {
        done_marks_expire_some(queue, queue_now(queue));
        settle_count_acked(queue, &claim->name, claim->name.count);
    }
    return done;
}

int mq_ack_once(mq_queue *queue, const char *receipt)
{
    return settle_claim(queue, receipt, ack_once, NULL);
}

static int ack_again(mq_queue *queue, const struct claim *claim, const void *argument)
{
    const int done = ack(queue, claim, argument);
    if (done == 1)
        page_count(queue->page, PAGE_DUPLICATES, claim->name.count);
    return done;
}

int mq_ack_again(mq_queue *queue, const char *receipt)
{
    return settle_claim(queue, receipt, ack_again, NULL);
}

int mq_was_acked(mq_queue *queue, const char *id)
{
    return id_is_valid(id) ? done_marks_has(queue, id, queue_now(queue)) : -EINVAL;
}

static int nack(mq_queue *queue, const struct claim *claim, const void *argument)
{
    return attempt_fail(queue, MQ_INFLIGHT, claim->dir, claim->file, &claim->name, *(const int64_t *)argument);
}

int mq_nack(mq_queue *queue, const char *receipt, int64_t delay)
{
    if (delay != MQ_BACK_OFF && !name_can_say_after(queue_now(queue), delay))
        return -EINVAL;
    return settle_claim(queue, receipt, nack, &delay);
}

static int reject(mq_queue *queue, const struct claim *claim, const void *reason)
{
    const int done = dead_letter_make(queue, MQ_INFLIGHT, claim->dir, claim->file, &claim->name, reason,
                                      queue_now(queue));
    if (done == 1)
        page_count(queue->page, PAGE_FAILED, claim->name.count);
    return done;
}

int mq_reject(mq_queue *queue, const char *receipt, const char *reason)
{
    return settle_claim(queue, receipt, reject, reason && *reason ? reason : mq_death_name(MQ_DEATH_REJECTED));
}

static int release(mq_queue *queue, const struct claim *claim, const void *argument)
{
    (void)argument;
    struct message_name name = claim->name;
    attempt_uncount(&name);
    return move_message(queue, MQ_INFLIGHT, claim->dir, claim->file, MQ_READY, &name);
}

int mq_release(mq_queue *queue, const char *receipt)
{
    return settle_claim(queue, receipt, release, NULL);
}

static int extend(mq_queue *queue, const struct claim *claim, const void *argument)
{
    struct message_name name = claim->name;
    name.time = name_time_after(queue_now(queue), *(const int64_t *)argument);
    if (name.time == claim->name.time)
        return 1;
    return move_message(queue, MQ_INFLIGHT, claim->dir, claim->file, MQ_INFLIGHT, &name);
}

int mq_extend(mq_queue *queue, const char *receipt, int64_t ack_timeout)
{
    if (ack_timeout == 0 || !name_can_say_after(queue_now(queue), ack_timeout))
        return -EINVAL;
    return settle_claim(queue, receipt, extend, &ack_timeout);
}

/* ---- some of several messages --------------------------------------------------------- */

/* How many messages of the claim, as it is now, come before that place. A token's position is not that of its messages. */
static uint64_t count_before(const struct message_name *name, const struct settle_progress *progress)
{
    const struct message_name *claimed = progress->claimed;
    if (lane_is_token(name))
        return progress->position - claimed->position + claimed->skipped - name->skipped;
    return progress->position - name->position;
}

static struct message_name name_of_rest(const struct message_name *name, const struct settle_progress *progress)
{
    struct message_name rest = *name;
    const uint32_t done = (uint32_t)count_before(name, progress), passed = progress->offset - name->offset;
    rest.count -= done;
    if (rest.length) /* the length in a forged name may be less than that */
        rest.length = rest.length > passed ? rest.length - passed : 0;
    if (lane_is_token(name))
        rest.skipped += done;
    else
        rest.position = progress->position;
    rest.offset = progress->offset;
    snprintf(rest.id, sizeof rest.id, "%s", progress->id);
    return rest;
}

static int move_rest(mq_queue *queue, const struct claim *claim, const struct settle_progress *progress,
                     struct message_name *rest)
{
    const int64_t now = queue_now(queue);
    rest->time = name_time_after(now, progress->ack_timeout);
    if (progress->corrupt)
        return dead_letter_make_corrupt(queue, MQ_INFLIGHT, claim->dir, claim->file, rest, now);
    if (progress->ack_timeout)
        return move_message(queue, MQ_INFLIGHT, claim->dir, claim->file, MQ_INFLIGHT, rest);
    attempt_uncount(rest);
    return move_message(queue, MQ_INFLIGHT, claim->dir, claim->file, MQ_READY, rest);
}

static int ack_first(mq_queue *queue, const struct claim *claim, const void *argument)
{
    const struct settle_progress *progress = argument;
    if (count_before(&claim->name, progress) >= claim->name.count)
        return -EINVAL; /* acked messages would come back, or no message would be left */
    struct message_name rest = name_of_rest(&claim->name, progress);
    const int moved = move_rest(queue, claim, progress, &rest);
    if (moved != 1)
        return moved;
    const uint32_t done = claim->name.count - rest.count;
    page_add_messages(queue->page, MQ_INFLIGHT, -(int64_t)done);
    page_add_bytes(queue->page, -(int64_t)(rest.offset - claim->name.offset));
    if (done > 0)
        settle_count_acked(queue, &claim->name, done);
    return 1;
}

int settle_progress(mq_queue *queue, const char *receipt, const struct settle_progress *progress)
{
    return settle_claim(queue, receipt, ack_first, progress);
}

/* ---- records of failures ----------------------------------------------------------- */

struct line {
    const char *text;
    size_t size;
};

static int add_failure(mq_queue *queue, const struct claim *claim, const void *argument)
{
    const struct line *line = argument;
    const int error = failures_add(queue, claim->name.id, line->text, line->size);
    return error ? error : 1;
}

int mq_failure_add(mq_queue *queue, const char *receipt, const char *text, size_t size)
{
    if (size == 0 || size > FAILURES_LINE_MAX || memchr(text, '\n', size) != text + size - 1)
        return -EINVAL;
    return settle_claim(queue, receipt, add_failure, &(struct line){text, size});
}
