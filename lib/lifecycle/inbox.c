/*
 * The inbox.
 *
 * The order of its messages is the order of their times, and a sender sets the time as late as it can. A listing may
 * show a file that was added during the listing and miss one that came just before. So messages that are later than the
 * beginning of the listing are left to the next one, which comes soon. If a message is to be delayed for longer, it is
 * moved to the bucket of its time, so that the inbox stays small.
 */
#include "lifecycle/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "format/message.h"
#include "lifecycle/dead_letter.h"
#include "lifecycle/overflow.h"
#include "queue/aside.h"
#include "queue/move.h"
#include "store/bucket.h"

/* How many files that are not messages one caller moves away at most. */
#define ASIDE_BUDGET 1024

static bool has_one(const mq_queue *queue)
{
    return access_has_inbox(queue->sharing);
}

bool inbox_has(const mq_queue *queue, const struct message_name *name)
{
    return has_one(queue) && !name_has_place(name);
}

/* List the messages in the inbox, in the order of their times, and the other files there, which no walk shows. Returns
   the open bucket, which the caller closes. */
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

/* Whether a file is larger than any that an honest sender makes: one message of the largest size with its headers, or
   several messages. 1 or 0, or a negative errno if that cannot be known. */
static int is_too_large(const mq_queue *queue, int dir, const char *file, const struct message_name *name)
{
    struct stat status;
    const uint64_t most = name->count > 1 ? NAME_BYTES_MAX : queue->config.max_size;
    if (fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    return (uint64_t)status.st_size > most + (most < INT64_MAX ? 2 * MESSAGE_HEADERS_MAX : 0);
}

int inbox_take_one(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    const int too_large = is_too_large(queue, dir, file, name);
    if (too_large < 0)
        return too_large == -ENOENT ? 0 : too_large;
    struct message_name placed = *name;
    name_as_sent(&placed);
    placed.position = page_next_positions(queue->page, name->priority, name->count, now);
    if (too_large)
        return dead_letter_take_in(queue, dir, file, &placed, DEAD_LETTER_TOO_LARGE, now);
    return move_in(queue, dir, file, name->time <= now ? MQ_READY : MQ_DELAYED, &placed, NULL);
}

/* A message that becomes due within a second stays, and is taken in then. */
static int take_or_leave(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    if (name->time <= now || name->time > now + CLOCK_SECOND)
        return inbox_take_one(queue, dir, file, name, now);
    (void)page_announce(queue->page, PAGE_DUE, name->time, now);
    return 0;
}

/* A message that has a position already was put here because the disk was full, or was forged so that every look lists
   it. Move it to the bucket of its time. */
static void send_home(mq_queue *queue, int dir, const char *file, const struct message_name *name, int64_t now)
{
    if (name->time > now + CLOCK_SECOND)
        (void)move_message(queue, MQ_DELAYED, dir, file, MQ_DELAYED, name);
}

/* A file that cannot be moved must not keep receivers from other messages: its sender may have made it so on
   purpose. */
static void take_listed(mq_queue *queue, int dir, const struct listing *files, int64_t now, int64_t most)
{
    int64_t homeless = ASIDE_BUDGET, before = most;
    for (size_t i = 0; i < files->count && most > 0; i++) {
        struct message_name name;
        name_parse(MQ_DELAYED, listing_at(files, i), &name);
        if (!name_has_place(&name))
            most -= take_or_leave(queue, dir, listing_at(files, i), &name, now) == 1;
        else if (homeless-- > 0)
            send_home(queue, dir, listing_at(files, i), &name, now);
    }
    if (most < before)
        (void)overflow_trim(queue, &(struct overflow_news){before - most, INT64_MAX}, now);
}

/* Move away what is not a message, or each look at the inbox would list it again. */
static void set_aside(const mq_queue *queue, int dir, const struct listing *others)
{
    for (size_t i = 0; i < others->count && i < ASIDE_BUDGET; i++)
        (void)aside_put(queue->dir, dir, listing_at(others, i));
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

/* Senders can make files of any size, so the sum may be too large for the type. */
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

struct tally {
    int64_t now;
    struct inbox_figures figures;
};

static int count(void *context, const struct bucket_file *file)
{
    struct tally *tally = context;
    struct stat status;
    if (name_has_place(&file->name))
        return 0;
    if (fstatat(file->dir, file->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone(); /* another process may have taken it in */
    add(&tally->figures, &file->name, &status, tally->now);
    return 0;
}

int inbox_count(mq_queue *queue, int64_t now, struct inbox_figures *ret_figures)
{
    struct tally tally = {.now = now};
    struct listing files = {0};
    int error = 0;
    if (has_one(queue))
        error = bucket_visit(queue->dir, MQ_DELAYED, NAME_RESERVE_BUCKET, &files, count, &tally);
    listing_free(&files);
    if (!error)
        *ret_figures = tally.figures;
    return error;
}
