/* Buckets: the small directories that a state's messages lie in. */
#include "store/bucket.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "format/name.h"
#include "store/access.h"

/* ---- listings ------------------------------------------------------------------- */

int listing_add(struct listing *listing, const char *name)
{
    const size_t size = strlen(name) + 1;
    if (!GROW(listing->text, listing->text_size + size, listing->text_room) ||
        !GROW(listing->offsets, listing->count + 1, listing->room))
        return -ENOMEM;
    memcpy(listing->text + listing->text_size, name, size);
    listing->offsets[listing->count++] = listing->text_size;
    listing->text_size += size;
    return 0;
}

static int compare_names(const void *one, const void *other, void *text)
{
    return strcmp((const char *)text + *(const size_t *)one, (const char *)text + *(const size_t *)other);
}

void listing_sort(struct listing *listing)
{
    if (listing->count > 1)
        qsort_r(listing->offsets, listing->count, sizeof *listing->offsets, compare_names, listing->text);
}

void listing_free(struct listing *listing)
{
    free(listing->text);
    free(listing->offsets);
    *listing = (struct listing){0};
}

/* ---- directories ---------------------------------------------------------------- */

struct reader {
    struct listing *listing;
    enum mq_state state;
    struct listing *others; /* NULL: not wanted */
};

static int add_bucket(void *context, const char *name, unsigned char type)
{
    const struct reader *reader = context;
    return type == DT_DIR && name_is_bucket(reader->state, name) ? listing_add(reader->listing, name) : 0;
}

static int add_message(void *context, const char *name, unsigned char type)
{
    const struct reader *reader = context;
    struct message_name parsed;
    const bool is_message = type == DT_REG && name_parse(reader->state, name, &parsed);
    struct listing *listing = is_message ? reader->listing : reader->others;
    return listing ? listing_add(listing, name) : 0;
}

static void listing_clear(struct listing *listing)
{
    listing->text_size = listing->count = 0;
}

int bucket_list(int queue_dir, enum mq_state state, struct listing *listing)
{
    listing_clear(listing);
    const int error = fs_list_at(queue_dir, name_of_state(state), add_bucket, &(struct reader){listing, state, NULL});
    listing_sort(listing);
    return error;
}

int bucket_read(int bucket_dir, enum mq_state state, struct listing *listing)
{
    listing_clear(listing);
    const int error = fs_list(bucket_dir, add_message, &(struct reader){listing, state, NULL});
    listing_sort(listing);
    return error;
}

int bucket_read_all(int bucket_dir, enum mq_state state, struct listing *listing, struct listing *others)
{
    listing_clear(listing);
    listing_clear(others);
    const int error = fs_list(bucket_dir, add_message, &(struct reader){listing, state, others});
    listing_sort(listing);
    listing_sort(others);
    return error;
}

bool bucket_is_missing(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

int bucket_open(int queue_dir, enum mq_state state, const char *bucket)
{
    return fs_open_dir_below(queue_dir, name_of_state(state), bucket);
}

/* ---- walking ---------------------------------------------------------------------- */

static int enter(int queue_dir, enum mq_state state, const char *name, bucket_fn *each, void *context)
{
    struct bucket bucket = {.state = state, .name = name, .dir = bucket_open(queue_dir, state, name)};
    if (bucket.dir < 0)
        return bucket_is_missing(bucket.dir) ? 0 : bucket.dir;
    const int stop = each(context, &bucket);
    if (bucket.dir >= 0)
        close(bucket.dir);
    return stop == BUCKET_DONE ? 0 : stop;
}

static int each_bucket(int queue_dir, enum mq_state state, bool is_last_first, bucket_fn *each, void *context)
{
    struct listing buckets = {0};
    int stop = bucket_list(queue_dir, state, &buckets);
    for (size_t i = 0; i < buckets.count && !stop; i++) {
        const size_t at = is_last_first ? buckets.count - 1 - i : i;
        stop = enter(queue_dir, state, listing_at(&buckets, at), each, context);
    }
    listing_free(&buckets);
    return stop;
}

int bucket_each(int queue_dir, enum mq_state state, bucket_fn *each, void *context)
{
    return each_bucket(queue_dir, state, false, each, context);
}

int bucket_each_last_first(int queue_dir, enum mq_state state, bucket_fn *each, void *context)
{
    return each_bucket(queue_dir, state, true, each, context);
}

struct visitor {
    struct listing *listing;
    bucket_visit_fn *visit;
    void *context;
};

static int visit_files(void *context, struct bucket *bucket)
{
    const struct visitor *visitor = context;
    struct listing *listing = visitor->listing;
    struct bucket_file file = {.state = bucket->state, .bucket = bucket->name, .dir = bucket->dir};
    int stop = bucket_read(bucket->dir, bucket->state, listing);
    for (size_t i = 0; i < listing->count && !stop; i++) {
        file.file = listing_at(listing, i);
        name_parse(file.state, file.file, &file.name);
        stop = visitor->visit(visitor->context, &file);
    }
    return stop;
}

int bucket_visit(int queue_dir, enum mq_state state, const char *bucket, struct listing *listing,
                 bucket_visit_fn *visit, void *context)
{
    return enter(queue_dir, state, bucket, visit_files, &(struct visitor){listing, visit, context});
}

int bucket_walk(int queue_dir, enum mq_state state, bucket_visit_fn *visit, void *context)
{
    struct listing files = {0};
    const int stop = bucket_each(queue_dir, state, visit_files, &(struct visitor){&files, visit, context});
    listing_free(&files);
    return stop;
}

/* ---- making and removing ------------------------------------------------------------ */

/* Make a directory in a state's directory, unless it exists. */
static int make(int queue_dir, unsigned sharing, enum mq_state state, const char *bucket)
{
    const int state_dir = fs_open_dir(queue_dir, name_of_state(state));
    if (state_dir < 0)
        return state_dir;
    const int error = access_make_dir(queue_dir, sharing, state_dir, bucket);
    close(state_dir);
    return error == -EEXIST ? 0 : error;
}

int bucket_open_inbox(int queue_dir)
{
    return fs_open_passage_below(queue_dir, name_of_state(MQ_DELAYED), NAME_RESERVE_BUCKET);
}

int bucket_make(int queue_dir, unsigned sharing, enum mq_state state, const char *bucket)
{
    for (;;) {
        const int dir = bucket_open(queue_dir, state, bucket);
        if (dir != -ENOENT)
            return dir;
        const int error = make(queue_dir, sharing, state, bucket);
        if ((error == -ENOSPC || error == -EDQUOT) && state != MQ_READY) {
            const int reserve = bucket_open(queue_dir, state, NAME_RESERVE_BUCKET);
            return reserve < 0 ? error : reserve;
        }
        if (error < 0)
            return error;
    }
}

/* Nobody sends to a queue that is being made, so the mode may be set after the inbox is made. */
static int open_inbox_to_senders(int queue_dir, unsigned sharing)
{
    const int delayed = access_has_inbox(sharing) ? fs_open_dir(queue_dir, name_of_state(MQ_DELAYED)) : -ENOENT;
    if (delayed < 0)
        return delayed == -ENOENT ? 0 : delayed;
    const int error = access_apply(sharing, ACCESS_INBOX, delayed, NAME_RESERVE_BUCKET);
    close(delayed);
    return error;
}

int bucket_make_reserves(int queue_dir, unsigned sharing)
{
    int error = 0;
    for (int state = MQ_DELAYED; state < MQ_STATES && !error; state++)
        error = make(queue_dir, sharing, (enum mq_state)state, NAME_RESERVE_BUCKET);
    return error ? error : open_inbox_to_senders(queue_dir, sharing);
}

int bucket_remove(int queue_dir, enum mq_state state, const char *bucket)
{
    const int state_dir = fs_open_dir(queue_dir, name_of_state(state));
    if (state_dir < 0)
        return state_dir;
    const int error = fs_remove_dir(state_dir, bucket);
    close(state_dir);
    return error == 0 ? 1 : error == -ENOTEMPTY || error == -ENOENT ? 0 : error;
}

int bucket_persist(int queue_dir, enum mq_state state, int bucket_dir)
{
    if (fs_is_persisted(bucket_dir))
        return 0;
    const int state_dir = fs_open_dir(queue_dir, name_of_state(state));
    if (state_dir < 0)
        return state_dir;
    const int error = fs_persist_dir(state_dir, bucket_dir);
    close(state_dir);
    return error;
}
