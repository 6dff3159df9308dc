/* The messages that wait in the lanes of an ordered queue. */
#include "admin/lane_browse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/lane_tokens.h"
#include "base/fs.h"
#include "format/batch.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_dir.h"

bool lane_browse_is(const struct mq_entry *entry)
{
    return lane_name_is_key(entry->bucket);
}

struct waiting {
    mq_queue *queue;
    enum mq_state state;
    struct lane_tokens tokens;
    int (*each)(const struct mq_entry *entry, void *context);
    void *context;
    uint64_t *purged;
    int stop;
    const struct lane_file *file; /* that the walk has come to */
    uint32_t ahead;               /* how many of its messages are not shown */
};

/* How many messages of the file do not wait behind the head. */
static uint32_t count_ahead(const struct waiting *waiting, const struct lane_file *file)
{
    const enum mq_state state = file->name.due ? MQ_DELAYED : MQ_READY;
    return state == waiting->state ? lane_tokens_count_ahead(&waiting->tokens, file->key, file->name.position)
                                   : UINT32_MAX;
}

/* The tokens come first: a message that becomes the head later is shown as waiting. */
static int walk(struct waiting *waiting, lane_visit_fn *visit)
{
    if (!waiting->queue->config.order || (waiting->state != MQ_READY && waiting->state != MQ_DELAYED))
        return 0;
    int error = lane_tokens_read(waiting->queue, &waiting->tokens);
    if (!error)
        error = lane_dir_walk_all(waiting->queue->dir, visit, waiting);
    lane_tokens_free(&waiting->tokens);
    return error < 0 ? error : waiting->stop;
}

static int show_one(void *context, const struct message_name *name)
{
    struct waiting *waiting = context;
    if (waiting->ahead > 0) {
        waiting->ahead--;
        return 0;
    }
    const struct mq_entry entry = {
        .state = waiting->state,
        .id = name->id,
        .priority = name->priority,
        .time = name->due,
        .expires = name->expires,
        .bucket = waiting->file->key,
        .file = waiting->file->file,
        .offset = name->offset,
        .position = name->position,
    };
    waiting->stop = waiting->each(&entry, waiting->context);
    return waiting->stop != 0;
}

static int show(void *context, const struct lane_file *file)
{
    struct waiting *waiting = context;
    waiting->ahead = count_ahead(waiting, file);
    waiting->file = file;
    if (waiting->ahead >= file->name.count)
        return 0;
    const int opened = file->name.count > 1 ? fs_open_file(file->dir, file->file) : -EBADMSG;
    if (opened == -ENOENT)
        return 0;
    const int stop = opened < 0 ? -EBADMSG : batch_walk(opened, &file->name, show_one, waiting);
    if (opened >= 0)
        close(opened);
    return stop == -EBADMSG ? show_one(waiting, &file->name) : stop;
}

int lane_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
                void *context)
{
    return walk(&(struct waiting){.queue = queue, .state = state, .each = each, .context = context}, show);
}

/* The directory that it lies in, if it is still there. */
static int find(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name)
{
    struct message_name name;
    int found = -ENOENT;
    if (!name_parse(MQ_READY, entry->file, &name))
        return -EINVAL;
    for (int place = 0; place < 2; place++) {
        const int dir = place == 0 ? lane_dir_open_bucket(queue->dir, entry->bucket, name.position)
                                   : lane_dir_open_queue(queue->dir, entry->bucket);
        const int has = dir < 0 ? dir : fs_has(dir, entry->file);
        if (has == 1) {
            *ret_name = name;
            return dir;
        }
        if (dir >= 0)
            close(dir);
        if (has < 0 && !bucket_is_missing(has))
            found = has;
    }
    return found;
}

int lane_browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name)
{
    const int dir = find(queue, entry, ret_name);
    const int file = dir < 0 ? dir : fs_open_file(dir, entry->file);
    if (dir >= 0)
        close(dir);
    return file;
}

static int remove_from(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name)
{
    const int removed = move_out(queue, state, dir, file, name);
    if (removed == 1)
        failures_forget(queue, state, name);
    return removed;
}

int lane_browse_remove(mq_queue *queue, const struct mq_entry *entry)
{
    struct message_name name;
    const int dir = find(queue, entry, &name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int removed = name.count > 1 ? -EOPNOTSUPP : remove_from(queue, entry->state, dir, entry->file, &name);
    close(dir);
    return removed;
}

static int purge(void *context, const struct lane_file *file)
{
    struct waiting *waiting = context;
    if (count_ahead(waiting, file) > 0) /* a message that shares its file with one in flight stays */
        return 0;
    const int removed = remove_from(waiting->queue, waiting->state, file->dir, file->file, &file->name);
    *waiting->purged += removed == 1 ? file->name.count : 0;
    return removed < 0 ? removed : 0;
}

int lane_browse_purge(mq_queue *queue, enum mq_state state, uint64_t *purged)
{
    return walk(&(struct waiting){.queue = queue, .state = state, .purged = purged}, purge);
}
