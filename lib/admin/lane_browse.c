/* The messages that wait in the lanes of an ordered queue. */
#include "admin/lane_browse.h"

#include <errno.h>
#include <unistd.h>

#include "admin/lane_tokens.h"
#include "base/fs.h"
#include "format/batch.h"
#include "lane/lane.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"

bool lane_browse_is(const struct mq_entry *entry)
{
    return lane_name_is_key(entry->bucket);
}

struct walk {
    mq_queue *queue;
    enum mq_state state;
    struct lane_tokens tokens;
    const struct lane_tokens *heads; /* those that were shown before */
    struct lane_cuts_walk cuts;
    lane_browse_fn *visit;
    void *context;
};

/* How many messages of the file do not wait behind the head. */
static uint32_t count_ahead(const struct walk *walk, const struct lane_file *file)
{
    const enum mq_state state = file->name.due ? MQ_DELAYED : MQ_READY;
    const bool was_shown = walk->heads && lane_tokens_find(walk->heads, file->key);
    return state != walk->state
               ? UINT32_MAX
               : lane_tokens_count_ahead(was_shown ? walk->heads : &walk->tokens, file->key, &file->name);
}

static int visit_file(void *context, const struct lane_file *file)
{
    struct walk *walk = context;
    const uint32_t ahead = count_ahead(walk, file);
    if (ahead >= file->name.count)
        return 0;
    const int cuts = lane_cuts_come_to(&walk->cuts, walk->queue->dir, file->key);
    return walk->visit(walk->context, file, ahead, cuts, lane_tokens_find(&walk->tokens, file->key));
}

int lane_browse_note(struct lane_tokens *heads, const struct bucket_file *file)
{
    return lane_is_token(&file->name) && !file->name.settled ? lane_tokens_add(heads, file) : 0;
}

/* The tokens come first: a message that becomes the head later is shown as waiting. */
int lane_browse_walk(mq_queue *queue, enum mq_state state, const struct lane_tokens *heads, lane_browse_fn *visit,
                     void *context)
{
    struct walk walk = {
        .queue = queue, .state = state, .heads = heads, .cuts = {.cuts = -1}, .visit = visit, .context = context};
    if (!queue->config.order || (state != MQ_READY && state != MQ_DELAYED))
        return 0;
    int stop = lane_tokens_read(queue, &walk.tokens);
    if (!stop)
        stop = lane_dir_walk_all(queue->dir, visit_file, &walk);
    lane_cuts_leave(&walk.cuts);
    lane_tokens_free(&walk.tokens);
    return stop;
}

/* ---- showing -------------------------------------------------------------------------- */

/* Whoever acts on the message that is shown need not look for the token of its lane. */
struct lane_shown {
    const struct mq_entry *entry;
    const struct lane_token *token;
};

const struct lane_token *lane_browse_token(const mq_queue *queue, const struct mq_entry *entry)
{
    return queue->lane_shown && queue->lane_shown->entry == entry ? queue->lane_shown->token : NULL;
}

struct showing {
    mq_queue *queue;
    enum mq_state state;
    int (*each)(const struct mq_entry *entry, void *context);
    void *context;
    const struct lane_file *file; /* that the walk has come to */
    uint32_t ahead;               /* how many of its messages are not shown */
    int cuts;
    const struct lane_token *token; /* of its lane */
    int stop;                       /* what `each` returned; any value may be */
};

static int show_one(void *context, const struct message_name *name)
{
    struct showing *showing = context;
    if (showing->ahead > 0) {
        showing->ahead--;
        return 0;
    }
    if (showing->cuts >= 0 && lane_cuts_is_out(showing->cuts, name->position) > 0)
        return 0;
    const struct mq_entry entry = {
        .state = showing->state,
        .id = name->id,
        .priority = name->priority,
        .time = name->due,
        .expires = name->expires,
        .bucket = showing->file->key,
        .file = showing->file->file,
        .offset = name->offset,
        .position = name->position,
    };
    showing->queue->lane_shown = &(const struct lane_shown){&entry, showing->token};
    showing->stop = showing->each(&entry, showing->context);
    showing->queue->lane_shown = NULL;
    return showing->stop != 0;
}

static int show(void *context, const struct lane_file *file, uint32_t ahead, int cuts, const struct lane_token *token)
{
    struct showing *showing = context;
    showing->token = token;
    showing->ahead = ahead;
    showing->cuts = cuts;
    showing->file = file;
    const int opened = file->name.count > 1 ? fs_open_file(file->dir, file->file) : -EBADMSG;
    if (opened == -ENOENT)
        return 0;
    const int stop = opened < 0 ? -EBADMSG : batch_walk(opened, &file->name, show_one, showing);
    if (opened >= 0)
        close(opened);
    return stop == -EBADMSG ? show_one(showing, &file->name) : stop;
}

int lane_browse(mq_queue *queue, enum mq_state state, struct lane_tokens *heads,
                int (*each)(const struct mq_entry *entry, void *context), void *context)
{
    struct showing showing = {.queue = queue, .state = state, .each = each, .context = context};
    lane_tokens_sort(heads);
    const int error = lane_browse_walk(queue, state, heads, show, &showing);
    return error < 0 ? error : showing.stop;
}

/* ---- one message ---------------------------------------------------------------------- */

int lane_browse_find(mq_queue *queue, const char *key, const char *file, struct message_name *ret_name)
{
    struct message_name name;
    int found = -ENOENT;
    if (!name_parse(MQ_READY, file, &name))
        return -EINVAL;
    for (int place = 0; place < 2; place++) {
        const int dir = place == 0 ? lane_dir_open_bucket(queue->dir, key, name.position)
                                   : lane_dir_open_queue(queue->dir, key);
        const int has = dir < 0 ? dir : fs_has(dir, file);
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
    const int dir = lane_browse_find(queue, entry->bucket, entry->file, ret_name);
    const int file = dir < 0 ? dir : fs_open_file(dir, entry->file);
    if (dir >= 0)
        close(dir);
    return file;
}
