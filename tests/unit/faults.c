/*
 * Everything that libmq does, with each of the calls that it makes failing in turn, alone or with all that come after.
 *
 * What failed says so, and has left nothing behind: no descriptor, no memory, no part of a message. Every message is
 * where it was or where the operation takes it, once. The same handle then does what it could not, and the queue goes
 * on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../seam/scene.h"
#include "../seam/seam.h"
#include "../seam/stage.h"
#include "unit.h"

/* More than any operation makes: one that never ends is found out. */
#define MOST_CALLS 20000

struct trial {
    const struct operation *operation;
    struct seam seam;
    struct content before, after;
};

static bool expect(bool holds, const struct trial *trial, const char *format, ...)
{
    va_list arguments;
    if (holds)
        return true;
    unit_failures++;
    fprintf(stderr, "%s, fault %#x at call %u%s: ", trial->operation->name, trial->seam.faults, trial->seam.nth,
            trial->seam.lasting ? " and later" : "");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return false;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* One that was there and is to stay is there, where it was or where it was to go; `done`: there. */
static void expect_message(const struct trial *trial, const struct content *now, const struct placed *message,
                           bool done)
{
    const struct placed *before = content_find(&trial->before, message), *after = content_find(&trial->after, message);
    const struct placed *found = content_find(now, message);
    const size_t count = content_count(now, message);
    const size_t most = content_count(before ? &trial->before : &trial->after, message);
    const bool steps = trial->operation->kind & OPERATION_STEPS;
    expect(count <= most, trial, "\"%s\" is there %zu times", message->body, count);
    if (before && after && most == content_count(&trial->after, message))
        expect(count == most, trial, "\"%s\" is lost", message->body);
    else if (!steps)
        expect((count > 0) == (done ? after != NULL : before != NULL), trial, "\"%s\" is %s", message->body,
               count > 0 ? "there" : "not there");
    if (found && !steps && most == 1)
        expect((before && found->state == before->state) || (after && found->state == after->state) ||
                   (trial->seam.lasting && found->state == MQ_INFLIGHT), /* and comes back at its deadline */
               trial, "\"%s\" is in state %d", message->body, found->state);
}

static void expect_content(const struct trial *trial, const struct scene *scene, bool done)
{
    struct content now;
    const unsigned kind = trial->operation->kind;
    if ((trial->seam.lasting && !(kind & OPERATION_STEPS)) || kind & OPERATION_BY_OUTBOX)
        scene_sweep_spool(scene);
    scene_read(scene, &now);
    for (size_t i = 0; i < trial->before.count; i++)
        expect_message(trial, &now, &trial->before.all[i], done);
    for (size_t i = 0; i < trial->after.count; i++)
        if (!content_find(&trial->before, &trial->after.all[i]))
            expect_message(trial, &now, &trial->after.all[i], done);
    for (size_t i = 0; i < now.count; i++)
        expect(content_find(&trial->before, &now.all[i]) || content_find(&trial->after, &now.all[i]), trial,
               "\"%s\" is new", now.all[i].body);
}

/* ---- trials ------------------------------------------------------------------------------ */

/* What there is before and after, when nothing fails. */
static void learn(struct trial *trial)
{
    struct scene scene;
    scene_begin(&scene, trial->operation);
    scene_read(&scene, &trial->before);
    scene_end(&scene);
    scene_begin(&scene, trial->operation);
    const int result = trial->operation->act(&scene);
    expect(result >= 0, trial, "without a fault: %s", strerror(-result));
    scene_read(&scene, &trial->after);
    scene_end(&scene);
}

static void do_again(const struct trial *trial, struct scene *scene)
{
    const int result = trial->operation->act(scene);
    expect(result >= 0 || result == trial->operation->again, trial, "once more: %s", strerror(-result));
    expect_content(trial, scene, true);
}

/* Whether it came to the call that was to fail. */
static bool try_once(const struct trial *trial)
{
    struct scene scene;
    const size_t descriptors = scene_descriptors();
    const long memory = seam_memory();
    scene_begin(&scene, trial->operation);
    seam_open(&trial->seam);
    const int result = trial->operation->act(&scene);
    const bool struck = seam_close();
    expect(result != OPERATION_LIED, trial, "what it says is not so");
    if (struck) {
        expect_content(trial, &scene, result >= 0);
        if (result < 0)
            do_again(trial, &scene);
        const char *problem = scene_problem(&scene);
        expect(!problem, trial, "%s", problem);
    }
    scene_end(&scene);
    expect(scene_descriptors() == descriptors, trial, "descriptors are left open");
    expect(seam_memory() == memory, trial, "%ld pieces of memory are left", seam_memory() - memory);
    return struck;
}

/* Every so many calls one fails, each run others, unless FAULTS=all: a trial makes a queue and looks at all of it. */
static unsigned stride = 30;

static void try_each_call(struct trial *trial)
{
    trial->seam.nth = scene_first_call(stride);
    while (trial->seam.nth < MOST_CALLS && try_once(trial))
        trial->seam.nth += stride;
    expect(trial->seam.nth < MOST_CALLS, trial, "there is no end to it");
}

/* What is hit by all calls after the first is what one runs out of. */
static const unsigned alone = SEAM_NO_MEMORY | SEAM_NO_ROOM | SEAM_BROKEN | SEAM_SIGNAL | SEAM_SHORT;
static const unsigned lasting = SEAM_NO_MEMORY | SEAM_NO_ROOM | SEAM_NO_DESCRIPTORS;

static void try_each_fault(const struct operation *operation, unsigned faults, bool last)
{
    struct trial trial = {.operation = operation, .seam = {.lasting = last}};
    learn(&trial);
    for (int fault = 0; fault < SEAM_FAULTS; fault++) {
        trial.seam.faults = faults & 1u << fault;
        if (trial.seam.faults)
            try_each_call(&trial);
    }
}

static void try_each_world(const struct operation *operation)
{
    try_each_fault(operation, alone, false);
    try_each_fault(operation, lasting, true);
    seam_do_without(SEAM_WITHOUT_ORDER);
    try_each_fault(operation, SEAM_BROKEN, false);
    seam_do_without(0);
}

static int try_both_forms(const struct operation *operation)
{
    stage_share_headers(false);
    try_each_world(operation);
    if (stage_sent_three()) {
        stage_share_headers(true);
        try_each_world(operation);
    }
    return unit_failures;
}

/* With an argument: only the operation of that name, and all of its calls. */
int main(int count, char **arguments)
{
    stride = scene_stride(stride, count, "FAULTS");
    return !scene_each_operation(count > 1 ? arguments[1] : NULL, try_both_forms);
}
