/*
 * The inbox.
 *
 * Order. A sender sets the time as late as it can. A listing may show what was put in while it went on and miss what
 * came just before that; so what is later than the listing's beginning is left to the next one. That is soon, or it was
 * meant to be delayed: then it goes to the bucket of its time, so that the inbox stays small.
 */
#include "lifecycle/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/message.h"
#include "lifecycle/dead_letter.h"
#include "queue/aside.h"
#include "queue/move.h"
#include "store/bucket.h"

/* Of what lies there and is no message: what one caller sees to at most. */
#define ASIDE_BUDGET 1024

static bool has_one(const mq_queue *queue)
{
    return access_has_inbox(queue->sharing);
}

bool inbox_has(const mq_queue *queue, const struct message_name *name)
{
    return has_one(queue) && !name_has_place(name);
}

/* List it, in order of the times, and what is no message: its bucket, for the caller to close. */
static int list(mq_queue *queue, struct listing *files, struct listing *others)
{
    const int dir = bucket_open(queue->dir, MQ_DELAYED, NAME_RESERVE_BUCKET);
    if (dir < 0)
        return dir;
    const int error = bucket_read_all(dir, MQ_DELAYED, files, others);
    if (!error)
        return dir;
    close(dir);
    return error;
}

/* ---- taking in -------------------------------------------------------------------- */

/* No honest sender makes a larger file: of one message of the largest size, with headers, or of several. */
static bool is_too_large(const mq_queue *queue, int dir, const char *file, const struct message_name *name)
{
    struct stat status;
    const uint64_t most = name->count > 1 ? NAME_BYTES_MAX : queue->config.max_size;
    return fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)status.st_size > most + (most < INT64_MAX ? 2 * MESSAGE_HEADERS_MAX : 0);
}

int inbox_take_one(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    struct message_name placed = *name;
    name_as_sent(&placed);
    placed.position = page_next_positions(queue->page, name->priority, name->count, now);
    if (is_too_large(queue, dir, file, name))
        return dead_letter_take_in(queue, dir, file, &placed, DEADLETTER_TOO_LARGE, now);
    return move_in(queue, dir, file, name->time <= now ? MQ_READY : MQ_DELAYED, &placed, NULL);
}

/* What comes within a second stays, and is due then. */
static int take_or_leave(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    if (name->time <= now || name->time > now + CLOCK_SECOND)
        return inbox_take_one(queue, dir, file, name, now);
    (void)page_announce(queue->page, PAGE_DUE, name->time, now);
    return 0;
}

/* What has its place lies here since the disk was full, or since a forger wants it listed for ever: it goes to the bucket
   of its time. */
static void send_home(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    if (name->time > now + CLOCK_SECOND)
        (void)move_message(queue, MQ_DELAYED, dir, file, MQ_DELAYED, name);
}

/* What cannot be moved must not keep anybody from the rest: whoever put it there may have seen to that. */
static void take_listed(mq_queue *queue, int dir, const struct listing *files, int64_t now, int64_t most)
{
    int64_t homeless = ASIDE_BUDGET;
    for (size_t i = 0; i < files->count && most > 0; i++) {
        struct message_name name;
        name_parse(MQ_DELAYED, listing_at(files, i), &name);
        if (!name_has_place(&name))
            most -= take_or_leave(queue, dir, listing_at(files, i), &name, now) == 1;
        else if (homeless-- > 0)
            send_home(queue, dir, listing_at(files, i), &name, now);
    }
}

/* Else each look at the inbox would list it again. */
static void set_aside(const mq_queue *queue, int dir, const struct listing *others)
{
    for (size_t i = 0; i < others->count && i < ASIDE_BUDGET; i++)
        (void)aside_put(queue, dir, listing_at(others, i));
}

int inbox_take(mq_queue *queue, int64_t now, int64_t most)
{
    struct listing files = {0}, others = {0};
    if (!has_one(queue) || queue->rights != ACCESS_ALL)
        return 0;
    const int dir = list(queue, &files, &others);
    if (dir >= 0) {
        take_listed(queue, dir, &files, now, most);
        set_aside(queue, dir, &others);
        close(dir);
    }
    listing_free(&files);
    listing_free(&others);
    return dir < 0 ? dir : 0;
}

/* ---- counting --------------------------------------------------------------------- */

/* Files may claim to be of any size. */
static uint64_t add_sizes(uint64_t one, uint64_t other)
{
    return other < INT64_MAX - one ? one + other : INT64_MAX;
}

static void add(struct inbox_figures *figures, const struct message_name *name, const struct stat *status, int64_t now)
{
    figures->bytes = add_sizes(figures->bytes, (uint64_t)status->st_size);
    if (name->time > now) {
        figures->delayed += name->count;
        return;
    }
    figures->ready += name->count;
    if (figures->oldest == 0)
        figures->oldest = clock_of_file(&status->st_mtim);
}

static void count(int dir, const struct listing *files, int64_t now, struct inbox_figures *figures)
{
    for (size_t i = 0; i < files->count; i++) {
        struct stat status;
        struct message_name name;
        name_parse(MQ_DELAYED, listing_at(files, i), &name);
        if (!name_has_place(&name) && fstatat(dir, listing_at(files, i), &status, AT_SYMLINK_NOFOLLOW) == 0)
            add(figures, &name, &status, now);
    }
}

int inbox_count(mq_queue *queue, int64_t now, struct inbox_figures *ret_figures)
{
    struct inbox_figures figures = {0};
    struct listing files = {0}, others = {0};
    const int dir = has_one(queue) ? list(queue, &files, &others) : -ENOENT;
    if (dir >= 0) {
        count(dir, &files, now, &figures);
        close(dir);
    }
    listing_free(&files);
    listing_free(&others);
    if (dir < 0 && dir != -ENOENT)
        return dir;
    *ret_figures = figures;
    return 0;
}
