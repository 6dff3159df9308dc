/* The depths of queues at the last looks. */
#include "stat/history.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct course {
    char queue[MQ_QUEUE_NAME_SIZE];
    double depths[HISTORY_LOOKS];
    size_t count;
};

struct history {
    struct course *courses;
    size_t count;
};

struct history *history_new(void)
{
    return cli_must(calloc(1, sizeof(struct history)));
}

void history_free(struct history *history)
{
    free(history->courses);
    free(history);
}

static const struct course *find(const struct history *history, const char *queue)
{
    for (size_t i = 0; i < history->count; i++)
        if (strcmp(history->courses[i].queue, queue) == 0)
            return &history->courses[i];
    return NULL;
}

static void append(struct course *course, double depth)
{
    if (course->count == HISTORY_LOOKS)
        memmove(course->depths, course->depths + 1, --course->count * sizeof *course->depths);
    course->depths[course->count++] = depth;
}

void history_note(struct history *history, const struct snapshot_list *snapshot)
{
    struct course *courses = cli_must(calloc(snapshot->count + 1, sizeof *courses));
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct snapshot *now = &snapshot->items[i];
        const struct course *known = find(history, now->queue);
        if (known)
            courses[i] = *known;
        else
            memcpy(courses[i].queue, now->queue, sizeof courses[i].queue);
        append(&courses[i], (double)now->stats.count[MQ_READY]);
    }
    free(history->courses);
    history->courses = courses;
    history->count = snapshot->count;
}

size_t history_depths(const struct history *history, const char *queue, size_t most, double *ret_depths)
{
    const struct course *course = find(history, queue);
    if (!course)
        return 0;
    const size_t count = course->count < most ? course->count : most;
    memcpy(ret_depths, course->depths + course->count - count, count * sizeof *ret_depths);
    return count;
}
