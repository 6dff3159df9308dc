/*
 * The source of a group: it takes the next entry of the log when the group holds nothing that is ready.
 *
 *     link      log/BUCKET/ENTRY       tmp/take-…
 *     rename    cursor/OLD             cursor/NEW        decides that the group has the entry
 *     rename    tmp/take-…             inflight/ or ready/
 *
 * The third step is the caller's. If it dies before, whoever comes next finds the cursor, and moves the take into ready/.
 * Every move of the cursor has a fresh mark, so a link that comes late has a name that nobody looks for.
 *
 * In a group that keeps an order the take is a directory, and its messages go into lanes before anything else is taken
 * (group_feed.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/log_name.h"
#include "format/spool_name.h"
#include "log/end.h"
#include "log/group.h"
#include "log/group_feed.h"
#include "log/group_take.h"
#include "log/log.h"
#include "store/layout.h"

#define TRIES 1000
#define ENTRY_PATH_SIZE (2 * LOG_NAME_SIZE + sizeof LOG_ENTRIES "/")
#define AGAIN 3 /* another process was first, or something that is no message was passed */

struct group_source {
    struct queue_source source; /* the first */
    int log;                    /* the directory of the log; -1: not open */
    int cursor;                 /* cursor/ */
    bool knows, is_fresh;       /* the place is known; it was read since the last look at the log */
    bool settled;               /* the take that the cursor was moved by is not in tmp/ any more */
    struct group_place place;
    struct hint hint;
    uint64_t overtaken;
};

/* ---- what is open ------------------------------------------------------------------------ */

static void let_go(struct queue_source *source)
{
    struct group_source *group = (struct group_source *)source;
    const int files[] = {group->log, group->cursor, group->hint.file};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            close(files[i]);
    group->log = group->cursor = group->hint.file = -1;
    group->knows = false;
}

static void end(struct queue_source *source)
{
    let_go(source);
    free(source);
}

static int open_parts(struct group_source *group, const mq_queue *queue)
{
    if (group->log < 0)
        group->log = group_open_log(queue->dir);
    if (group->log >= 0 && group->cursor < 0)
        group->cursor = fs_open_dir(queue->dir, GROUP_CURSOR);
    const int error = group->log < 0 ? group->log : group->cursor < 0 ? group->cursor : 0;
    return error == -ENOENT && group->log >= 0 ? -EUCLEAN : error;
}

static int read_place(struct group_source *group, const mq_queue *queue)
{
    const int error = group_read_place(queue->dir, &group->place);
    group->knows = group->is_fresh = !error;
    group->settled = !group->place.is_take;
    return error;
}

/* ---- moving the cursor --------------------------------------------------------------------- */

static struct group_place moved_to(const struct group_place *from, uint64_t next)
{
    return (struct group_place){.next = next, .mark = id_random(), .missed = from->missed};
}

/* 1: the cursor has this name now; AGAIN: another process was first. */
static int move_cursor(struct group_source *group, const struct group_place *to)
{
    char old[GROUP_NAME_SIZE], new[GROUP_NAME_SIZE];
    group_name_format(&group->place, old);
    group_name_format(to, new);
    const int error = fs_rename_unique(group->cursor, old, group->cursor, new);
    if (error == -ENOENT)
        group->knows = false;
    if (error)
        return error == -ENOENT ? AGAIN : error;
    group->place = *to;
    group->settled = !to->is_take;
    return 1;
}

/* Go on behind what holds no messages for the group. */
static int pass_to(struct group_source *group, uint64_t next, bool counts)
{
    struct group_place to = moved_to(&group->place, next);
    const uint64_t missed = counts ? next - group->place.next : 0;
    to.missed += missed;
    const int moved = move_cursor(group, &to);
    if (moved == 1)
        group->overtaken += missed;
    return moved == 1 ? AGAIN : moved;
}

static int pass_removed(struct group_source *group)
{
    uint64_t begin;
    const int error = chain_beginning(group->log, &begin);
    return error ? error : begin > group->place.next ? pass_to(group, begin, true) : AGAIN;
}

static int close_hole(const mq_queue *queue, const struct chain_place *hole)
{
    char name[MQ_QUEUE_NAME_SIZE];
    mq_log *log;
    name_log_part(queue->name, name);
    int error = log_open(queue->spool, name, &log);
    if (error)
        return error;
    error = log_close_hole(log, hole->offset, hole->next);
    mq_log_close(log);
    return error ? error : AGAIN;
}

/* ---- taking an entry ------------------------------------------------------------------------- */

/* Whether the link is of the file that was looked at: it may have been replaced by an equal one, of other messages. */
static int is_of_file(int tmp, const char *take, int file)
{
    struct stat linked, seen;
    if (fstatat(tmp, take, &linked, AT_SYMLINK_NOFOLLOW) < 0 || fstat(file, &seen) < 0)
        return fs_error();
    return linked.st_dev == seen.st_dev && linked.st_ino == seen.st_ino;
}

static void path_of(uint64_t entry, char ret_path[ENTRY_PATH_SIZE])
{
    char bucket[LOG_NAME_SIZE], name[LOG_NAME_SIZE];
    log_name_format_bucket(log_bucket_of(entry), bucket);
    log_name_format(entry, name);
    snprintf(ret_path, ENTRY_PATH_SIZE, LOG_ENTRIES "/%s/%s", bucket, name);
}

/* 1: the take is made; 0: the entry was replaced meanwhile. */
static int link_entry(const struct group_source *group, const struct chain_place *entry, const char *path, int tmp,
                      const char *take)
{
    const int error = fs_link_unique(group->log, path, tmp, take),
              is = error ? error : is_of_file(tmp, take, entry->file);
    if (!error && is != 1)
        (void)fs_unlink(tmp, take);
    return is;
}

/* The same for a group that keeps an order. */
static int make_feed(const struct group_source *group, mq_queue *queue, const struct chain_place *entry,
                     const char *path, int tmp, const struct group_place *to, const char *take)
{
    const struct group_feed_entry feed = {group->log, path, entry->file, entry->is_corrupt, to};
    const int error = group_feed_make(queue, tmp, take, &feed);
    return error == -ESTALE ? 0 : error ? error : 1;
}

static void drop_take(int tmp, const char *take, bool is_feed)
{
    (void)(is_feed ? spool_remove_tree(tmp, take) : fs_unlink(tmp, take));
}

static int take_entry(struct group_source *group, mq_queue *queue, const struct chain_place *entry,
                      struct source_file *ret_file)
{
    struct group_place to = moved_to(&group->place, entry->next);
    const bool is_feed = queue->config.order != CONFIG_UNORDERED;
    char path[ENTRY_PATH_SIZE];
    int tmp, error = queue_tmp(queue, &tmp);
    to.is_take = true;
    to.entry = entry->offset;
    to.first = group->place.next;
    to.base = group->place.mark;
    path_of(to.entry, path);
    group_name_format_take(&to, ret_file->file);
    if (!error && !is_feed)
        error = group_take_name(entry->is_corrupt ? -1 : entry->file, &to, &ret_file->name);
    if (error)
        return error;
    const int made = is_feed ? make_feed(group, queue, entry, path, tmp, &to, ret_file->file)
                             : link_entry(group, entry, path, tmp, ret_file->file);
    if (made != 1)
        return made == 0 || (made == -ENOENT && fs_has_name(tmp)) ? AGAIN : made;
    const int moved = move_cursor(group, &to);
    if (moved != 1)
        drop_take(tmp, ret_file->file, is_feed);
    if (moved != 1 || !is_feed)
        return moved;
    const int finished = group_feed_finish(queue, tmp, ret_file->file);
    group->settled = finished >= 0;
    return finished < 0 ? finished : SOURCE_READY;
}

static int go_on_at(struct group_source *group, mq_queue *queue, const struct chain_place *place,
                    struct source_file *ret_file)
{
    switch (place->kind) {
    case CHAIN_BELOW:
        return pass_removed(group);
    case CHAIN_HOLE:
        return close_hole(queue, place);
    case CHAIN_END:
        return 0;
    default:
        break;
    }
    if (place->is_gap || place->file < 0)
        return pass_to(group, place->next, !place->is_gap);
    return take_entry(group, queue, place, ret_file);
}

/* Whether there is nothing at the cursor, which the hint tells at less cost than a search. */
static int is_at_end(struct group_source *group)
{
    uint64_t end;
    const int file = chain_open_entry(group->log, group->place.next);
    if (file >= 0)
        close(file);
    if (file != -ENOENT)
        return 0;
    const int error = log_find_end(group->log, &group->hint, &end);
    return error ? error : group->place.next >= end;
}

/* 1 taken; 0 there is nothing; AGAIN; SOURCE_READY. */
static int try_to_take(struct group_source *group, mq_queue *queue, struct source_file *ret_file)
{
    struct chain_place place = {.file = -1};
    int error = open_parts(group, queue);
    if (!error && !group->knows)
        error = read_place(group, queue);
    if (error)
        return error;
    const int finished = group->settled ? 0 : group_finish_take(queue, &group->place);
    group->settled |= finished == 0;
    if (finished)
        return finished < 0 ? finished : SOURCE_READY;
    const int has_room = queue->config.order ? group_feed_has_room(queue) : 1;
    if (has_room != 1)
        return has_room;
    const int at_end = is_at_end(group);
    if (at_end == 0)
        error = chain_locate(group->log, group->place.next, &place);
    int got = at_end < 0 ? at_end : at_end ? 0 : error ? error : go_on_at(group, queue, &place, ret_file);
    chain_leave(&place);
    if (got == 0 && !group->is_fresh) { /* another process may have moved the cursor */
        group->knows = false;
        got = AGAIN;
    }
    return got;
}

static int take(struct queue_source *source, mq_queue *queue, struct source_file *ret_file)
{
    struct group_source *group = (struct group_source *)source;
    int got = AGAIN;
    group->is_fresh = false;
    for (int tries = 0; tries < TRIES && got == AGAIN; tries++)
        got = try_to_take(group, queue, ret_file);
    if (got == -EUCLEAN && queue_has_name(queue) == 0) /* it was deleted meanwhile, alone or with its log */
        return -ENOENT;
    return got == AGAIN ? -EBUSY : got;
}

static void taken(struct queue_source *source)
{
    ((struct group_source *)source)->settled = true;
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static int open_watched(struct queue_source *source, mq_queue *queue, int ret_dirs[SOURCE_DIRS])
{
    struct group_source *group = (struct group_source *)source;
    char bucket[LOG_NAME_SIZE];
    int count = 0;
    if (open_parts(group, queue) != 0 || !group->knows)
        return 0;
    log_name_format_bucket(log_bucket_of(group->place.next), bucket);
    ret_dirs[count] = fs_open_dir(group->log, LOG_ENTRIES);
    count += ret_dirs[count] >= 0;
    ret_dirs[count] = fs_open_dir_below(group->log, LOG_ENTRIES, bucket);
    return count + (ret_dirs[count] >= 0);
}

int group_attach(mq_queue *queue)
{
    struct group_source *group = calloc(1, sizeof *group);
    if (!group)
        return -ENOMEM;
    group->source = (struct queue_source){take, taken, open_watched, let_go, end};
    group->log = group->cursor = group->hint.file = -1;
    queue->source = &group->source;
    return 0;
}

uint64_t group_overtaken(const mq_queue *queue)
{
    return queue->source ? ((const struct group_source *)queue->source)->overtaken : 0;
}
