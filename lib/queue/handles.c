/* Handles of queues that stay open for the next use. */
#include "queue/handles.h"

#include <errno.h>
#include <string.h>

#include "format/spool_name.h"

static unsigned find(const struct handles *handles, const char *name)
{
    unsigned at = 0;
    while (at < handles->count && strcmp(mq_queue_name(handles->list[at]), name) != 0)
        at++;
    return at;
}

static void remove_at(struct handles *handles, unsigned at)
{
    mq_close(handles->list[at]);
    handles->list[at] = handles->list[--handles->count];
}

/* Which one goes is left to chance, more or less: queues that are used in turn would otherwise push out each other, and
   no handle would be found again. */
static void make_room(struct handles *handles)
{
    if (handles->count == HANDLES_MAX)
        remove_at(handles, (++handles->replaced * 2654435761u >> 16) % HANDLES_MAX);
}

/* This process may have as many files open as it can: then it does without the handles that are kept. */
static int open_queue(struct handles *handles, const char *spool, const char *name, mq_queue **ret_queue)
{
    const unsigned flags = name_is_reply(name) ? 0 : MQ_CREATE;
    int error = queue_open(spool, name, flags, ret_queue);
    if (error == -EMFILE && handles->count > 0) {
        handles_release(handles);
        error = queue_open(spool, name, flags, ret_queue);
    }
    return error;
}

int handles_get(struct handles *handles, const char *spool, const char *name, mq_queue **ret_queue)
{
    const unsigned at = find(handles, name);
    if (at < handles->count) {
        *ret_queue = handles->list[at];
        if (queue_refresh(*ret_queue) == 0)
            return 0;
        remove_at(handles, at); /* a caller may have opened it so that a deleted queue is not made anew */
    }
    make_room(handles);
    const int error = open_queue(handles, spool, name, ret_queue);
    if (error)
        return error;
    (*ret_queue)->send_on = handles->send_on;
    (*ret_queue)->fresh = false; /* the next time it is looked for by its name */
    handles->list[handles->count++] = *ret_queue;
    return 0;
}

mq_queue *handles_find(const struct handles *handles, const char *name)
{
    const unsigned at = find(handles, name);
    return at < handles->count ? handles->list[at] : NULL;
}

void handles_keep(struct handles *handles, mq_queue *queue)
{
    if (handles->count == HANDLES_MAX || find(handles, mq_queue_name(queue)) < handles->count)
        return;
    queue->keepers++;
    handles->list[handles->count++] = queue;
}

void handles_drop(struct handles *handles, mq_queue *queue)
{
    for (unsigned at = 0; at < handles->count; at++)
        if (handles->list[at] == queue) {
            remove_at(handles, at);
            return;
        }
}

void handles_release(struct handles *handles)
{
    while (handles->count > 0)
        remove_at(handles, handles->count - 1);
}
