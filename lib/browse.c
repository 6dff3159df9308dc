/*
 * Looking at messages without claiming them; and what an administrator does to one he sees:
 * removing it, or making a dead letter ready again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bucket.h"
#include "clock.h"
#include "failures.h"
#include "fs.h"
#include "message.h"
#include "move.h"

static int show(enum mq_state state, const char *bucket, const char *file,
                int (*each)(const struct mq_entry *entry, void *context), void *context)
{
    struct name name;
    char reason[NAME_REASON_SIZE];
    name_parse(state, file, &name);
    name_unescape_reason(name.reason, reason);
    const struct mq_entry entry = {
        .state = state,
        .id = name.id,
        .attempts = name.attempts,
        .priority = name.priority,
        .time = name.time,
        .expires = name.expires,
        .reason = state == MQ_DEAD ? reason : NULL,
        .bucket = bucket,
        .file = file,
    };
    return each(&entry, context);
}

static int browse_bucket(mq_queue *queue, enum mq_state state, const char *bucket,
                         int (*each)(const struct mq_entry *entry, void *context), void *context)
{
    struct listing files = {0};
    const int dir = bucket_open(queue->dir, state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int stop = bucket_read(dir, state, &files);
    close(dir);
    for (size_t i = 0; i < files.count && !stop; i++)
        stop = show(state, bucket, listing_at(&files, i), each, context);
    listing_free(&files);
    return stop;
}

int mq_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
              void *context)
{
    struct listing buckets = {0};
    int stop = bucket_list(queue->dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && !stop; i++)
        stop = browse_bucket(queue, state, listing_at(&buckets, i), each, context);
    listing_free(&buckets);
    return stop;
}

/* The entry's bucket, open, and its name taken apart. 1, or 0 where it is gone. */
static int open_entry(mq_queue *queue, const struct mq_entry *entry, struct name *ret_name, int *ret_dir)
{
    if (!name_parse(entry->state, entry->file, ret_name) || !name_is_bucket(entry->state, entry->bucket))
        return -EINVAL;
    const int dir = bucket_open(queue->dir, entry->state, entry->bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    *ret_dir = dir;
    return 1;
}

int mq_entry_open(mq_queue *queue, const struct mq_entry *entry, mq_message **ret_message)
{
    struct name name;
    int dir;
    const int opened = open_entry(queue, entry, &name, &dir);
    if (opened != 1)
        return opened;
    const int file = fs_open_file(dir, entry->file);
    close(dir);
    if (file < 0)
        return file == -ENOENT ? 0 : file;
    const int error = message_load(file, &name, ret_message);
    if (error)
        close(file);
    return error ? error : 1;
}

int mq_entry_remove(mq_queue *queue, const struct mq_entry *entry)
{
    struct name name;
    int dir;
    const int opened = open_entry(queue, entry, &name, &dir);
    if (opened != 1)
        return opened;
    const int removed = move_out(queue, entry->state, dir, entry->file);
    close(dir);
    if (removed == 1)
        failures_forget(queue, entry->state, &name);
    return removed;
}

/* A second life: no attempts, no reason, and no expiry, which would end it at once. */
static struct name revive(const struct name *dead)
{
    struct name name = *dead;
    name.attempts = 0;
    name.expires = 0;
    name.reason[0] = '\0';
    (void)name_mark_retried(&name); /* else a sweep removes what was kept */
    return name;
}

int mq_entry_retry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to)
{
    struct name name;
    int dir;
    if (entry->state != MQ_DEAD)
        return -EINVAL;
    const int opened = open_entry(queue, entry, &name, &dir);
    if (opened != 1)
        return opened;
    name = revive(&name);
    int moved;
    if (strcmp(to->name, queue->name) == 0) {
        moved = move_message(queue, MQ_DEAD, dir, entry->file, MQ_READY, &name);
    } else {
        name.position = page_next_position(to->page, name.priority, clock_now());
        moved = move_to_queue(queue, MQ_DEAD, dir, entry->file, to, &name);
        if (moved == 1)
            failures_forget(queue, MQ_DEAD, &name);
    }
    close(dir);
    if (moved == 1)
        page_count(queue->page, PAGE_RETRIED);
    return moved;
}
