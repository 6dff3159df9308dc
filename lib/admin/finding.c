/* Findings of a check. */
#include "admin/finding.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "format/batch.h"
#include "format/decode.h"
#include "queue/aside.h"
#include "queue/blame.h"

/* ---- findings ---------------------------------------------------------------------- */

void finding_tell(struct check *check, const char *place, const char *name, const char *problem)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s%s%s", check->above ? check->above : "", place, *place ? "/" : "", name);
    check->each(path, problem, check->context);
    check->found++;
}

int finding_report(struct check *check, const char *place, const char *name, const char *problem)
{
    const int error = check->repair ? aside_put(check->home, check->dir, name) : 0;
    if (error == -ENOENT)
        return 0; /* another process has moved it, so it belonged here */
    finding_tell(check, place, name, problem);
    if (error)
        check->left = error;
    return 0;
}

/* ---- messages ---------------------------------------------------------------------- */

const char *finding_type(unsigned char type)
{
    switch (type) {
    case DT_DIR:
        return "a directory where only messages belong";
    case DT_LNK:
        return "a symbolic link";
    default:
        return "not a regular file";
    }
}

/* Whether a message can be read. */
static int read_message(void *context, const struct message_name *name)
{
    mq_message *message = NULL;
    const int file = dup(*(const int *)context);
    const int error = file < 0 ? -errno : decode_file(file, name, &message);
    if (!error)
        mq_message_free(message);
    else if (file >= 0)
        close(file);
    return error;
}

/* 0: the file is whole, or gone; -EBADMSG: it is not whole; any other negative errno: that cannot be known. */
int finding_in_content(const mq_queue *queue, int dir, const char *file_name, const struct message_name *name)
{
    int file = fs_open_file(dir, file_name);
    if (file < 0)
        return file == -ENOENT ? 0 : blame_file(queue, dir, file_name, file);
    const int error = name->count == 1 ? read_message(&file, name) : batch_walk(file, name, read_message, &file);
    close(file);
    return error == -ENOENT ? 0 : error; /* another host has removed it */
}

/* ---- directories -------------------------------------------------------------------- */

int finding_list(struct check *check, int dir, fs_list_fn *each)
{
    if (dir < 0)
        return dir;
    check->dir = dir;
    const int error = fs_list_at(dir, ".", each, check);
    close(dir);
    return error;
}

int finding_list_later(struct check *check, const char *name, fs_list_fn *each)
{
    const int error = finding_list(check, fs_open_dir(check->home, name), each);
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ? 0 : error;
}

int finding_list_inside(struct check *check, const char *name, fs_list_fn *each)
{
    const int outer = check->dir, dir = fs_open_dir(outer, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    check->bucket = name;
    const int error = finding_list(check, dir, each);
    check->dir = outer;
    return error;
}
