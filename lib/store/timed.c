/* States that are ordered by time. */
#include "store/timed.h"

#include <string.h>

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

/* Names are sorted by time, so the first later one ends the bucket. */
static int visit(void *context, const struct bucket_file *file)
{
    struct walk *walk = context;
    if (file->name.time <= walk->until)
        return walk->visit(walk->context, file->dir, file->file, &file->name);
    note_next(walk, file->name.time);
    return BUCKET_DONE;
}

static int walk_bucket(struct walk *walk, const char *bucket, int64_t end)
{
    const int stop = bucket_visit(walk->queue_dir, walk->state, bucket, &walk->files, visit, walk);
    if (!stop && end <= walk->until && strcmp(bucket, NAME_RESERVE_BUCKET) != 0)
        (void)bucket_remove(walk->queue_dir, walk->state, bucket); /* it stays if it is in use again */
    return stop;
}

/* This goes through the names of the buckets, since it opens none that is later than `until`. */
int timed_walk(int queue_dir, enum mq_state state, int64_t until, timed_visit_fn *each, void *context,
               int64_t *ret_next)
{
    struct walk walk = {
        .queue_dir = queue_dir, .state = state, .until = until, .next = INT64_MAX, .visit = each, .context = context};
    int stop = bucket_list(queue_dir, state, &walk.buckets);
    for (size_t i = 0; i < walk.buckets.count && !stop; i++) {
        const char *bucket = listing_at(&walk.buckets, i);
        int64_t start, end;
        name_parse_timed_bucket(state, bucket, &start, &end);
        if (start > until) {
            note_next(&walk, start);
            break;
        }
        stop = walk_bucket(&walk, bucket, end);
    }
    listing_free(&walk.buckets);
    listing_free(&walk.files);
    *ret_next = walk.next;
    return stop;
}
