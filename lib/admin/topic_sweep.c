/* Removing what processes that died have left in topics. */
#include "admin/topic_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "lifecycle/publish.h"
#include "route/topic.h"

struct feed_sweep {
    int dir;
    int64_t now;
    int removed, error;
};

/* What cannot be judged or removed does not keep the sweep from the rest. */
static int sweep_file(void *context, const char *name, unsigned char type)
{
    struct feed_sweep *sweep = context;
    struct stat status;
    int error = 0;
    if (type == DT_DIR)
        return 0;
    if (fstatat(sweep->dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        error = -errno;
    else if (sweep->now - clock_of_file(&status.st_mtim) < PUBLISH_ABANDONED)
        return 0;
    else
        error = fs_unlink(sweep->dir, name);
    sweep->removed += !error;
    if (error && error != -ENOENT && !sweep->error)
        sweep->error = error;
    return 0;
}

static int sweep_dir(int at, const char *name, int64_t now)
{
    struct feed_sweep sweep = {.dir = fs_open_dir(at, name), .now = now};
    if (sweep.dir < 0) /* those who may do no more than send leave it to others */
        return sweep.dir == -ENOENT || sweep.dir == -EACCES ? 0 : sweep.dir;
    const int error = fs_list_at(sweep.dir, ".", sweep_file, &sweep);
    close(sweep.dir);
    return error ? error : sweep.error ? sweep.error : sweep.removed;
}

int topic_sweep(int spool, const char *name, int64_t now)
{
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    const int drafts = sweep_dir(dir, "feed", now), messages = drafts < 0 ? 0 : sweep_dir(dir, "feed/tmp", now);
    close(dir);
    return drafts < 0 ? drafts : messages < 0 ? messages : drafts + messages;
}
