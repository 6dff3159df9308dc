/* Files of a moment. */
#include "io/temporary.h"

#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "message/oversize.h"

#define CHUNK 65536

int temporary_open(void)
{
    const char *said = getenv("TMPDIR");
    const int file = open(said && *said ? said : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0)
        return file;
    const int memory = memfd_create("mq", MFD_CLOEXEC);
    return memory < 0 ? -errno : memory;
}

static int copy_body(mq_message *message, int file)
{
    char chunk[CHUNK];
    ssize_t got;
    int error = 0;
    while (!error && (got = mq_message_read(message, chunk, sizeof chunk)) != 0)
        error = got < 0 ? (int)got : fs_write_all(file, chunk, (size_t)got);
    return error;
}

int temporary_of_body(mq_message *message)
{
    const int file = temporary_open();
    int error = file < 0 ? file : oversize_expect_room(file, mq_message_size(message));
    if (!error)
        error = copy_body(message, file);
    if (!error)
        return file;
    if (file >= 0)
        close(file);
    return error;
}
