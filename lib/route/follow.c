/*
 * Followers of topics: a reply queue that is bound to a topic.
 *
 * As every reply queue it belongs to a process that holds a lock on it while it lives (reply_queue.c). The process
 * removes the bindings when it ends. If it is killed, the next process that reads the bindings, to publish, to list or to
 * sweep, gets the lock, and removes the queue and its bindings.
 */
#include "route/follow.h"

#include <string.h>

#include "base/fs.h"
#include "format/spool_name.h"
#include "queue/queue.h"
#include "store/spool.h"

static int bind_all(const char *spool, const char *topic, const char *queue, const struct mq_binding *bindings,
                    size_t count)
{
    int bound = 0;
    for (size_t i = 0; i < count && bound >= 0; i++) {
        struct mq_binding binding = bindings[i];
        binding.destination = queue;
        bound = mq_topic_bind(spool, topic, &binding);
    }
    return bound < 0 ? bound : 0;
}

int mq_topic_follow(const char *spool, const char *topic, const struct mq_binding *bindings, size_t count,
                    mq_queue **ret_queue)
{
    mq_queue *queue;
    int error = mq_reply_open(spool, &queue);
    if (error)
        return error;
    error = bind_all(spool, topic, mq_queue_name(queue), bindings, count);
    if (error)
        mq_topic_unfollow(topic, queue);
    else
        *ret_queue = queue;
    return error;
}

void mq_topic_unfollow(const char *topic, mq_queue *queue)
{
    if (!queue)
        return;
    /* If this fails, the next process that reads the bindings removes them. */
    (void)mq_topic_unbind(queue->spool, topic, &(struct mq_binding){.destination = mq_queue_name(queue)});
    mq_reply_close(queue);
}

/* Only its owner can open it, so a process that may not leaves that to others. */
static bool is_dead(int spool, const char *name)
{
    return spool_sweep_reply(spool, name) == 1 || !fs_exists(spool, name);
}

void topic_drop_dead(const char *spool_path, int spool, const char *topic, struct bindings *bindings)
{
    for (size_t i = 0; i < bindings->count;) {
        char name[MQ_QUEUE_NAME_SIZE];
        strcpy(name, bindings->list[i].destination);
        if (!name_is_reply(name) || !is_dead(spool, name)) {
            i++;
            continue;
        }
        const struct binding dead = {.destination = name};
        (void)bindings_remove(bindings, &dead, false);
        (void)mq_topic_unbind(spool_path, topic, &(struct mq_binding){.destination = name});
        i = 0;
    }
}
