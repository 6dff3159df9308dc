/* How many messages a group that is followed has missed. */
#include "admin/overtaken.h"

#include <errno.h>
#include <limits.h>

#include "base/fs.h"
#include "format/spool_name.h"
#include "log/group.h"

int overtaken_open_cursor(const struct followed *followed)
{
    return name_group_part(followed->queue->name) ? fs_open_dir(followed->queue->dir, GROUP_CURSOR) : -ENOENT;
}

void overtaken_begin(struct followed *followed)
{
    struct group_place place;
    if (group_read_place(followed->queue->dir, &place) == 0)
        followed->missed = place.missed;
}

unsigned overtaken_by(struct followed *followed, const char *cursor)
{
    struct group_place place;
    if (!group_name_parse(cursor, &place))
        return 0;
    const uint64_t more = place.missed > followed->missed ? place.missed - followed->missed : 0;
    followed->missed = place.missed;
    return more < UINT_MAX ? (unsigned)more : UINT_MAX;
}
