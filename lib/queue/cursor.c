/* The reader's place in ready/. */
#include "queue/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/bucket.h"

/* How often a look is begun anew because senders went on during it; then their order is a race anyway. */
#define LOOKS 16

enum found { NOTHING, SOMETHING, LOOK_AGAIN };

/* What the page said when a look began. */
struct snapshot {
    uint64_t positions[NAME_PRIORITIES];
    uint64_t arrivals[NAME_PRIORITIES];
    uint64_t heads[NAME_PRIORITIES];
    uint64_t returns, splits;
};

struct cursor {
    struct listing buckets;
    struct listing files;
    size_t next;
    bool has_rest;
    char rest[NAME_SIZE]; /* comes before the rest of `files` */
    int dir;              /* the bucket of `files`; -1: none */
    int priority;
    struct snapshot seen;
    char (*stuck)[NAME_SIZE]; /* what is passed over */
    size_t stuck_count;
};

void cursor_free(struct cursor *cursor)
{
    if (!cursor)
        return;
    if (cursor->dir >= 0)
        close(cursor->dir);
    listing_free(&cursor->buckets);
    listing_free(&cursor->files);
    free(cursor->stuck);
    free(cursor);
}

static void close_bucket(struct cursor *cursor)
{
    if (cursor->dir >= 0)
        close(cursor->dir);
    cursor->dir = -1;
    cursor->files.count = cursor->next = 0;
    cursor->has_rest = false;
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

/* Whether the listing still tells what is next. */
static bool is_valid(const struct cursor *cursor, const struct page *page)
{
    const bool used_up = !cursor->has_rest && cursor->next >= cursor->files.count;
    if (used_up || page_returns(page) != cursor->seen.returns)
        return false;
    for (int priority = cursor->priority + 1; priority < NAME_PRIORITIES; priority++)
        if (page_arrivals(page, priority) != cursor->seen.arrivals[priority])
            return false;
    return true;
}

/* Cut the listing before what was sent since the look began; positions the page never gave out are other hosts'. */
static bool cut_newer(struct cursor *cursor, const struct page *page)
{
    struct message_name name;
    for (size_t i = 0; i < cursor->files.count; i++) {
        name_parse(MQ_READY, listing_at(&cursor->files, i), &name);
        if (name.position > cursor->seen.positions[name.priority] &&
            name.position <= page_last_position(page, name.priority)) {
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

static int read_bucket(mq_queue *queue, struct cursor *cursor, int priority, uint64_t birth, bool strict,
                       enum found *ret_found)
{
    char bucket[NAME_BUCKET_SIZE];
    close_bucket(cursor);
    name_format_ready_bucket(priority, birth, bucket);
    *ret_found = NOTHING;
    cursor->dir = bucket_open(queue->dir, MQ_READY, bucket);
    if (bucket_is_missing(cursor->dir))
        return 0;
    if (cursor->dir < 0)
        return cursor->dir;
    const int error = bucket_read(cursor->dir, MQ_READY, &cursor->files);
    if (error)
        return error;
    if (cursor->stuck_count > 0)
        cut_stuck(cursor);
    const bool newer = strict && cut_newer(cursor, queue->page);
    cursor->priority = priority;
    *ret_found = cursor->files.count > 0 ? SOMETHING : newer ? LOOK_AGAIN : NOTHING;
    return 0;
}

/* Look where the page says that something may be. */
static int look_at_heads(mq_queue *queue, struct cursor *cursor, bool strict, enum found *ret_found)
{
    *ret_found = NOTHING;
    for (int priority = NAME_PRIORITIES - 1; priority >= 0; priority--) {
        const uint64_t head = cursor->seen.heads[priority];
        if (head == PAGE_NO_BUCKET)
            continue;
        const int error = read_bucket(queue, cursor, priority, head, strict, ret_found);
        if (error || *ret_found != NOTHING)
            return error;
        /* Used up, and not the one being filled: the next bucket of this priority comes before all lower ones. */
        if (head != name_birth(cursor->seen.positions[priority]))
            return 0;
    }
    return 0;
}

static void note_heads(mq_queue *queue, const struct snapshot *seen, int lowest, const uint64_t *heads)
{
    for (int priority = NAME_PRIORITIES - 1; priority >= lowest; priority--)
        if (heads[priority] != seen->heads[priority])
            page_move_head(queue->page, priority, seen->heads[priority], heads[priority], seen->arrivals[priority]);
}

/* A bucket that was begun after the look was: there may be an older one that the listing does not show. */
static bool is_newer(const struct cursor *cursor, const struct page *page, int priority, uint64_t birth)
{
    return birth > name_birth(cursor->seen.positions[priority]) &&
           birth <= name_birth(page_last_position(page, priority));
}

/* Look at all buckets, the truth; remove the empty ones on the way, and put the page's heads right. */
static int look_at_all(mq_queue *queue, struct cursor *cursor, bool strict, enum found *ret_found)
{
    uint64_t heads[NAME_PRIORITIES];
    for (int priority = 0; priority < NAME_PRIORITIES; priority++)
        heads[priority] = PAGE_NO_BUCKET;
    *ret_found = NOTHING;
    int error = bucket_list(queue->dir, MQ_READY, &cursor->buckets);
    int lowest = 0;
    for (size_t i = 0; i < cursor->buckets.count && !error && *ret_found == NOTHING; i++) {
        const char *bucket = listing_at(&cursor->buckets, i);
        int priority;
        uint64_t birth;
        name_parse_ready_bucket(bucket, &priority, &birth);
        if (strict && is_newer(cursor, queue->page, priority, birth)) {
            *ret_found = LOOK_AGAIN;
            return 0;
        }
        error = read_bucket(queue, cursor, priority, birth, strict, ret_found);
        if (error || *ret_found == LOOK_AGAIN)
            return error;
        if (*ret_found == SOMETHING) {
            heads[priority] = birth;
            lowest = priority;
        } else if (birth != name_birth(page_last_position(queue->page, priority))) {
            (void)bucket_remove(queue->dir, MQ_READY, bucket); /* whoever needs it makes it again */
        }
    }
    if (!error)
        note_heads(queue, &cursor->seen, lowest, heads);
    return error;
}

static int look_once(mq_queue *queue, struct cursor *cursor, bool strict, enum found *ret_found)
{
    take_snapshot(queue->page, &cursor->seen);
    const int error = look_at_heads(queue, cursor, strict, ret_found);
    return error || *ret_found != NOTHING ? error : look_at_all(queue, cursor, strict, ret_found);
}

static int look(mq_queue *queue, struct cursor *cursor)
{
    enum found found = LOOK_AGAIN;
    int error = 0;
    for (int looks = 1; looks <= LOOKS && !error && found == LOOK_AGAIN; looks++)
        error = look_once(queue, cursor, looks < LOOKS, &found);
    return error ? error : found == SOMETHING;
}

static int get_cursor(mq_queue *queue, struct cursor **ret_cursor)
{
    if (!queue->cursor) {
        queue->cursor = calloc(1, sizeof *queue->cursor);
        if (!queue->cursor)
            return -ENOMEM;
        queue->cursor->dir = -1;
    }
    *ret_cursor = queue->cursor;
    return 0;
}

int cursor_next(mq_queue *queue, int *ret_dir, const char **ret_file, struct message_name *ret_name)
{
    struct cursor *cursor;
    int error = get_cursor(queue, &cursor);
    if (error)
        return error;
    if (!is_valid(cursor, queue->page)) {
        const int found = look(queue, cursor);
        if (found != 1)
            return found;
    }
    *ret_file = cursor->has_rest ? cursor->rest : listing_at(&cursor->files, cursor->next++);
    *ret_dir = cursor->dir;
    cursor->has_rest = false;
    name_parse(MQ_READY, *ret_file, ret_name);
    return 1;
}

void cursor_begin(mq_queue *queue)
{
    if (queue->cursor)
        queue->cursor->stuck_count = 0;
}

int cursor_pass_over(mq_queue *queue, const char *file)
{
    struct cursor *cursor = queue->cursor;
    void *more = realloc(cursor->stuck, (cursor->stuck_count + 1) * sizeof *cursor->stuck);
    if (!more)
        return -ENOMEM;
    cursor->stuck = more;
    snprintf(cursor->stuck[cursor->stuck_count++], NAME_SIZE, "%s", file);
    return 0;
}

void cursor_put_back(mq_queue *queue, const char *file)
{
    struct cursor *cursor = queue->cursor;
    if (file != cursor->rest)
        snprintf(cursor->rest, sizeof cursor->rest, "%s", file);
    cursor->has_rest = true;
}

void cursor_lost(mq_queue *queue)
{
    if (page_splits(queue->page) != queue->cursor->seen.splits)
        close_bucket(queue->cursor);
}
