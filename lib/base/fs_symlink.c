/* Symbolic links that hold a line of text. */
#include "base/fs_symlink.h"

#include <errno.h>
#include <unistd.h>

int fs_make_symlink(int at, const char *name, const char *text)
{
    return symlinkat(text, at, name) < 0 ? -errno : 0;
}

int fs_read_symlink(int at, const char *name, char *ret_text, size_t size)
{
    const ssize_t length = readlinkat(at, name, ret_text, size);
    if (length < 0)
        return errno == ENOENT ? 0 : errno == EINVAL ? -EBADMSG : -errno;
    if ((size_t)length == size)
        return -EBADMSG;
    ret_text[length] = '\0';
    return 1;
}
