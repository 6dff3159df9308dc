/* Looking at messages without claiming them. */
#include "admin/browse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "format/batch.h"
#include "format/death.h"
#include "format/decode.h"
#include "format/message.h"
#include "lifecycle/inbox.h"
#include "queue/blame.h"
#include "store/bucket.h"

/* ---- looking ---------------------------------------------------------------------- */

struct browse {
    mq_queue *queue;
    enum mq_state state;
    const char *bucket, *file;
    int (*each)(const struct mq_entry *entry, void *context);
    void *context;
    struct listing files;
};

static int show(void *context, const struct message_name *name)
{
    const struct browse *browse = context;
    const bool in_flight = browse->state == MQ_INFLIGHT, owned = in_flight && name->owner.process;
    char reason[NAME_REASON_SIZE];
    name_unescape_reason(name->reason, reason);
    const struct mq_entry entry = {
        .state = browse->state,
        .id = name->id,
        .attempts = name->attempts,
        .priority = name->priority,
        .time = name->time,
        .expires = name->expires,
        .reason = browse->state == MQ_DEAD ? reason : NULL,
        .begun = in_flight ? name->begun : 0,
        .owner = in_flight ? (pid_t)name->owner.process : 0,
        .is_here = owned && strcmp(name->owner.host, browse->queue->owner.host) == 0,
        .host = owned ? name->owner.host : NULL,
        .bucket = browse->bucket,
        .file = browse->file,
        .offset = name->offset,
    };
    return browse->each(&entry, browse->context);
}

/* Each message of a file; one that cannot be taken apart is shown as one. */
static int browse_file(struct browse *browse, int dir)
{
    struct message_name name;
    name_parse(browse->state, browse->file, &name);
    if (name.count == 1)
        return show(browse, &name);
    const int file = fs_open_file(dir, browse->file);
    if (file == -ENOENT)
        return 0;
    const int stop = file < 0 ? blame_file(browse->queue, dir, browse->file, file)
                              : batch_walk(file, &name, show, browse);
    if (file >= 0)
        close(file);
    return stop == -EBADMSG || stop == -EAGAIN ? show(browse, &name) : stop;
}

static int browse_bucket(struct browse *browse)
{
    const int dir = bucket_open(browse->queue->dir, browse->state, browse->bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int stop = bucket_read(dir, browse->state, &browse->files);
    for (size_t i = 0; i < browse->files.count && !stop; i++) {
        browse->file = listing_at(&browse->files, i);
        stop = browse_file(browse, dir);
    }
    close(dir);
    return stop;
}

int mq_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
              void *context)
{
    struct browse browse = {.queue = queue, .state = state, .each = each, .context = context};
    struct listing buckets = {0};
    int stop = queue_demand(queue, ACCESS_LOOK);
    if (!stop)
        stop = queue_refresh(queue);
    if (!stop) {
        (void)inbox_take(queue, clock_now(), INBOX_ALL); /* else it is shown where it is */
        stop = bucket_list(queue->dir, state, &buckets);
    }
    for (size_t i = 0; i < buckets.count && !stop; i++) {
        browse.bucket = listing_at(&buckets, i);
        stop = browse_bucket(&browse);
    }
    listing_free(&buckets);
    listing_free(&browse.files);
    return stop;
}

/* ---- one message ------------------------------------------------------------------ */

/* Whether a name of the bucket stands for the message now: by itself, or as the rest of the batch that it was in. */
static bool stands_for(const struct message_name *name, const struct message_name *batch, uint64_t offset)
{
    const uint64_t end = batch->position + batch->count;
    if (name->priority != batch->priority || name->position < batch->position)
        return false;
    return name->count > 1 ? name->position + name->count == end && name->offset <= offset
                           : name->position < end && name->offset == offset;
}

/* The name that stands for it now. 1 found. */
static int find_again(enum mq_state state, uint64_t offset, struct browse_place *place)
{
    const struct message_name batch = place->name;
    struct listing files = {0};
    const int fresh = fs_open_dir(place->dir, ".");
    int found = fresh < 0 ? fresh : bucket_read(fresh, state, &files);
    for (size_t i = 0; i < files.count && found == 0; i++) {
        name_parse(state, listing_at(&files, i), &place->name);
        found = stands_for(&place->name, &batch, offset);
    }
    if (fresh >= 0)
        close(fresh);
    listing_free(&files);
    name_format(state, &place->name, place->file);
    return found;
}

int browse_find(mq_queue *queue, const struct mq_entry *entry, struct browse_place *ret_place)
{
    struct browse_place place;
    if (!name_parse(entry->state, entry->file, &place.name) || !name_is_bucket(entry->state, entry->bucket))
        return -EINVAL;
    place.dir = bucket_open(queue->dir, entry->state, entry->bucket);
    if (place.dir < 0)
        return bucket_is_missing(place.dir) ? 0 : place.dir;
    snprintf(place.file, sizeof place.file, "%s", entry->file);
    int found = fs_has(place.dir, place.file);
    if (found == 0 && place.name.count > 1)
        found = find_again(entry->state, entry->offset, &place);
    if (found == 1)
        *ret_place = place;
    else
        close(place.dir);
    return found;
}

static int open_message(int file, const struct mq_entry *entry, struct message_name *name, mq_message **ret_message)
{
    struct batch_part part;
    int error = 0;
    if (name->count > 1) {
        error = batch_read_part(file, entry->offset, entry->id, &part);
        if (!error)
            *name = batch_first(name, &part);
    }
    return error ? error : decode_file(file, name, ret_message);
}

int mq_entry_open(mq_queue *queue, const struct mq_entry *entry, mq_message **ret_message)
{
    struct browse_place place;
    const int found = browse_find(queue, entry, &place);
    if (found != 1)
        return found;
    int file = fs_open_file(place.dir, place.file);
    if (file < 0)
        file = blame_file(queue, place.dir, place.file, file);
    close(place.dir);
    if (file < 0)
        return file == -ENOENT ? 0 : file;
    const int error = open_message(file, entry, &place.name, ret_message);
    if (error) {
        close(file);
        return error;
    }
    if (blame_is_too_large(queue, (*ret_message)->body_size)) {
        mq_message_free(*ret_message);
        return -EMSGSIZE;
    }
    return 1;
}
