/* The file of the host page: opening, making, mapping and installing it, and whether it is of this boot. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs_network.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "store/page_layout.h"

static const char magic[8] = {'m', 'q', 'p', 'a', 'g', 'e', '0', '3'};

/* The first line of a small file; empty if it cannot be read. */
static void read_line(const char *path, char *ret_line, size_t size)
{
    ret_line[0] = '\0';
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    const ssize_t got = read(file, ret_line, size - 1);
    close(file);
    ret_line[got > 0 ? got : 0] = '\0';
    ret_line[strcspn(ret_line, "\n")] = '\0';
}

static void read_boot_id(char ret_boot[sizeof((struct contents *)0)->boot])
{
    memset(ret_boot, 0, sizeof((struct contents *)0)->boot);
    read_line("/proc/sys/kernel/random/boot_id", ret_boot, sizeof((struct contents *)0)->boot);
}

void page_host_name(char ret_name[PAGE_NAME_SIZE])
{
    read_line("/etc/machine-id", ret_name, PAGE_NAME_SIZE);
    if (id_is_valid(ret_name))
        return;
    struct utsname host;
    uname(&host);
    snprintf(ret_name, PAGE_NAME_SIZE, "host-%.64s", host.nodename);
    for (char *c = ret_name; *c; c++)
        if (*c == '/' || (unsigned char)*c <= ' ')
            *c = '_';
}

/* What is noted of a mount. Noise is neither. */
#define LOCAL_MOUNT UINT64_C(0x4c6f63616c667321)
#define NETWORK_MOUNT UINT64_C(0x4e65740000000000)
#define MOUNT_DEVICE UINT64_C(0x000000ffffffffff)

enum page_mount page_mount(const struct page *page)
{
    const uint64_t noted = page_read_word(&page->contents->mount);
    if (noted == LOCAL_MOUNT)
        return PAGE_LOCAL;
    return (noted & ~MOUNT_DEVICE) == NETWORK_MOUNT ? PAGE_NETWORK : PAGE_UNKNOWN;
}

int page_note_mount(struct page *page, int queue_dir)
{
    struct stat status;
    const int is_network = fs_is_network(queue_dir);
    if (is_network < 0 || (is_network && fstat(queue_dir, &status) < 0))
        return is_network < 0 ? is_network : -errno;
    page_write_word(&page->contents->mount, is_network ? NETWORK_MOUNT | (status.st_dev & MOUNT_DEVICE) : LOCAL_MOUNT);
    return 0;
}

/* Noise does not make it, nor do the words of two readings. */
static uint64_t check_of(const struct page_clock *clock)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    return (((uint64_t)clock->time * odd ^ (uint64_t)clock->boot) * odd ^ (uint64_t)clock->real) * odd + 1;
}

bool page_clock(const struct page *page, struct page_clock *ret_clock)
{
    const struct contents *contents = page->contents;
    *ret_clock = (struct page_clock){
        .time = (int64_t)page_read_word(&contents->clock.time),
        .boot = (int64_t)page_read_word(&contents->clock.boot),
        .real = (int64_t)page_read_word(&contents->clock.real),
    };
    return page_read_word(&contents->clock.check) == check_of(ret_clock);
}

void page_note_clock(struct page *page, const struct page_clock *clock)
{
    struct contents *contents = page->contents;
    page_write_word(&contents->clock.time, (uint64_t)clock->time);
    page_write_word(&contents->clock.boot, (uint64_t)clock->boot);
    page_write_word(&contents->clock.real, (uint64_t)clock->real);
    page_write_word(&contents->clock.check, check_of(clock));
}

static bool is_of_other_mount(const struct page *page)
{
    return page_mount(page) == PAGE_NETWORK &&
           (page_read_word(&page->contents->mount) & MOUNT_DEVICE) != (page->identity.device & MOUNT_DEVICE);
}

static void name_by_mount(const struct page *page, char name[PAGE_NAME_SIZE])
{
    char host[PAGE_NAME_SIZE - sizeof "-m0123456789"];
    snprintf(host, sizeof host, "%.*s", (int)sizeof host - 1, name);
    snprintf(name, PAGE_NAME_SIZE, "%s-m%" PRIx64, host, (uint64_t)page->identity.device & MOUNT_DEVICE);
}

static struct page *new_handle(struct contents *contents, int file)
{
    struct page *page = malloc(sizeof *page);
    if (page)
        *page = (struct page){.contents = contents, .file = file};
    return page;
}

/* A page that is only looked at is not shared: if it is written to nevertheless, no other process sees that. */
static struct contents *map_file(int file, bool shared)
{
    void *map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, file, 0);
    return map == MAP_FAILED ? NULL : map;
}

static bool has_shape(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_size == PAGE_SIZE && status->st_nlink == 1;
}

static bool is_whole(int file, struct stat *ret_status)
{
    return fstat(file, ret_status) == 0 && has_shape(ret_status);
}

static bool is_page(struct contents *contents)
{
    return memcmp(contents->magic, magic, sizeof magic) == 0;
}

/* While the moment of the boot, by the clock, is the one that the page has noted, the boot id need not be read, which
   takes three system calls. That moment changes when the clock is set. Two boots have the same one only if both began
   with the same wrong time. A page of an earlier boot that is taken for one of this boot is a stale hint and does no
   more harm. */
#define BOOT_DRIFT CLOCK_SECOND

static bool was_booted_at(const struct contents *contents, int64_t moment)
{
    const int64_t noted = (int64_t)page_read_word(&contents->booted_at);
    return noted >= moment - BOOT_DRIFT && noted <= moment + BOOT_DRIFT;
}

static bool is_of_this_boot(struct contents *contents)
{
    char boot[sizeof contents->boot];
    const int64_t booted_at = clock_booted_at();
    if (!is_page(contents) || was_booted_at(contents, booted_at))
        return is_page(contents);
    read_boot_id(boot);
    if (memcmp(contents->boot, boot, sizeof boot) != 0)
        return false;
    page_write_word(&contents->booted_at, (uint64_t)booted_at);
    return true;
}

static int open_page(int queue_dir, const char *host_name, bool writable, bool is_good(struct contents *),
                     struct page **ret_page)
{
    const int file = fs_open_shared_below(queue_dir, "host", host_name, writable);
    struct stat status = {0};
    struct contents *contents = file >= 0 && is_whole(file, &status) ? map_file(file, writable) : NULL;
    struct page *page = contents && is_good(contents) ? new_handle(contents, file) : NULL;
    if (page) {
        page->exclusive = (status.st_mode & 0777) == FS_FILE_MODE;
        page->identity = (struct fs_identity){.device = status.st_dev, .number = status.st_ino};
        *ret_page = page;
        return 1;
    }
    const int error = file < 0 ? file : is_whole(file, &status) && !contents ? -ENOMEM : 0;
    if (contents)
        munmap(contents, PAGE_SIZE);
    if (file >= 0)
        close(file);
    return error;
}

/* Whether what is there could not be opened for want of something, and is not known. */
static bool is_unknown(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EIO || error == -EINTR;
}

int page_open(int queue_dir, const char *host_name, struct page **ret_page)
{
    return open_page(queue_dir, host_name, true, is_of_this_boot, ret_page) == 1;
}

int page_open_own(int queue_dir, char host_name[PAGE_NAME_SIZE], struct page **ret_page)
{
    const int opened = page_open(queue_dir, host_name, ret_page);
    if (opened != 1 || !is_of_other_mount(*ret_page))
        return opened;
    name_by_mount(*ret_page, host_name);
    page_close(*ret_page);
    return page_open(queue_dir, host_name, ret_page);
}

int page_open_to_look(int queue_dir, const char *host_name, struct page **ret_page)
{
    return open_page(queue_dir, host_name, false, is_of_this_boot, ret_page) == 1;
}

int page_open_foreign(int queue_dir, const char *host_name, struct page **ret_page)
{
    const int opened = open_page(queue_dir, host_name, false, is_page, ret_page);
    return opened == 1 || is_unknown(opened) ? opened : 0;
}

static void clear(struct contents *contents)
{
    memcpy(contents->magic, magic, sizeof magic);
    page_write_word(&contents->booted_at, (uint64_t)clock_booted_at());
    page_clear_words(contents);
}

/* A private page serves its process as well as any other, only slower: it gets no hints from other processes. It does not
   outlive the boot, so it does not say which one that is. */
int page_create_private(struct page **ret_page)
{
    void *map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct page *page = map == MAP_FAILED ? NULL : new_handle(map, -1);
    if (!page)
        return -ENOMEM;
    clear(page->contents);
    *ret_page = page;
    return 0;
}

int page_create(int queue_dir, mode_t mode, struct page **ret_page)
{
    char name[sizeof((struct page *)0)->tmp_name];
    snprintf(name, sizeof name, "page-%016" PRIx64, id_random());
    const int tmp = fs_open_dir(queue_dir, "tmp"), file = tmp >= 0 ? fs_make_file(tmp, name, mode) : tmp;
    if (file < 0) {
        if (tmp >= 0)
            close(tmp);
        return page_create_private(ret_page);
    }
    if (getauxval(AT_EUID) == 0)
        (void)fs_give_to_owner_of(tmp, name); /* else the owner uses a page in memory */
    /* The blocks are allocated now: on a full disk, storing into a page without blocks would be SIGBUS. */
    struct contents *contents = posix_fallocate(file, 0, PAGE_SIZE) == 0 ? map_file(file, true) : NULL;
    struct page *page = contents ? new_handle(contents, file) : NULL;
    if (!page) {
        if (contents)
            munmap(contents, PAGE_SIZE);
        close(file);
        fs_unlink(tmp, name);
        close(tmp);
        return page_create_private(ret_page);
    }
    clear(contents);
    (void)page_note_mount(page, queue_dir); /* else the handle that uses the page finds out, or fails */
    read_boot_id(contents->boot);
    memcpy(page->tmp_name, name, sizeof name);
    close(tmp);
    *ret_page = page;
    return 0;
}

static bool has_good_page(int queue_dir, const char *host_name)
{
    struct page *page;
    if (page_open(queue_dir, host_name, &page) != 1)
        return false;
    page_close(page);
    return true;
}

static int install(const char *tmp_name, int tmp, int host, int queue_dir, const char *host_name)
{
    int error = fs_rename(tmp, tmp_name, host, host_name);
    if (error == -EEXIST && !has_good_page(queue_dir, host_name))
        error = fs_replace(tmp, tmp_name, host, host_name);
    if (error)
        fs_unlink(tmp, tmp_name);
    return error == -EEXIST ? 0 : error ? error : 1;
}

int page_install(struct page *page, int queue_dir, const char *host_name)
{
    if (page_is_private(page))
        return 1;
    const int tmp = fs_open_dir(queue_dir, "tmp"), host = fs_open_dir(queue_dir, "host");
    const int installed = tmp < 0 ? tmp : host < 0 ? host : install(page->tmp_name, tmp, host, queue_dir, host_name);
    if (tmp >= 0)
        close(tmp);
    if (host >= 0)
        close(host);
    if (installed != -EISDIR)
        return installed;
    close(page->file);
    page->file = -1;
    page->displaced = true;
    return 1;
}

void page_discard(struct page *page, int queue_dir)
{
    const int tmp = page_is_private(page) ? -1 : fs_open_dir(queue_dir, "tmp");
    if (tmp >= 0) { /* else the file stays in tmp/ until a sweep removes it */
        fs_unlink(tmp, page->tmp_name);
        close(tmp);
    }
    page_close(page);
}

void page_close(struct page *page)
{
    if (!page)
        return;
    munmap(page->contents, PAGE_SIZE);
    if (page->file >= 0)
        close(page->file);
    free(page);
}

bool page_is_private(const struct page *page)
{
    return page->file < 0;
}

bool page_is_displaced(const struct page *page)
{
    return page->displaced;
}

bool page_lies_in(const struct page *page, int queue_dir, const char *queue, const char *host_name)
{
    char up[NAME_PATH_SIZE], path[sizeof up + sizeof "/host/" + PAGE_NAME_SIZE];
    struct stat status;
    if (page->identity.number == 0)
        return false;
    name_format_path_up(queue, up);
    snprintf(path, sizeof path, "%s/host/%s", up, host_name);
    return fstatat(queue_dir, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && has_shape(&status) &&
           status.st_dev == page->identity.device && status.st_ino == page->identity.number && is_page(page->contents);
}

bool page_is_exclusive(const struct page *page)
{
    return page->exclusive;
}

bool page_is_current(const struct page *page)
{
    struct stat status;
    if (page_is_private(page))
        return true;
    return is_whole(page->file, &status) && is_page(page->contents);
}
