/* FIFOs, by which processes wake one another. */
#include "base/fs_fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

static int result(int returned)
{
    return returned < 0 ? -errno : returned;
}

int fs_make_fifo(int at, const char *name, mode_t mode)
{
    char hidden[NAME_MAX];
    snprintf(hidden, sizeof hidden, ".%s", name);
    if (mkfifoat(at, hidden, FS_FILE_MODE) < 0)
        return -errno;
    const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
    int fifo = result(openat(at, hidden, flags));
    if (fifo == -EACCES && fchmodat(at, hidden, FS_FILE_MODE, AT_SYMLINK_NOFOLLOW) == 0) /* because of the umask */
        fifo = result(openat(at, hidden, flags));
    int error = fifo >= 0 ? fs_override_umask(fifo, mode) : 0;
    if (!error)
        error = fifo < 0 ? fifo : fs_rename(at, hidden, at, name);
    if (!error)
        return fifo;
    fs_unlink(at, hidden);
    if (fifo >= 0)
        close(fifo);
    return error;
}

#define FIFO_FLAGS (O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)

/* Another user may have put something else under the name. */
static int check_fifo(int fifo)
{
    struct stat status;
    if (fifo < 0 || (fstat(fifo, &status) == 0 && S_ISFIFO(status.st_mode)))
        return fifo;
    close(fifo);
    return -EBADMSG;
}

int fs_open_fifo(int at, const char *name)
{
    return check_fifo(result(openat(at, name, O_WRONLY | FIFO_FLAGS)));
}

int fs_open_fifo_below(int at, const char *parent, const char *name)
{
    return check_fifo(fs_open_below(at, parent, name, O_WRONLY | FIFO_FLAGS));
}

int fs_open_own_fifo(int at, const char *name)
{
    return check_fifo(result(openat(at, name, O_RDWR | FIFO_FLAGS)));
}
