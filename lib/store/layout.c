/* The directories that a queue consists of. */
#include "store/layout.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/name.h"
#include "format/spool_name.h"
#include "store/access.h"
#include "store/bucket.h"

struct part {
    const char *name;
    enum access_entry entry;
};

/* Every queue has these, and the directories of the states. */
static const struct part tmp = {"tmp", ACCESS_WORK};
static const struct part host_parts[] = {{"waiters", ACCESS_WORK}, {"host", ACCESS_DIR}};

/* A private queue gets these when they are needed. A shared queue has them from the beginning: only its owner could
   make them later. */
static const struct part shared_parts[] = {{"failures", ACCESS_DIR}, {"done", ACCESS_DIR}, {"sent", ACCESS_DIR}};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool has_part(const struct part *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

bool layout_has_dir(const char *name)
{
    return name_is_of_state(name) || strcmp(name, tmp.name) == 0 || has_part(host_parts, COUNT(host_parts), name) ||
           has_part(shared_parts, COUNT(shared_parts), name) || strcmp(name, "aside") == 0 ||
           strcmp(name, "lanes") == 0;
}

/* Many things have a tmp/, so that one does not count. */
int layout_is_queue(int dir)
{
    int has = 0;
    for (int state = 0; state < MQ_STATES && has == 0; state++)
        has = fs_has(dir, name_of_state((enum mq_state)state));
    for (size_t i = 0; i < COUNT(host_parts) && has == 0; i++)
        has = fs_has(dir, host_parts[i].name);
    return has;
}

int layout_is_other(int dir)
{
    const int has = fs_has(dir, LAYOUT_LOG);
    return has ? has : fs_has(dir, LAYOUT_TOPIC);
}

static int make_part(int queue_dir, unsigned sharing, const struct part *part)
{
    const int error = fs_make_dir(queue_dir, part->name);
    return error == -EEXIST ? 0 : error ? error : access_apply(sharing, part->entry, queue_dir, part->name);
}

static int make_parts(int queue_dir, unsigned sharing, const struct part *list, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = make_part(queue_dir, sharing, &list[i]);
    return error;
}

static int make_states(int queue_dir, unsigned sharing)
{
    int error = 0;
    for (int state = 0; state < MQ_STATES && !error; state++) {
        const struct part part = {name_of_state((enum mq_state)state),
                                  state == MQ_DELAYED ? ACCESS_DELAYED : ACCESS_DIR};
        error = make_part(queue_dir, sharing, &part);
    }
    return error;
}

int spool_make_dirs(int queue_dir, unsigned sharing)
{
    int error = make_part(queue_dir, sharing, &tmp);
    if (!error)
        error = make_states(queue_dir, sharing);
    if (!error)
        error = make_parts(queue_dir, sharing, host_parts, COUNT(host_parts));
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

int spool_make_whole(int spool, const char *name, spool_fill_fn *fill, const void *context)
{
    char pending[NAME_PENDING_SIZE];
    name_format_pending(NAME_NEW, name + (*name == '.'), id_random(), pending);
    int error = fs_make_dir(spool, pending);
    if (error)
        return error;
    const int dir = fs_open_dir(spool, pending);
    error = dir < 0 ? dir : fill(dir, context);
    if (!error)
        error = fs_rename(spool, pending, spool, name);
    if (dir >= 0)
        close(dir);
    if (error)
        (void)spool_remove_tree(spool, pending);
    return error == -ENOTEMPTY ? -EEXIST : error;
}
