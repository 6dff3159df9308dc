/* Removing from a log what is not to be kept, and what processes that died have left. */
#include "admin/log_sweep.h"

#include <errno.h>
#include <unistd.h>

#include "admin/topic_sweep.h"
#include "log/log.h"

static int trim(int dir)
{
    struct log_config config;
    uint64_t removed;
    const int error = log_config_load(dir, &config, NULL);
    return error ? error : log_trim(dir, &config, SIZE_MAX, &removed);
}

int log_sweep(int spool, const char *name, int64_t now)
{
    const int dir = log_open_in(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    const int error = trim(dir), drafts = topic_sweep_drafts(dir, "tmp", now);
    close(dir);
    return error ? error : drafts;
}
