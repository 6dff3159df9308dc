/*
 * Which message of a lane comes next.
 *
 * A listing that is read while senders add files may show a later file and miss an earlier one. So a message whose
 * position was given out after the look began is not taken from that look.
 *
 * The first names of the first bucket are kept, up to the first such position. What comes into the bucket later was
 * sent later than all that is kept, and is found when that is used up. What is put back before it, as a dead letter
 * that is retried, goes into q/ itself, which is listed at every look.
 *
 * The messages of a log come in the order of their offsets, which are not given out while they come, and may come again from
 * an earlier one on. So nothing is kept of them, and whoever has found one looks once more: what is before it was there when
 * that look began (tests/model/group_lanes.pml).
 */
#include "lane/lane_first.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "format/group_name.h"
#include "queue/lane_kept.h"

/* How many times a look is begun again because senders went on during it. After that their order is a race anyway. */
#define LOOKS 16

struct look {
    mq_queue *queue;
    struct lane_kept *kept;
    const char *key;
    uint64_t seen; /* the last position that the page had given out when the look began */
    bool strict, found, newer;
    struct message_name first;
};

static bool is_newer(const struct look *look, uint64_t position)
{
    return look->strict && position > look->seen &&
           position <= page_last_position(look->queue->page, MQ_PRIORITY_DEFAULT);
}

static void note_first(struct look *look, const char *file)
{
    struct message_name name;
    name_parse(MQ_READY, file, &name);
    if (is_newer(look, name.position)) {
        look->newer = true; /* so are all that follow */
        return;
    }
    if (!look->found || name.position < look->first.position)
        look->first = name;
    look->found = true;
}

/* What q/ itself holds: only its first message is wanted, so only what may be that is parsed. */
struct scan {
    struct listing *buckets;
    char first[NAME_SIZE]; /* empty: none */
};

static int scan_entry(void *context, const char *name, unsigned char type)
{
    struct scan *scan = context;
    struct message_name parsed;
    if (type == DT_DIR)
        return lane_name_is_bucket(name) ? listing_add(scan->buckets, name) : 0;
    if (type == DT_REG && (!scan->first[0] || strcmp(name, scan->first) < 0) && name_parse(MQ_READY, name, &parsed))
        strcpy(scan->first, name);
    return 0;
}

static int scan_queue(struct look *look, int dir)
{
    struct scan scan = {.buckets = &look->kept->buckets};
    scan.buckets->text_size = scan.buckets->count = 0;
    const int error = fs_list(dir, scan_entry, &scan);
    listing_sort(scan.buckets);
    if (!error && scan.first[0])
        note_first(look, scan.first);
    return error;
}

static bool is_kept(const struct look *look, const struct lane_slot *slot, const char *bucket)
{
    return slot->at < slot->files.count && slot->openings == look->queue->openings &&
           strncmp(slot->key, look->key, NAME_LANE_KEY) == 0 && strcmp(slot->bucket, bucket) == 0;
}

/* Whether a kept message is still there. */
static int use_kept(struct look *look, struct lane_slot *slot, int dir)
{
    int has = 0;
    while (slot->at < slot->files.count && (has = fs_has(dir, listing_at(&slot->files, slot->at))) == 0)
        slot->at++;
    if (has == 1)
        note_first(look, listing_at(&slot->files, slot->at));
    return has;
}

static void keep(const struct look *look, struct lane_slot *slot, const char *bucket)
{
    const struct listing *files = &look->kept->files;
    struct message_name name;
    memcpy(slot->key, look->key, NAME_LANE_KEY);
    strcpy(slot->bucket, bucket);
    slot->openings = look->queue->openings;
    slot->at = slot->files.count = slot->files.text_size = 0;
    for (size_t i = 0; i < files->count && i < LANE_KEPT_MOST; i++)
        if (!name_parse(MQ_READY, listing_at(files, i), &name) || name.position > look->seen ||
            listing_add(&slot->files, listing_at(files, i)) != 0)
            break; /* what is not kept is listed again */
}

/* 1 there are messages in it; 0 there are none. */
static int look_into_bucket(struct look *look, int queue, const char *bucket)
{
    struct lane_kept *kept = look->kept;
    struct lane_slot *slot = lane_kept_slot(kept, look->key);
    const bool keeps = !lane_name_has_offsets(bucket);
    const int dir = fs_open_dir(queue, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    int has = keeps && is_kept(look, slot, bucket) ? use_kept(look, slot, dir) : 0;
    if (has == 0) {
        has = bucket_read(dir, MQ_READY, &kept->files);
        if (!has) {
            if (keeps)
                keep(look, slot, bucket);
            has = kept->files.count > 0;
            if (has)
                note_first(look, listing_at(&kept->files, 0));
        }
    }
    close(dir);
    if (has == 0)
        (void)fs_remove_dir(queue, bucket); /* a sender that needs it makes it again */
    return has;
}

/* Buckets are in the order of the positions in them: the first one that holds something ends the look. */
static int look_once(struct look *look, int dir)
{
    struct lane_kept *kept = look->kept;
    look->seen = page_last_position(look->queue->page, MQ_PRIORITY_DEFAULT);
    look->found = look->newer = false;
    int done = scan_queue(look, dir);
    for (size_t i = 0; i < kept->buckets.count && !done; i++)
        done = look_into_bucket(look, dir, listing_at(&kept->buckets, i));
    return done < 0 ? done : 0;
}

static int look_again(struct look *look, int queue)
{
    const int dir = fs_open_dir(queue, ".");
    look->found = look->newer = false;
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = look_once(look, dir);
    close(dir);
    return error;
}

int lane_first(mq_queue *queue, const char *key, int dir, struct message_name *ret_name)
{
    struct look look = {.queue = queue, .kept = lane_kept_of(&queue->lane), .key = key, .strict = true};
    if (!look.kept)
        return -ENOMEM;
    int error = look_once(&look, dir);
    for (int looks = 2; looks <= LOOKS && !error && !look.found && look.newer; looks++) {
        look.strict = looks < LOOKS;
        error = look_again(&look, dir);
    }
    if (!error && look.found && group_name_has_offset(look.first.position))
        error = look_again(&look, dir);
    if (!error && look.found)
        *ret_name = look.first;
    return error ? error : look.found;
}
