/*
 * Everything that libmq does, with somebody else doing something right before each of the calls that it makes by a name
 * in turn.
 *
 * Whatever it is, the operation ends, nothing leaks, no message is there twice, and the queue goes on; and where the
 * other one removes nothing no message is lost either. Where the other one only takes the queue's name from it, what
 * the operation says is so: what it sent is in the queue that has the name in the end, and what it could not send is
 * nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../seam/scene.h"
#include "../seam/seam.h"
#include "../seam/stage.h"
#include "unit.h"

#define MOST_CALLS 20000

/* What others do. */
struct other {
    const char *name;
    void (*act)(mq_queue *queue, const struct scene *scene);
    bool removes;
    bool renames; /* and leaves every message where it is */
    bool returns; /* makes ready what was in flight, so that it may be removed with what is ready */
};

struct race {
    const struct operation *operation;
    const struct other *other;
    struct scene scene;
    struct seam seam;
    struct content before, after;
    size_t sent; /* by the other */
};

static void expect(bool holds, const struct race *race, const char *what, const char *of)
{
    if (holds)
        return;
    unit_failures++;
    fprintf(stderr, "%s, while another %s before call %u: %s%s\n", race->operation->name, race->other->name,
            race->seam.nth, what, of);
}

/* ---- the others ---------------------------------------------------------------------------- */

static bool claim(mq_queue *queue, mq_message **ret_message)
{
    return mq_receive(queue, &(struct mq_receive_options){.wait = 0, .cancel_fd = -1}, ret_message) == 1;
}

static void claim_all(mq_queue *queue, const struct scene *scene)
{
    mq_message *message;
    (void)scene;
    while (claim(queue, &message))
        mq_message_free(message);
}

static void take_all(mq_queue *queue, const struct scene *scene)
{
    mq_message *message;
    struct mq_swept swept;
    (void)scene;
    while (claim(queue, &message)) {
        (void)mq_ack(queue, mq_message_receipt(message));
        mq_message_free(message);
    }
    (void)mq_sweep(queue, &swept);
}

static void give_back(mq_queue *queue, const struct scene *scene)
{
    mq_message *message;
    if (scene->receipt[0])
        (void)mq_release(queue, scene->receipt);
    if (claim(queue, &message)) {
        (void)mq_nack(queue, mq_message_receipt(message), STAGE_DAY);
        mq_message_free(message);
    }
}

static void delete_queue(mq_queue *queue, const struct scene *scene)
{
    (void)mq_delete(scene->spool, mq_queue_name(queue), true);
}

/* Without force, when nothing is left in it. */
static void empty_and_delete(mq_queue *queue, const struct scene *scene)
{
    uint64_t purged;
    for (int state = 0; state < MQ_STATES; state++)
        (void)mq_purge(queue, (enum mq_state)state, &purged);
    (void)mq_delete(scene->spool, mq_queue_name(queue), false);
}

/* As a deleter does it first, who then is killed. */
static void hold(mq_queue *queue, const struct scene *scene)
{
    char from[200], to[200];
    snprintf(from, sizeof from, "%s/%s", scene->spool, mq_queue_name(queue));
    snprintf(to, sizeof to, "%s/.held-%s-0123456789abcdef", scene->spool, mq_queue_name(queue));
    (void)renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/* And another one gets its name, made elsewhere, since its maker would give back the held one. */
static void hold_and_replace(mq_queue *queue, const struct scene *scene)
{
    char fresh[200], to[200];
    hold(queue, scene);
    stage_must(mq_create(scene->spool, "fresh"), "mq_create");
    snprintf(fresh, sizeof fresh, "%s/fresh", scene->spool);
    snprintf(to, sizeof to, "%s/%s", scene->spool, mq_queue_name(queue));
    stage_must(rename(fresh, to) < 0 ? -errno : 0, "rename");
}

static const struct other others[] = {
    {.name = "claims all", .act = claim_all},
    {.name = "takes all", .act = take_all, .removes = true},
    {.name = "gives back", .act = give_back, .returns = true},
    {.name = "deletes the queue", .act = delete_queue, .removes = true},
    {.name = "empties and deletes the queue", .act = empty_and_delete, .removes = true},
    {.name = "holds the queue", .act = hold, .renames = true},
    {.name = "holds the queue and makes another", .act = hold_and_replace, .renames = true},
};

/* ---- races --------------------------------------------------------------------------------- */

/* And then he sends something to what has the name by now. */
static void act_on(const char *name, struct race *race)
{
    mq_queue *queue;
    if (mq_open(race->scene.spool, name, MQ_CREATE, &queue) != 0)
        return;
    race->other->act(queue, &race->scene);
    race->sent += stage_try_send(queue, race->sent ? "also 2" : "also 1", LETTER_PLAIN) == 0;
    mq_close(queue);
}

static void strike(void *context)
{
    struct race *race = context;
    act_on("jobs", race);
    act_on("other", race);
}

/* What the other one has sent last is there, unless the operation removes whatever it finds. */
static void expect_sent(const struct race *race, const struct content *now)
{
    static const struct placed sent[] = {{.body = "also 1", .size = 6}, {.body = "also 2", .size = 6}};
    for (size_t i = 0; i < race->sent && !(race->operation->kind & OPERATION_REMOVES); i++)
        expect(content_count(now, &sent[i]) == 1, race, "lost: ", sent[i].body);
}

/* What the operation reported is so, and what failed has not happened. */
static void expect_reported(const struct race *race, const struct content *now, bool done)
{
    const struct content *const before = &race->before, *const after = &race->after;
    if (race->operation->kind & OPERATION_STEPS)
        return;
    for (size_t i = 0; i < after->count; i++)
        if (!content_find(before, &after->all[i]) && !(done && race->other->removes))
            expect(content_count(now, &after->all[i]) == done, race,
                   done ? "reported, but lost: " : "failed, but sent: ", after->all[i].body);
    for (size_t i = 0; i < before->count && !race->other->removes; i++)
        if (!content_find(after, &before->all[i]))
            expect(content_count(now, &before->all[i]) == !done, race,
                   done ? "reported, but still there: " : "failed, but gone: ", before->all[i].body);
}

static void expect_content(const struct race *race, bool done)
{
    struct content now;
    if (race->other->renames)
        scene_sweep_spool(&race->scene);
    scene_read(&race->scene, &now);
    expect_sent(race, &now);
    expect_reported(race, &now, done);
    for (size_t i = 0; i < now.count; i++)
        expect(content_count(&now, &now.all[i]) == 1, race, "twice: ", now.all[i].body);
    const bool finds_more = race->other->returns && race->operation->kind & OPERATION_REMOVES;
    for (size_t i = 0; i < race->before.count && !race->other->removes && !finds_more; i++)
        if (content_find(&race->after, &race->before.all[i]))
            expect(content_count(&now, &race->before.all[i]) == 1, race, "lost: ", race->before.all[i].body);
}

static bool run(struct race *race)
{
    const size_t descriptors = scene_descriptors();
    const long memory = seam_memory();
    race->sent = 0;
    scene_begin(&race->scene, race->operation);
    seam_open(&race->seam);
    const int result = race->operation->act(&race->scene);
    const bool struck = seam_close();
    expect(result != OPERATION_LIED, race, "what it says is not so", "");
    if (struck) {
        const char *problem;
        expect_content(race, result >= 0);
        problem = scene_problem(&race->scene);
        expect(!problem, race, problem ? problem : "", "");
    }
    scene_end(&race->scene);
    expect(scene_descriptors() == descriptors, race, "descriptors are left open", "");
    expect(seam_memory() == memory, race, "memory is left", "");
    return struck;
}

static void learn(struct race *race)
{
    scene_begin(&race->scene, race->operation);
    scene_read(&race->scene, &race->before);
    scene_end(&race->scene);
    scene_begin(&race->scene, race->operation);
    (void)race->operation->act(&race->scene);
    scene_read(&race->scene, &race->after);
    scene_end(&race->scene);
}

/* Another process strikes before some of the calls, each run others, unless RACES=all; one that takes the queue's name
   strikes less often, for it costs a queue that is made, held and brought back. */
static unsigned stride = 24, rename_stride = 144;

static void run_before_each_call(const struct operation *operation, const struct other *other)
{
    struct race race = {.operation = operation, .other = other};
    const unsigned step = other->renames ? rename_stride : stride;
    learn(&race);
    race.seam = (struct seam){
        .faults = SEAM_NO_RIGHTS, .nth = scene_first_call(step), .strike = strike, .context = &race};
    while (race.seam.nth < MOST_CALLS && run(&race))
        race.seam.nth += step;
    expect(race.seam.nth < MOST_CALLS, &race, "there is no end to it", "");
}

static int try_each_other(const struct operation *operation)
{
    for (size_t other = 0; other < sizeof others / sizeof *others; other++)
        run_before_each_call(operation, &others[other]);
    return unit_failures;
}

/* With an argument: only the operation of that name. */
int main(int count, char **arguments)
{
    stride = scene_stride(stride, count, "RACES");
    rename_stride = scene_stride(rename_stride, count, "RACES");
    stage_share_headers(true);
    return !scene_each_operation(count > 1 ? arguments[1] : NULL, try_each_other);
}
