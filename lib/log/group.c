/*
 * How far a group has come: its cursor, and the takes of entries that a cursor was moved by.
 *
 * The cursor is one name in cursor/, so whoever renames it decides what comes next. If it says that an entry was taken, the
 * link of that entry may still be in tmp/, under a name with the same parts: whoever meets such a cursor moves the link into
 * ready/ before anything else. tests/model/group.pml is the proof.
 */
#include "log/group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "format/batch.h"
#include "format/log_name.h"
#include "format/spool_name.h"
#include "log/group_feed.h"
#include "log/group_take.h"
#include "queue/blame.h"
#include "queue/move.h"
#include "store/layout.h"

#define LOOKS 100 /* a listing may show both names of a cursor that is renamed, or none */

int group_open_log(int group_dir)
{
    return fs_open_dir(group_dir, "../..");
}

/* ---- the cursor ---------------------------------------------------------------------- */

struct cursors {
    unsigned count;
    struct group_place place;
};

static int note_cursor(void *context, const char *name, unsigned char type)
{
    struct cursors *cursors = context;
    (void)type;
    cursors->count += group_name_parse(name, &cursors->place);
    return 0;
}

int group_read_place(int group_dir, struct group_place *ret_place)
{
    struct cursors cursors = {0};
    for (int looks = 0; looks < LOOKS && cursors.count != 1; looks++) {
        cursors.count = 0;
        const int error = fs_list_at(group_dir, GROUP_CURSOR, note_cursor, &cursors);
        if (error)
            return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ? -EUCLEAN : error;
    }
    if (cursors.count != 1)
        return -EUCLEAN;
    *ret_place = cursors.place;
    return 0;
}

int group_move(int group_dir, const struct group_place *from, const struct group_place *to)
{
    char old[GROUP_NAME_SIZE], new[GROUP_NAME_SIZE];
    const int cursor = fs_open_dir(group_dir, GROUP_CURSOR);
    group_name_format(from, old);
    group_name_format(to, new);
    const int error = cursor < 0 ? cursor : fs_rename_unique(cursor, old, cursor, new);
    if (cursor >= 0)
        close(cursor);
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* ---- takes ------------------------------------------------------------------------------- */

/* Find the first message that is wanted of an entry. */
static int find_first(int file, uint64_t before, struct batch_part *ret_part)
{
    char id[MQ_ID_SIZE];
    int error = batch_read_part(file, 0, "", ret_part);
    for (uint64_t i = 0; i < before && !error; i++) {
        batch_step_id(ret_part->id, 1, id);
        error = batch_read_part(file, ret_part->offset + ret_part->length, id, ret_part);
    }
    return error;
}

int group_take_name(int file, const struct group_place *place, struct message_name *ret_name)
{
    struct batch_part part;
    const uint64_t count = place->next - place->first;
    struct message_name name = {.priority = MQ_PRIORITY_DEFAULT, .position = group_name_position(place->first)};
    if (place->next >> GROUP_POSITION_BIT)
        return -ERANGE;
    const int error = file < 0 || count > NAME_COUNT_MAX ? -EBADMSG
                                                         : find_first(file, place->first - place->entry, &part);
    if (error && error != -EBADMSG)
        return error;
    if (error) { /* it is delivered as one message, which turns out to be corrupt */
        name.count = 1;
        snprintf(name.id, sizeof name.id, "corrupt-%016" PRIx64, place->first);
    } else {
        name.count = (uint32_t)count;
        name.offset = part.offset;
        strcpy(name.id, part.id);
    }
    *ret_name = name;
    return 0;
}

/* What a group takes that keeps an order is a directory. */
static bool is_feed(int tmp, const char *take)
{
    struct stat status;
    return fstatat(tmp, take, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

int group_finish_take(mq_queue *queue, const struct group_place *place)
{
    char take[GROUP_NAME_SIZE];
    struct message_name name;
    int tmp, error = place->is_take ? queue_tmp(queue, &tmp) : 0;
    if (error || !place->is_take)
        return error;
    group_name_format_take(place, take);
    const int file = fs_open_file(tmp, take);
    if (file == -ENOENT)
        return 0;
    if (file == -EBADMSG && is_feed(tmp, take))
        return group_feed_finish(queue, tmp, take);
    if (file < 0 && blame_file(queue, tmp, take, file) != -EBADMSG)
        return file;
    error = group_take_name(file, place, &name);
    if (file >= 0)
        close(file);
    const int moved = error ? error : move_in(queue, tmp, take, MQ_READY, &name, NULL);
    if (moved != -EEXIST)
        return moved;
    error = fs_unlink(tmp, take); /* these very messages wait there, untried, since the group was moved back */
    return error == -ENOENT ? 0 : error;
}

/* ---- all groups of a log ------------------------------------------------------------------- */

struct groups {
    int dir;
    int (*each)(void *context, const char *name, int group_dir);
    void *context;
};

static int visit_group(void *context, const char *name, unsigned char type)
{
    const struct groups *groups = context;
    const int dir = type == DT_DIR && mq_queue_name_is_valid(name) ? fs_open_dir(groups->dir, name) : -ENOENT;
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int is = layout_is_queue(dir), stop = is == 1 ? groups->each(groups->context, name, dir) : is;
    close(dir);
    return stop;
}

int group_each(int log_dir, int (*each)(void *context, const char *name, int group_dir), void *context)
{
    struct groups groups = {.dir = fs_open_dir(log_dir, NAME_GROUPS), .each = each, .context = context};
    if (groups.dir < 0)
        return groups.dir == -ENOENT ? 0 : groups.dir;
    const int stop = fs_list_at(groups.dir, ".", visit_group, &groups);
    close(groups.dir);
    return stop;
}

/* A group that is deleted at this moment has none. */
static int note_bounds(void *context, const char *name, int group_dir)
{
    struct group_bounds *bounds = context;
    struct group_place place;
    (void)name;
    const int error = group_read_place(group_dir, &place);
    if (error == -EUCLEAN && (bounds->passes_damaged || fs_has(group_dir, GROUP_CURSOR) == 0))
        return 0;
    if (error)
        return error;
    if (!bounds->any || place.next < bounds->lowest)
        bounds->lowest = place.next;
    if (!bounds->any || place.next > bounds->highest)
        bounds->highest = place.next;
    bounds->any = true;
    return 0;
}

int group_find_bounds(int log_dir, bool passes_damaged, struct group_bounds *ret_bounds)
{
    struct group_bounds bounds = {.passes_damaged = passes_damaged};
    const int error = group_each(log_dir, note_bounds, &bounds);
    if (error || !bounds.any)
        return error;
    *ret_bounds = bounds;
    return 1;
}

/* ---- tidying --------------------------------------------------------------------------------- */

struct takes {
    struct group_place *list;
    size_t count, room;
};

static int note_take(void *context, const char *name, unsigned char type)
{
    struct takes *takes = context;
    struct group_place place;
    (void)type;
    if (!group_name_parse_take(name, &place))
        return 0;
    if (!GROW(takes->list, takes->count + 1, takes->room))
        return -ENOMEM;
    takes->list[takes->count++] = place;
    return 0;
}

/* The cursor is read after the listing: a take that was there then and would replace another cursor comes too late. */
static int remove_dead_takes(mq_queue *queue, int tmp, const struct takes *takes, uint64_t *removed)
{
    char name[GROUP_NAME_SIZE];
    struct group_place cursor;
    int error = takes->count > 0 ? group_read_place(queue->dir, &cursor) : 0;
    for (size_t i = 0; i < takes->count && !error; i++) {
        const struct group_place *take = &takes->list[i];
        if (take->mark == cursor.mark || take->base == cursor.mark)
            continue;
        group_name_format_take(take, name);
        error = is_feed(tmp, name) ? spool_remove_tree(tmp, name) : fs_unlink(tmp, name);
        *removed += !error;
        error = error == -ENOENT ? 0 : error;
    }
    return error;
}

int group_sweep_takes(mq_queue *queue, uint64_t *removed)
{
    struct takes takes = {0};
    struct group_place place;
    int tmp, error = group_read_place(queue->dir, &place);
    const int finished = error ? error : group_finish_take(queue, &place);
    error = finished < 0 ? finished : queue_tmp(queue, &tmp);
    if (!error)
        error = fs_list_at(tmp, ".", note_take, &takes);
    if (!error)
        error = remove_dead_takes(queue, tmp, &takes, removed);
    free(takes.list);
    return error;
}
