/* Whether an error is the fault of one message. */
#include "queue/blame.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/held.h"

/* In a shared queue the file may belong to another user, who has taken away the permission. In a private queue this
   process asks for the permission of the file once more, since the error may concern something else. */
static bool is_closed(const mq_queue *queue, int dir, const char *file, int error)
{
    if (error != -EACCES && error != -EPERM)
        return false;
    return access_is_shared(queue->sharing) || fs_may(dir, file, R_OK) == -EACCES;
}

int blame_file(const mq_queue *queue, int dir, const char *file, int error)
{
    return error == -EMLINK || is_closed(queue, dir, file, error) ? -EBADMSG : error;
}

bool blame_is_too_large(const mq_queue *queue, uint64_t body_size)
{
    return access_has_inbox(queue->sharing) && body_size > queue->config.max_size;
}

bool blame_is_stuck(int dir, int error)
{
    return error == -EPERM && fs_may(dir, ".", W_OK | X_OK) == 0;
}

void blame_note(int error, int *first_error)
{
    if (error < 0 && error != -ENOENT && !held_is_forbidden(error) && *first_error == 0)
        *first_error = error;
}
