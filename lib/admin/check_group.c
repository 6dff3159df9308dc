/* Checking how far a group of a log has come. */
#include "admin/check_group.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "log/chain.h"
#include "log/group.h"

#define LOOKS 100 /* a listing may show both names of a cursor that is renamed, or none */

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
        error = check->dir < 0 ? check->dir
                               : fs_list_at(check->queue->dir, GROUP_CURSOR, check_entry, (void *)&cursor);
        if (check->dir >= 0)
            close(check->dir);
    }
    return error == -ENOENT || (!error && cursors.count == 0) ? make_missing(check) : error;
}
