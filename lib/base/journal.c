/* Whether a file system commits names and contents in order. */
#include "base/journal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs_network.h"

#define OPTIONS_MAX 4096

/* The kernel's name of the device that a file lies on. False: it is unknown. */
static bool find_device(int file, char ret_name[NAME_MAX])
{
    struct stat status;
    char path[64], target[PATH_MAX];
    if (fstat(file, &status) < 0)
        return false;
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0)
        return false;
    target[size] = '\0';
    const char *slash = strrchr(target, '/');
    return snprintf(ret_name, NAME_MAX, "%s", slash ? slash + 1 : target) < NAME_MAX;
}

/* The list has one option on each line. Without a journal it has no `data`. */
static bool says_ordered(const char *options)
{
    return strstr(options, "\ndata=ordered\n") || strstr(options, "\ndata=journal\n");
}

static bool is_ordered_ext4(int file)
{
    char device[NAME_MAX], path[NAME_MAX + 32], options[OPTIONS_MAX];
    if (!find_device(file, device))
        return false;
    snprintf(path, sizeof path, "/proc/fs/ext4/%s/options", device);
    const int list = open(path, O_RDONLY | O_CLOEXEC);
    if (list < 0)
        return false;
    const ssize_t size = read(list, options, sizeof options - 1);
    close(list);
    options[size > 0 ? size : 0] = '\0';
    return says_ordered(options);
}

bool journal_of_type_keeps_order(unsigned long type, int file)
{
    return type == XFS_SUPER_MAGIC || (type == EXT4_SUPER_MAGIC && is_ordered_ext4(file));
}

bool journal_keeps_order(int file)
{
    unsigned long type = 0;
    return fs_find_type(file, &type) == 0 && journal_of_type_keeps_order(type, file);
}
