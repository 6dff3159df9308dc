/* Files that change their queue. */
#include "store/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "base/io.h"
#include "store/access.h"

#define BLOCK 65536

/* What the files of a queue are like. */
struct manner {
    mode_t mode;
    uid_t owner; /* -1: anybody's */
    gid_t group; /* -1: any */
};

static struct manner manner_in(unsigned sharing, uid_t owner, gid_t group)
{
    const bool is_shared = access_is_shared(sharing);
    return (struct manner){.mode = access_mode(sharing, ACCESS_FILE),
                           .owner = is_shared ? (uid_t)-1 : owner,
                           .group = is_shared ? group : (gid_t)-1};
}

static int manner_of(int queue_dir, unsigned sharing, struct manner *ret_manner)
{
    struct stat status;
    if (fstat(queue_dir, &status) < 0)
        return fs_error();
    *ret_manner = manner_in(sharing, status.st_uid, status.st_gid);
    return 0;
}

static bool fits(const struct manner *manner, const struct stat *file)
{
    return (file->st_mode & 0777) == manner->mode && (manner->owner == (uid_t)-1 || file->st_uid == manner->owner) &&
           (manner->group == (gid_t)-1 || file->st_gid == manner->group);
}

/* Make a file of our own such a one. -EPERM: this process may not give it to that owner or group. */
static int change(int file, const struct manner *manner)
{
    struct stat status;
    if (fstat(file, &status) < 0)
        return fs_error();
    if (fits(manner, &status))
        return 0;
    /* First who it belongs to: until then nobody else may read it. */
    const int error = fs_set_owner(file, manner->owner, manner->group);
    return error ? error : fs_set_mode(file, manner->mode);
}

static int copy(int from, int to)
{
    char block[BLOCK];
    int error = 0;
    ssize_t got;
    for (uint64_t at = 0; !error && (got = io_read_at(from, block, sizeof block, at)) != 0; at += (uint64_t)got)
        error = got < 0 ? (int)got : io_write_all(to, block, (size_t)got);
    return error ? error : fs_sync_data(to);
}

/* ---- files ------------------------------------------------------------------------ */

/* Exchanged, since a replacement would bring back a file that has just gone. */
static int put_in_place(int tmp, const char *copied, int dir, const char *name)
{
    const int error = fs_exchange(tmp, copied, dir, name);
    if (error != -EINVAL && error != -ENOSYS)
        return error;
    const int has = fs_has(dir, name);
    return has == 1 ? fs_replace(tmp, copied, dir, name) : has < 0 ? has : -ENOENT;
}

/* Make tmp/name a copy, open in `ret_made`. */
static int make_copy(int tmp, const char *name, int file, const struct manner *manner, int *ret_made)
{
    const int made = fs_make_file(tmp, name, FS_FILE_MODE);
    if (made < 0)
        return made;
    int error = copy(file, made);
    if (!error)
        error = change(made, manner);
    if (error) {
        fs_unlink(tmp, name);
        close(made);
        return error;
    }
    *ret_made = made;
    return 0;
}

static int replace_by_copy(int tmp, int file, const struct manner *manner, int dir, const char *name)
{
    struct stat status;
    char copied[32];
    int made;
    if (fstat(file, &status) < 0)
        return fs_error();
    snprintf(copied, sizeof copied, "copy-%016" PRIx64, id_random());
    int error = make_copy(tmp, copied, file, manner, &made);
    if (error)
        return error;
    error = put_in_place(tmp, copied, dir, name);
    if (!error) /* when it was written; not before, or a sweep takes it for abandoned */
        (void)futimens(made, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, status.st_mtim});
    fs_unlink(tmp, copied);
    close(made);
    return error;
}

int adopt_copy(int queue_dir, unsigned sharing, int file, int tmp, const char *name)
{
    struct manner manner;
    int made, error = manner_of(queue_dir, sharing, &manner);
    if (!error)
        error = make_copy(tmp, name, file, &manner, &made);
    if (!error)
        close(made);
    return error;
}

static int replace(int queue_dir, const struct manner *manner, int dir, const char *name)
{
    const int tmp = fs_open_passage(queue_dir, "tmp");
    if (tmp < 0)
        return tmp;
    const int file = fs_open_file(dir, name);
    const int error = file < 0 ? file : replace_by_copy(tmp, file, manner, dir, name);
    if (file >= 0)
        close(file);
    close(tmp);
    return error;
}

int adopt_file_as(int queue_dir, unsigned sharing, const struct fs_identity *identity, int dir, const char *name,
                  struct adopt_look *look)
{
    struct manner manner = {0};
    const int error = identity ? 0 : manner_of(queue_dir, sharing, &manner);
    if (error)
        return error;
    if (identity)
        manner = manner_in(sharing, identity->owner, identity->group);
    if (!look->is_known && fstatat(dir, name, &look->status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    look->is_known = true;
    return fits(&manner, &look->status) ? 0 : replace(queue_dir, &manner, dir, name);
}

int adopt_file(int queue_dir, unsigned sharing, int dir, const char *name)
{
    struct adopt_look look = {.is_known = false};
    return adopt_file_as(queue_dir, sharing, NULL, dir, name, &look);
}

/* ---- drafts ----------------------------------------------------------------------- */

static int replace_draft(const struct manner *manner, struct fs_draft *draft, struct fs_draft *copied)
{
    int error = copy(draft->file, copied->file);
    if (!error)
        error = change(copied->file, manner);
    fs_draft_close(error ? copied : draft);
    if (!error)
        *draft = *copied;
    return error;
}

int adopt_draft(int queue_dir, unsigned sharing, struct fs_draft *draft)
{
    struct manner manner;
    struct fs_draft copied;
    int error = manner_of(queue_dir, sharing, &manner);
    if (!error)
        error = change(draft->file, &manner);
    if (error != -EPERM)
        return error;
    error = fs_draft_open(&copied, queue_dir, "tmp", manner.mode);
    return error ? error : replace_draft(&manner, draft, &copied);
}

int adopt_unnamed(int queue_dir, unsigned sharing, struct fs_draft *draft)
{
    struct manner manner;
    struct fs_draft copied;
    int error = manner_of(queue_dir, sharing, &manner);
    if (!error)
        error = fs_draft_open_named(&copied, queue_dir, "tmp", manner.mode);
    return error ? error : replace_draft(&manner, draft, &copied);
}
