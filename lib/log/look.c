/* Looking at a log: its ends, its size, and the offset of a moment. */
#include <errno.h>

#include "format/log_name.h"
#include "log/bucket_size.h"
#include "log/end.h"
#include "log/log.h"

int mq_log_bounds(mq_log *log, uint64_t *ret_begin, uint64_t *ret_end)
{
    uint64_t begin, end;
    log_look_at_outbox(log);
    int error = log_find_end(log->dir, &log->hint, &end);
    if (!error)
        error = chain_beginning(log->dir, &begin);
    if (error)
        return error;
    *ret_begin = begin;
    *ret_end = end > begin ? end : begin;
    return 0;
}

/* ---- figures ------------------------------------------------------------------------- */

int mq_log_stat(mq_log *log, struct mq_log_stats *ret_stats)
{
    struct mq_log_stats stats = {0};
    struct chain_last last;
    int error = mq_log_bounds(log, &stats.begin, &stats.end);
    const int found = error ? error : log_find_tail(log->dir, &log->hint, &last);
    if (found < 0)
        return found;
    if (found == 1 && chain_read_moment(log->dir, last.offset, &stats.last_at) == 0 &&
        chain_read_moment(log->dir, stats.begin, &stats.first_at) < 0)
        stats.first_at = 0; /* it was removed meanwhile */
    if (found == 1)
        error = bucket_size_sum(log->dir, log_bucket_of(stats.begin), log_bucket_of(last.offset), &stats.bytes);
    if (!error)
        *ret_stats = stats;
    return error;
}

/* ---- moments -------------------------------------------------------------------------- */

/* In a list of entries in order, the first that was written at the moment or later. */
static int bisect(const mq_log *log, const uint64_t *list, size_t count, int64_t moment, size_t *ret_index)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        int64_t written = 0;
        const int error = chain_read_moment(log->dir, list[middle], &written);
        if (error && error != -ENOENT) /* retention has removed it: it is older */
            return error;
        if (written < moment)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return 0;
}

/* The first entry of a bucket. 0: it has none. */
static int find_first(const mq_log *log, uint64_t bucket, struct chain_list *entries, uint64_t *ret_offset)
{
    const int error = chain_list_entries(log->dir, bucket, entries);
    if (error || entries->count == 0)
        return error == -ENOENT ? 0 : error;
    *ret_offset = entries->list[0];
    return 1;
}

/* Of the buckets, leave those with entries, as the offset of their first one. */
struct firsts {
    const mq_log *log;
    struct chain_list *buckets, *entries;
};

/* The last bucket whose first entry is older than the moment; the number of buckets if there is none. Buckets without
   entries count as older. */
static int find_bucket(const struct firsts *firsts, int64_t moment, size_t *ret_index)
{
    const struct chain_list *buckets = firsts->buckets;
    size_t low = 0, high = buckets->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        uint64_t first = 0;
        int64_t written = 0;
        int found = find_first(firsts->log, buckets->list[middle], firsts->entries, &first);
        if (found == 1)
            found = chain_read_moment(firsts->log->dir, first, &written);
        if (found < 0 && found != -ENOENT)
            return found;
        if (written < moment)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low > 0 ? low - 1 : buckets->count;
    return 0;
}

/* The moment is in that bucket, or between it and the next one. */
static int find_in_bucket(const struct firsts *firsts, size_t bucket, int64_t moment, uint64_t *ret_offset)
{
    size_t index = 0;
    const struct chain_list *buckets = firsts->buckets;
    int error = chain_list_entries(firsts->log->dir, buckets->list[bucket], firsts->entries);
    if (!error)
        error = bisect(firsts->log, firsts->entries->list, firsts->entries->count, moment, &index);
    if (error && error != -ENOENT)
        return error;
    if (!error && index < firsts->entries->count) {
        *ret_offset = firsts->entries->list[index];
        return 1;
    }
    for (size_t next = bucket + 1; next < buckets->count; next++) {
        const int found = find_first(firsts->log, buckets->list[next], firsts->entries, ret_offset);
        if (found)
            return found;
    }
    return 0;
}

/* The entry at the offset may have been packed: its first message that was sent at the moment or later, or the entry
   behind. */
static int find_in_entry(mq_log *log, int64_t moment, uint64_t *offset)
{
    mq_log_reader *reader;
    mq_message *message;
    struct chain_place place;
    int got = chain_locate(log->dir, *offset, &place);
    if (got)
        return got;
    chain_leave(&place);
    if (place.kind != CHAIN_ENTRY || place.next - place.offset < 2)
        return 0;
    got = mq_log_reader_new(log, *offset, &reader);
    if (got)
        return got;
    uint64_t at = *offset;
    while ((got = mq_log_next(reader, &message, &at)) == 1 && at < place.next && mq_message_sent_at(message) < moment)
        at++;
    mq_log_reader_free(reader);
    *offset = got >= 0 ? at : *offset;
    return got < 0 && got != -EBADMSG ? got : 0;
}

int mq_log_find(mq_log *log, int64_t moment, uint64_t *ret_offset)
{
    struct chain_list buckets = {0}, entries = {0};
    const struct firsts firsts = {log, &buckets, &entries};
    uint64_t begin = 0, end = 0, found_at = 0;
    size_t bucket = 0;
    int error = mq_log_bounds(log, &begin, &end);
    if (!error)
        error = chain_list_buckets(log->dir, &buckets);
    if (!error)
        error = find_bucket(&firsts, moment, &bucket);
    int found = error ? error : 0;
    if (!error && bucket == buckets.count) {
        found = 1;
        found_at = begin;
    } else if (!error) {
        found = find_in_bucket(&firsts, bucket, moment, &found_at);
    }
    chain_list_free(&buckets);
    chain_list_free(&entries);
    if (found < 0)
        return found;
    *ret_offset = found == 0 ? end : found_at > begin ? found_at : begin;
    return found == 0 ? 0 : find_in_entry(log, moment, ret_offset);
}
