/* Directories ordered by time. */
#include "store/timed.h"

#include <string.h>
#include <unistd.h>

#include "store/bucket.h"

struct walk {
    int queue_dir;
    enum mq_state state;
    int64_t until, next;
    timed_visit_fn *visit;
    void *context;
    struct listing buckets, files;
};

static void note_next(struct walk *walk, int64_t time)
{
    if (time < walk->next)
        walk->next = time;
}

/* Names sort by time: the first that is later ends the bucket. */
static int visit_files(struct walk *walk, int dir)
{
    for (size_t i = 0; i < walk->files.count; i++) {
        const char *file = listing_at(&walk->files, i);
        struct message_name name;
        name_parse(walk->state, file, &name);
        if (name.time > walk->until) {
            note_next(walk, name.time);
            return 0;
        }
        const int stop = walk->visit(walk->context, dir, file, &name);
        if (stop)
            return stop;
    }
    return 0;
}

static int visit_bucket(struct walk *walk, const char *bucket, int64_t end)
{
    const int dir = bucket_open(walk->queue_dir, walk->state, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int stop = bucket_read(dir, walk->state, &walk->files);
    if (!stop)
        stop = visit_files(walk, dir);
    close(dir);
    if (!stop && end <= walk->until && strcmp(bucket, NAME_RESERVE_BUCKET) != 0)
        (void)bucket_remove(walk->queue_dir, walk->state, bucket); /* it may be in use again: then it stays */
    return stop;
}

int timed_walk(int queue_dir, enum mq_state state, int64_t until, timed_visit_fn *visit, void *context,
               int64_t *ret_next)
{
    struct walk walk = {
        .queue_dir = queue_dir, .state = state, .until = until, .next = INT64_MAX, .visit = visit, .context = context};
    int stop = bucket_list(queue_dir, state, &walk.buckets);
    for (size_t i = 0; i < walk.buckets.count && !stop; i++) {
        const char *bucket = listing_at(&walk.buckets, i);
        int64_t start, end;
        name_parse_timed_bucket(state, bucket, &start, &end);
        if (start > until) {
            note_next(&walk, start);
            break;
        }
        stop = visit_bucket(&walk, bucket, end);
    }
    listing_free(&walk.buckets);
    listing_free(&walk.files);
    *ret_next = walk.next;
    return stop;
}
