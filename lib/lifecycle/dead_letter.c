/* Making messages dead letters. */
#include "lifecycle/dead_letter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/death.h"
#include "lane/lane.h"
#include "lane/lane_bury.h"
#include "queue/move.h"

static struct message_name dead_name(const struct message_name *name, const char *reason, int64_t now)
{
    struct message_name dead = *name;
    dead.time = now;
    name_escape_reason(reason, dead.reason);
    return dead;
}

/* What cannot go on stays, and a sweep tries again. */
static void send_on(mq_queue *queue, const struct message_name *dead)
{
    char bucket[NAME_BUCKET_SIZE], file[NAME_SIZE];
    int dir;
    if (!queue->send_on || !queue->config.dead_letter[0])
        return;
    name_format_bucket(MQ_DEAD, dead, bucket);
    name_format(MQ_DEAD, dead, file);
    if (queue_target(queue, MQ_DEAD, bucket, &dir) == 0)
        (void)queue->send_on(queue, dir, file, dead);
}

static void count(mq_queue *queue, const struct message_name *dead)
{
    page_count(queue->page, PAGE_DIED, dead->count);
    page_count(queue->page, PAGE_DEATHS + death_cause(dead->reason), dead->count);
    send_on(queue, dead);
}

static int conclude(mq_queue *queue, int moved, const struct message_name *dead)
{
    if (moved == 1)
        count(queue, dead);
    return moved;
}

static int bury_head(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                     const void *argument)
{
    const struct message_name *reasoned = argument;
    struct message_name dead = *head;
    dead.time = reasoned->time;
    snprintf(dead.reason, sizeof dead.reason, "%s", reasoned->reason);
    return lane_bury(queue, state, dir, file, &dead, state != MQ_INFLIGHT, lane_birth_settled_at(head), count);
}

/* A file that is one dead letter from now on, or the head of a lane by its token. */
static int move_dead(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *dead)
{
    if (lane_is_token(dead))
        return lane_end(queue, state, dir, file, dead, lane_dead_of(death_cause(dead->reason)), bury_head, dead);
    return conclude(queue, move_message(queue, state, dir, file, MQ_DEAD, dead), dead);
}

int dead_letter_make_whole(mq_queue *queue, enum mq_state state, int dir, const char *file,
                           const struct message_name *name, const char *reason, int64_t now)
{
    const struct message_name dead = dead_name(name, reason, now);
    return move_dead(queue, state, dir, file, &dead);
}

int dead_letter_take_in(mq_queue *queue, int dir, const char *file, const struct message_name *name, const char *reason,
                        int64_t now)
{
    const struct message_name dead = dead_name(name, reason, now);
    return conclude(queue, move_in(queue, dir, file, MQ_DEAD, &dead, NULL), &dead);
}

int dead_letter_take_part(mq_queue *queue, const struct split *split, const char *reason, int64_t now)
{
    const struct message_name dead = dead_name(&split->part, reason, now);
    return conclude(queue, split_take(queue, split, MQ_DEAD, &dead), &dead);
}

/* Make dead letters of all messages of a batch but the last. `rest` and `file` become the name of what is left. 1 done;
   0 another process changed the batch. */
static int make_all_but_last(mq_queue *queue, enum mq_state state, int dir, char file[NAME_SIZE],
                             struct message_name *rest, const char *reason, int64_t now)
{
    while (rest->count > 1) {
        struct split split;
        int done = split_off(queue, state, dir, file, rest, &split);
        if (done != 1)
            return done;
        done = dead_letter_take_part(queue, &split, reason, now);
        if (done != 1)
            return done;
        *rest = split.rest;
        name_format(state, rest, file);
        rest->split = false; /* the split is finished */
    }
    return 1;
}

int dead_letter_make(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const char *reason, int64_t now)
{
    char last_file[NAME_SIZE];
    struct message_name last = *name;
    snprintf(last_file, sizeof last_file, "%s", file);
    int done = split_finish(queue, state, &last);
    if (lane_is_token(name))
        return dead_letter_make_whole(queue, state, dir, file, name, reason, now);
    if (!done)
        done = make_all_but_last(queue, state, dir, last_file, &last, reason, now);
    if (done == -EBADMSG || done == -EAGAIN)
        return dead_letter_make_corrupt(queue, state, dir, last_file, &last, now);
    if (done != 1)
        return done;
    const struct message_name dead = dead_name(&last, reason, now);
    return move_dead(queue, state, dir, last_file, &dead);
}
