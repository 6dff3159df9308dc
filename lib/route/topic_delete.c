/*
 * Deleting topics.
 *
 * A topic that another one passes messages on to stays: its name would become a queue's with the next message. Bindings
 * to a topic are made under a shared lock on it, so that none is made between the look and the rename.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "route/topic.h"
#include "store/layout.h"
#include "store/spool.h"

struct search {
    const char *spool_path, *name;
    char *found; /* the topic that was looked at last */
};

static int compare_binding(const struct mq_binding *binding, void *context)
{
    const struct search *search = context;
    return strcmp(binding->destination, search->name) == 0;
}

/* A topic that is deleted meanwhile passes nothing on. */
static int look_at(const char *topic, void *context)
{
    struct search *search = context;
    char unroutable[MQ_QUEUE_NAME_SIZE];
    if (strcmp(topic, search->name) == 0)
        return 0;
    strcpy(search->found, topic);
    int found = mq_topic_bindings(search->spool_path, topic, compare_binding, search);
    if (found == 0)
        found = mq_topic_config_get(search->spool_path, topic, "unroutable", unroutable);
    else
        return found == -ENOENT ? 0 : found;
    return found == 0 ? strcmp(unroutable, search->name) == 0 : found == -ENOENT ? 0 : found;
}

int mq_topic_find_source(const char *spool, const char *name, char *ret_topic)
{
    return mq_topic_list(spool, look_at, &(struct search){spool, name, ret_topic});
}

static int delete_held(const char *spool_path, int spool, const char *name)
{
    char gone[NAME_PENDING_SIZE], source[MQ_QUEUE_NAME_SIZE];
    const int found = mq_topic_find_source(spool_path, name, source);
    if (found != 0)
        return found < 0 ? found : -EBUSY;
    name_format_pending(NAME_GONE, name, id_random(), gone);
    int error = fs_rename(spool, name, spool, gone);
    if (!error)
        error = fs_sync(spool);
    return error ? error : spool_remove_tree(spool, gone);
}

int mq_topic_delete(const char *spool_path, const char *name)
{
    const int spool = mq_queue_name_is_valid(name) ? spool_open(spool_path, false) : -EINVAL;
    if (spool < 0)
        return spool;
    const int dir = topic_hold(spool, name, LOCK_EX);
    const int error = dir == -EBADF ? -EACCES : dir < 0 ? dir : delete_held(spool_path, spool, name);
    if (dir >= 0)
        close(dir);
    close(spool);
    return error;
}
