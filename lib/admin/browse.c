/* Looking at messages without claiming them. */
#include "admin/browse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/lane_browse.h"
#include "base/clock.h"
#include "base/fs.h"
#include "format/batch.h"
#include "format/death.h"
#include "format/decode.h"
#include "format/message.h"
#include "lane/lane.h"
#include "lifecycle/inbox.h"
#include "queue/blame.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"

/* ---- looking ---------------------------------------------------------------------- */

struct browse {
    mq_queue *queue;
    int (*each)(const struct mq_entry *entry, void *context);
    void *context;
    const struct bucket_file *file; /* that the walk has come to */
    int opened;                     /* the same, if it holds several messages; else -1 */
    int cuts;                       /* of the lane that it is the token of; negative: it has none */
    struct lane_tokens heads;       /* the tokens that the walk has come to */
    int stop;                       /* what `each` returned; any value may be */
};

/* The message that `each` looks at. To open it, nothing has to be searched for: the file may have got other names since, but
   its content never changes. */
struct shown {
    const struct mq_entry *entry;
    const struct message_name *name; /* of this message alone */
    int dir;
    int opened;
};

void browse_describe(const mq_queue *queue, const struct bucket_file *file, const struct message_name *name,
                     struct browse_entry *ret_entry)
{
    const bool in_flight = file->state == MQ_INFLIGHT, owned = in_flight && name->owner.process;
    name_unescape_reason(name->reason, ret_entry->reason);
    ret_entry->entry = (struct mq_entry){
        .state = file->state,
        .id = name->id,
        .attempts = name->attempts,
        .priority = name->priority,
        .time = name->time,
        .expires = name->expires,
        .reason = file->state == MQ_DEAD ? ret_entry->reason : NULL,
        .begun = in_flight ? name->begun : 0,
        .owner = in_flight ? (pid_t)name->owner.process : 0,
        .is_here = owned && strcmp(name->owner.host, queue->owner.host) == 0,
        .host = owned ? name->owner.host : NULL,
        .bucket = file->bucket,
        .file = file->file,
        .offset = name->offset,
        .position = lane_is_token(name) ? name->head : name->position,
    };
}

/* Whether a message that a token stands for was taken out of its lane. */
static bool is_out(const struct browse *browse, const struct message_name *one)
{
    const struct message_name *token = &browse->file->name;
    const uint64_t position = token->head + token->skipped + (one->position - token->position);
    return lane_is_token(one) && browse->cuts >= 0 && lane_cuts_is_out(browse->cuts, position) > 0;
}

static int show(void *context, const struct message_name *name)
{
    const struct browse *browse = context;
    struct browse_entry described;
    if (is_out(browse, name))
        return 0;
    browse_describe(browse->queue, browse->file, name, &described);
    if (lane_is_token(name))
        return browse->each(&described.entry, browse->context);
    browse->queue->shown = &(const struct shown){&described.entry, name, browse->file->dir, browse->opened};
    const int stop = browse->each(&described.entry, browse->context);
    browse->queue->shown = NULL;
    return stop;
}

static int open_head(struct browse *browse, const struct message_name *token)
{
    bool has_cuts = false;
    const int file = lane_open_head(browse->queue, token, &has_cuts);
    if (has_cuts)
        browse->cuts = lane_cuts_open(browse->queue->dir, token->lane);
    return file;
}

/* Show each message of a file. If it cannot be taken apart it is shown as one message. */
static int show_file(struct browse *browse, const struct bucket_file *visited)
{
    const struct message_name *name = &visited->name;
    if (name->count == 1 && !name->of)
        return show(browse, name);
    const bool is_token = lane_is_token(name);
    const int file = is_token ? open_head(browse, name) : fs_open_file(visited->dir, visited->file);
    if (file == -ENOENT)
        return 0;
    browse->opened = file < 0 ? -1 : file;
    const int stop = file < 0 && is_token ? file
                     : file < 0           ? blame_file(browse->queue, visited->dir, visited->file, file)
                     : name->count == 1   ? show(browse, name)
                                          : batch_walk(file, name, show, browse);
    if (file >= 0)
        close(file);
    browse->opened = -1;
    return stop == -EBADMSG || stop == -EAGAIN ? show(browse, name) : stop;
}

static int browse_file(struct browse *browse, const struct bucket_file *visited)
{
    browse->file = visited;
    browse->opened = browse->cuts = -1;
    if (visited->name.settled)
        return 0; /* the lane goes on to its next message */
    const int stop = show_file(browse, visited);
    if (browse->cuts >= 0)
        close(browse->cuts);
    browse->cuts = -1;
    return stop;
}

int browse_show_one(mq_queue *queue, const struct bucket_file *file, int opened, const struct message_name *name,
                    int (*each)(const struct mq_entry *entry, void *context), void *context)
{
    struct browse browse = {
        .queue = queue, .each = each, .context = context, .file = file, .opened = opened, .cuts = -1};
    return show(&browse, name);
}

int browse_show(mq_queue *queue, const struct bucket_file *file,
                int (*each)(const struct mq_entry *entry, void *context), void *context)
{
    return browse_file(&(struct browse){.queue = queue, .each = each, .context = context}, file);
}

static int visit(void *context, const struct bucket_file *file)
{
    struct browse *browse = context;
    const int error = lane_browse_note(&browse->heads, file);
    browse->stop = error ? error : browse_file(browse, file);
    return browse->stop != 0;
}

int mq_browse(mq_queue *queue, enum mq_state state, int (*each)(const struct mq_entry *entry, void *context),
              void *context)
{
    struct browse browse = {.queue = queue, .each = each, .context = context};
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    if (error)
        return error;
    (void)inbox_take(queue, queue_now(queue), INBOX_ALL); /* a message that stays in the inbox is shown as delayed */
    error = bucket_walk(queue->dir, state, visit, &browse);
    if (!error && !browse.stop)
        error = lane_browse(queue, state, &browse.heads, each, context);
    else if (error >= 0)
        error = browse.stop;
    lane_tokens_free(&browse.heads);
    return error;
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

/* Find the name that stands for the message now, in the bucket that is open already: one that was made anew under the
   same name would be another one. 1: found. */
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

/* The callers look whether the file of a single message is a regular one. */
static int open_named(int dir, const char *file, const struct message_name *name)
{
    return name->count > 1 ? fs_open_file(dir, file) : fs_open_unchecked(dir, file);
}

/* A file that holds the entry's message, and the name that it has there. 1; 0: it has moved on. */
static int open_entry(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name, int *ret_file)
{
    struct browse_place place;
    if (lane_browse_is(entry)) {
        *ret_file = lane_browse_open(queue, entry, ret_name);
        return *ret_file == -ENOENT ? 0 : *ret_file < 0 ? *ret_file : 1;
    }
    const int found = browse_find(queue, entry, &place);
    /* A token may have gone on to another message of the same file. */
    if (found == 0 && name_parse(entry->state, entry->file, ret_name) && lane_is_token(ret_name)) {
        *ret_file = lane_open_head(queue, ret_name, NULL);
        return *ret_file == -ENOENT ? 0 : *ret_file < 0 ? *ret_file : 1;
    }
    if (found != 1)
        return found;
    int file = lane_is_token(&place.name) ? lane_open_head(queue, &place.name, NULL)
                                          : open_named(place.dir, place.file, &place.name);
    if (file < 0 && !lane_is_token(&place.name))
        file = blame_file(queue, place.dir, place.file, file);
    close(place.dir);
    *ret_name = place.name;
    *ret_file = file;
    return file == -ENOENT ? 0 : file < 0 ? file : 1;
}

/* The same of the message that a walk shows. */
static int open_shown(mq_queue *queue, const struct shown *shown, struct message_name *ret_name, int *ret_file)
{
    const char *name = shown->entry->file;
    int file = shown->opened < 0 ? open_named(shown->dir, name, shown->name) : fcntl(shown->opened, F_DUPFD_CLOEXEC, 0);
    if (file < 0)
        file = shown->opened < 0 ? blame_file(queue, shown->dir, name, file) : -errno;
    *ret_name = *shown->name;
    *ret_file = file;
    return file == -ENOENT ? 0 : file < 0 ? file : 1;
}

int browse_open(mq_queue *queue, const struct mq_entry *entry, struct message_name *ret_name, int *ret_file)
{
    struct message_name name;
    struct batch_part part;
    int file, error = 0;
    const struct shown *shown = queue->shown;
    const bool is_shown = shown && shown->entry == entry && (shown->opened >= 0 || shown->name->count == 1);
    const int found = is_shown ? open_shown(queue, shown, &name, &file) : open_entry(queue, entry, &name, &file);
    if (found != 1)
        return found;
    if (name.count > 1) {
        error = batch_read_part(file, entry->offset, entry->id, &part);
        if (!error)
            name = batch_first(&name, &part);
    }
    if (error) {
        close(file);
        return error;
    }
    *ret_name = name;
    *ret_file = file;
    return 1;
}

int mq_entry_open(mq_queue *queue, const struct mq_entry *entry, mq_message **ret_message)
{
    struct message_name name;
    int file;
    const int found = browse_open(queue, entry, &name, &file);
    if (found != 1)
        return found;
    const int error = decode_file(file, &name, ret_message);
    if (error) {
        close(file);
        return error == -ENOENT ? 0 : error;
    }
    if (blame_is_too_large(queue, (*ret_message)->body_size)) {
        mq_message_free(*ret_message);
        return -EMSGSIZE;
    }
    return 1;
}
