/* Removing what processes that died have left in topics. */
#include "admin/topic_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/work_name.h"
#include "lifecycle/publish.h"
#include "queue/sent_slots.h"
#include "route/topic.h"
#include "store/access.h"
#include "store/layout.h"

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
    enum sent_kind kind;
    int64_t number;
    /* Drafts of what is sent once have an end of their own; a bucket is one that was being made. */
    if (type == DT_DIR ? !sent_name_is_new_slot_dir(name) && !name_is_new_bucket(name)
                       : sent_name_parse_draft(name, &kind, &number))
        return 0;
    if (fstatat(sweep->dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        error = fs_error();
    else if (sweep->now - clock_of_file(&status.st_mtim) < PUBLISH_ABANDONED)
        return 0;
    else
        error = type == DT_DIR ? spool_remove_tree(sweep->dir, name) : fs_unlink(sweep->dir, name);
    sweep->removed += !error;
    if (error && error != -ENOENT && !sweep->error)
        sweep->error = error;
    return 0;
}

int topic_sweep_find_time(int at, const char *tmp, int64_t *now)
{
    char name[NAME_NEW_BUCKET_SIZE];
    const int dir = *now ? 0 : fs_open_dir(at, tmp);
    if (*now || dir < 0)
        return dir;
    name_format_new_bucket(id_random(), name);
    const int error = fs_find_time(dir, &(unsigned long){0}, name, now);
    close(dir);
    return error;
}

int topic_sweep_drafts(int at, const char *name, int64_t now)
{
    struct feed_sweep sweep = {.dir = fs_open_dir(at, name), .now = now};
    if (sweep.dir < 0) /* those who may do no more than send leave it to others */
        return sweep.dir == -ENOENT || sweep.dir == -EACCES ? 0 : sweep.dir;
    const int error = fs_list_at(sweep.dir, ".", sweep_file, &sweep);
    close(sweep.dir);
    return error ? error : sweep.error ? sweep.error : sweep.removed;
}

/* What is known of messages that were sent once, in a directory that has sent/ and tmp/: how many marks and drafts were
   removed. */
int topic_sweep_sent(int dir, unsigned sharing, int64_t dedup_window, int64_t now)
{
    const struct shared_clock clock = shared_clock_at(now);
    struct config config;
    struct sent_slots *slots;
    uint64_t removed = 0;
    int error = sent_slots_new(dir, sharing, &clock, &slots);
    if (error)
        return error;
    config_default(&config);
    config.dedup_window = dedup_window;
    error = sent_slots_sweep(slots, &config, &removed);
    sent_slots_free(slots);
    return error == -ENOENT || error == -EACCES ? 0 : error ? error : removed > INT_MAX ? INT_MAX : (int)removed;
}

static int sweep_sent(int dir, int64_t now)
{
    struct route_topic topic;
    unsigned sharing;
    const int feed = fs_open_dir(dir, TOPIC_FEED), has = feed < 0 ? feed : fs_has(feed, SENT_NAME_DIR);
    int done = has == 1 ? topic_read_config(dir, &topic) : has;
    if (has == 1 && !done)
        done = access_read_topic(dir, &sharing);
    if (has == 1 && !done)
        done = topic_sweep_sent(feed, sharing, topic.dedup_window, now);
    if (feed >= 0)
        close(feed);
    return done == -ENOENT || done == -EACCES ? 0 : done;
}

int topic_sweep(int spool, const char *name, int64_t now)
{
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir == -ENOENT || dir == -EACCES ? 0 : dir;
    const int known = topic_sweep_find_time(dir, "feed/tmp", &now);
    const int drafts = known ? known : topic_sweep_drafts(dir, "feed", now),
              messages = drafts < 0 ? 0 : topic_sweep_drafts(dir, "feed/tmp", now),
              sent = messages < 0 ? 0 : sweep_sent(dir, now);
    close(dir);
    if (known == -ENOENT || known == -EACCES)
        return 0;
    return drafts < 0 ? drafts : messages < 0 ? messages : sent < 0 ? sent : drafts + messages + sent;
}
