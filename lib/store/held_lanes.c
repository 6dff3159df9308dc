/* The lanes of a queue that a deleter holds. */
#include "store/held_lanes.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "base/id.h"
#include "format/batch.h"
#include "format/death.h"
#include "format/work_name.h"
#include "store/access.h"
#include "store/adopt.h"
#include "store/bucket.h"
#include "store/config.h"
#include "store/lane_birth.h"
#include "store/lane_cuts.h"
#include "store/lane_dir.h"

#define TRIES 100

/* ---- removing ------------------------------------------------------------------------- */

static int remove_bucket(void *context, const char *name, unsigned char type)
{
    return type == DT_DIR ? fs_remove_dir(*(const int *)context, name) : -ENOTEMPTY;
}

/* As in remove_state() of held.c, rmdir decides. */
static int remove_lane(int queue_dir, const char *key)
{
    struct lane_dir lane;
    const int opened = lane_name_is_key(key) ? lane_dir_open(queue_dir, key, &lane) : -ENOTEMPTY;
    if (opened != 1)
        return opened;
    int error = lane.queue < 0 ? 0 : fs_list_at(lane.queue, ".", remove_bucket, &(int){lane.queue});
    if (!error && lane.queue >= 0)
        error = fs_remove_dir(lane.dir, "q");
    if (!error || error == -ENOENT)
        error = lane_dir_clear(queue_dir, key, &lane);
    lane_dir_close(&lane);
    return error;
}

int held_lanes_remove(int queue_dir)
{
    struct listing keys = {0};
    int error = lane_dir_list(queue_dir, &keys);
    for (size_t i = 0; i < keys.count && !error; i++)
        error = remove_lane(queue_dir, listing_at(&keys, i));
    listing_free(&keys);
    if (!error)
        error = fs_remove_dir(queue_dir, "lanes");
    return error == -ENOENT ? 0 : error;
}

/* ---- moving --------------------------------------------------------------------------- */

struct transfer {
    int from;
    struct lane_place to;
    bool ordered; /* the new queue */
    int64_t now;
    bool links; /* a message gets one more name, since others need its file */
    struct passed *passed;
    size_t passed_count, passed_room;
    struct lane_cuts_walk cuts;
};

/* How many messages of a head's file are done, or dead letters. */
struct passed {
    char key[LANE_KEY_SIZE];
    uint64_t head;
    uint32_t of, count;
};

static uint32_t count_passed(const struct transfer *transfer, const struct lane_file *file)
{
    for (size_t i = 0; i < transfer->passed_count; i++) {
        const struct passed *passed = &transfer->passed[i];
        if (passed->head == file->name.position && passed->of == file->name.count &&
            strncmp(passed->key, file->key, NAME_LANE_KEY) == 0)
            return passed->count;
    }
    return 0;
}

/* The new queue may have other users. A file that is gone is another process's. */
static int move_file(const struct transfer *transfer, int from, const char *file, int to, const char *name)
{
    int error = adopt_file(transfer->to.dir, transfer->to.sharing, from, file);
    if (!error)
        error = transfer->links ? fs_link(from, file, to, name) : fs_rename(from, file, to, name);
    if (error == -EEXIST && transfer->links)
        return 0; /* by a process that died before the file was gone */
    return error == -ENOENT && fs_has(from, file) == 0 ? 0 : error;
}

static int move_to_state(const struct transfer *transfer, int from, const char *file, enum mq_state state,
                         const struct message_name *name)
{
    char bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    name_format_bucket(state, name, bucket);
    name_format(state, name, text);
    const int to = bucket_make(transfer->to.dir, transfer->to.sharing, state, bucket);
    if (to < 0)
        return to;
    const int error = move_file(transfer, from, file, to, text);
    close(to);
    return error;
}

/* Into q/ itself: what is there already came later. */
static int move_to_lane(const struct transfer *transfer, const struct lane_file *file)
{
    char text[NAME_SIZE];
    name_format(MQ_READY, &file->name, text);
    for (int tries = 0; tries < TRIES; tries++) {
        struct lane_birth birth;
        const int to = lane_dir_open_queue(transfer->to.dir, file->key);
        int error = to < 0 ? to : move_file(transfer, file->dir, file->file, to, text);
        if (to >= 0)
            close(to);
        if (error != -ENOENT)
            return error;
        error = lane_birth_make(&transfer->to, file->key, &file->name, &birth);
        if (error < 0)
            return error;
        if (error == 1)
            close(birth.bucket);
    }
    return -EBUSY;
}

static int move_whole(const struct transfer *transfer, const struct lane_file *file)
{
    struct message_name name = file->name;
    if (transfer->ordered)
        return move_to_lane(transfer, file);
    name.time = name.due;
    name.due = 0;
    return move_to_state(transfer, file->dir, file->file, name.time > transfer->now ? MQ_DELAYED : MQ_READY, &name);
}

struct rest {
    struct transfer transfer;
    const struct lane_file *file;
    int cuts;
    uint64_t first; /* the position of the first message that is not done */
};

static int link_one(void *context, const struct message_name *one)
{
    const struct rest *rest = context;
    struct lane_file file = *rest->file;
    file.name = *one;
    const bool is_gone = one->position < rest->first ||
                         (rest->cuts >= 0 && lane_cuts_is_out(rest->cuts, one->position) > 0);
    return is_gone ? 0 : move_whole(&rest->transfer, &file);
}

/* What was taken out of a file, or is done, must not come back: each of the others gets a name of its own. */
static int move_rest(struct rest *rest)
{
    const struct lane_file *file = rest->file;
    const int opened = fs_open_file(file->dir, file->file);
    if (opened < 0)
        return opened == -ENOENT ? 0 : opened;
    rest->transfer.links = true;
    int error = batch_walk(opened, &file->name, link_one, rest);
    close(opened);
    if (!error)
        error = fs_unlink(file->dir, file->file);
    return error == -ENOENT ? 0 : error;
}

static int move_message(void *context, const struct lane_file *file)
{
    struct transfer *transfer = context;
    const uint32_t passed = count_passed(transfer, file);
    struct rest rest = {*transfer, file, lane_cuts_come_to(&transfer->cuts, transfer->from, file->key),
                        file->name.position + passed};
    const int done = rest.cuts < 0 && passed == 0 ? -EBADMSG : move_rest(&rest);
    return done == -EBADMSG ? move_whole(transfer, file) : done; /* or the file cannot be taken apart */
}

static int end_in(const struct transfer *transfer, int dir, const struct message_name *token)
{
    char text[NAME_SIZE];
    struct message_name dead = lane_name_without(token);
    lane_name_head(token, text);
    if (token->settled == LANE_DONE)
        return fs_unlink(dir, text);
    const unsigned cause = token->settled - LANE_DONE - 1;
    dead.time = transfer->now;
    dead.due = 0;
    name_escape_reason(mq_death_name(cause < MQ_DEATHS ? (enum mq_death)cause : MQ_DEATH_REJECTED), dead.reason);
    return move_to_state(transfer, dir, text, MQ_DEAD, &dead);
}

/* What was acked must not come back. */
static int end_settled(void *context, const struct bucket_file *file)
{
    const struct transfer *transfer = context;
    if (!file->name.lane[0] || !file->name.settled || lane_name_is_part(&file->name))
        return 0;
    int error = 0;
    for (int place = 0; place < 2 && !error; place++) {
        const int dir = place == 0 ? lane_dir_open_bucket(transfer->from, file->name.lane, file->name.head)
                                   : lane_dir_open_queue(transfer->from, file->name.lane);
        error = dir < 0 ? dir : end_in(transfer, dir, &file->name);
        if (dir >= 0)
            close(dir);
        if (error == -ENOENT || error == -ENOTDIR)
            error = 0;
    }
    return error;
}

/* A part that is dead: 1 it is a dead letter; 0 it was not, and comes again. */
static int end_part(const struct transfer *transfer, const struct message_name *token)
{
    struct message_name dead = lane_name_without(token);
    const unsigned cause = token->settled - LANE_DONE - 1;
    char link[NAME_SIZE];
    const int tmp = fs_open_dir(transfer->from, "tmp");
    if (tmp < 0)
        return tmp;
    name_format_split(&dead, link);
    dead.split = false;
    dead.due = 0;
    dead.time = transfer->now;
    name_escape_reason(mq_death_name(cause < MQ_DEATHS ? (enum mq_death)cause : MQ_DEATH_REJECTED), dead.reason);
    const int error = token->split ? move_to_state(transfer, tmp, link, MQ_DEAD, &dead) : 0;
    close(tmp);
    return error ? error : token->split;
}

/* The dead letter of a parked token was retried in its place, and the token was not told. */
static int is_retried(const struct transfer *transfer, const struct message_name *token)
{
    char link[NAME_SIZE];
    const int tmp = fs_open_dir(transfer->from, "tmp");
    if (tmp < 0)
        return tmp;
    lane_name_format_retried(token, link);
    const int is = fs_has(tmp, link);
    close(tmp);
    return is;
}

/* Whether the part that a token stands for is done, or a dead letter. */
static int is_ended(const struct transfer *transfer, enum mq_state state, const struct message_name *token)
{
    if (!token->settled || !lane_name_is_part(token))
        return 0;
    if (token->settled == LANE_DONE)
        return 1;
    const int is = state == MQ_DELAYED ? is_retried(transfer, token) : end_part(transfer, token);
    return is < 0 || state != MQ_DELAYED ? is : !is;
}

static int note_passed(void *context, const struct bucket_file *file)
{
    struct transfer *transfer = context;
    const struct message_name *token = &file->name;
    if (!token->lane[0] || token->of == 0)
        return 0;
    const int ended = is_ended(transfer, file->state, token);
    const uint32_t count = token->skipped + (ended > 0 ? token->count : 0);
    if (ended < 0 || count == 0)
        return ended < 0 ? ended : 0;
    if (!GROW(transfer->passed, transfer->passed_count + 1, transfer->passed_room))
        return -ENOMEM;
    struct passed *passed = &transfer->passed[transfer->passed_count++];
    *passed = (struct passed){.head = token->head, .of = token->of, .count = count};
    lane_name_key_of(token->lane, passed->key);
    return 0;
}

static int read_passed(struct transfer *transfer)
{
    static const enum mq_state states[] = {MQ_READY, MQ_DELAYED, MQ_INFLIGHT};
    int error = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states && !error; i++) {
        error = bucket_walk(transfer->from, states[i], note_passed, transfer);
        error = error == -ENOENT ? 0 : error;
    }
    return error;
}

/* What is no lane goes where a check finds it. */
static int move_strays(const struct transfer *transfer)
{
    struct listing others = {0};
    int error = lane_dir_list(transfer->from, &others);
    const int from = error ? error : fs_open_dir(transfer->from, "lanes");
    const int to = from < 0 ? from : fs_open_dir(transfer->to.dir, name_of_state(MQ_READY));
    error = from == -ENOENT ? 0 : to < 0 ? to : 0;
    for (size_t i = 0; i < others.count && !error && to >= 0; i++) {
        const char *name = listing_at(&others, i);
        if (lane_name_is_key(name))
            continue;
        error = fs_rename(from, name, to, name);
        if (error == -EEXIST)
            error = fs_unlink(from, name);
        error = error == -ENOENT ? 0 : error;
    }
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    listing_free(&others);
    return error;
}

int held_lanes_transfer(int from_queue, int to_queue, unsigned to_sharing)
{
    struct transfer transfer = {.from = from_queue, .to = {to_queue, -1, to_sharing, 0}, .cuts = {.cuts = -1}};
    struct config config;
    char name[NAME_NEW_BUCKET_SIZE];
    if (fs_has(from_queue, "lanes") == 0)
        return 0;
    int error = config_load(to_queue, &config, NULL);
    if (error)
        return error;
    transfer.ordered = config.order != CONFIG_UNORDERED;
    transfer.to.tmp = fs_open_dir(to_queue, "tmp");
    if (transfer.to.tmp < 0)
        return transfer.to.tmp;
    name_format_new_bucket(id_random(), name);
    error = fs_find_time(transfer.to.tmp, &(unsigned long){0}, name, &transfer.now);
    transfer.to.now = transfer.now;
    const int ended = error ? error : bucket_walk(from_queue, MQ_INFLIGHT, end_settled, &transfer);
    if (!error && ended != -ENOENT)
        error = ended;
    if (!error)
        error = read_passed(&transfer);
    if (!error)
        error = lane_dir_walk_all(from_queue, move_message, &transfer);
    lane_cuts_leave(&transfer.cuts);
    if (!error)
        error = move_strays(&transfer);
    free(transfer.passed);
    close(transfer.to.tmp);
    return error;
}
