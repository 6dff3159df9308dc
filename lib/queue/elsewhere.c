/* Watching the directories in which messages appear that no process rings for. */
#include "queue/elsewhere.h"

#include <sys/inotify.h>

#include "base/fs.h"

static bool has(const struct elsewhere *elsewhere, int watch)
{
    for (int i = 0; i < elsewhere->count; i++)
        if (elsewhere->watches[i] == watch)
            return true;
    return false;
}

bool elsewhere_watch(struct elsewhere *elsewhere, int inotify, const int *dirs, int count, bool *ret_more)
{
    struct elsewhere now = {.count = 0};
    bool all = true;
    *ret_more = false;
    for (int i = 0; i < count; i++) {
        const int watch = fs_watch_dir(inotify, dirs[i], IN_CREATE | IN_MOVED_TO);
        all &= watch >= 0;
        if (watch < 0)
            continue;
        *ret_more |= !has(elsewhere, watch);
        now.watches[now.count++] = watch;
    }
    for (int i = 0; i < elsewhere->count; i++)
        if (!has(&now, elsewhere->watches[i]))
            inotify_rm_watch(inotify, elsewhere->watches[i]);
    *elsewhere = now;
    return all;
}

void elsewhere_stop(struct elsewhere *elsewhere, int inotify)
{
    for (int i = 0; i < elsewhere->count; i++)
        inotify_rm_watch(inotify, elsewhere->watches[i]);
    elsewhere->count = 0;
}
