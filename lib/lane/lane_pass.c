/* Passing over messages that were taken out of a lane. */
#include "lane/lane_pass.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "lane/lane.h"
#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"

/* ---- claimed tokens ------------------------------------------------------------------ */

/* The file goes with the last of its messages. */
static int pass_file(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                     const void *argument)
{
    (void)queue, (void)state, (void)argument;
    const int error = lane_name_is_part(head) ? 0 : fs_unlink(dir, file);
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* What the token stands for was counted as waiting when a part of it was taken out, and then claimed. */
static void count_unclaimed(mq_queue *queue, int64_t count)
{
    page_add_messages(queue->page, MQ_INFLIGHT, -count);
    page_add_messages(queue->page, MQ_READY, count);
}

static int pass_first(mq_queue *queue, int dir, const struct message_name *token, const struct message_name *one,
                      int is)
{
    char file[NAME_SIZE];
    name_format(MQ_INFLIGHT, token, file);
    const int passed = lane_end(queue, MQ_INFLIGHT, dir, file, one, LANE_DONE, pass_file, NULL);
    if (passed != 1)
        return passed;
    count_unclaimed(queue, token->count);
    if (is == LANE_CUT_LATE)
        move_count_out(queue, MQ_READY, one, one->length);
    return 0;
}

static int narrow(mq_queue *queue, int *dir, struct message_name *token, const struct message_name *one)
{
    char file[NAME_SIZE];
    struct message_name narrowed = *one;
    name_format(MQ_INFLIGHT, token, file);
    narrowed.token = id_random();
    const int moved = move_token(queue, *dir, file, MQ_INFLIGHT, &narrowed, dir);
    if (moved != 1)
        return moved;
    count_unclaimed(queue, (int64_t)token->count - narrowed.count);
    *token = narrowed;
    return 1;
}

/* The first of its messages that was taken out: its number, or how many there are. */
static int find_out(int cuts, const struct message_name *token, uint32_t *ret_at, int *ret_is)
{
    *ret_is = 0;
    for (*ret_at = 0; *ret_at < token->count && *ret_is == 0; ++*ret_at)
        *ret_is = lane_cuts_end(cuts, token->head + token->skipped + *ret_at);
    *ret_at -= *ret_is > 0;
    return *ret_is < 0 ? *ret_is : 0;
}

static int look(mq_queue *queue, int cuts, int *dir, struct message_name *token)
{
    struct message_name one = *token;
    uint32_t at;
    int is, error = find_out(cuts, token, &at, &is);
    if (!error && is && token->count > 1)
        error = lane_name_one(queue, token, &one);
    if (error || !is)
        return error ? error : 1;
    return at == 0 ? pass_first(queue, *dir, token, &one, is) : narrow(queue, dir, token, &one);
}

int lane_pass(mq_queue *queue, int *dir, struct message_name *token)
{
    const int cuts = lane_cuts_open(queue->dir, token->lane);
    if (cuts < 0)
        return bucket_is_missing(cuts) ? 1 : cuts;
    const int done = look(queue, cuts, dir, token);
    close(cuts);
    return done;
}

/* ---- tokens that wait ---------------------------------------------------------------- */

int lane_pass_waiting(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *token)
{
    return lane_end(queue, state, dir, file, token, LANE_DONE, pass_file, NULL);
}
