/* Halted lanes. */
#include "lane/lane_halt.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
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

/* Its head is that dead letter, and it goes on or is parked as soon as its process gets to that. */
static bool is_dying(const struct message_name *token, const struct message_name *dead)
{
    return token->lane[0] && token->settled > LANE_DONE && is_head(token, dead);
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
    if (!is_dying(&file->name, search->dead))
        return 0;
    struct message_name done = file->name;
    lane_birth_note_end(&done, LANE_DONE, queue_now(search->queue));
    return move_token(search->queue, file->dir, file->file, MQ_INFLIGHT, &done, &there);
}

/* ---- in its place ------------------------------------------------------------------------ */

/* The link is there, which decides: the token shows its head again. */
static int show_again(mq_queue *queue, int dir, const char *file, const struct message_name *token, int tmp,
                      const char *link)
{
    struct message_name head = *token;
    int there;
    head.settled = head.attempts = 0;
    head.position = page_next_positions(queue->page, token->priority, 1, queue_now(queue));
    (void)lane_name_mark_retried(&head);
    const int moved = move_token(queue, dir, file, MQ_READY, &head, &there);
    if (moved >= 0)
        (void)fs_unlink(tmp, link);
    return moved;
}

struct retry {
    mq_queue *queue;
    int dir;
    const char *file;
    const struct message_name *dead;
};

static int retry_parked(void *context, const struct bucket_file *token)
{
    const struct retry *retry = context;
    char link[NAME_SIZE];
    int tmp;
    if (!is_halted(token->state, &token->name) || !lane_name_is_part(&token->name) ||
        !is_head(&token->name, retry->dead))
        return 0;
    int error = queue_tmp(retry->queue, &tmp);
    lane_name_format_retried(&token->name, link);
    if (!error)
        error = fs_rename(retry->dir, retry->file, tmp, link);
    if (error)
        return error == -ENOENT ? 0 : error; /* another process has taken the dead letter */
    (void)show_again(retry->queue, token->dir, token->file, &token->name, tmp,
                     link); /* if that fails, a sweep does it */
    return 1;
}

/* Its process is about to park it. */
static int park_settled(void *context, const struct bucket_file *file)
{
    const struct retry *retry = context;
    if (!is_dying(&file->name, retry->dead) || !lane_name_is_part(&file->name))
        return 0;
    return lane_resume(retry->queue, file->dir, file->file, &file->name);
}

/* An expiry would end the message again. A retry ends that, and a token cannot. */
int lane_halt_retry(mq_queue *queue, int dir, const char *file, const struct message_name *dead)
{
    struct retry retry = {queue, dir, file, dead};
    if (!queue->config.order || dead->expires)
        return 0;
    int done = visit_all_parked(queue, retry_parked, &retry);
    if (done == 0 && queue->config.halts)
        done = bucket_walk(queue->dir, MQ_INFLIGHT, park_settled, &retry);
    return done == 1 && fs_has(dir, file) == 1 ? visit_all_parked(queue, retry_parked, &retry) : done;
}

/* Whether a retry was decided and not done: 1 it is done now. */
static int finish_retry(mq_queue *queue, const struct bucket_file *file)
{
    char link[NAME_SIZE];
    int tmp, has = lane_name_is_part(&file->name) ? queue_tmp(queue, &tmp) : -ENOENT;
    if (has)
        return has == -ENOENT ? 0 : has;
    lane_name_format_retried(&file->name, link);
    has = fs_has(tmp, link);
    return has == 1 ? show_again(queue, file->dir, file->file, &file->name, tmp, link) : has;
}

/* ---- going on ---------------------------------------------------------------------------- */

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
    int done = is_there == 0 ? finish_retry(queue, file) : is_there;
    if (done == 0)
        done = lane_go_on(queue, file->dir, file->file, &token);
    return done < 0 ? done : 0;
}

int lane_sweep_halted(mq_queue *queue)
{
    return visit_all_parked(queue, sweep_parked, queue);
}
