/* How old the messages of a state are, and what room there is for more: looks whose cost grows with depth, but for
   the last. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "queue/inbox.h"
#include "queue/queue.h"
#include "store/bucket.h"

struct ages {
    const mq_queue *queue;
    enum mq_state wanted; /* what lies in the inbox counts as what it is by now */
    int64_t now;
    const int64_t *limits;
    size_t count;
    uint64_t *found;
};

/* As mq_stat has it. */
static enum mq_state state_of(const struct ages *ages, enum mq_state state, const struct message_name *name)
{
    return state == MQ_DELAYED && inbox_has(ages->queue, name) && name->time <= ages->now ? MQ_READY : state;
}

static void note(const struct ages *ages, enum mq_state state, int dir, const char *file)
{
    struct stat status;
    struct message_name name;
    size_t i = 0;
    name_parse(state, file, &name);
    if (state_of(ages, state, &name) != ages->wanted)
        return;
    if (fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* it has moved on */
    const int64_t age = ages->now - clock_of_file(&status.st_mtim);
    while (i < ages->count && age >= ages->limits[i])
        i++;
    ages->found[i] += name.count;
}

static int note_bucket(mq_queue *queue, enum mq_state state, const char *bucket, struct listing *files,
                       const struct ages *ages)
{
    const int dir = bucket_open(queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    const int error = bucket_read(dir, state, files);
    for (size_t i = 0; i < files->count && !error; i++)
        note(ages, state, dir, listing_at(files, i));
    close(dir);
    return error;
}

static int note_state(mq_queue *queue, enum mq_state state, const struct ages *ages)
{
    struct listing buckets = {0}, files = {0};
    int error = bucket_list(queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && !error; i++)
        error = note_bucket(queue, state, listing_at(&buckets, i), &files, ages);
    listing_free(&buckets);
    listing_free(&files);
    return error;
}

/* What this process may not take in is due all the same. */
static int note_inbox(mq_queue *queue, const struct ages *ages)
{
    struct listing files = {0};
    const int error = note_bucket(queue, MQ_DELAYED, NAME_RESERVE_BUCKET, &files, ages);
    listing_free(&files);
    return error;
}

int mq_ages(mq_queue *queue, enum mq_state state, const int64_t *limits, size_t count, uint64_t *ret_counts)
{
    struct ages ages = {.queue = queue, .wanted = state, .limits = limits, .count = count, .found = ret_counts};
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    if (error)
        return error;
    ages.now = clock_now();
    (void)inbox_take(queue, ages.now, INBOX_ALL);
    memset(ret_counts, 0, (count + 1) * sizeof *ret_counts);
    error = note_state(queue, state, &ages);
    if (!error && state == MQ_READY && access_has_inbox(queue->sharing))
        error = note_inbox(queue, &ages);
    return error;
}

int mq_room(mq_queue *queue, struct mq_room *ret_room)
{
    struct statvfs status;
    const int error = queue_refresh(queue);
    if (error)
        return error;
    if (fstatvfs(queue->dir, &status) < 0)
        return -errno;
    ret_room->bytes = (uint64_t)status.f_bavail * status.f_frsize;
    ret_room->files = status.f_files ? status.f_favail : UINT64_MAX;
    return 0;
}
