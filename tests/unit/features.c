/*
 * What file systems and kernels may lack, or do differently: everything that libmq does comes out as where all is
 * there.
 *
 * On a network file system the answer to a rename may get lost, and it reports that there is no such name.
 */
#include <errno.h>

#include "../seam/scene.h"
#include "../seam/seam.h"
#include "unit.h"

static const unsigned worlds[] = {
    SEAM_WITHOUT_TMPFILE | SEAM_WITHOUT_OPENAT2,
    SEAM_WITHOUT_NOREPLACE | SEAM_WITHOUT_TYPES,
    SEAM_WITHOUT_EMPTY_PATH | SEAM_WITHOUT_INOTIFY,
    SEAM_ON_NETWORK,
    SEAM_WITHOUT_ORDER,
    SEAM_WITHOUT_RANGES | SEAM_WITHOUT_RANDOM,
    SEAM_WITHOUT_EMPTY_PATH | SEAM_WITHOUT_PROC,
};

static void expect(bool holds, const struct operation *operation, unsigned world, const char *what)
{
    if (holds)
        return;
    unit_failures++;
    fprintf(stderr, "%s, without %#x: %s\n", operation->name, world, what);
}

static int act_and_read(const struct operation *operation, struct content *ret_content)
{
    struct scene scene;
    scene_begin(&scene, operation);
    const int result = operation->act(&scene);
    scene_read(&scene, ret_content);
    const char *problem = scene_problem(&scene);
    if (!EXPECT(!problem))
        fprintf(stderr, "%s: %s\n", operation->name, problem);
    scene_end(&scene);
    return result;
}

/* To follow needs inotify, and sees all that happens. */
static bool is_refused(int result, unsigned world)
{
    return (result == -EOPNOTSUPP && world & SEAM_ON_NETWORK) || (result == -EMFILE && world & SEAM_WITHOUT_INOTIFY);
}

static void try_without(const struct operation *operation, const struct content *wanted, unsigned world)
{
    struct content content;
    seam_do_without(world);
    const int result = act_and_read(operation, &content);
    seam_do_without(0);
    if (is_refused(result, world))
        return;
    expect(result >= 0, operation, world, strerror(-result));
    expect(content.count == wanted->count, operation, world, "not as many messages");
    for (size_t i = 0; i < wanted->count; i++) {
        const struct placed *found = content_find(&content, &wanted->all[i]);
        expect(found && found->state == content_find(wanted, &wanted->all[i])->state, operation, world,
               wanted->all[i].body);
    }
}

/* A claim's new name could only be ours: where it is there the rename was done. */
static void a_lost_answer_to_a_claim_is_no_loss(const struct operation *operation)
{
    struct content content, wanted;
    struct scene scene;
    act_and_read(operation, &wanted);
    seam_do_without(SEAM_ON_NETWORK);
    scene_begin(&scene, operation);
    seam_open(&(struct seam){.faults = SEAM_LOST_ANSWER, .nth = 1});
    const int result = operation->act(&scene);
    const bool struck = seam_close();
    scene_read(&scene, &content);
    scene_end(&scene);
    seam_do_without(0);
    expect(struck && result >= 0, operation, SEAM_ON_NETWORK, "a lost answer is taken for a failure");
    for (size_t i = 0; i < wanted.count; i++)
        expect(content_count(&content, &wanted.all[i]) == 1 &&
                   content_find(&content, &wanted.all[i])->state == wanted.all[i].state,
               operation, SEAM_ON_NETWORK, wanted.all[i].body);
}

static void try_in_each_world(const struct operation *operation)
{
    struct content wanted;
    const int result = act_and_read(operation, &wanted);
    expect(result >= 0, operation, 0, strerror(-result));
    for (size_t world = 0; world < sizeof worlds / sizeof *worlds; world++)
        try_without(operation, &wanted, worlds[world]);
    if (strcmp(operation->name, "receive") == 0 || strcmp(operation->name, "extend") == 0)
        a_lost_answer_to_a_claim_is_no_loss(operation);
}

int main(void)
{
    for (size_t i = 0; i < operations_count; i++)
        try_in_each_world(&operations[i]);
    for (size_t i = 0; i < lane_operations_count; i++)
        try_in_each_world(&lane_operations[i]);
    return unit_failures != 0;
}
