/* Removing from a log what is not to be kept, and what processes that died have left. */
#include "admin/log_sweep.h"

#include <errno.h>
#include <unistd.h>

#include "admin/topic_sweep.h"
#include "lifecycle/log_tidy.h"
#include "log/log.h"

int log_sweep(int spool, const char *spool_path, const char *name, int64_t now)
{
    uint64_t removed;
    const int dir = log_open_in(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    const int error = log_tidy(spool_path, name, dir, LOG_ALL, &removed), drafts = topic_sweep_drafts(dir, "tmp", now);
    close(dir);
    return error ? error : drafts;
}
