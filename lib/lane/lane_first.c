/* Which message of a lane comes next. */
#include "lane/lane_first.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/bucket.h"

/* How many times a look is begun again because senders went on during it. After that their order is a race anyway. */
#define LOOKS 16

/*
 * One look. A listing that is read while senders add files may show a later file and miss an earlier one. So a message
 * whose position was given out after the look began is not taken from that look.
 */
struct look {
    mq_queue *queue;
    uint64_t seen; /* the last position that the page had given out when the look began */
    bool strict, found, newer;
    struct message_name first;
    struct listing files, buckets, in_bucket;
};

static bool is_newer(const struct look *look, uint64_t position)
{
    return look->strict && position > look->seen &&
           position <= page_last_position(look->queue->page, MQ_PRIORITY_DEFAULT);
}

static void note_first(struct look *look, const struct listing *files)
{
    struct message_name name;
    for (size_t i = 0; i < files->count; i++) {
        name_parse(MQ_READY, listing_at(files, i), &name);
        if (is_newer(look, name.position)) {
            look->newer = true;
            return; /* so are all that follow */
        }
        if (!look->found || name.position < look->first.position)
            look->first = name;
        look->found = true;
        return;
    }
}

static int look_into_bucket(struct look *look, int queue, const char *bucket)
{
    const int dir = fs_open_dir(queue, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    const int error = bucket_read(dir, MQ_READY, &look->in_bucket);
    close(dir);
    if (!error)
        note_first(look, &look->in_bucket);
    if (!error && look->in_bucket.count == 0)
        (void)fs_remove_dir(queue, bucket); /* a sender that needs it makes it again */
    return error;
}

/* Buckets are in the order of the positions in them: the first one that holds something ends the look. */
static int look_once(struct look *look, const struct lane_dir *lane)
{
    look->seen = page_last_position(look->queue->page, MQ_PRIORITY_DEFAULT);
    look->found = look->newer = false;
    const int queue = fs_open_dir(lane->queue, ".");
    if (queue < 0)
        return queue == -ENOENT ? 0 : queue;
    int error = bucket_read_all(queue, MQ_READY, &look->files, &look->buckets);
    if (!error)
        note_first(look, &look->files);
    bool done = false;
    for (size_t i = 0; i < look->buckets.count && !error && !done; i++) {
        const char *bucket = listing_at(&look->buckets, i);
        if (!lane_name_is_bucket(bucket))
            continue;
        error = look_into_bucket(look, queue, bucket);
        done = look->in_bucket.count > 0;
    }
    close(queue);
    return error;
}

int lane_first(mq_queue *queue, const struct lane_dir *lane, struct message_name *ret_name)
{
    struct look look = {.queue = queue};
    int error = 0;
    for (int looks = 1; looks <= LOOKS && !error; looks++) {
        look.strict = looks < LOOKS;
        error = look_once(&look, lane);
        if (look.found || !look.newer)
            break;
    }
    listing_free(&look.files);
    listing_free(&look.buckets);
    listing_free(&look.in_bucket);
    if (!error && look.found)
        *ret_name = look.first;
    return error ? error : look.found;
}
