/* Moving and copying messages to another queue. */
#include "admin/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/browse.h"
#include "admin/lane_cut.h"
#include "admin/single_out.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "lane/lane.h"
#include "lane/lane_halt.h"
#include "lifecycle/lane_delivery.h"
#include "lifecycle/overflow.h"
#include "lifecycle/reservation.h"
#include "queue/failures.h"
#include "queue/move.h"

/* After the other queue was deleted and made anew this many times, the call fails with -EBUSY. */
#define TRIES 10

#define COPY_NAME_SIZE 24

/* ---- one file -------------------------------------------------------------------------- */

struct message_name transfer_revive(const struct message_name *dead)
{
    struct message_name name = *dead;
    name.attempts = 0;
    name.expires = 0;
    name.reason[0] = '\0';
    (void)name_mark_retried(&name); /* without the mark a sweep removes the records of its failures */
    return name;
}

static int into_lane(const struct transfer *transfer, const char *lane, int dir, const char *file,
                     const struct message_name *name, struct message_name *next)
{
    int64_t size;
    next->due = transfer->to_state == MQ_DELAYED ? next->time : 0;
    const int moved = lane_delivery_move(transfer->to, lane, dir, file, next, false, &size);
    if (moved != 1)
        return moved;
    move_count_out(transfer->queue, transfer->state, name, size);
    move_count_in(transfer->to, transfer->to_state, next, size);
    return 1;
}

/* A message of a group comes before those that are left of it. */
static int put_back(const struct transfer *transfer, int there, const char *file, const struct message_name *name)
{
    mq_queue *queue = transfer->queue;
    struct message_name back = *name;
    char lane[LANE_KEY_SIZE];
    int64_t size;
    int dir;
    const int is = transfer->state == MQ_DEAD ? 0 : lane_delivery_find(queue, there, file, name, lane);
    if (is == 0)
        return move_to_queue(transfer->to, transfer->to_state, there, file, queue, transfer->state, name, &dir);
    back.due = transfer->state == MQ_DELAYED ? back.time : 0;
    const int moved = is < 0 ? is : lane_delivery_move(queue, lane, there, file, &back, true, &size);
    if (moved != 1)
        return moved;
    move_count_out(transfer->to, transfer->to_state, name, size);
    move_count_in(queue, transfer->state, name, size);
    return 1;
}

/* A message that was cut out of a file of its group is in that file again when its draft is there and void, which the caller
   makes it. In its lane it would have the position that was cut. 0: it is not in `there`, or its draft has no place. */
static int put_back_draft(const struct transfer *transfer, int there, const char *file, const struct message_name *name,
                          int dir, const char *draft)
{
    struct stat status;
    const int error = fs_rename_unique(there, file, dir, draft);
    if (error)
        return error == -ENOENT ? 0 : error;
    const bool has_size = fstatat(dir, draft, &status, AT_SYMLINK_NOFOLLOW) == 0;
    const int64_t size = has_size ? name_bytes_in(name, status.st_size) : 0;
    move_count_out(transfer->to, transfer->to_state, name, size);
    move_count_in(transfer->queue, transfer->state, name, size);
    return 1;
}

/* The other queue has lost its name: the message goes back to dir/from, or where such messages lie, if it is still in
   `there`. */
static int take_back(const struct transfer *transfer, int there, const struct message_name *next, int dir,
                     const char *from, const struct message_name *name, int error)
{
    char file[NAME_SIZE];
    name_format(transfer->to_state, next, file);
    int moved = lane_name_is_draft(from) ? put_back_draft(transfer, there, file, name, dir, from) : 0;
    if (moved == 0)
        moved = put_back(transfer, there, file, name);
    return moved == 0 ? 1 : moved < 0 ? moved : error ? error : TRANSFER_AGAIN;
}

int transfer_file(const struct transfer *transfer, int dir, const char *file, const struct message_name *name,
                  struct message_name *next)
{
    mq_queue *to = transfer->to;
    char lane[LANE_KEY_SIZE];
    int there = -1;
    const int is = lane_delivery_find(to, dir, file, name, lane);
    if (is)
        return is < 0 ? is : into_lane(transfer, lane, dir, file, name, next);
    next->position = page_next_positions(to->page, next->priority, next->count, queue_now(to));
    const int moved = move_to_queue(transfer->queue, transfer->state, dir, file, to, transfer->to_state, next, &there);
    const int has = moved == 1 ? queue_has_name(to) : 1;
    return has == 1 ? moved : take_back(transfer, there, next, dir, file, name, has);
}

/* ---- moving ---------------------------------------------------------------------------- */

/* An administrator is not held up by a pause. */
static int reserve(mq_queue *to, enum mq_state state, uint32_t count, int64_t size, struct reservation *reservation)
{
    const struct mq_send_options options = {MQ_SEND_DEFAULTS};
    const unsigned char paused = to->config.paused;
    to->config.paused = 0;
    const int error = reservation_wait(to, &(struct reservation_wish){state, count, (uint64_t)size}, &options,
                                       reservation);
    to->config.paused = paused;
    return error;
}

static void end_oldest(mq_queue *to, uint32_t count, int64_t size)
{
    if (overflow_ends_oldest(to))
        (void)overflow_trim(to, &(struct overflow_news){count, size}, queue_now(to));
}

static int move_one(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                    const void *argument)
{
    mq_queue *const *to = argument;
    struct stat status;
    struct reservation reservation = {0};
    const struct transfer transfer = {queue, state, *to, state == MQ_DELAYED ? MQ_DELAYED : MQ_READY};
    struct message_name next = state == MQ_DEAD ? transfer_revive(name) : *name;
    if (lane_is_token(name))
        return -EOPNOTSUPP;
    if (fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    const int64_t size = name_bytes_in(name, status.st_size);
    const int error = reserve(*to, transfer.to_state, name->count, size, &reservation);
    if (error)
        return error;
    const int moved = transfer_file(&transfer, dir, file, name, &next);
    reservation_cancel(*to, &reservation); /* what was moved is counted */
    if (moved != 1)
        return moved;
    failures_forget(queue, state, name);
    if (state == MQ_DEAD)
        (void)lane_go_on_without(queue, name);
    end_oldest(*to, name->count, size);
    return 1;
}

static int demand_both(mq_queue *queue, unsigned rights, mq_queue *to)
{
    /* A group has the messages of its log only. */
    const bool may = strcmp(queue->name, to->name) != 0 && !name_group_part(to->name);
    int error = may ? queue_demand(queue, rights) : -EINVAL;
    if (!error)
        error = queue_demand(to, ACCESS_ALL);
    if (!error)
        error = queue_refresh(queue);
    return error ? error : queue_refresh(to);
}

static int take_out(mq_queue *queue, const struct mq_entry *entry, mq_queue *const *to)
{
    return lane_cut_is_meant(entry) ? lane_cut(queue, entry, move_one, to) : single_out(queue, entry, move_one, to);
}

int mq_entry_move(mq_queue *queue, const struct mq_entry *entry, mq_queue *to)
{
    int moved = entry->state == MQ_INFLIGHT ? -EINVAL : demand_both(queue, ACCESS_ALL, to);
    if (moved)
        return moved;
    moved = take_out(queue, entry, &to);
    for (int tries = 0; tries < TRIES && (moved == TRANSFER_AGAIN || moved == -ENOENT); tries++) {
        const int opened = queue_reopen(to);
        moved = opened ? opened : take_out(queue, entry, &to);
    }
    return moved == TRANSFER_AGAIN ? -EBUSY : moved;
}

/* ---- copying --------------------------------------------------------------------------- */

/* The copy has the message's id, headers, body and attempts, and nothing of a claim, a lane or a death. */
static struct message_name copied_name(const struct message_name *name, enum mq_state state)
{
    struct message_name copy = {.time = state == MQ_DELAYED ? name->time : 0,
                                .priority = name->priority,
                                .attempts = state == MQ_DEAD ? 0 : name->attempts,
                                .count = 1,
                                .offset = name->offset,
                                .length = name->length,
                                .expires = state == MQ_DEAD ? 0 : name->expires};
    memcpy(copy.id, name->id, sizeof copy.id);
    if (state == MQ_DELAYED && copy.time == 0)
        copy.time = name->due;
    return copy;
}

/* Give the file a name in tmp/ of the other queue: a link, or where the kernel allows none a copy. */
static int put_into_tmp(mq_queue *to, int file, int *ret_tmp, char ret_name[COPY_NAME_SIZE])
{
    int error = queue_tmp(to, ret_tmp);
    if (error)
        return error;
    snprintf(ret_name, COPY_NAME_SIZE, "copy-%016" PRIx64, id_random());
    error = fs_link_unnamed(file, *ret_tmp, ret_name);
    return error == -ENXIO || error == -EMLINK || error == -EXDEV
               ? adopt_copy(to->dir, to->sharing, file, *ret_tmp, ret_name)
               : error;
}

static int deliver(mq_queue *to, int tmp, const char *file, enum mq_state state, struct message_name *name)
{
    struct adopt_look look = {.is_known = false};
    char lane[LANE_KEY_SIZE];
    int64_t size;
    const int is = lane_delivery_find(to, tmp, file, name, lane);
    if (is < 0)
        return is;
    if (is == 0) {
        name->position = page_next_positions(to->page, name->priority, 1, queue_now(to));
        return move_to_new_queue(to, tmp, file, state, name, &look);
    }
    name->due = state == MQ_DELAYED ? name->time : 0;
    const int moved = lane_delivery_move(to, lane, tmp, file, name, false, &size);
    if (moved == 1)
        move_count_sent(to, state, name, size);
    return moved;
}

static int copy_file(mq_queue *to, enum mq_state state, int file, struct message_name *name)
{
    char linked[COPY_NAME_SIZE];
    struct reservation reservation = {0};
    struct stat status;
    int tmp, done;
    if (fstat(file, &status) < 0)
        return fs_error();
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    const int64_t size = name_bytes_in(name, status.st_size);
    done = reserve(to, state, 1, size, &reservation);
    if (!done)
        done = put_into_tmp(to, file, &tmp, linked);
    if (!done) {
        done = deliver(to, tmp, linked, state, name);
        if (done != 1)
            (void)fs_unlink(tmp, linked);
    }
    reservation_cancel(to, &reservation);
    if (done == 1)
        end_oldest(to, 1, size);
    return done == 0 ? -ENOENT : done;
}

int mq_entry_copy(mq_queue *queue, const struct mq_entry *entry, mq_queue *to)
{
    struct message_name name;
    int file, copied = demand_both(queue, ACCESS_LOOK, to);
    if (!copied)
        copied = browse_open(queue, entry, &name, &file);
    if (copied != 1)
        return copied;
    struct message_name copy = copied_name(&name, entry->state);
    const enum mq_state state = entry->state == MQ_DELAYED ? MQ_DELAYED : MQ_READY;
    int has = 0;
    copied = -ENOENT;
    for (int tries = 0; tries < TRIES && (copied == -ENOENT || (copied == 1 && has == 0)); tries++) {
        const int opened = tries == 0 ? 0 : queue_reopen(to);
        copied = opened ? opened : copy_file(to, state, file, &copy);
        has = copied == 1 ? queue_has_name(to) : 0;
    }
    close(file);
    return copied == 1 && has < 0 ? has : copied;
}

int mq_persist(mq_queue *queue)
{
    return queue->config.durable ? fs_sync_around(queue->dir) : 0;
}
