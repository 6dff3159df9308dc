/* Listing directories. */
#include "base/fs_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

static unsigned char entry_type(int dir, const struct dirent64 *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dir, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return DT_REG; /* removed or forbidden: the caller finds out when opening it */
    return (unsigned char)IFTODT(status.st_mode);
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

typedef int entry_fn(void *context, const struct dirent64 *entry);

static int list_entries(int dir, entry_fn *each, void *context)
{
    _Alignas(struct dirent64) char buffer[32768];
    for (;;) {
        const ssize_t filled = getdents64(dir, buffer, sizeof buffer);
        if (filled <= 0)
            return filled < 0 ? fs_error_unless_gone() : 0; /* gone: the directory was removed */
        for (ssize_t at = 0; at < filled;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
            at += entry->d_reclen;
            if (is_dot(entry->d_name))
                continue;
            const int stop = each(context, entry);
            if (stop)
                return stop;
        }
    }
}

struct listing_of_types {
    int dir;
    fs_list_fn *each;
    void *context;
};

static int with_type(void *context, const struct dirent64 *entry)
{
    const struct listing_of_types *listing = context;
    return listing->each(listing->context, entry->d_name, entry_type(listing->dir, entry));
}

int fs_list(int dir, fs_list_fn *each, void *context)
{
    return list_entries(dir, with_type, &(struct listing_of_types){dir, each, context});
}

int fs_list_again(int dir, fs_list_fn *each, void *context)
{
    return lseek(dir, 0, SEEK_SET) < 0 ? -errno : fs_list(dir, each, context);
}

struct listing_of_numbers {
    fs_list_numbers_fn *each;
    void *context;
};

static int with_number(void *context, const struct dirent64 *entry)
{
    const struct listing_of_numbers *listing = context;
    return listing->each(listing->context, entry->d_name, entry->d_ino);
}

int fs_list_numbers(int at, const char *name, fs_list_numbers_fn *each, void *context)
{
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    const int returned = list_entries(dir, with_number, &(struct listing_of_numbers){each, context});
    close(dir);
    return returned;
}

int fs_list_at(int at, const char *name, fs_list_fn *each, void *context)
{
    const int dir = fs_open_dir(at, name);
    if (dir < 0)
        return dir;
    const int returned = fs_list(dir, each, context);
    close(dir);
    return returned;
}
