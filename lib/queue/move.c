/* Moving a message's file from one state to another by one rename. */
#include "queue/move.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "queue/bell.h"
#include "store/adopt.h"
#include "store/lane_dir.h"

/* Other processes may remove a bucket between the moment that this process makes it and the rename into it. After this
   many times the move fails with -EBUSY. */
#define TRIES 100

/* A process has to look into a directory that is ordered by time at this message's time, or earlier. */
static void announce_time(mq_queue *queue, enum mq_state state, const struct message_name *name)
{
    static const enum page_time times[MQ_STATES] = {[MQ_DELAYED] = PAGE_DUE, [MQ_INFLIGHT] = PAGE_DEADLINE};
    if (page_announce(queue->page, times[state], name->time, queue_now(queue)))
        bell_ring(queue);
}

void move_announce(mq_queue *queue, enum mq_state state, const struct message_name *name, bool returned)
{
    if (state == MQ_READY) {
        page_note_arrival(queue->page, name->priority, name_birth(name->position), returned);
        bell_ring(queue);
    } else if (state == MQ_DELAYED || state == MQ_INFLIGHT) {
        announce_time(queue, state, name);
    }
}

/* Where a rename that was done may be reported as failed, that is looked at. The name of a claim holds its token, so no
   other process can have made this name. Two processes that make the same name in another state do the same. */
static int rename_to(const mq_queue *queue, int from_dir, const char *from_name, int dir, const char *text)
{
    return queue->clock.is_network ? fs_rename_unique(from_dir, from_name, dir, text)
                                   : fs_rename(from_dir, from_name, dir, text);
}

/* Of the two buckets of settled tokens that are open, the one that was used last stays open. */
static unsigned target_of(mq_queue *queue, enum mq_state to, const struct message_name *name, const char *bucket)
{
    if (to != MQ_INFLIGHT || !name->settled)
        return to;
    if (strcmp(queue->target[QUEUE_SETTLED + queue->settled].name, bucket) != 0)
        queue->settled ^= 1;
    return QUEUE_SETTLED + queue->settled;
}

static int rename_into(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to,
                       const struct message_name *name, int *ret_dir)
{
    char bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    name_format_bucket(to, name, bucket);
    name_format(to, name, text);
    const unsigned target = target_of(queue, to, name, bucket);
    for (int tries = 0; tries < TRIES; tries++) {
        int dir;
        int error = queue_target(queue, target, bucket, &dir);
        if (error)
            return error;
        error = rename_to(queue, from_dir, from_name, dir, text);
        if (!error)
            *ret_dir = dir;
        if (error != -ENOENT)
            return error ? error : 1;
        const int has = fs_has(from_dir, from_name);
        if (has != 1)
            return has;
        queue_forget_target(queue, target); /* the file is there, so the bucket was removed */
    }
    return -EBUSY;
}

/* The position of the message that a token shows is that in its lane. */
static uint64_t position_of(const struct message_name *name)
{
    return name->lane[0] ? name->head + name->skipped : name->position;
}

void move_note_size(mq_queue *queue, const struct message_name *name, int64_t size)
{
    const uint64_t position = position_of(name);
    const size_t at = position % QUEUE_SIZES;
    queue->sizes[at].position = position;
    queue->sizes[at].size = size;
    strcpy(queue->sizes[at].id, name->id);
}

/* 0: not known. */
static int64_t noted_size(const mq_queue *queue, const struct message_name *name)
{
    const uint64_t position = position_of(name);
    const size_t at = position % QUEUE_SIZES;
    return queue->sizes[at].position == position && strcmp(queue->sizes[at].id, name->id) == 0 ? queue->sizes[at].size
                                                                                               : 0;
}

/* How many bytes of a file belong to the messages that the name stands for. A token's are in its lane. */
static int64_t size_of(const mq_queue *queue, int dir, const char *file, const struct message_name *name)
{
    struct stat status;
    if (name->length) /* then the file need not be asked */
        return name->length;
    const int64_t noted = noted_size(queue, name);
    if (noted)
        return name_bytes_in(name, noted);
    if (name->lane[0])
        return lane_dir_size(queue->dir, name);
    return fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) == 0 ? name_bytes_in(name, status.st_size) : 0;
}

/* Whether messages of this state count towards max-depth and max-bytes. */
static bool waits(enum mq_state state)
{
    return state == MQ_READY || state == MQ_DELAYED;
}

static void count_in(mq_queue *queue, enum mq_state to, const struct message_name *name, int64_t size)
{
    page_add_messages(queue->page, to, name->count);
    page_add_bytes(queue->page, size);
    if (waits(to))
        page_add_waiting(queue->page, size);
}

static void count_out(mq_queue *queue, enum mq_state from, const struct message_name *name, int64_t size)
{
    page_add_messages(queue->page, from, -(int64_t)name->count);
    page_add_bytes(queue->page, -size);
    if (waits(from))
        page_add_waiting(queue->page, -size);
}

void move_count(mq_queue *queue, enum mq_state from, enum mq_state to, const struct message_name *name, int64_t size)
{
    if (queue->config.max_bytes > 0 && waits(from) != waits(to))
        page_add_waiting(queue->page, waits(to) ? size : -size);
    if (from == to)
        return;
    page_add_messages(queue->page, from, -(int64_t)name->count);
    page_add_messages(queue->page, to, name->count);
}

static int move_and_tell(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, enum mq_state to,
                         const struct message_name *name, int *ret_dir)
{
    const bool sized = queue->config.max_bytes > 0 && waits(from) != waits(to);
    const int64_t size = sized ? size_of(queue, from_dir, from_name, name) : 0;
    const int moved = rename_into(queue, from_dir, from_name, to, name, ret_dir);
    if (moved != 1)
        return moved;
    move_count(queue, from, to, name, size);
    move_announce(queue, to, name, true);
    return 1;
}

int move_message(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, enum mq_state to,
                 const struct message_name *name)
{
    int dir;
    return move_and_tell(queue, from, from_dir, from_name, to, name, &dir);
}

int move_claim(mq_queue *queue, int from_dir, const char *from_name, const struct message_name *name, int *ret_dir)
{
    return move_and_tell(queue, MQ_READY, from_dir, from_name, MQ_INFLIGHT, name, ret_dir);
}

int move_token(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to, const struct message_name *name,
               int *ret_dir)
{
    const int moved = rename_into(queue, from_dir, from_name, to, name, ret_dir);
    if (moved == 1)
        move_announce(queue, to, name, false);
    return moved;
}

void move_count_out(mq_queue *queue, enum mq_state from, const struct message_name *name, int64_t size)
{
    count_out(queue, from, name, size);
}

void move_count_in(mq_queue *queue, enum mq_state to, const struct message_name *name, int64_t size)
{
    count_in(queue, to, name, size);
}

void move_count_sent(mq_queue *queue, enum mq_state to, const struct message_name *name, int64_t size)
{
    count_in(queue, to, name, size);
    page_count(queue->page, PAGE_SENT, name->count);
}

int move_in_sized(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to,
                  const struct message_name *name, int64_t size, int *ret_dir)
{
    int dir;
    const int moved = rename_into(queue, from_dir, from_name, to, name, &dir);
    if (moved != 1)
        return moved;
    if (ret_dir)
        *ret_dir = dir;
    move_count_sent(queue, to, name, size);
    move_announce(queue, to, name, false);
    return 1;
}

int move_in(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to, const struct message_name *name,
            int *ret_dir)
{
    return move_in_sized(queue, from_dir, from_name, to, name, size_of(queue, from_dir, from_name, name), ret_dir);
}

/* A handle that has been used knows who the queue belongs to. */
static int adopt(const mq_queue *queue, int from_dir, const char *from_name, struct adopt_look *look)
{
    return adopt_file_as(queue->dir, queue->sharing, queue->identified ? &queue->identity : NULL, from_dir, from_name,
                         look);
}

int move_to_new_queue(mq_queue *queue, int from_dir, const char *from_name, enum mq_state to,
                      const struct message_name *name, struct adopt_look *look)
{
    const int error = adopt(queue, from_dir, from_name, look);
    if (error)
        return error == -ENOENT && fs_has(from_dir, from_name) == 0 ? 0 : error;
    return move_in_sized(queue, from_dir, from_name, to, name, name_bytes_in(name, look->status.st_size), NULL);
}

int move_to_queue(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, mq_queue *to,
                  enum mq_state to_state, const struct message_name *name, int *ret_dir)
{
    struct adopt_look look = {.is_known = false};
    const int error = adopt(to, from_dir, from_name, &look);
    if (error)
        return error == -ENOENT ? 0 : error;
    const int moved = rename_into(to, from_dir, from_name, to_state, name, ret_dir);
    if (moved != 1)
        return moved;
    const int64_t size = name_bytes_in(name, look.status.st_size);
    count_out(queue, from, name, size);
    count_in(to, to_state, name, size);
    move_announce(to, to_state, name, true);
    return 1;
}

int move_to_done(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name,
                 const struct message_name *name, int dir, const char *done_name)
{
    const int64_t size = size_of(queue, from_dir, from_name, name);
    const int error = rename_to(queue, from_dir, from_name, dir, done_name);
    if (error)
        return error == -ENOENT ? 0 : error;
    count_out(queue, from, name, size);
    return 1;
}

int move_out(mq_queue *queue, enum mq_state from, int from_dir, const char *from_name, const struct message_name *name)
{
    const int64_t size = size_of(queue, from_dir, from_name, name);
    const int error = fs_unlink(from_dir, from_name);
    if (error)
        return error == -ENOENT ? 0 : error;
    count_out(queue, from, name, size);
    return 1;
}
