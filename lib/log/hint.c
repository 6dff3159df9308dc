/* The hint of where a log ends. */
#include "log/hint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/io.h"
#include "base/put.h"
#include "format/log_name.h"

#define NAME "hint"
#define DIGITS 16
#define LINE_SIZE (DIGITS + 1 + HINT_BOOT_SIZE + 1)

static bool know_boot(struct hint *hint)
{
    if (hint->knows_boot)
        return true;
    const int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    hint->knows_boot = file >= 0 && io_read_full(file, hint->boot, sizeof hint->boot) == sizeof hint->boot;
    if (file >= 0)
        close(file);
    return hint->knows_boot;
}

/* A file that somebody removed is made again. Without it the end is found by listing. */
static bool open_file(struct hint *hint, int dir)
{
    if (hint->file >= 0)
        return true;
    hint->file = fs_open_shared_below(dir, ".", NAME, true);
    if (hint->file == -ENOENT)
        hint->file = fs_make_file(dir, NAME, FS_FILE_MODE);
    return hint->file >= 0;
}

bool hint_read(struct hint *hint, int dir, uint64_t *ret_offset)
{
    char line[LINE_SIZE];
    if (!open_file(hint, dir) || io_read_at(hint->file, line, sizeof line, 0) != sizeof line || line[DIGITS] != ' ')
        return false;
    line[DIGITS] = '\0';
    return know_boot(hint) && memcmp(line + DIGITS + 1, hint->boot, sizeof hint->boot) == 0 &&
           log_name_parse(line, ret_offset);
}

void hint_write(struct hint *hint, int dir, uint64_t offset)
{
    char line[LINE_SIZE];
    if (!open_file(hint, dir) || !know_boot(hint))
        return;
    char *end = put_hex(line, offset, DIGITS);
    *end++ = ' ';
    *put_bytes(end, hint->boot, sizeof hint->boot) = '\n';
    if (pwrite(hint->file, line, sizeof line, 0) < 0)
        return; /* the next process lists */
}
