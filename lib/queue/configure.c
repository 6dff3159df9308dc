/* The configuration of a queue: telling it and changing it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/spool_name.h"
#include "queue/queue.h"
#include "store/config.h"
#include "store/layout.h"
#include "store/spool.h"

/* The queue may be deleted and made anew meanwhile. After this many times changing it fails with -EBUSY. */
#define STORE_TRIES 10

int mq_config_get(mq_queue *queue, const char *key, char *ret_value, size_t size)
{
    char value[CONFIG_VALUE_SIZE];
    if (!config_get(&queue->config, key, value))
        return -EINVAL;
    return (size_t)snprintf(ret_value, size, "%s", value) < size ? 0 : -ENAMETOOLONG;
}

/* What is no queue, but has a tmp/ too, gets no configuration of one. */
static int store_in(int dir, const char *key, const char *value)
{
    const int is = layout_is_queue(dir);
    if (is != 1)
        return is ? is : -ENOENT;
    int tmp = fs_open_dir(dir, "tmp");
    if (tmp == -ENOENT && spool_heal(dir) == 0)
        tmp = fs_open_dir(dir, "tmp");
    const int error = tmp < 0 ? tmp : config_store(dir, tmp, key, value);
    if (tmp >= 0)
        close(tmp);
    return error;
}

/* 1: done; 0: another process was deleting the queue. */
static int store(const char *spool, const char *queue, const char *key, const char *value)
{
    struct fs_identity identity;
    int done = 0;
    const int dir = spool_open_queue(spool, queue, 0);
    if (dir < 0)
        return dir;
    const int error = store_in(dir, key, value), unknown = fs_identify(dir, &identity);
    if (!unknown)
        done = spool_queue_has_name(dir, queue, &identity);
    close(dir);
    return unknown ? unknown : done == 1 && error ? error : done;
}

int queue_configure(const char *spool, const char *queue, const char *key, const char *value)
{
    if (!name_is_queue(queue))
        return -EINVAL;
    int done = 0;
    for (int tries = 0; tries < STORE_TRIES && done == 0; tries++)
        done = store(spool, queue, key, value);
    return done < 0 ? done : done == 1 ? 0 : -EBUSY;
}

int mq_config_explain(const char *spool, const char *queue, char *ret_text, size_t size)
{
    struct config config;
    char problem[CONFIG_PROBLEM_SIZE] = "";
    if (!name_is_queue(queue))
        return -EINVAL;
    const int dir = spool_open_queue(spool, queue, 0);
    if (dir < 0)
        return dir;
    const int error = config_load(dir, &config, problem);
    close(dir);
    if (error == 0)
        return 0;
    return (size_t)snprintf(ret_text, size, "%s", problem[0] ? problem : strerror(-error)) < size ? 1 : -ENAMETOOLONG;
}
