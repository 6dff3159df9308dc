/* Files that no other process can find until they are complete. */
#include "base/fs_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_network.h"
#include "base/id.h"

int fs_draft_open(struct fs_draft *draft, int at, const char *tmp, mode_t mode)
{
    draft->tmp = -1;
    draft->file = fs_make_unnamed(at, tmp, mode);
    if (draft->file == -EOPNOTSUPP || draft->file == -EISDIR || draft->file == -EINVAL)
        return fs_draft_open_named(draft, at, tmp, mode);
    return draft->file < 0 ? draft->file : 0;
}

int fs_draft_open_named(struct fs_draft *draft, int at, const char *tmp, mode_t mode)
{
    draft->tmp = fs_open_passage(at, tmp);
    if (draft->tmp < 0)
        return draft->tmp;
    snprintf(draft->name, sizeof draft->name, "%016" PRIx64, id_random());
    draft->file = fs_make_file(draft->tmp, draft->name, mode);
    if (draft->file < 0)
        close(draft->tmp);
    return draft->file < 0 ? draft->file : 0;
}

/* link(2) into an immutable directory fails with the error of a file system that has no links. */
static bool is_immutable(int dir)
{
    struct statx status;
    return statx(dir, "", AT_EMPTY_PATH, 0, &status) == 0 &&
           status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

static int link_named(const struct fs_draft *draft, int dir, const char *name)
{
    const int error = fs_link(draft->tmp, draft->name, dir, name);
    if (error && fs_is_doubtful(error) && fs_repeats_calls(dir) && fs_has_this_name(draft->file, dir, name))
        return 0;
    return error == -EPERM && !is_immutable(dir) ? -EOPNOTSUPP : error;
}

int fs_draft_link(const struct fs_draft *draft, int dir, const char *name)
{
    return draft->tmp < 0 ? fs_link_unnamed(draft->file, dir, name) : link_named(draft, dir, name);
}

void fs_draft_close(struct fs_draft *draft)
{
    close(draft->file);
    if (draft->tmp < 0)
        return;
    fs_unlink(draft->tmp, draft->name);
    close(draft->tmp);
}
