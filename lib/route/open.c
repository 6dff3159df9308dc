/*
 * Configuring queues: what the queue itself does not know of topics and transactions.
 *
 * `dead-letter` leads from queue to queue, and through topics. Before it is set, everything that it leads to is looked at,
 * so that no message goes in a circle; a binding that is made later can close one (send_on.c ends it).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "queue/queue.h"
#include "route/fan_out.h"
#include "route/send_on.h"
#include "route/topic.h"
#include "store/spool.h"

int mq_topic_open(const char *spool, const char *name, mq_topic **ret_topic)
{
    const int error = topic_open(spool, name, ret_topic);
    if (!error)
        (*ret_topic)->handles.send_on = send_on;
    return error;
}

/* ---- where dead letters lead ----------------------------------------------------------------- */

/* The names that dead letters may reach, each once. */
struct ways {
    int spool;
    struct route_names names;
};

/* All bindings of a topic count, whatever they match. 1 it is a topic; 0 it is none. */
static int add_bindings(struct ways *ways, const char *name)
{
    struct bindings bindings = {0};
    struct route_topic topic;
    const int dir = topic_open_dir(ways->spool, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    int error = topic_read(dir, &bindings, &topic);
    for (size_t i = 0; i < bindings.count && error >= 0; i++)
        error = route_names_add(&ways->names, bindings.list[i].destination);
    if (error >= 0 && topic.unroutable == ROUTE_ALTERNATE)
        error = route_names_add(&ways->names, topic.alternate);
    bindings_release(&bindings);
    close(dir);
    return error < 0 ? error : 1;
}

/* A queue's own dead-letter. A log leads nowhere, and so does a queue that is bound and not there yet. */
static int add_dead_letter(struct ways *ways, const char *name, bool must_be)
{
    struct config config;
    const int dir = spool_find_queue(ways->spool, name);
    if (dir < 0)
        return dir == -ENOENT && (!must_be || log_is_there(ways->spool, name) == 1) ? 0 : dir;
    int error = config_load(dir, &config, NULL);
    close(dir);
    if (!error && config.dead_letter[0])
        error = route_names_add(&ways->names, config.dead_letter);
    return error < 0 ? error : 0;
}

static int follow(struct ways *ways, const char *queue)
{
    int error = 0;
    for (size_t looked = 0; looked < ways->names.count && error >= 0; looked++) {
        char name[MQ_QUEUE_NAME_SIZE];
        strcpy(name, ways->names.list[looked]); /* the list moves when it grows */
        if (strcmp(name, queue) == 0)
            return -ELOOP;
        error = add_bindings(ways, name);
        if (error == 0)
            error = add_dead_letter(ways, name, looked == 0);
    }
    return error < 0 ? error : 0;
}

int mq_dead_letter_check(const char *spool, const char *queue, const char *name)
{
    struct ways ways = {.spool = spool_open(spool, false)};
    if (ways.spool < 0)
        return ways.spool;
    int error = mq_queue_name_is_valid(name) ? route_names_add(&ways.names, name) : -EINVAL;
    if (error >= 0)
        error = follow(&ways, queue);
    route_names_release(&ways.names);
    close(ways.spool);
    return error == -ENOENT ? -ENXIO : error;
}

int mq_config_set(const char *spool, const char *queue, const char *key, const char *value)
{
    const bool leads = strcmp(key, "dead-letter") == 0 && value && strcmp(value, "none") != 0;
    const int error = leads ? mq_dead_letter_check(spool, queue, value) : 0;
    return error ? error : queue_configure(spool, queue, key, value);
}
