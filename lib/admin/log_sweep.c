/* Removing from a log what is not to be kept, and what processes that died have left. */
#include "admin/log_sweep.h"

#include <errno.h>
#include <unistd.h>

#include "admin/topic_sweep.h"
#include "format/sent_name.h"
#include "lifecycle/log_tidy.h"
#include "log/log.h"

static int sweep_sent(int dir, int64_t now)
{
    struct log_config config;
    const int has = fs_has(dir, SENT_NAME_DIR), error = has == 1 ? log_config_load(dir, &config, NULL) : has;
    return has == 1 && !error ? topic_sweep_sent(dir, ACCESS_PRIVATE, config.dedup_window, now) : error;
}

int log_sweep(int spool, const char *spool_path, const char *name, int64_t now)
{
    uint64_t removed;
    const int dir = log_open_in(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    const int error = log_tidy(spool_path, name, dir, LOG_ALL, &removed),
              known = topic_sweep_find_time(dir, "tmp", &now),
              drafts = known ? known : topic_sweep_drafts(dir, "tmp", now),
              sent = drafts < 0 ? 0 : sweep_sent(dir, now);
    close(dir);
    if (!error && (known == -ENOENT || known == -EACCES))
        return 0;
    return error ? error : drafts < 0 ? drafts : sent < 0 ? sent : drafts + sent;
}
