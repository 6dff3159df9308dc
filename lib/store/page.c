/* The host page: positions, hints, counters. */
#include "store/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/average.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"

#define PAGE_SIZE 4096
#define BIRTH_MAX ((UINT64_C(1) << 52) - 1)

typedef _Atomic uint64_t word;

/* The file, word by word. A change of meaning changes the magic. */
struct contents {
    char magic[8];
    char boot[40];
    word positions[NAME_PRIORITIES];
    word heads[NAME_PRIORITIES];
    word arrivals[NAME_PRIORITIES];
    word returns;
    word times[PAGE_TIMES];
    word recounted;
    word messages[MQ_STATES];
    word bytes;
    word counters[PAGE_COUNTERS];
    word averaged_at;
    struct {
        word counted;            /* of its counter, so far */
        word averages[MQ_SPANS]; /* in millionths of a message a second */
    } rates[PAGE_RATES];
    word held[MQ_HELD_BUCKETS];
    word held_total;
    word splits;
    word leader;
    word followers;
    word booted_at; /* by the clock, the last time that the boot id was compared */
    word outbox;
};
_Static_assert(sizeof(struct contents) <= PAGE_SIZE, "the page is one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free to be shared between processes");

static const char magic[8] = {'m', 'q', 'p', 'a', 'g', 'e', '0', '2'};

struct page {
    struct contents *contents;
    int file; /* -1: private */
    bool exclusive, displaced;
    struct fs_identity identity; /* of the file, if it was opened by its name */
    char tmp_name[24];
};

/* ---- the file ------------------------------------------------------------------- */

/* The first line of a small file; empty where it cannot be read. */
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

static struct page *new_handle(struct contents *contents, int file)
{
    struct page *page = malloc(sizeof *page);
    if (page)
        *page = (struct page){.contents = contents, .file = file};
    return page;
}

/* Not shared is what is only looked at: should it be written to nevertheless, nothing comes of that. */
static struct contents *map_file(int file, bool shared)
{
    void *map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, file, 0);
    return map == MAP_FAILED ? NULL : map;
}

static bool is_whole(int file, struct stat *ret_status)
{
    return fstat(file, ret_status) == 0 && S_ISREG(ret_status->st_mode) && ret_status->st_size == PAGE_SIZE &&
           ret_status->st_nlink == 1;
}

static bool is_page(struct contents *contents)
{
    return memcmp(contents->magic, magic, sizeof magic) == 0;
}

/* The moment of the boot by the clock moves when the clock is set, and no two boots share one unless each began with the
   same wrong time. So while it stays, reading the boot id is spared, which takes three system calls. A page that passes
   for one of this boot and is not costs what a stale hint costs. */
#define BOOT_DRIFT CLOCK_SECOND

static bool was_booted_at(const struct contents *contents, int64_t moment)
{
    const int64_t noted = (int64_t)atomic_load_explicit(&contents->booted_at, memory_order_relaxed);
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
    atomic_store_explicit(&contents->booted_at, (uint64_t)booted_at, memory_order_relaxed);
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
    if (contents)
        munmap(contents, PAGE_SIZE);
    if (file >= 0)
        close(file);
    return 0;
}

int page_open(int queue_dir, const char *host_name, struct page **ret_page)
{
    return open_page(queue_dir, host_name, true, is_of_this_boot, ret_page);
}

int page_open_to_look(int queue_dir, const char *host_name, struct page **ret_page)
{
    return open_page(queue_dir, host_name, false, is_of_this_boot, ret_page);
}

int page_open_foreign(int queue_dir, const char *host_name, struct page **ret_page)
{
    return open_page(queue_dir, host_name, false, is_page, ret_page);
}

static void clear(struct contents *contents)
{
    memcpy(contents->magic, magic, sizeof magic);
    read_boot_id(contents->boot);
    atomic_store_explicit(&contents->booted_at, (uint64_t)clock_booted_at(), memory_order_relaxed);
    for (int priority = 0; priority < NAME_PRIORITIES; priority++)
        atomic_store(&contents->heads[priority], PAGE_NO_BUCKET);
    atomic_store(&contents->averaged_at, (uint64_t)clock_now());
}

/* A page of our own serves one process as well as any, only slower: nobody shares its hints. */
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
    /* Allocated, not merely sized: a full disk must not turn a store into the page into SIGBUS. */
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
    atomic_store(&contents->outbox, PAGE_OUTBOX_UNKNOWN);
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
    if (tmp >= 0) { /* else it stays in tmp/ until it is swept */
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
    char path[sizeof "..//host/" + MQ_QUEUE_NAME_SIZE + PAGE_NAME_SIZE];
    if (page->identity.number == 0)
        return false;
    snprintf(path, sizeof path, "../%s/host/%s", queue, host_name);
    return fs_is_named(queue_dir, path, &page->identity) == 1;
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

/* ---- words ---------------------------------------------------------------------- */

static void lower(word *at, uint64_t value)
{
    uint64_t have = atomic_load(at);
    while (value < have && !atomic_compare_exchange_weak(at, &have, value))
        ;
}

static void raise_to(word *at, uint64_t value)
{
    uint64_t have = atomic_load(at);
    while (value > have && !atomic_compare_exchange_weak(at, &have, value))
        ;
}

/* ---- positions ------------------------------------------------------------------ */

/* Slots are messages: a bucket is full when it holds so many files of `count`, or its slots are used up. */
static uint64_t slots_for(unsigned count)
{
    return count < NAME_COUNT_MAX / PAGE_BUCKET_FILES ? count * PAGE_BUCKET_FILES : NAME_COUNT_MAX;
}

static uint64_t position_after(uint64_t last, unsigned count, uint64_t now)
{
    const uint64_t birth = name_birth(last), slot = (last & 0xfff) + 1;
    if (birth != 0 && birth < BIRTH_MAX && slot + count <= slots_for(count))
        return last + 1;
    /* A birth at the end of the range can only be noise. */
    const uint64_t after = birth < BIRTH_MAX ? birth + 1 : 0;
    return name_position(now > after ? now : after, 0);
}

uint64_t page_next_positions(struct page *page, int priority, unsigned count, int64_t now)
{
    word *at = &page->contents->positions[priority];
    uint64_t last = atomic_load(at), next;
    do
        next = position_after(last, count, (uint64_t)now);
    while (!atomic_compare_exchange_weak(at, &last, next + count - 1));
    return next;
}

uint64_t page_last_position(const struct page *page, int priority)
{
    return atomic_load(&page->contents->positions[priority]);
}

void page_raise_position(struct page *page, int priority, uint64_t position)
{
    raise_to(&page->contents->positions[priority], position);
}

/* ---- heads ---------------------------------------------------------------------- */

uint64_t page_head(const struct page *page, int priority)
{
    return atomic_load(&page->contents->heads[priority]);
}

uint64_t page_arrivals(const struct page *page, int priority)
{
    return atomic_load(&page->contents->arrivals[priority]);
}

uint64_t page_returns(const struct page *page)
{
    return atomic_load(&page->contents->returns);
}

uint64_t page_splits(const struct page *page)
{
    return atomic_load(&page->contents->splits);
}

void page_note_split(struct page *page)
{
    atomic_fetch_add(&page->contents->splits, 1);
}

void page_note_arrival(struct page *page, int priority, uint64_t birth, bool returned)
{
    /* First the count, then the head: see page_move_head. */
    atomic_fetch_add(&page->contents->arrivals[priority], 1);
    if (returned)
        atomic_fetch_add(&page->contents->returns, 1);
    lower(&page->contents->heads[priority], birth);
}

void page_move_head(struct page *page, int priority, uint64_t head, uint64_t birth, uint64_t arrivals)
{
    uint64_t expected = head;
    if (!atomic_compare_exchange_strong(&page->contents->heads[priority], &expected, birth))
        return;
    /* Whoever put something in before we moved the head counted it before we look here; whoever
       counts it later lowers the head after we moved it. Either way its bucket is not hidden. */
    if (atomic_load(&page->contents->arrivals[priority]) != arrivals)
        lower(&page->contents->heads[priority], head);
}

/* ---- times ---------------------------------------------------------------------- */

int64_t page_time(const struct page *page, enum page_time which, int64_t now)
{
    const uint64_t at = atomic_load(&page->contents->times[which]);
    /* Further off than anybody may put it: the clock was stepped back, or it is noise. */
    return at > (uint64_t)(now + PAGE_LOOK_EVERY) ? now : (int64_t)at;
}

bool page_announce(struct page *page, enum page_time which, int64_t moment, int64_t now)
{
    const bool sooner = moment < page_time(page, which, now);
    if (sooner)
        lower(&page->contents->times[which], (uint64_t)moment);
    return sooner;
}

static bool take(word *at, int64_t now)
{
    uint64_t have = atomic_load(at);
    const bool wanted = have <= (uint64_t)now || have > (uint64_t)(now + PAGE_LOOK_EVERY);
    return wanted && atomic_compare_exchange_strong(at, &have, (uint64_t)(now + PAGE_LOOK_EVERY));
}

bool page_take_duty(struct page *page, enum page_time which, int64_t now)
{
    return take(&page->contents->times[which], now);
}

/* The word: 0, or when the next look is wanted, whose last bit says that the one before it found nothing. */

void page_announce_outbox(struct page *page, int64_t now)
{
    word *outbox = &page->contents->outbox;
    uint64_t seen = atomic_load(outbox), announced;
    do {
        announced = ((uint64_t)(now + PAGE_LOOK_EVERY) & ~UINT64_C(1));
        if (announced <= seen && seen - announced < 2 * PAGE_LOOK_EVERY)
            announced = (seen & ~UINT64_C(1)) + 2; /* another value, which ends no look that goes on */
    } while (!atomic_compare_exchange_weak(outbox, &seen, announced));
}

int64_t page_outbox_time(const struct page *page)
{
    const uint64_t time = atomic_load(&page->contents->outbox);
    return time == 0 || time > INT64_MAX ? INT64_MAX : (int64_t)time;
}

/* A time that is too far ahead is noise, or the clock was set back. */
bool page_take_outbox(struct page *page, int64_t now, uint64_t *ret_duty)
{
    word *outbox = &page->contents->outbox;
    uint64_t seen = atomic_load(outbox);
    if (seen == 0 || (seen > (uint64_t)now && seen - (uint64_t)now < 4 * (uint64_t)PAGE_LOOK_EVERY))
        return false;
    *ret_duty = ((uint64_t)(now + PAGE_LOOK_EVERY) & ~UINT64_C(1)) | (seen & 1);
    return atomic_compare_exchange_strong(outbox, &seen, *ret_duty);
}

void page_end_outbox(struct page *page, uint64_t duty, bool any)
{
    const uint64_t next = any ? duty & ~UINT64_C(1) : duty & 1 ? 0 : duty | 1;
    if (next != duty)
        atomic_compare_exchange_strong(&page->contents->outbox, &duty, next);
}

bool page_take_recount(struct page *page, int64_t now)
{
    return take(&page->contents->recounted, now);
}

/* ---- receivers that wait --------------------------------------------------------- */

uint64_t page_leader(const struct page *page)
{
    /* What the sender linked is to be seen before what is loaded here. */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&page->contents->leader);
}

void page_set_leader(struct page *page, uint64_t leader)
{
    atomic_store(&page->contents->leader, leader);
    atomic_thread_fence(memory_order_seq_cst);
}

void page_forget_leader(struct page *page, uint64_t leader)
{
    (void)atomic_compare_exchange_strong(&page->contents->leader, &leader, 0);
}

uint64_t page_followers(const struct page *page)
{
    return atomic_load(&page->contents->followers);
}

void page_set_followers(struct page *page, uint64_t followers)
{
    atomic_store(&page->contents->followers, followers);
}

/* ---- counters ------------------------------------------------------------------- */

static const enum page_counter rate_counters[PAGE_RATES] = {
    [PAGE_RATE_SENT] = PAGE_SENT,
    [PAGE_RATE_ACKED] = PAGE_ACKED,
    [PAGE_RATE_FAILED] = PAGE_FAILED,
};

static bool is_averaged(enum page_counter counter)
{
    return counter == PAGE_SENT || counter == PAGE_ACKED || counter == PAGE_FAILED;
}

void page_count(struct page *page, enum page_counter counter, uint64_t number)
{
    if (is_averaged(counter))
        page_average(page, clock_now());
    atomic_fetch_add_explicit(&page->contents->counters[counter], number, memory_order_relaxed);
}

uint64_t page_counter(const struct page *page, enum page_counter counter)
{
    return atomic_load(&page->contents->counters[counter]);
}

int64_t page_add_messages(struct page *page, enum mq_state state, int64_t change)
{
    return page_sum((int64_t)atomic_fetch_add(&page->contents->messages[state], (uint64_t)change), change);
}

int64_t page_messages(const struct page *page, enum mq_state state)
{
    return (int64_t)atomic_load(&page->contents->messages[state]);
}

void page_add_bytes(struct page *page, int64_t change)
{
    atomic_fetch_add_explicit(&page->contents->bytes, (uint64_t)change, memory_order_relaxed);
}

int64_t page_bytes(const struct page *page)
{
    return (int64_t)atomic_load(&page->contents->bytes);
}

/* ---- averages ------------------------------------------------------------------- */

#define MILLIONTHS 1e6

/* More messages a second than there can be: noise. */
#define RATE_MAX 1e12

/* A counter that went back is noise. */
static uint64_t growth(uint64_t count, uint64_t before)
{
    return count > before ? count - before : 0;
}

static double average_by(const struct page *page, enum page_rate which, enum mq_span span, uint64_t count,
                         int64_t elapsed)
{
    const double kept = (double)atomic_load(&page->contents->rates[which].averages[span]) / MILLIONTHS;
    const int64_t counting = elapsed < PAGE_AVERAGE_EVERY ? elapsed : PAGE_AVERAGE_EVERY;
    double average = average_after(kept < RATE_MAX ? kept : 0, count, counting, span);
    if (elapsed > counting)
        average = average_after(average, 0, elapsed - counting, span);
    return average < RATE_MAX ? average : RATE_MAX;
}

void page_average(struct page *page, int64_t now)
{
    struct contents *contents = page->contents;
    uint64_t since = atomic_load(&contents->averaged_at);
    /* A moment of the future is noise, or the clock was stepped back: nothing is known of the time since. */
    const int64_t elapsed = since <= (uint64_t)now ? now - (int64_t)since : 0;
    if ((elapsed < PAGE_AVERAGE_EVERY && since <= (uint64_t)now) ||
        !atomic_compare_exchange_strong(&contents->averaged_at, &since, (uint64_t)now))
        return;
    for (int which = 0; which < PAGE_RATES; which++) {
        const uint64_t counted = page_counter(page, rate_counters[which]);
        const uint64_t count = growth(counted, atomic_exchange(&contents->rates[which].counted, counted));
        for (int span = 0; span < MQ_SPANS; span++)
            atomic_store(
                &contents->rates[which].averages[span],
                (uint64_t)(average_by(page, (enum page_rate)which, (enum mq_span)span, count, elapsed) * MILLIONTHS));
    }
}

double page_rate(const struct page *page, enum page_rate which, enum mq_span span, int64_t now)
{
    const uint64_t since = atomic_load(&page->contents->averaged_at);
    const int64_t elapsed = since <= (uint64_t)now ? now - (int64_t)since : 0;
    const uint64_t count = growth(page_counter(page, rate_counters[which]),
                                  atomic_load(&page->contents->rates[which].counted));
    return average_by(page, which, span, count, elapsed);
}

/* ---- for how long messages are held --------------------------------------------- */

static int held_bucket(uint64_t held)
{
    int bucket = 0;
    while (bucket < MQ_HELD_BUCKETS - 1 && held >= (uint64_t)MQ_HELD_LIMIT(bucket))
        bucket++;
    return bucket;
}

void page_note_held(struct page *page, int64_t held, uint64_t number)
{
    const uint64_t time = held > 0 ? (uint64_t)held : 0; /* the clock may have been stepped back */
    atomic_fetch_add_explicit(&page->contents->held[held_bucket(time)], number, memory_order_relaxed);
    atomic_fetch_add_explicit(&page->contents->held_total, time * number, memory_order_relaxed);
}

uint64_t page_held(const struct page *page, int bucket)
{
    return atomic_load(&page->contents->held[bucket]);
}

uint64_t page_held_total(const struct page *page)
{
    return atomic_load(&page->contents->held_total);
}
