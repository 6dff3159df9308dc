/* Halted lanes. */
#include "lane/lane_halt.h"

#include <string.h>

#include "lane/lane.h"
#include "queue/move.h"
#include "store/bucket.h"

static bool is_halted(enum mq_state state, const struct message_name *token)
{
    return state == MQ_DELAYED && token->lane[0] && token->settled > LANE_DONE;
}

struct search {
    mq_queue *queue;
    const struct message_name *dead;
};

static bool is_head(const struct message_name *token, const struct message_name *dead)
{
    return token->head + token->skipped == dead->position && strcmp(token->id, dead->id) == 0;
}

static int visit_parked(void *context, const struct bucket_file *file)
{
    const struct search *search = context;
    if (!is_halted(file->state, &file->name) || !is_head(&file->name, search->dead))
        return 0;
    const int moved = lane_go_on(search->queue, file->dir, file->file, &file->name);
    return moved < 0 ? moved : 1;
}

/* All parked tokens lie in one bucket, or on a full disk in the reserve bucket. */
static int visit_all_parked(mq_queue *queue, bucket_visit_fn *visit, void *context)
{
    char bucket[NAME_BUCKET_SIZE];
    struct listing listing = {0};
    name_format_bucket(MQ_DELAYED, &(struct message_name){.time = NAME_TIME_MAX}, bucket);
    int done = bucket_visit(queue->dir, MQ_DELAYED, bucket, &listing, visit, context);
    if (done == 0)
        done = bucket_visit(queue->dir, MQ_DELAYED, NAME_RESERVE_BUCKET, &listing, visit, context);
    listing_free(&listing);
    return done;
}

/* Its process is about to park it: then it goes on instead, when the lease ends. */
static int visit_settled(void *context, const struct bucket_file *file)
{
    const struct search *search = context;
    int there;
    if (!file->name.lane[0] || file->name.settled <= LANE_DONE || !is_head(&file->name, search->dead))
        return 0;
    struct message_name done = file->name;
    lane_birth_note_end(&done, LANE_DONE, queue_now(search->queue));
    return move_token(search->queue, file->dir, file->file, MQ_INFLIGHT, &done, &there);
}

int lane_go_on_without(mq_queue *queue, const struct message_name *dead)
{
    struct search search = {queue, dead};
    if (!queue->config.order)
        return 0;
    int done = visit_all_parked(queue, visit_parked, &search);
    if (done == 0 && queue->config.halts) {
        done = bucket_walk(queue->dir, MQ_INFLIGHT, visit_settled, &search);
        if (done == 0) /* it was parked meanwhile */
            done = visit_all_parked(queue, visit_parked, &search);
    }
    return done;
}

/* ---- sweeping --------------------------------------------------------------------------- */

static int find_dead(void *context, const struct bucket_file *file)
{
    const struct message_name *token = context;
    return is_head(token, &file->name);
}

static int sweep_parked(void *context, const struct bucket_file *file)
{
    mq_queue *queue = context;
    struct message_name token = file->name;
    if (!is_halted(file->state, &token))
        return 0;
    const int is_there = queue->config.halts ? bucket_walk(queue->dir, MQ_DEAD, find_dead, &token) : 0;
    const int done = is_there == 0 ? lane_go_on(queue, file->dir, file->file, &token) : is_there;
    return done < 0 ? done : 0;
}

int lane_sweep_halted(mq_queue *queue)
{
    return visit_all_parked(queue, sweep_parked, queue);
}
