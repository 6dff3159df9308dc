/* The directories that a queue consists of. */
#include "store/layout.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/name.h"
#include "store/access.h"
#include "store/bucket.h"

struct part {
    const char *name;
    enum access_entry entry;
};

static const struct part parts[] = {
    {"tmp", ACCESS_WORK}, {"ready", ACCESS_DIR},    {"delayed", ACCESS_DELAYED}, {"inflight", ACCESS_DIR},
    {"dead", ACCESS_DIR}, {"waiters", ACCESS_WORK}, {"host", ACCESS_DIR},
};

/* A private queue gets these when they are needed. In a shared queue only the owner could make them then. */
static const struct part shared_parts[] = {{"failures", ACCESS_DIR}, {"done", ACCESS_DIR}, {"sent", ACCESS_DIR}};
#define COUNT(array) (sizeof(array) / sizeof *(array))

int layout_is_queue(int dir)
{
    int has = fs_has(dir, name_of_state(MQ_READY));
    for (size_t i = 0; i < COUNT(parts) && has == 0; i++)
        has = strcmp(parts[i].name, "tmp") == 0 ? 0 : fs_has(dir, parts[i].name); /* many things have a tmp/ */
    return has;
}

static int make_parts(int queue_dir, unsigned sharing, const struct part *list, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        error = fs_make_dir(queue_dir, list[i].name);
        if (!error)
            error = access_apply(sharing, list[i].entry, queue_dir, list[i].name);
        else if (error == -EEXIST)
            error = 0;
    }
    return error;
}

int spool_make_dirs(int queue_dir, unsigned sharing)
{
    int error = make_parts(queue_dir, sharing, parts, COUNT(parts));
    if (!error && access_is_shared(sharing))
        error = make_parts(queue_dir, sharing, shared_parts, COUNT(shared_parts));
    return error ? error : bucket_make_reserves(queue_dir, sharing);
}

int spool_heal(int queue_dir)
{
    unsigned sharing;
    const int is = layout_is_queue(queue_dir);
    if (is != 1)
        return is ? is : -ENOTDIR;
    int error = access_read(queue_dir, &sharing);
    if (!error)
        error = spool_make_dirs(queue_dir, sharing);
    return error == -EPERM ? 0 : error; /* another user's directories keep their modes, which only that user can set */
}

static int remove_entry(void *context, const char *name, unsigned char type)
{
    const int dir = *(const int *)context;
    return type == DT_DIR ? spool_remove_tree(dir, name) : fs_unlink(dir, name);
}

static int remove_content(int at, const char *name)
{
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    int error;
    /* A listing may miss entries while others are removed: list again, until the directory is found empty. */
    do
        error = fs_list_at(dir, ".", remove_entry, &(int){dir});
    while (error == -ENOENT);
    close(dir);
    return error;
}

int spool_remove_tree(int at, const char *name)
{
    int error;
    do {
        error = remove_content(at, name);
        if (!error)
            error = fs_remove_dir(at, name);
    } while (error == -ENOTEMPTY);
    return error == -ENOENT ? 0 : error;
}
