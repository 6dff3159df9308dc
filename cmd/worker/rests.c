/* Pipes that processes left behind by commands still write to. */
#include "worker/rests.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/grow.h"
#include "worker/watching.h"

static struct outlet *outlet_of(const struct rests *rests, const struct rest *rest)
{
    return rest->shown ? &rests->outlets[rest->stream] : NULL;
}

static int begin(const struct rests *rests, const struct rest *rest)
{
    return watch(rests->epoll, rest->pipe, EPOLLIN, (struct watched){REST, rest->stream, (size_t)rest->pipe});
}

/* The descriptors of the jobs themselves have priority. */
static bool has_room(const struct rests *rests)
{
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > rests->reserved &&
           rests->count < files.rlim_cur - rests->reserved;
}

void rests_keep(struct rests *rests, struct relay *relay, enum mq_stream stream)
{
    const struct rest rest = {relay->rest, stream, relay->form != RELAY_NOT};
    if (rest.pipe < 0)
        return;
    unwatch(rests->epoll, rest.pipe);
    if (!has_room(rests) || !GROW(rests->items, rests->count + 1, rests->room))
        return; /* the pipe is closed with the job */
    if (!(rests->held[stream] && rest.shown) && begin(rests, &rest) < 0)
        return;
    rests->items[rests->count++] = rest;
    relay->rest = -1;
}

static void hold(struct rests *rests, enum mq_stream stream)
{
    rests->held[stream] = true;
    for (size_t i = 0; i < rests->count; i++)
        if (rests->items[i].stream == stream && rests->items[i].shown)
            unwatch(rests->epoll, rests->items[i].pipe);
    watch_outlet(rests->epoll, rests->outlets[stream].fd, stream);
}

void rests_resume(struct rests *rests, enum mq_stream stream)
{
    for (size_t i = 0; rests->held[stream] && i < rests->count; i++)
        if (rests->items[i].stream == stream && rests->items[i].shown)
            (void)begin(rests, &rests->items[i]);
    rests->held[stream] = false;
}

void rests_pass(struct rests *rests, int pipe)
{
    size_t i = 0;
    while (i < rests->count && rests->items[i].pipe != pipe)
        i++;
    if (i == rests->count || (rests->items[i].shown && rests->held[rests->items[i].stream]))
        return;
    const enum relay_state state = relay_pass_rest(pipe, outlet_of(rests, &rests->items[i]));
    if (state == RELAY_HELD)
        hold(rests, rests->items[i].stream);
    if (state != RELAY_DONE)
        return;
    close(pipe);
    rests->items[i] = rests->items[--rests->count];
}

void rests_close(struct rests *rests)
{
    for (size_t i = 0; i < rests->count; i++)
        (void)relay_pass_rest(rests->items[i].pipe, outlet_of(rests, &rests->items[i]));
    free(rests->items);
}
