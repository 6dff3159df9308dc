/* A queue as its directories show it. */
#include "store/census.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "format/batch.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"
#include "store/lane_dir.h"

/* A count of one state. Buckets are read without order and without a list of their files: there may be very many. */
struct walk {
    struct census *census; /* NULL: only count */
    enum mq_state state;
    int queue_dir, bucket_dir;
    int64_t count, limit;
};

static void note_position(struct census *census, enum mq_state state, const struct message_name *name)
{
    uint64_t *const head = &census->heads[name->priority], *const last = &census->positions[name->priority];
    if (state == MQ_READY && name_birth(name->position) < *head)
        *head = name_birth(name->position);
    if (name->position + name->count - 1 > *last)
        *last = name->position + name->count - 1;
}

/* ---- messages that were taken out of lanes ------------------------------------------------ */

/* Those of a file whose positions are from `from` on and before `to`. */
struct out {
    int cuts;
    uint64_t from, to;
    int64_t size; /* of the file */
    int64_t count, bytes;
};

static int count_one_out(void *context, const struct message_name *one)
{
    struct out *out = context;
    if (one->position >= out->from && one->position < out->to &&
        lane_cuts_is_out(out->cuts, one->position) == LANE_CUT_COUNTED) {
        out->count++;
        out->bytes += name_bytes_in(one, out->size);
    }
    return 0;
}

/* The caller closes `file`, or has none. */
static struct out count_out(int cuts, int file, const struct message_name *name, uint64_t first, uint64_t count)
{
    struct out out = {.cuts = cuts, .from = name->position + first, .to = name->position + first + count};
    struct stat status;
    if (cuts < 0 || file < 0 || fstat(file, &status) < 0)
        return out;
    out.size = status.st_size;
    (void)batch_walk(file, name, count_one_out, &out);
    return out;
}

static void close_if_open(int file)
{
    if (file >= 0)
        close(file);
}

/* The head's file was counted without the messages that were taken out. */
static void note_out(const struct walk *walk, const struct message_name *token, int64_t *waiting)
{
    struct census *census = walk->census;
    char text[NAME_SIZE];
    struct message_name name;
    const int cuts = token->of ? lane_cuts_open(walk->queue_dir, token->lane) : -1;
    lane_name_head(token, text);
    if (cuts < 0 || !name_parse(MQ_READY, text, &name)) {
        close_if_open(cuts);
        return;
    }
    const int file = lane_dir_open_file(walk->queue_dir, token->lane, token->head, text);
    const uint32_t end = token->skipped + token->count;
    const struct out passed = count_out(cuts, file, &name, 0, token->settled ? end : token->skipped);
    const struct out shown = count_out(cuts, file, &name, token->skipped, token->settled ? 0 : token->count);
    *waiting += passed.count + shown.count;
    census->count[walk->state] -= shown.count;
    census->bytes = page_sum(census->bytes, passed.bytes);
    census->waiting = page_sum(census->waiting, passed.bytes);
    close_if_open(file);
    close(cuts);
}

/* ---- tokens and messages ------------------------------------------------------------------ */

/* A token tells in which state the head of its lane is, and how many messages of the head's file are done. The walk over the
   lanes counts all messages as waiting: ready, or delayed where they have a due time. */
static void note_token(const struct walk *walk, const struct message_name *name)
{
    struct census *census = walk->census;
    int64_t *waiting = &census->count[name->due ? MQ_DELAYED : MQ_READY];
    if (name->settled && !lane_name_is_part(name))
        return;
    const int64_t done = (name->of ? name->offset : 0) + (name->settled ? (int64_t)name->length : 0);
    *waiting -= name->skipped + name->count;
    census->bytes = page_sum(census->bytes, -done);
    census->waiting = page_sum(census->waiting, -done);
    if (!name->settled)
        census->count[walk->state] += name->count;
    note_out(walk, name, waiting);
    if (!name->settled && walk->state == MQ_INFLIGHT)
        census->waiting = page_sum(census->waiting, -lane_dir_size(walk->queue_dir, name));
}

static int count_message(void *context, const char *text, unsigned char type)
{
    struct walk *walk = context;
    struct message_name name;
    struct stat status;
    if (type != DT_REG || !name_parse(walk->state, text, &name))
        return 0;
    if (walk->census) {
        if (walk->state == MQ_DELAYED && !name_has_place(&name))
            return 0;
        if (fstatat(walk->bucket_dir, text, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return fs_error_unless_gone(); /* a message that has moved on is not counted */
        const int64_t size = name.lane[0] ? 0 : name_bytes_in(&name, status.st_size);
        walk->census->bytes = page_sum(walk->census->bytes, size);
        if (walk->state == MQ_READY || walk->state == MQ_DELAYED)
            walk->census->waiting = page_sum(walk->census->waiting, size);
        note_position(walk->census, walk->state, &name);
    }
    if (walk->census && name.lane[0])
        note_token(walk, &name);
    else
        walk->count += name.count;
    return walk->count >= walk->limit;
}

static int count_bucket(void *context, struct bucket *bucket)
{
    struct walk *walk = context;
    walk->bucket_dir = bucket->dir;
    return fs_list(bucket->dir, count_message, walk);
}

static int count_state(int queue_dir, struct walk *walk)
{
    const int stop = bucket_each(queue_dir, walk->state, count_bucket, walk);
    return stop < 0 ? stop : 0;
}

int census_count(int queue_dir, enum mq_state state, int64_t limit, int64_t *ret_count)
{
    struct walk walk = {.state = state, .limit = limit};
    const int error = count_state(queue_dir, &walk);
    if (!error)
        *ret_count = walk.count;
    return error;
}

struct lanes {
    struct census *census;
    int queue_dir;
    struct lane_cuts_walk cuts;
};

static struct out count_out_of(struct lanes *lanes, const struct lane_file *file)
{
    const int cuts = lane_cuts_come_to(&lanes->cuts, lanes->queue_dir, file->key);
    const int opened = cuts < 0 ? -1 : fs_open_file(file->dir, file->file);
    const struct out out = count_out(cuts, opened, &file->name, 0, file->name.count);
    close_if_open(opened);
    return out;
}

static int count_waiting(void *context, const struct lane_file *file)
{
    struct lanes *lanes = context;
    struct census *census = lanes->census;
    struct stat status;
    if (fstatat(file->dir, file->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    const struct out out = count_out_of(lanes, file);
    const int64_t size = name_bytes_in(&file->name, status.st_size) - out.bytes;
    census->bytes = page_sum(census->bytes, size);
    census->waiting = page_sum(census->waiting, size);
    census->count[file->name.due ? MQ_DELAYED : MQ_READY] += file->name.count - out.count;
    note_position(census, MQ_DELAYED, &file->name); /* its lane's token is what makes a head of the page */
    return 0;
}

static int count_group(void *context, const struct bucket_file *file)
{
    uint64_t *count = context;
    const bool is_halted = file->name.settled && file->state == MQ_DELAYED;
    if (file->name.lane[0] && (is_halted || !file->name.settled) &&
        (file->state != MQ_DELAYED || file->name.attempts > 0))
        ++*count;
    return 0;
}

int census_groups(int queue_dir, uint64_t ret_groups[MQ_STATES])
{
    int error = 0;
    for (int state = 0; state < MQ_STATES; state++) {
        ret_groups[state] = 0;
        if (state != MQ_DEAD && !error)
            error = bucket_walk(queue_dir, (enum mq_state)state, count_group, &ret_groups[state]);
    }
    return error;
}

static int take_census(int queue_dir, const enum mq_state *states, size_t count, bool ordered,
                       struct census *ret_census)
{
    struct census census = {0};
    for (int priority = 0; priority < NAME_PRIORITIES; priority++)
        census.heads[priority] = PAGE_NO_BUCKET;
    for (size_t i = 0; i < count; i++) {
        struct walk walk = {.census = &census, .queue_dir = queue_dir, .state = states[i], .limit = INT64_MAX};
        const int error = count_state(queue_dir, &walk);
        if (error)
            return error;
        census.count[states[i]] += walk.count;
    }
    struct lanes lanes = {.census = &census, .queue_dir = queue_dir, .cuts = {.cuts = -1}};
    const int error = ordered ? lane_dir_walk_all(queue_dir, count_waiting, &lanes) : 0;
    lane_cuts_leave(&lanes.cuts);
    if (error)
        return error;
    *ret_census = census;
    return 0;
}

int census_queue(int queue_dir, bool ordered, struct census *ret_census)
{
    static const enum mq_state all[] = {MQ_READY, MQ_DELAYED, MQ_INFLIGHT, MQ_DEAD};
    return take_census(queue_dir, all, MQ_STATES, ordered, ret_census);
}

int census_waiting(int queue_dir, int64_t *ret_count, int64_t *ret_bytes)
{
    static const enum mq_state waiting[] = {MQ_READY, MQ_DELAYED};
    struct census census;
    const int error = take_census(queue_dir, waiting, 2, false, &census);
    if (error)
        return error;
    *ret_count = census.count[MQ_READY] + census.count[MQ_DELAYED];
    *ret_bytes = census.waiting;
    return 0;
}
