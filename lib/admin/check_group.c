/* Checking how far a group of a log has come. */
#include "admin/check_group.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/spool_name.h"
#include "log/append.h"
#include "log/group.h"

#define LOOKS_AT_END 3 /* a bucket may be exchanged while the end is looked for */
#define LOOKS 100      /* a listing may show both names of a cursor that is renamed, or none */

struct cursors {
    unsigned count;
    struct group_place first;
};

static int note_cursor(void *context, const char *name, unsigned char type)
{
    struct cursors *cursors = context;
    struct group_place place;
    (void)type;
    if (group_name_parse(name, &place) && (cursors->count++ == 0 || place.next < cursors->first.next))
        cursors->first = place;
    return 0;
}

struct cursor_check {
    struct check *check;
    const struct cursors *cursors;
};

static int check_entry(void *context, const char *name, unsigned char type)
{
    const struct cursor_check *cursor = context;
    const struct cursors *cursors = cursor->cursors;
    struct group_place place;
    if (!group_name_parse(name, &place) || type != DT_REG)
        return finding_report(cursor->check, GROUP_CURSOR, name, "not a cursor's name");
    if (cursors->count > 1 && place.mark != cursors->first.mark)
        return finding_report(cursor->check, GROUP_CURSOR, name, "a second cursor of the group");
    return 0;
}

static int make_missing(struct check *check)
{
    uint64_t begin = 0;
    const int log = check->repair ? group_open_log(check->queue->dir) : 0;
    int error = !check->repair ? 0 : log < 0 ? log : chain_beginning(log, &begin);
    finding_tell(check, "", GROUP_CURSOR, "the group has lost its place in the log");
    if (!error && check->repair)
        error = group_make_cursor(check->queue->dir, begin);
    if (check->repair && log >= 0)
        close(log);
    return error;
}

/* ---- the end -------------------------------------------------------------------------- */

/* Whether the cursor is beyond the end: 1 or 0. The end is looked for after the cursor, and never comes before it. */
static int is_beyond_end(const struct check *check, int log, uint64_t *ret_end)
{
    struct group_place place;
    int is = 1;
    for (int looks = 0; looks < LOOKS_AT_END && is == 1; looks++) {
        int error = group_read_place(check->queue->dir, &place);
        if (!error)
            error = chain_end(log, ret_end);
        is = error ? error : place.next > *ret_end;
    }
    return is;
}

/* As a sender does that comes first after a power cut: the log goes on behind the group. A cursor that is too far away
   for that goes back to the end. */
static int move_end(const struct check *check, int log_dir)
{
    char name[MQ_QUEUE_NAME_SIZE];
    struct chain_last last;
    mq_log *log;
    uint64_t end = 0, from;
    name_log_part(check->queue->name, name);
    int error = log_open(check->queue->spool, name, &log);
    if (error)
        return error;
    error = log_find_last(log, true, &last);
    mq_log_close(log);
    const int is = error < 0 ? error : is_beyond_end(check, log_dir, &end);
    return is == 1 ? mq_group_seek(check->queue->spool, check->queue->name, end, &from) : is;
}

static int check_end(struct check *check)
{
    uint64_t end = 0;
    const int log = group_open_log(check->queue->dir), is = log < 0 ? log : is_beyond_end(check, log, &end);
    int error = is == 1 && check->repair ? move_end(check, log) : 0;
    if (is == 1)
        finding_tell(check, "", GROUP_CURSOR, "the group is beyond the end of the log");
    if (error) {
        check->left = error;
        error = 0;
    }
    if (log >= 0)
        close(log);
    return is == -EUCLEAN ? 0 : is < 0 ? is : error; /* the check of the log tells what that lacks */
}

/* ---- all of it ------------------------------------------------------------------------- */

int check_group(struct check *check)
{
    struct cursors cursors = {0};
    const struct cursor_check cursor = {check, &cursors};
    int error = 0;
    for (int looks = 0; looks < LOOKS && !error && cursors.count != 1; looks++) {
        cursors.count = 0;
        error = fs_list_at(check->queue->dir, GROUP_CURSOR, note_cursor, &cursors);
    }
    if (!error) {
        check->dir = fs_open_dir(check->queue->dir, GROUP_CURSOR);
        error = check->dir < 0 ? check->dir : fs_list_at(check->queue->dir, GROUP_CURSOR, check_entry, (void *)&cursor);
        if (check->dir >= 0)
            close(check->dir);
    }
    if (error == -ENOENT || (!error && cursors.count == 0))
        return make_missing(check);
    if (error == -ENOTDIR || error == -ELOOP)
        return 0; /* it is no directory, which is told already */
    return error || (cursors.count > 1 && !check->repair) ? error : check_end(check);
}
