/* The reader's place in ready/. */
#include "queue/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/id.h"
#include "store/bucket.h"

/* How many times a look is begun again because senders went on during it. After that their order is a race anyway. */
#define LOOKS 16

enum found { NOTHING, SOMETHING, LOOK_AGAIN };

/* What the page said when a look began. */
struct snapshot {
    uint64_t positions[NAME_PRIORITIES];
    uint64_t arrivals[NAME_PRIORITIES];
    uint64_t heads[NAME_PRIORITIES];
    uint64_t returns, splits;
};

/* A claim takes one file and leaves. The walks of bucket.h would read the bucket again for each, so the cursor keeps
   its listing. */
struct cursor {
    int queue_dir;     /* during one claim; the handle may open another one in between */
    struct page *page; /* the same */
    struct listing buckets;
    struct listing files;
    size_t next;
    bool has_rest;
    char rest[NAME_SIZE]; /* comes before the rest of `files` */
    int bucket_dir;       /* the bucket of `files`; -1: none */
    int priority;
    struct snapshot seen;
    unsigned slow; /* so many claims more begin with a look */
    struct {
        unsigned losses; /* of this claim */
        unsigned claims; /* since the first leap of this listing; 0: there was none */
        int64_t at;      /* of that leap; monotonic */
        uint64_t series; /* of how far the leaps go (id_random_of) */
    } leap;
    char (*stuck)[NAME_SIZE]; /* the files that are passed over during this claim */
    size_t stuck_count, stuck_room;
};

void cursor_free(struct cursor *cursor)
{
    if (!cursor)
        return;
    if (cursor->bucket_dir >= 0)
        close(cursor->bucket_dir);
    listing_free(&cursor->buckets);
    listing_free(&cursor->files);
    free(cursor->stuck);
    free(cursor);
}

static void close_bucket(struct cursor *cursor)
{
    if (cursor->bucket_dir >= 0)
        close(cursor->bucket_dir);
    cursor->bucket_dir = -1;
    cursor->files.count = cursor->next = 0;
    cursor->has_rest = false;
    cursor->leap.claims = 0;
}

static void take_snapshot(const struct page *page, struct snapshot *ret_snapshot)
{
    ret_snapshot->returns = page_returns(page);
    ret_snapshot->splits = page_splits(page);
    for (int priority = 0; priority < NAME_PRIORITIES; priority++) {
        ret_snapshot->positions[priority] = page_last_position(page, priority);
        ret_snapshot->arrivals[priority] = page_arrivals(page, priority);
        ret_snapshot->heads[priority] = page_head(page, priority);
    }
}

/* What was leapt over is looked for after so many claims, or after this long. */
#define LEAP_CLAIMS 128
#define LEAP_TIME (CLOCK_SECOND / 10)

static bool is_over_leap(const struct cursor *cursor)
{
    return cursor->leap.claims > LEAP_CLAIMS ||
           (cursor->leap.claims > 0 && clock_monotonic() - cursor->leap.at > LEAP_TIME);
}

/* Whether the listing still tells what is next. */
static bool is_valid(const struct cursor *cursor)
{
    const struct page *page = cursor->page;
    const bool used_up = !cursor->has_rest && cursor->next >= cursor->files.count;
    if (used_up || page_returns(page) != cursor->seen.returns || is_over_leap(cursor))
        return false;
    for (int priority = cursor->priority + 1; priority < NAME_PRIORITIES; priority++)
        if (page_arrivals(page, priority) != cursor->seen.arrivals[priority])
            return false;
    return true;
}

/* Cut the listing before the first message that was sent after the look began. Positions that this page never gave out
   are those of other hosts. */
static bool cut_newer(struct cursor *cursor)
{
    struct message_name name;
    for (size_t i = 0; i < cursor->files.count; i++) {
        name_parse(MQ_READY, listing_at(&cursor->files, i), &name);
        if (name.position > cursor->seen.positions[name.priority] &&
            name.position <= page_last_position(cursor->page, name.priority)) {
            cursor->files.count = i;
            return true;
        }
    }
    return false;
}

static bool is_stuck(const struct cursor *cursor, const char *file)
{
    for (size_t i = 0; i < cursor->stuck_count; i++)
        if (strcmp(cursor->stuck[i], file) == 0)
            return true;
    return false;
}

static void cut_stuck(struct cursor *cursor)
{
    size_t kept = 0;
    for (size_t i = 0; i < cursor->files.count; i++)
        if (!is_stuck(cursor, listing_at(&cursor->files, i)))
            cursor->files.offsets[kept++] = cursor->files.offsets[i];
    cursor->files.count = kept;
}

static int read_bucket(struct cursor *cursor, int priority, uint64_t birth, bool strict, enum found *ret_found)
{
    char bucket[NAME_BUCKET_SIZE];
    close_bucket(cursor);
    name_format_ready_bucket(priority, birth, bucket);
    *ret_found = NOTHING;
    cursor->bucket_dir = bucket_open(cursor->queue_dir, MQ_READY, bucket);
    if (bucket_is_missing(cursor->bucket_dir))
        return 0;
    if (cursor->bucket_dir < 0)
        return cursor->bucket_dir;
    const int error = bucket_read(cursor->bucket_dir, MQ_READY, &cursor->files);
    if (error)
        return error;
    if (cursor->stuck_count > 0)
        cut_stuck(cursor);
    const bool newer = strict && cut_newer(cursor);
    cursor->priority = priority;
    *ret_found = cursor->files.count > 0 ? SOMETHING : newer ? LOOK_AGAIN : NOTHING;
    return 0;
}

/* Look into the buckets that the page names: the head of each priority. */
static int look_at_heads(struct cursor *cursor, bool strict, enum found *ret_found)
{
    *ret_found = NOTHING;
    for (int priority = NAME_PRIORITIES - 1; priority >= 0; priority--) {
        const uint64_t head = cursor->seen.heads[priority];
        if (head == PAGE_NO_BUCKET)
            continue;
        const int error = read_bucket(cursor, priority, head, strict, ret_found);
        if (error || *ret_found != NOTHING)
            return error;
        /* The head is empty and senders fill a later bucket: that one comes before all lower priorities. */
        if (head != name_birth(cursor->seen.positions[priority]))
            return 0;
    }
    return 0;
}

static void note_heads(const struct cursor *cursor, int lowest, const uint64_t *heads)
{
    const struct snapshot *seen = &cursor->seen;
    for (int priority = NAME_PRIORITIES - 1; priority >= lowest; priority--)
        if (heads[priority] != seen->heads[priority])
            page_move_head(cursor->page, priority, seen->heads[priority], heads[priority], seen->arrivals[priority]);
}

/* Whether a bucket was made after the look began. Then there may be an older one that the listing does not show. */
static bool is_newer(const struct cursor *cursor, int priority, uint64_t birth)
{
    return birth > name_birth(cursor->seen.positions[priority]) &&
           birth <= name_birth(page_last_position(cursor->page, priority));
}

/* Look at all buckets, in case the page is wrong; remove the empty ones, and correct the page's heads. */
static int look_at_all(struct cursor *cursor, bool strict, enum found *ret_found)
{
    uint64_t heads[NAME_PRIORITIES];
    for (int priority = 0; priority < NAME_PRIORITIES; priority++)
        heads[priority] = PAGE_NO_BUCKET;
    *ret_found = NOTHING;
    int error = bucket_list(cursor->queue_dir, MQ_READY, &cursor->buckets);
    int lowest = 0;
    for (size_t i = 0; i < cursor->buckets.count && !error && *ret_found == NOTHING; i++) {
        const char *bucket = listing_at(&cursor->buckets, i);
        int priority;
        uint64_t birth;
        name_parse_ready_bucket(bucket, &priority, &birth);
        if (strict && is_newer(cursor, priority, birth)) {
            *ret_found = LOOK_AGAIN;
            return 0;
        }
        error = read_bucket(cursor, priority, birth, strict, ret_found);
        if (error || *ret_found == LOOK_AGAIN)
            return error;
        if (*ret_found == SOMETHING) {
            heads[priority] = birth;
            lowest = priority;
        } else if (birth != name_birth(page_last_position(cursor->page, priority))) {
            (void)bucket_remove(cursor->queue_dir, MQ_READY, bucket); /* a sender that needs it makes it again */
        }
    }
    if (!error)
        note_heads(cursor, lowest, heads);
    return error;
}

static int look_once(struct cursor *cursor, bool strict, enum found *ret_found)
{
    take_snapshot(cursor->page, &cursor->seen);
    const int error = look_at_heads(cursor, strict, ret_found);
    return error || *ret_found != NOTHING ? error : look_at_all(cursor, strict, ret_found);
}

static int look(struct cursor *cursor)
{
    enum found found = LOOK_AGAIN;
    int error = 0;
    for (int looks = 1; looks <= LOOKS && !error && found == LOOK_AGAIN; looks++)
        error = look_once(cursor, looks < LOOKS, &found);
    return error ? error : found == SOMETHING;
}

int cursor_begin(struct cursor **cursor, int queue_dir, struct page *page)
{
    if (!*cursor) {
        *cursor = calloc(1, sizeof **cursor);
        if (!*cursor)
            return -ENOMEM;
        (*cursor)->bucket_dir = -1;
    }
    (*cursor)->queue_dir = queue_dir;
    (*cursor)->page = page;
    (*cursor)->stuck_count = 0;
    (*cursor)->leap.losses = 0;
    (*cursor)->leap.claims += (*cursor)->leap.claims > 0;
    return 0;
}

int cursor_next(struct cursor *cursor, int *ret_dir, const char **ret_file, struct message_name *ret_name)
{
    if (!is_valid(cursor)) {
        const int found = look(cursor);
        if (found != 1)
            return found;
    }
    *ret_file = cursor->has_rest ? cursor->rest : listing_at(&cursor->files, cursor->next++);
    *ret_dir = cursor->bucket_dir;
    cursor->has_rest = false;
    name_parse(MQ_READY, *ret_file, ret_name);
    return 1;
}

int cursor_pass_over(struct cursor *cursor, const char *file)
{
    if (!GROW(cursor->stuck, cursor->stuck_count + 1, cursor->stuck_room))
        return -ENOMEM;
    snprintf(cursor->stuck[cursor->stuck_count++], NAME_SIZE, "%s", file);
    return 0;
}

void cursor_put_back(struct cursor *cursor, const char *file)
{
    if (file != cursor->rest)
        snprintf(cursor->rest, sizeof cursor->rest, "%s", file);
    cursor->has_rest = true;
}

#define LEAP_LEAST ((size_t)4)
#define LEAP_DOUBLINGS 6

void cursor_leap(struct cursor *cursor)
{
    const size_t left = cursor->files.count - cursor->next;
    const size_t reach = LEAP_LEAST << (cursor->leap.losses < LEAP_DOUBLINGS ? cursor->leap.losses++ : LEAP_DOUBLINGS);
    const size_t over = id_random_of(&cursor->leap.series, clock_monotonic(), cursor->next) % reach;
    cursor->next += over < left ? over : left;
    if (cursor->leap.claims > 0)
        return;
    cursor->leap.claims = 1;
    cursor->leap.at = clock_monotonic();
}

/* As many as make a look that was for nothing cheap. */
#define SLOW_CLAIMS 16

void cursor_note_try(struct cursor *cursor, bool lost)
{
    if (lost)
        cursor->slow = SLOW_CLAIMS;
    else if (cursor->slow > 0)
        cursor->slow--;
}

bool cursor_is_slow(const struct cursor *cursor)
{
    return cursor->slow > 0;
}

void cursor_lost(struct cursor *cursor)
{
    if (page_splits(cursor->page) != cursor->seen.splits)
        close_bucket(cursor);
}
