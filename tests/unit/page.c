/* The host page: positions only grow, heads never hide an arrival, times are never far off, noise is no page. */
#include "store/page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static int make_queue_dir(void)
{
    char *const path = unit_directory();
    const int dir = open(path, O_RDONLY | O_DIRECTORY);
    free(path);
    mkdirat(dir, "tmp", 0700);
    mkdirat(dir, "host", 0700);
    return dir;
}

static void remove_queue_dir(int dir)
{
    char path[64], target[256];
    unlinkat(dir, "host/me", 0);
    unlinkat(dir, "host", AT_REMOVEDIR);
    unlinkat(dir, "tmp", AT_REMOVEDIR);
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    const ssize_t size = readlink(path, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    rmdir(target);
    close(dir);
}

static struct page *make_page(int dir)
{
    struct page *page;
    EXPECT(page_create(dir, 0600, &page) == 0);
    EXPECT(page_install(page, dir, "me") == 1);
    return page;
}

static void positions_only_grow(struct page *page)
{
    uint64_t last = 0;
    const int64_t now = 1000000;
    for (int i = 0; i < 1000; i++) {
        /* The clock steps to and fro by an hour. */
        const uint64_t next = page_next_positions(page, 4, 1,
                                                  now + (i % 3 - 1) * INT64_C(3600000000) + INT64_C(7200000000));
        EXPECT(next > last);
        EXPECT((next & 0xfff) < PAGE_BUCKET_FILES);
        last = next;
    }
    EXPECT(page_last_position(page, 4) == last);
    page_raise_position(page, 4, last - 1);
    EXPECT(page_last_position(page, 4) == last);
}

static void positions_of_a_batch_lie_in_one_bucket(struct page *page)
{
    static const unsigned counts[] = {256, 1, 2, 4096, 7, 255, 1, 1000};
    uint64_t last = 0;
    for (unsigned i = 0; i < 200; i++) {
        const unsigned count = counts[i % (sizeof counts / sizeof *counts)];
        const uint64_t first = page_next_positions(page, 6, count, 1000);
        EXPECT(first > last);
        last = first + count - 1;
        EXPECT(name_birth(first) == name_birth(last));
        EXPECT(page_last_position(page, 6) == last);
    }
}

static void a_bucket_takes_so_many_files_of_a_size(struct page *page)
{
    for (unsigned count = 1; count <= 32; count *= 2) {
        uint64_t first = page_next_positions(page, 7, 4096, 1000); /* the next one begins a bucket */
        unsigned files = 0;
        first = page_next_positions(page, 7, count, 1000);
        for (uint64_t next = first; name_birth(next) == name_birth(first); files++)
            next = page_next_positions(page, 7, count, 1000);
        EXPECT(files == (count < 16 ? 256 : 4096 / count));
    }
}

static void a_noisy_position_is_left_behind(struct page *page)
{
    page_raise_position(page, 3, UINT64_MAX);
    const uint64_t next = page_next_positions(page, 3, 1, 5000);
    EXPECT(name_birth(next) == 5000);
}

static void heads_never_hide_an_arrival(struct page *page)
{
    EXPECT(page_head(page, 5) == PAGE_NO_BUCKET);
    page_note_arrival(page, 5, 100, false);
    EXPECT(page_head(page, 5) == 100);
    page_note_arrival(page, 5, 200, false);
    EXPECT(page_head(page, 5) == 100);

    /* Nothing came in between: the head moves. */
    page_move_head(page, 5, 100, 200, page_arrivals(page, 5));
    EXPECT(page_head(page, 5) == 200);

    /* Something came during the listing that does not show it: the hint stays where it was. */
    const uint64_t arrivals = page_arrivals(page, 5);
    page_note_arrival(page, 5, 250, false);
    page_move_head(page, 5, 200, 300, arrivals);
    EXPECT(page_head(page, 5) <= 250);

    /* Something older came meanwhile: the hint we started from has gone. */
    page_move_head(page, 5, 200, PAGE_NO_BUCKET, page_arrivals(page, 5));
    page_note_arrival(page, 5, 90, true);
    page_move_head(page, 5, 200, 400, page_arrivals(page, 5));
    EXPECT(page_head(page, 5) == 90);
}

static void times_are_never_far_off(struct page *page)
{
    const int64_t now = INT64_C(1700000000000000);
    EXPECT(page_time(page, PAGE_DUE, now) <= now); /* a new page: look at once */
    EXPECT(page_take_duty(page, PAGE_DUE, now));
    EXPECT(!page_take_duty(page, PAGE_DUE, now));
    EXPECT(page_time(page, PAGE_DUE, now) == now + PAGE_LOOK_EVERY);
    EXPECT(!page_announce(page, PAGE_DUE, now + 2 * PAGE_LOOK_EVERY, now));
    EXPECT(page_announce(page, PAGE_DUE, now + 5, now));
    EXPECT(page_time(page, PAGE_DUE, now) == now + 5);
    EXPECT(!page_take_duty(page, PAGE_DUE, now));
    EXPECT(page_take_duty(page, PAGE_DUE, now + 5));
    /* The clock was stepped back: what then is further off than can be is looked at now. */
    EXPECT(page_time(page, PAGE_DUE, now - 3600 * PAGE_LOOK_EVERY) <= now - 3600 * PAGE_LOOK_EVERY);
}

static void pages_are_shared_and_noise_is_no_page(int dir, struct page *page)
{
    struct page *other;
    EXPECT(page_open(dir, "me", &other) == 1);
    page_add_messages(page, MQ_READY, 3);
    EXPECT(page_messages(other, MQ_READY) == 3);
    EXPECT(page_is_current(page) && page_is_current(other));

    const int file = openat(dir, "host/me", O_WRONLY);
    EXPECT(pwrite(file, "noise", 5, 0) == 5);
    EXPECT(!page_is_current(page));
    struct page *none;
    EXPECT(page_open(dir, "me", &none) == 0);
    EXPECT(ftruncate(file, 100) == 0);
    EXPECT(!page_is_current(other) && page_open(dir, "me", &none) == 0);
    close(file);

    /* A new one takes the place of what is no page. */
    struct page *better = make_page(dir);
    EXPECT(page_is_current(better) && !page_is_current(page));
    page_close(better);
    page_close(other);
}

static bool is_near(double one, double other)
{
    return one > other * 0.99 && one < other * 1.01;
}

static void averages_follow_the_counters(struct page *page)
{
    const int64_t now = clock_now(), minute = 60 * CLOCK_SECOND;
    page_count(page, PAGE_SENT, 600);
    EXPECT(is_near(page_rate(page, PAGE_RATE_SENT, MQ_1_MINUTE, now), 10));
    EXPECT(page_rate(page, PAGE_RATE_ACKED, MQ_1_MINUTE, now) == 0);
    /* Whether somebody brings them up to date meanwhile, early or late, or nobody does: they decay alike. */
    const double later = page_rate(page, PAGE_RATE_SENT, MQ_5_MINUTES, now + 5 * minute);
    EXPECT(later > 0.73 && later < 0.75);             /* 2 / e */
    page_average(page, now + PAGE_AVERAGE_EVERY / 2); /* too early: nobody's duty */
    EXPECT(is_near(page_rate(page, PAGE_RATE_SENT, MQ_1_MINUTE, now), 10));
    page_average(page, now + minute);
    EXPECT(is_near(page_rate(page, PAGE_RATE_SENT, MQ_5_MINUTES, now + 5 * minute), later));
    /* The clock was stepped back: the averages stay, and go on from there. */
    const double kept = page_rate(page, PAGE_RATE_SENT, MQ_15_MINUTES, now + minute);
    page_average(page, now - CLOCK_DAY);
    EXPECT(is_near(page_rate(page, PAGE_RATE_SENT, MQ_15_MINUTES, now - CLOCK_DAY), kept));
    EXPECT(page_rate(page, PAGE_RATE_SENT, MQ_15_MINUTES, now) < kept / 1000);
}

static void times_held_are_counted_by_powers_of_two(struct page *page)
{
    page_note_held(page, -5, 1);
    page_note_held(page, 1023, 1);
    page_note_held(page, 1024, 3);
    page_note_held(page, INT64_C(1) << 40, 1);
    EXPECT(page_held(page, 0) == 2 && page_held(page, 1) == 3 && page_held(page, MQ_HELD_BUCKETS - 1) == 1);
    EXPECT(page_held_total(page) == 1023 + 3 * 1024 + (UINT64_C(1) << 40));
}

int main(void)
{
    const int dir = make_queue_dir();
    struct page *page = make_page(dir);
    positions_only_grow(page);
    positions_of_a_batch_lie_in_one_bucket(page);
    a_bucket_takes_so_many_files_of_a_size(page);
    a_noisy_position_is_left_behind(page);
    heads_never_hide_an_arrival(page);
    times_are_never_far_off(page);
    averages_follow_the_counters(page);
    times_held_are_counted_by_powers_of_two(page);
    pages_are_shared_and_noise_is_no_page(dir, page);
    page_close(page);
    remove_queue_dir(dir);
    return unit_failures != 0;
}
