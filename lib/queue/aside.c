/* aside/: what was found in a queue and does not belong there. */
#include "queue/aside.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"

static int open_aside(const mq_queue *queue)
{
    const int aside = fs_open_dir(queue->dir, "aside");
    if (aside != -ENOENT)
        return aside;
    const int error = fs_make_dir(queue->dir, "aside");
    return error < 0 && error != -EEXIST ? error : fs_open_dir(queue->dir, "aside");
}

/* A random number is added to the name, since several directories may have held something of the same name. */
static int move_aside(int aside, int dir, const char *name)
{
    char aside_name[NAME_MAX + 1];
    snprintf(aside_name, sizeof aside_name, "%.200s~%016" PRIx64, name, id_random());
    return fs_rename(dir, name, aside, aside_name);
}

int aside_put(const mq_queue *queue, int dir, const char *name)
{
    const int aside = open_aside(queue);
    if (aside < 0)
        return aside;
    const int error = move_aside(aside, dir, name);
    close(aside);
    return (error == -EACCES || error == -EPERM) && fs_remove_dir(dir, name) == 0 ? 0 : error;
}
