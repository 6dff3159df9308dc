/* Tables of counters: the files. page_words.c counts. */
#include "store/counts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "store/page_layout.h"

#define HOST "host"
#define SIZE_MAX_OF_TABLE (64u << 20)

/* The first slot of the file is this. */
static const char magic[sizeof(struct page_slot)] = "mqcounts01";

struct counts {
    struct page_slot *slots;
    size_t size; /* of the file */
    int file;
};

static size_t room_of(size_t size)
{
    return size / sizeof(struct page_slot) - 1;
}

/* Half of the slots stay free. */
static size_t size_for(size_t things)
{
    size_t size = PAGE_SIZE;
    while (room_of(size) < 2 * things && size < SIZE_MAX_OF_TABLE)
        size *= 2;
    return size;
}

/* A process that only looks has a copy: another user may cut the file short, and a mapped one would end the process.
   The descriptor is the table's then, or closed. */
static struct counts *map(int file, size_t size, bool shared)
{
    struct counts *counts = malloc(sizeof *counts);
    void *slots = mmap(NULL, size, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
                       shared ? file : -1, 0);
    const bool is_read = slots != MAP_FAILED && (shared || io_read_at(file, slots, size, 0) >= 0);
    if (counts && is_read) {
        *counts = (struct counts){.slots = slots, .size = size, .file = file};
        return counts;
    }
    if (slots != MAP_FAILED)
        munmap(slots, size);
    free(counts);
    close(file);
    return NULL;
}

void counts_close(struct counts *counts)
{
    if (!counts)
        return;
    munmap(counts->slots, counts->size);
    close(counts->file);
    free(counts);
}

static bool is_whole(int file, size_t *ret_size)
{
    struct stat status;
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)
        return false;
    *ret_size = (size_t)status.st_size;
    return status.st_size >= PAGE_SIZE && status.st_size <= SIZE_MAX_OF_TABLE && status.st_size % PAGE_SIZE == 0;
}

static struct counts *open_table(int dir, const char *host_name, bool writable)
{
    size_t size;
    const int file = fs_open_shared_below(dir, HOST, host_name, writable);
    if (file < 0)
        return NULL;
    if (!is_whole(file, &size)) {
        close(file);
        return NULL;
    }
    struct counts *counts = map(file, size, writable);
    if (counts && memcmp(counts->slots, magic, sizeof magic) == 0)
        return counts;
    counts_close(counts);
    return NULL;
}

/* The blocks are allocated now: on a full disk, storing into a page without blocks would be SIGBUS. */
static struct counts *make_table(int tmp, const char *name, size_t size, mode_t mode)
{
    const int file = fs_make_file(tmp, name, mode);
    if (file < 0)
        return NULL;
    struct counts *counts = NULL;
    const bool is_shared = mode & 077;
    if (posix_fallocate(file, 0, (off_t)size) == 0 && (is_shared || fs_give_to_owner_of(tmp, name) == 0))
        counts = map(file, size, true);
    else
        close(file);
    if (counts)
        memcpy(counts->slots, magic, sizeof magic);
    return counts;
}

static int install(int dir, int tmp, const char *name, const char *host_name, bool replaces)
{
    (void)fs_make_dir(dir, HOST);
    const int host = fs_open_dir(dir, HOST);
    if (host < 0)
        return host;
    const int error = replaces ? fs_replace(tmp, name, host, host_name) : fs_rename(tmp, name, host, host_name);
    close(host);
    return error;
}

static bool is_there(int dir, const char *host_name)
{
    char path[sizeof HOST "/" + COUNTS_NAME_SIZE];
    snprintf(path, sizeof path, HOST "/%s", host_name);
    return fs_exists(dir, path);
}

/* A table of this size, with what the old one counted; NULL: there was none that can be read. */
static struct counts *make(int dir, const char *host_name, const struct counts *old, size_t size, mode_t mode)
{
    char name[32];
    snprintf(name, sizeof name, "counts-%016" PRIx64, id_random());
    const int tmp = fs_open_dir(dir, "tmp");
    if (tmp < 0)
        return NULL;
    struct counts *counts = make_table(tmp, name, size, mode);
    if (counts && old)
        page_slots_copy(old->slots + 1, room_of(old->size), counts->slots + 1, room_of(size));
    if (counts && install(dir, tmp, name, host_name, old || is_there(dir, host_name)) < 0) {
        counts_close(counts);
        counts = NULL;
    }
    if (!counts)
        (void)fs_unlink(tmp, name);
    close(tmp);
    return counts;
}

/* Of several users each has a table of their own, and uses no other one that has its name. */
static struct counts *open_own(int dir, const char *host_name, mode_t mode)
{
    struct stat status;
    struct counts *counts = open_table(dir, host_name, true);
    if (!counts || !(mode & 077) || (fstat(counts->file, &status) == 0 && status.st_uid == geteuid()))
        return counts;
    counts_close(counts);
    return NULL;
}

struct counts *counts_open(int dir, const char *host_name, size_t things, mode_t mode)
{
    const size_t size = size_for(things);
    struct counts *counts = open_own(dir, host_name, mode);
    if (counts && counts->size >= size)
        return counts;
    struct counts *larger = make(dir, host_name, counts, size, mode);
    if (!larger) /* another process may have been first */
        return counts ? counts : open_own(dir, host_name, mode);
    counts_close(counts);
    return larger;
}

bool counts_are_current(const struct counts *counts, size_t things)
{
    size_t size;
    return is_whole(counts->file, &size) && size == counts->size && size >= size_for(things);
}

void counts_add(struct counts *counts, uint64_t key, uint64_t number)
{
    if (counts)
        page_slots_add(counts->slots + 1, room_of(counts->size), key, number);
}

/* ---- looking --------------------------------------------------------------------------------- */

struct walk {
    int dir;
    struct counts_all *all;
};

static int add_table(void *context, const char *name, unsigned char type)
{
    const struct walk *walk = context;
    struct counts_all *all = walk->all;
    struct counts *counts = type == DT_REG ? open_table(walk->dir, name, false) : NULL;
    if (!counts)
        return 0;
    if (!GROW(all->list, all->count + 1, all->room)) {
        counts_close(counts);
        return -ENOMEM;
    }
    all->list[all->count++] = counts;
    return 0;
}

int counts_open_all(int dir, struct counts_all *ret_all)
{
    *ret_all = (struct counts_all){0};
    const int error = fs_list_at(dir, HOST, add_table, &(struct walk){dir, ret_all});
    if (error && error != -ENOENT)
        counts_close_all(ret_all);
    return error == -ENOENT ? 0 : error;
}

uint64_t counts_read_all(const struct counts_all *all, uint64_t key)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < all->count; i++)
        sum += page_slots_read(all->list[i]->slots + 1, room_of(all->list[i]->size), key);
    return sum;
}

void counts_close_all(struct counts_all *all)
{
    for (size_t i = 0; i < all->count; i++)
        counts_close(all->list[i]);
    free(all->list);
    *all = (struct counts_all){0};
}
