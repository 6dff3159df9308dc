/*
 * Checking the entries of a log.
 *
 * First the names are looked at, then the chain is followed as a reader follows it. The log may be in use: an entry that was
 * linked, a bucket that was packed or removed meanwhile looks wrong in an old listing only. So each finding is looked
 * at once more, by the names of that moment: a bucket is exchanged once, and the beginning only rises.
 */
#include "admin/check_chain.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "format/log_name.h"

struct following {
    struct check *check;
    mq_log *log;
    uint64_t at;              /* the offset that comes next */
    uint64_t entry;           /* the last entry, which reaches to `at`; equal to it: there is none */
    struct chain_list *names; /* of the bucket that is looked at */
    bool is_over;             /* the end of the log was met */
};

/* ---- names --------------------------------------------------------------------------- */

/* A directory of the name of an entry is a damaged entry, which the chain tells. */
static int check_entry_name(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    uint64_t offset, bucket;
    char place[LOG_NAME_SIZE + sizeof LOG_ENTRIES];
    (void)type;
    if (log_name_parse(name, &offset) && log_name_parse_bucket(check->bucket, &bucket) &&
        log_bucket_of(offset) == bucket)
        return 0;
    snprintf(place, sizeof place, LOG_ENTRIES "/%s", check->bucket);
    return finding_report(check, place, name,
                          log_name_parse(name, &offset) ? "in a bucket that is not its own" : "not an entry's name");
}

static int check_bucket_name(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    uint64_t bucket;
    if (!log_name_parse_bucket(name, &bucket))
        return finding_report(check, LOG_ENTRIES, name, "not a bucket's name");
    if (type != DT_DIR)
        return finding_report(check, LOG_ENTRIES, name, "not a directory");
    return finding_list_inside(check, name, check_entry_name);
}

/* ---- entries -------------------------------------------------------------------------- */

static void tell(struct following *following, uint64_t offset, const char *problem)
{
    char bucket[LOG_NAME_SIZE], name[LOG_NAME_SIZE], place[LOG_NAME_SIZE + sizeof LOG_ENTRIES];
    log_name_format_bucket(log_bucket_of(offset), bucket);
    log_name_format(offset, name);
    snprintf(place, sizeof place, LOG_ENTRIES "/%s", bucket);
    finding_tell(following->check, place, name, problem);
}

static void note_left(struct following *following, int error)
{
    if (error < 0)
        following->check->left = error;
}

/* Read all messages of an entry: 0, also if it is not there any more; -EBADMSG. */
static int read_entry(mq_log *log, const struct chain_place *place)
{
    mq_log_reader *reader;
    mq_message *message;
    uint64_t at = place->offset;
    if (place->is_gap)
        return 0;
    int got = mq_log_reader_new(log, place->offset, &reader);
    if (got)
        return got;
    do
        got = mq_log_next(reader, &message, &at);
    while (got == 1 && at + 1 < place->next);
    mq_log_reader_free(reader);
    return got == 1 ? 0 : got;
}

/* 1: the entry at the offset is damaged, also at the second look; 0. */
static int is_damaged(struct following *following, uint64_t offset, struct chain_place *place)
{
    int error = 0;
    for (int looks = 0; looks < 2; looks++) {
        error = chain_locate(following->log->dir, offset, place);
        if (error || place->kind != CHAIN_ENTRY || place->offset != offset)
            error = error ? error : -ENOENT;
        else
            error = place->is_corrupt ? -EBADMSG : read_entry(following->log, place);
        chain_leave(place);
        if (error != -EBADMSG)
            return error == -ENOENT ? 0 : error;
    }
    return 1;
}

/* A damaged entry reaches to the next name, but no further than it says. */
static int report_damaged(struct following *following, const struct chain_place *place)
{
    uint64_t next = place->next, name = 0;
    const int has = chain_next_name(following->log->dir, place->offset, &name);
    if (has < 0)
        return has;
    if (has == 1 && name < next)
        next = name;
    tell(following, place->offset,
         place->is_corrupt ? "not an entry" : "an entry that is damaged, or has a wrong count");
    if (following->check->repair)
        note_left(following, log_replace_by_gap(following->log, place->offset, next));
    following->entry = place->offset;
    following->at = next;
    return 0;
}

/* Names within an entry are met by no reader that comes from before, and by some that do not. The entry was seen after
   the bucket had the names, so one that is still there does not go with another bucket. */
static int report_inside(struct following *following)
{
    const struct chain_list *names = following->names;
    for (size_t i = 0; i < names->count; i++) {
        char name[LOG_NAME_SIZE], bucket[LOG_NAME_SIZE], place[LOG_NAME_SIZE + sizeof LOG_ENTRIES];
        const uint64_t offset = names->list[i];
        if (offset <= following->entry || offset >= following->at)
            continue;
        log_name_format(offset, name);
        log_name_format_bucket(log_bucket_of(offset), bucket);
        struct check *check = following->check;
        check->dir = fs_open_dir_below(following->log->dir, LOG_ENTRIES, bucket);
        if (check->dir < 0 && check->dir != -ENOENT)
            return check->dir;
        const int has = check->dir < 0 ? 0 : fs_has(check->dir, name);
        snprintf(place, sizeof place, LOG_ENTRIES "/%s", bucket);
        if (has == 1)
            finding_report(check, place, name, "an entry inside another one");
        if (check->dir >= 0)
            close(check->dir);
        if (has < 0)
            return has;
    }
    return 0;
}

static int check_entry(struct following *following, struct chain_place *place)
{
    const int error = place->is_corrupt ? -EBADMSG : read_entry(following->log, place);
    chain_leave(place);
    if (error && error != -EBADMSG)
        return error;
    if (error) {
        const int is = is_damaged(following, place->offset, place);
        if (is < 0)
            return is;
        if (is == 1)
            return report_damaged(following, place);
        if (place->kind != CHAIN_ENTRY)
            return 0; /* it is gone: look again */
    }
    following->entry = place->offset;
    following->at = place->next;
    return report_inside(following);
}

/* ---- the chain ---------------------------------------------------------------------------- */

static int close_hole(struct following *following, const struct chain_place *hole)
{
    tell(following, hole->offset, "the name of an entry is missing");
    if (following->check->repair)
        note_left(following, log_close_hole(following->log, hole->offset, hole->next));
    following->entry = following->at = hole->next;
    return 0;
}

static int go_to_beginning(struct following *following)
{
    uint64_t begin;
    const int error = chain_beginning(following->log->dir, &begin);
    if (!error && begin > following->at)
        following->entry = following->at = begin;
    return error;
}

static int step(struct following *following)
{
    struct chain_place place;
    const int error = chain_locate(following->log->dir, following->at, &place);
    if (error)
        return error;
    switch (place.kind) {
    case CHAIN_BELOW:
        return go_to_beginning(following);
    case CHAIN_HOLE:
        return close_hole(following, &place);
    case CHAIN_END:
        following->is_over = true;
        return 0;
    default:
        return check_entry(following, &place);
    }
}

/* The names are listed before the entries are read: what is packed meanwhile has them no more. */
static int follow_bucket(struct following *following, uint64_t bucket)
{
    const uint64_t end = (bucket + 1) << LOG_BUCKET_BITS;
    int error = chain_list_entries(following->log->dir, bucket, following->names);
    if (error == -ENOENT)
        following->names->count = 0;
    else if (error)
        return error;
    error = report_inside(following);
    while (!error && !following->is_over && following->at < end)
        error = step(following);
    return error;
}

static int follow(struct following *following)
{
    struct chain_list buckets = {0};
    int error = chain_list_buckets(following->log->dir, &buckets);
    for (size_t i = 0; i < buckets.count && !error && !following->is_over; i++)
        if (buckets.list[i] >= log_bucket_of(following->at))
            error = follow_bucket(following, buckets.list[i]);
    chain_list_free(&buckets);
    return error;
}

int check_chain(struct check *check, mq_log *log)
{
    struct chain_list names = {0};
    struct following following = {.check = check, .log = log, .names = &names};
    int error = finding_list(check, fs_open_dir(log->dir, LOG_ENTRIES), check_bucket_name);
    if (!error)
        error = chain_beginning(log->dir, &following.at);
    if (error == -EUCLEAN && !check->repair)
        return 0; /* it has no beginning, which is told already */
    following.entry = following.at;
    if (!error)
        error = follow(&following);
    chain_list_free(&names);
    return error;
}
