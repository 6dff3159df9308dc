/* What libmq does with an ordered queue, each with what it finds in a group. */
#include <errno.h>
#include <string.h>

#include "seam.h"
#include "stage.h"

#define GROUP ((struct letter){.priority = MQ_PRIORITY_DEFAULT, .group = "a"})

static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};

/* ---- what is found ------------------------------------------------------------------------- */

/* A queue that keeps an order takes the place of the one that keeps none, with the same bystanders. */
static void ordered(struct scene *scene)
{
    mq_close(scene->queue);
    stage_must(mq_delete(scene->spool, "jobs", true), "mq_delete");
    stage_must(mq_create_ordered(scene->spool, "jobs", "group", 0600, MQ_OWN_GROUP), "mq_create_ordered");
    stage_must(mq_open(scene->spool, "jobs", 0, &scene->queue), "mq_open");
    stage_send(scene->queue, "held", (struct letter){.priority = MQ_PRIORITY_DEFAULT, .group = "held"});
    stage_claim(scene, STAGE_DAY);
    stage_send(scene->queue, "behind", (struct letter){.priority = MQ_PRIORITY_DEFAULT, .group = "held"});
}

static void one(struct scene *scene)
{
    ordered(scene);
    stage_send(scene->queue, "one", GROUP);
}

static void two(struct scene *scene)
{
    one(scene);
    stage_send(scene->queue, "two", GROUP);
}

static void three(struct scene *scene)
{
    ordered(scene);
    stage_send_three(scene->queue, GROUP);
}

static void one_claimed(struct scene *scene)
{
    one(scene);
    stage_claim(scene, STAGE_DAY);
}

static void two_claimed(struct scene *scene)
{
    two(scene);
    stage_claim(scene, STAGE_DAY);
}

static void three_claimed(struct scene *scene)
{
    three(scene);
    stage_claim(scene, STAGE_DAY);
}

static void three_claimed_to_halt(struct scene *scene)
{
    ordered(scene);
    stage_set(scene, "on-dead", "halt");
    stage_send_three(scene->queue, GROUP);
    stage_claim(scene, STAGE_DAY);
}

static void dead(struct scene *scene)
{
    two_claimed(scene);
    stage_must(mq_reject(scene->queue, scene->receipt, NULL), "mq_reject");
}

static void dead_and_halted(struct scene *scene)
{
    three_claimed_to_halt(scene);
    stage_must(mq_reject(scene->queue, scene->receipt, NULL), "mq_reject");
}

static void lapse(struct scene *scene)
{
    stage_claim(scene, 1);
    seam_pass(1);
}

static void three_lapsed(struct scene *scene)
{
    three(scene);
    lapse(scene);
}

static void three_lapsed_for_good(struct scene *scene)
{
    ordered(scene);
    stage_set(scene, "max-attempts", "1");
    stage_send_three(scene->queue, GROUP);
    lapse(scene);
}

static void three_expired(struct scene *scene)
{
    ordered(scene);
    stage_send_three(scene->queue, (struct letter){.priority = MQ_PRIORITY_DEFAULT, .group = "a", .ttl = 1});
}

static void with_batch(struct scene *scene)
{
    three(scene);
    stage_must(mq_batch_new(&scene->batch), "mq_batch_new");
}

static void with_other(struct scene *scene)
{
    three(scene);
    stage_must(mq_open(scene->spool, "other", MQ_CREATE, &scene->other), "mq_open");
}

/* ---- what is done ---------------------------------------------------------------------------- */

static int send_to_group(struct scene *scene)
{
    return stage_try_send(scene->queue, "zzz", GROUP); /* last, as drained messages are judged */
}

static int receive(struct scene *scene)
{
    mq_message *message;
    const int got = mq_receive(scene->queue, &at_once, &message);
    if (got == 1)
        mq_message_free(message);
    return got;
}

static int receive_three(struct scene *scene)
{
    mq_message *message;
    int got = mq_receive_batch(scene->queue, &at_once, 3, scene->batch);
    while (got == 1)
        got = mq_batch_next(scene->batch, &message);
    return got;
}

static int ack(struct scene *scene)
{
    return mq_ack(scene->queue, scene->receipt);
}

static int nack(struct scene *scene)
{
    return mq_nack(scene->queue, scene->receipt, STAGE_DAY);
}

static int release(struct scene *scene)
{
    return mq_release(scene->queue, scene->receipt);
}

static int extend(struct scene *scene)
{
    return mq_extend(scene->queue, scene->receipt, 3 * STAGE_DAY);
}

static int reject(struct scene *scene)
{
    return mq_reject(scene->queue, scene->receipt, "no good");
}

static int sweep(struct scene *scene)
{
    struct mq_swept swept;
    return mq_sweep(scene->queue, &swept);
}

static void ignore_finding(const char *path, const char *problem, void *context)
{
    (void)path;
    (void)problem;
    (void)context;
}

static int check(struct scene *scene)
{
    return mq_check(scene->queue, false, ignore_finding, NULL);
}

static int purge(struct scene *scene)
{
    uint64_t purged;
    return mq_purge(scene->queue, MQ_READY, &purged);
}

struct look {
    struct scene *scene;
    const char *body;
    int (*act)(struct scene *scene, const struct mq_entry *entry);
};

static int act_on(const struct mq_entry *entry, void *context)
{
    const struct look *look = context;
    char text[8] = "";
    mq_message *message;
    const int got = mq_entry_open(look->scene->queue, entry, &message);
    if (got != 1)
        return got;
    const ssize_t read = mq_message_read(message, text, sizeof text - 1);
    mq_message_free(message);
    const int done = read < 0 ? (int)read : strcmp(text, look->body) == 0 ? look->act(look->scene, entry) : 0;
    return done < 0 ? done : 0;
}

static int remove_it(struct scene *scene, const struct mq_entry *entry)
{
    return mq_entry_remove(scene->queue, entry);
}

static int move_it(struct scene *scene, const struct mq_entry *entry)
{
    return mq_entry_move(scene->queue, entry, scene->other);
}

static int retry_it(struct scene *scene, const struct mq_entry *entry)
{
    return mq_entry_retry(scene->queue, entry, scene->queue);
}

static int remove_two(struct scene *scene)
{
    return mq_browse(scene->queue, MQ_READY, act_on, &(struct look){scene, "two", remove_it});
}

static int move_two(struct scene *scene)
{
    return mq_browse(scene->queue, MQ_READY, act_on, &(struct look){scene, "two", move_it});
}

static int retry(struct scene *scene)
{
    return mq_browse(scene->queue, MQ_DEAD, act_on, &(struct look){scene, "one", retry_it});
}

static int stat_exactly(struct scene *scene)
{
    struct mq_stats stats;
    return mq_stat(scene->queue, true, &stats);
}

const struct operation lane_operations[] = {
    {"send to a new group", ordered, send_to_group, OPERATION_WHOLE, 0},
    {"send to a group", three, send_to_group, OPERATION_WHOLE, 0},
    {"claim of a group", two, receive, OPERATION_WHOLE, 0},
    {"claim of one of a group's file", three, receive, OPERATION_WHOLE, 0},
    {"claim of a group's file", with_batch, receive_three, OPERATION_WHOLE, 0},
    {"ack in a group", two_claimed, ack, OPERATION_WHOLE, -ESTALE},
    {"ack of the last of a group", one_claimed, ack, OPERATION_WHOLE, -ESTALE},
    {"ack of one of a group's file", three_claimed, ack, OPERATION_WHOLE, -ESTALE},
    {"nack in a group", three_claimed, nack, OPERATION_WHOLE, -ESTALE},
    {"release in a group", two_claimed, release, OPERATION_WHOLE, -ESTALE},
    {"extend in a group", two_claimed, extend, OPERATION_WHOLE, 0},
    {"reject in a group", two_claimed, reject, OPERATION_WHOLE, -ESTALE},
    {"reject of one of a group's file", three_claimed, reject, OPERATION_WHOLE, -ESTALE},
    {"reject, and the group halts", three_claimed_to_halt, reject, OPERATION_WHOLE, -ESTALE},
    {"receive what lapsed in a group", three_lapsed, receive, OPERATION_STEPS, 0},
    {"receive what died in a group", three_lapsed_for_good, receive, OPERATION_STEPS, 0},
    {"receive past what expired in a group", three_expired, receive, OPERATION_STEPS, 0},
    {"sweep of a group", three_lapsed_for_good, sweep, OPERATION_STEPS, 0},
    {"check of a group", three, check, OPERATION_WHOLE, 0},
    {"stat of a group", three_claimed, stat_exactly, OPERATION_WHOLE, 0},
    {"removal from a group's file", three, remove_two, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"removal behind a claim", three_claimed, remove_two, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"purge of a group", three, purge, OPERATION_STEPS | OPERATION_REMOVES, 0},
    {"move out of a group's file", with_other, move_two, OPERATION_STEPS, 0},
    {"retry in a group", dead, retry, OPERATION_WHOLE, 0},
    {"retry of what a group halts for", dead_and_halted, retry, OPERATION_WHOLE, 0},
};
const size_t lane_operations_count = sizeof lane_operations / sizeof *lane_operations;
