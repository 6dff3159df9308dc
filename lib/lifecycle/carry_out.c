/*
 * Carrying out and undoing decided transactions.
 *
 * Each entry is moved by one rename or removed by one unlink, so any number of processes may be at it together. ENOENT
 * has two meanings: the entry has gone, since another process moved it; or its place is missing, since a bucket was
 * removed or the queue deleted or held. Whether the entry is still there tells which. Queues are opened by name after
 * the decision: a directory that was opened before may be a deleted queue's. A process that is killed leaves a directory
 * that the next one finishes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "base/journal.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lifecycle/lane_delivery.h"
#include "lifecycle/log_delivery.h"
#include "lifecycle/outbox.h"
#include "lifecycle/overflow.h"
#include "lifecycle/settle.h"
#include "queue/failures.h"
#include "queue/handles.h"
#include "queue/move.h"
#include "queue/queue.h"
#include "store/bucket.h"

/* How often a queue may be deleted, or a position be taken, while one message is delivered. */
#define TRIES 100

/* How often the directory is listed while others put something in or take something out. */
#define ROUNDS 100

struct work {
    const char *spool_path;
    int outbox, dir;
    bool commits;
    bool durable;    /* something of it is to be on the disk */
    bool is_synced;  /* its decision is known to be on the disk */
    int error;       /* the first one */
    uint64_t moved;  /* in this round */
    bool is_held_up; /* in this round a message for an ordered queue could not be moved: those behind it wait */
    struct handles *handles;
    mq_queue *queue;        /* of the entry that is moved */
    mq_log *log;            /* that was appended to last; NULL: none */
    uint64_t number;        /* of its file */
    struct adopt_look look; /* the file that was looked at last, which has the number `looked_at` */
    uint64_t looked_at;
};

/* ---- queues ---------------------------------------------------------------------------------- */

/* The queue that has the name now. A handle from before the decision may be a deleted queue's, so it is looked at anew. */
static int open_queue(struct work *work, const char *name)
{
    if (work->queue && strcmp(mq_queue_name(work->queue), name) == 0)
        return 0;
    work->queue = NULL;
    return handles_get(work->handles, work->spool_path, name, &work->queue);
}

/* It was deleted meanwhile. */
static void drop_queue(struct work *work)
{
    handles_drop(work->handles, work->queue);
    work->queue = NULL;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A place in the queue, as late as possible. A process that may only send leaves that to the receiver. */
static enum mq_state place(mq_queue *queue, struct message_name *name, int64_t now)
{
    if (queue_only_sends(queue)) {
        name->position = id_random() >> (64 - NAME_NO_PLACE_BITS);
        name->time = name->time > now ? name->time : now;
        return MQ_DELAYED;
    }
    name->position = page_next_positions(queue->page, name->priority, name->count, now);
    return name->time > now ? MQ_DELAYED : MQ_READY;
}

/* The message is in the queue, which may be full. */
static void end_oldest(const struct work *work, uint32_t count, int64_t size)
{
    if (overflow_ends_oldest(work->queue))
        (void)overflow_trim(work->queue, &(struct overflow_news){count, size}, queue_now(work->queue));
}

/* Into its lane, if it belongs in one: 1 done, 0 the file is gone. -ECHILD: it belongs in none. */
static int deliver_in_lane(const struct work *work, const char *file, const struct outbox_entry *entry)
{
    struct message_name name = entry->name;
    char lane[LANE_KEY_SIZE];
    int64_t size;
    const int is = lane_delivery_find(work->queue, work->dir, file, &name, lane);
    if (is != 1)
        return is < 0 ? is : -ECHILD;
    const int64_t due = name.time > name.due ? name.time : name.due;
    name.due = due > queue_now(work->queue) ? due : 0;
    name.time = 0;
    const int moved = lane_delivery_move(work->queue, lane, work->dir, file, &name, false, &size);
    if (moved != 1)
        return moved;
    move_count_sent(work->queue, name.due ? MQ_DELAYED : MQ_READY, &name, size);
    end_oldest(work, name.count, size);
    return 1;
}

/* Deliver a message into the queue that is open. What goes to several queues is one file, and looked at once: while it has
   a name here, no other file gets its number. */
static int deliver_here(struct work *work, const char *file, const struct outbox_entry *entry)
{
    struct message_name name = entry->name;
    if (work->queue->config.order) {
        const int moved = work->is_held_up ? -EAGAIN : deliver_in_lane(work, file, entry);
        if (moved != -ECHILD)
            return moved;
    }
    name.time = name.time > name.due ? name.time : name.due;
    name.due = 0;
    const enum mq_state state = place(work->queue, &name, queue_now(work->queue));
    work->look.is_known &= work->looked_at == work->number;
    work->looked_at = work->number;
    const int moved = move_to_new_queue(work->queue, work->dir, file, state, &name, &work->look);
    if (moved == 1)
        end_oldest(work, name.count, work->look.status.st_size);
    return moved;
}

static int deliver(struct work *work, const char *file, const struct outbox_entry *entry)
{
    for (int tries = 0; tries < TRIES; tries++) {
        int moved = open_queue(work, entry->queue);
        if (moved == -ENOENT && name_is_reply(entry->queue))
            return fs_unlink(work->dir, file);
        if (moved)
            return moved;
        moved = deliver_here(work, file, entry);
        if (moved == -EEXIST) /* the position was taken */
            continue;
        if (moved != -ENOENT)
            return moved < 0 ? moved : 0;
        drop_queue(work);
    }
    return -EBUSY;
}

/* The claim is over, and acked: its file goes. The page has counted it as in flight until now. */
static int ack(struct work *work, const char *file, const struct outbox_entry *entry)
{
    int error = open_queue(work, entry->queue);
    if (error)
        return error;
    struct message_name name = entry->name;
    name.begun = name.time;
    int done;
    if (entry->kind == OUTBOX_INPUT_ONCE)
        done = lane_is_token(&name)
                   ? lane_end(work->queue, MQ_INFLIGHT, work->dir, file, &name, LANE_DONE, settle_mark_done, NULL)
                   : settle_mark_done(work->queue, MQ_INFLIGHT, work->dir, file, &name, NULL);
    else
        done = lane_remove(work->queue, MQ_INFLIGHT, work->dir, file, &name);
    if (done == 1)
        settle_count_acked(work->queue, &name, name.count);
    return done < 0 ? done : 0;
}

/* The claim becomes one whose deadline has come, and the next receiver makes the message ready or dead. */
static int give_back(struct work *work, const char *file, const struct outbox_entry *entry)
{
    for (int tries = 0; tries < TRIES; tries++) {
        const int error = open_queue(work, entry->queue);
        if (error)
            return error;
        struct message_name name = entry->name;
        name.begun = name.time;
        name.time = queue_now(work->queue) - shared_clock_slack(&work->queue->clock);
        name.claimed = true;
        name.token = id_random();
        const int moved = move_message(work->queue, MQ_INFLIGHT, work->dir, file, MQ_INFLIGHT, &name);
        if (moved != -ENOENT)
            return moved < 0 ? moved : 0;
        drop_queue(work);
    }
    return -EBUSY;
}

/* A dead letter has gone on. */
static int end_dead(struct work *work, const char *file, const struct outbox_entry *entry)
{
    const int error = open_queue(work, entry->queue);
    if (error)
        return error;
    const int done = move_out(work->queue, MQ_DEAD, work->dir, file, &entry->name);
    if (done == 1) {
        failures_forget(work->queue, MQ_DEAD, &entry->name);
        (void)lane_go_on_without(work->queue, &entry->name);
    }
    return done < 0 ? done : 0;
}

/* It becomes a dead letter of its queue again. */
static int give_back_dead(struct work *work, const char *file, const struct outbox_entry *entry)
{
    for (int tries = 0; tries < TRIES; tries++) {
        const int error = open_queue(work, entry->queue);
        if (error)
            return error;
        const int moved = move_message(work->queue, MQ_DEAD, work->dir, file, MQ_DEAD, &entry->name);
        if (moved != -ENOENT)
            return moved < 0 ? moved : 0;
        drop_queue(work);
    }
    return -EBUSY;
}

/* ---- files of the user's own ------------------------------------------------------------------ */

static int read_target(int dir, uint64_t number, char *ret_path, size_t size)
{
    char link[NAME_SIZE];
    outbox_format_entry(&(struct outbox_entry){.kind = OUTBOX_TARGET, .number = number}, link);
    const int error = fs_read_symlink(dir, link, ret_path, size);
    return error ? error : ret_path[0] == '/' ? 0 : -EBADMSG;
}

/* Where the content lies that a link is for; it may have gone to its place. */
static int has_content(int dir, uint64_t number)
{
    char content[NAME_SIZE];
    outbox_format_entry(&(struct outbox_entry){.kind = OUTBOX_FILE, .number = number}, content);
    return fs_has(dir, content);
}

static int replace_file(struct work *work, const char *file, const struct outbox_entry *entry)
{
    char path[PATH_MAX];
    int error = read_target(work->dir, entry->number, path, sizeof path);
    if (error == -ENOENT) /* another process was first, or nothing says where it belongs */
        return fs_unlink(work->dir, file);
    if (!error)
        error = fs_replace(work->dir, file, AT_FDCWD, path);
    return error == -ENOENT && !fs_exists(work->dir, file) ? 0 : error;
}

static int remove_target(struct work *work, const char *file, const struct outbox_entry *entry)
{
    const int has = work->commits ? has_content(work->dir, entry->number) : 0;
    return has == 0 ? fs_unlink(work->dir, file) : has < 0 ? has : -EAGAIN;
}

/* ---- entries ------------------------------------------------------------------------------------ */

static int carry_out_entry(struct work *work, const char *file, const struct outbox_entry *entry)
{
    switch (entry->kind) {
    case OUTBOX_LOG_OUTPUT:
    case OUTBOX_DURABLE_LOG_OUTPUT:
        return log_delivery(&work->log, work->spool_path, work->dir, file, entry);
    case OUTBOX_OUTPUT:
    case OUTBOX_DURABLE_OUTPUT:
        return deliver(work, file, entry);
    case OUTBOX_INPUT:
    case OUTBOX_INPUT_ONCE:
        return ack(work, file, entry);
    case OUTBOX_DEAD:
        return end_dead(work, file, entry);
    case OUTBOX_FILE:
        return replace_file(work, file, entry);
    default:
        return remove_target(work, file, entry);
    }
}

static int undo_entry(struct work *work, const char *file, const struct outbox_entry *entry)
{
    if (entry->kind == OUTBOX_DEAD)
        return give_back_dead(work, file, entry);
    return outbox_is_input(entry->kind) ? give_back(work, file, entry) : fs_unlink(work->dir, file);
}

/* What does not belong there was put there by hand, and stays; but for a draft, which a killed process left. */
static int finish_entry(struct work *work, const char *file)
{
    struct outbox_entry entry;
    if (outbox_parse_entry(file, &entry))
        return work->commits ? carry_out_entry(work, file, &entry) : undo_entry(work, file, &entry);
    return outbox_is_id(file) ? fs_unlink(work->dir, file) : -EBADMSG;
}

struct collection {
    struct listing files;
    bool durable;
};

/* No name has a slash: the number of its file is behind one. */
#define NUMBER_SIZE sizeof "/0123456789abcdef"

static int collect(void *context, const char *file, uint64_t number)
{
    struct collection *collection = context;
    struct outbox_entry entry;
    char numbered[NAME_MAX + NUMBER_SIZE];
    collection->durable |= outbox_parse_entry(file, &entry) && outbox_is_durable(entry.kind);
    snprintf(numbered, sizeof numbered, "%s/%" PRIx64, file, number);
    return listing_add(&collection->files, numbered);
}

static int finish_numbered(struct work *work, const char *numbered)
{
    char file[NAME_MAX + 1];
    const size_t length = strcspn(numbered, "/");
    memcpy(file, numbered, length);
    file[length] = '\0';
    work->number = strtoull(numbered + length + 1, NULL, 16);
    return finish_entry(work, file);
}

/* Elsewhere than on a single journal names may reach the disk in any order: what was decided first, and what was
   delivered before the directory goes, which would do it again. */
static int sync_if_unordered(const struct work *work, int file, int sync(int file))
{
    return work->durable && work->commits && !journal_keeps_order(file) ? sync(file) : 0;
}

static int sync_decision(struct work *work)
{
    const int error = work->is_synced ? 0 : sync_if_unordered(work, work->outbox, fs_sync);
    work->is_synced |= work->durable && !error;
    return error;
}

/* In the order of the names: so messages that one process put in for one queue keep their order. */
static int finish_entries(struct work *work)
{
    struct collection collection = {0};
    struct listing *files = &collection.files;
    int error = fs_list_numbers(work->dir, ".", collect, &collection);
    listing_sort(files);
    work->durable |= collection.durable;
    if (!error)
        error = sync_decision(work);
    for (size_t i = 0; i < files->count && !error; i++) {
        const int done = finish_numbered(work, listing_at(files, i));
        work->moved += done == 0;
        work->is_held_up |= done < 0 && work->queue && work->queue->config.order;
        if (done && done != -ENOENT && done != -EAGAIN && !work->error)
            work->error = done;
    }
    listing_free(files);
    return error;
}

/* ---- directories -------------------------------------------------------------------------------- */

int outbox_open_own(int at, const char *name, uid_t owner)
{
    struct stat status;
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    int error = fstat(dir, &status) < 0 ? fs_error() : 0;
    if (!error && (status.st_uid != owner || status.st_mode & (S_IWGRP | S_IWOTH)))
        error = -EPERM;
    if (error)
        close(dir);
    return error ? error : dir;
}

static int finish_round(struct work *work, const char *name)
{
    work->moved = 0;
    work->is_held_up = false;
    work->error = 0;
    work->queue = NULL;
    int error = finish_entries(work);
    if (!error)
        error = sync_if_unordered(work, work->dir, fs_sync_around);
    if (!error)
        error = fs_remove_dir(work->outbox, name);
    return error == -ENOENT ? 0 : error;
}

/* An entry that cannot be moved holds up no other. Late ones are linked while this goes on. */
int outbox_finish(const char *spool_path, int outbox, const struct outbox_place *place, struct handles *handles)
{
    struct work work = {.spool_path = spool_path,
                        .outbox = outbox,
                        .commits = place->state == OUTBOX_COMMITTED,
                        .is_synced = place->is_synced,
                        .handles = handles,
                        .dir = place->dir >= 0 ? place->dir : outbox_open_own(outbox, place->name, place->owner)};
    int error = 0;
    if (work.dir < 0)
        return work.dir == -ENOENT ? 0 : work.dir;
    for (int rounds = 0; rounds < ROUNDS; rounds++) {
        error = finish_round(&work, place->name);
        if (error != -ENOTEMPTY && error != -EEXIST)
            break;
        error = work.moved == 0 ? work.error : 0;
        if (error)
            break;
    }
    mq_log_close(work.log);
    if (place->dir < 0)
        close(work.dir);
    return error;
}
