/* How old the messages of a state are, at a cost that grows with the depth, and how much room the disk has for more. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "lifecycle/inbox.h"
#include "log/log.h"
#include "queue/queue.h"
#include "store/bucket.h"

struct ages {
    const mq_queue *queue;
    enum mq_state wanted; /* a message in the inbox that is due counts as ready */
    int64_t now;
    const int64_t *limits;
    size_t count;
    uint64_t *found;
};

/* The state that a message counts in, as for mq_stat. */
static enum mq_state state_of(const struct ages *ages, enum mq_state state, const struct message_name *name)
{
    return state == MQ_DELAYED && inbox_has(ages->queue, name) && name->time <= ages->now ? MQ_READY : state;
}

static int note(void *context, const struct bucket_file *file)
{
    const struct ages *ages = context;
    struct stat status;
    size_t i = 0;
    if (state_of(ages, file->state, &file->name) != ages->wanted)
        return 0;
    if (fstatat(file->dir, file->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone(); /* another process may have moved it */
    const int64_t age = ages->now - clock_of_file(&status.st_mtim);
    while (i < ages->count && age >= ages->limits[i])
        i++;
    ages->found[i] += file->name.count;
    return 0;
}

/* Messages in the inbox that are due count as ready, even if this process may not take them in. */
static int note_inbox(mq_queue *queue, struct ages *ages)
{
    struct listing files = {0};
    const int error = bucket_visit(queue->dir, MQ_DELAYED, NAME_RESERVE_BUCKET, &files, note, ages);
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
    ages.now = queue_now(queue);
    (void)inbox_take(queue, ages.now, INBOX_ALL);
    memset(ret_counts, 0, (count + 1) * sizeof *ret_counts);
    error = bucket_walk(queue->dir, state, note, &ages);
    if (!error && state == MQ_READY && access_has_inbox(queue->sharing))
        error = note_inbox(queue, &ages);
    return error;
}

static int room_of(int dir, struct mq_room *ret_room)
{
    struct statvfs status;
    if (fstatvfs(dir, &status) < 0)
        return -errno;
    ret_room->bytes = (uint64_t)status.f_bavail * status.f_frsize;
    ret_room->files = status.f_files ? status.f_favail : UINT64_MAX;
    return 0;
}

int mq_room(mq_queue *queue, struct mq_room *ret_room)
{
    const int error = queue_refresh(queue);
    return error ? error : room_of(queue->dir, ret_room);
}

int mq_log_room(const mq_log *log, struct mq_room *ret_room)
{
    return room_of(log->dir, ret_room);
}
