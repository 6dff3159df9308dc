/*
 * The inbox.
 *
 * Order. A sender sets the time as late as it can. A listing may show what was put in while it went on and miss what
 * came just before that; so what is later than the listing's beginning is left to the next one. That is soon, or it was
 * meant to be delayed: then it goes to the bucket of its time, so that the inbox stays small.
 */
#include "inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucket.h"
#include "clock.h"
#include "move.h"

static bool has_one(const mq_queue *queue)
{
    return access_has_inbox(queue->sharing);
}

bool inbox_has(const mq_queue *queue, const struct name *name)
{
    return has_one(queue) && !name_has_place(name);
}

/* List it, in order of the times: its bucket, for the caller to close. */
static int list(mq_queue *queue, struct listing *files)
{
    const int dir = bucket_open(queue->dir, MQ_DELAYED, NAME_RESERVE_BUCKET);
    if (dir < 0)
        return dir;
    const int error = bucket_read(dir, MQ_DELAYED, files);
    if (!error)
        return dir;
    close(dir);
    return error;
}

/* ---- taking in -------------------------------------------------------------------- */

int inbox_take_one(mq_queue *queue, int dir, const char *file, const struct name *name, int64_t now)
{
    struct name placed = *name;
    placed.position = page_next_positions(queue->page, name->priority, name->count, now);
    return move_in(queue, dir, file, name->time <= now ? MQ_READY : MQ_DELAYED, &placed);
}

/* What comes within a second stays, and is due then. */
static int take_or_leave(mq_queue *queue, int dir, const char *file, const struct name *name, int64_t now)
{
    if (name->time <= now || name->time > now + CLOCK_SECOND)
        return inbox_take_one(queue, dir, file, name, now);
    (void)page_announce(queue->page, PAGE_DUE, name->time, now);
    return 0;
}

/* What cannot be moved must not keep anybody from the rest: whoever put it there may have seen to that. */
static void take_listed(mq_queue *queue, int dir, const struct listing *files, int64_t now, int64_t most)
{
    for (size_t i = 0; i < files->count && most > 0; i++) {
        struct name name;
        name_parse(MQ_DELAYED, listing_at(files, i), &name);
        if (!name_has_place(&name) && take_or_leave(queue, dir, listing_at(files, i), &name, now) == 1)
            most--;
    }
}

int inbox_take(mq_queue *queue, int64_t now, int64_t most)
{
    struct listing files = {0};
    if (!has_one(queue) || queue->rights != ACCESS_ALL)
        return 0;
    const int dir = list(queue, &files);
    if (dir >= 0) {
        take_listed(queue, dir, &files, now, most);
        close(dir);
    }
    listing_free(&files);
    return dir < 0 ? dir : 0;
}

/* ---- counting --------------------------------------------------------------------- */

static void add(struct inbox_figures *figures, const struct name *name, const struct stat *status, int64_t now)
{
    figures->bytes += (uint64_t)status->st_size;
    if (name->time > now) {
        figures->delayed += name->count;
        return;
    }
    figures->ready += name->count;
    if (figures->oldest == 0)
        figures->oldest = clock_of(&status->st_mtim);
}

static void count(int dir, const struct listing *files, int64_t now, struct inbox_figures *figures)
{
    for (size_t i = 0; i < files->count; i++) {
        struct stat status;
        struct name name;
        name_parse(MQ_DELAYED, listing_at(files, i), &name);
        if (!name_has_place(&name) && fstatat(dir, listing_at(files, i), &status, AT_SYMLINK_NOFOLLOW) == 0)
            add(figures, &name, &status, now);
    }
}

int inbox_count(mq_queue *queue, int64_t now, struct inbox_figures *ret_figures)
{
    struct inbox_figures figures = {0};
    struct listing files = {0};
    const int dir = has_one(queue) ? list(queue, &files) : -ENOENT;
    if (dir >= 0) {
        count(dir, &files, now, &figures);
        close(dir);
    }
    listing_free(&files);
    if (dir < 0 && dir != -ENOENT)
        return dir;
    *ret_figures = figures;
    return 0;
}
