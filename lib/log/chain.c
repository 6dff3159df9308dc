/* The chain of a log's entries. */
#include "log/chain.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/grow.h"
#include "base/io.h"
#include "format/log_name.h"

/* A listing may lie while other processes rename, and a bucket may be taken out of the log while it is read. */
#define TRIES 1000

/* A name that one listing does not show may have been missed: only this many in a row say that it is not there. */
#define LOOKS 3

void chain_list_free(struct chain_list *list)
{
    free(list->list);
    *list = (struct chain_list){0};
}

/* ---- listing ----------------------------------------------------------------------- */

struct gathering {
    struct chain_list *to;
    bool (*parse)(const char *text, uint64_t *ret_number);
};

static int gather(void *context, const char *name, unsigned char type)
{
    const struct gathering *gathering = context;
    struct chain_list *to = gathering->to;
    uint64_t number;
    (void)type;
    if (!gathering->parse(name, &number))
        return 0;
    if (!GROW(to->list, to->count + 1, to->room))
        return -ENOMEM;
    to->list[to->count++] = number;
    return 0;
}

static int compare(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static int list_numbers(int dir, bool (*parse)(const char *text, uint64_t *ret_number), struct chain_list *ret_list)
{
    ret_list->count = 0;
    const int error = fs_list(dir, gather, &(struct gathering){ret_list, parse});
    if (!error && ret_list->count > 0)
        qsort(ret_list->list, ret_list->count, sizeof *ret_list->list, compare);
    return error;
}

/* The errors of a name that is there and no directory. */
static int open_part(int at, const char *name)
{
    const int dir = fs_open_dir(at, name);
    return dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP ? -EUCLEAN : dir;
}

static int list_part(int dir, const char *part, bool (*parse)(const char *text, uint64_t *ret_number),
                     struct chain_list *ret_list)
{
    const int opened = open_part(dir, part);
    if (opened < 0)
        return opened;
    const int error = list_numbers(opened, parse, ret_list);
    close(opened);
    return error;
}

/* The beginning is one name, which is only ever renamed to a greater one: a listing may show both, or none. */
int chain_beginning(int dir, uint64_t *ret_offset)
{
    struct chain_list list = {0};
    int error = 0;
    for (int tries = 0; tries < TRIES && !error && list.count == 0; tries++)
        error = list_part(dir, "begin", log_name_parse, &list);
    if (!error && list.count == 0)
        error = -EUCLEAN;
    if (!error)
        *ret_offset = list.list[list.count - 1];
    chain_list_free(&list);
    return error;
}

int chain_list_buckets(int dir, struct chain_list *ret_buckets)
{
    return list_part(dir, "log", log_name_parse_bucket, ret_buckets);
}

/* A name that lies in a bucket of other numbers is no entry. */
static void drop_foreign(uint64_t bucket, struct chain_list *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++)
        if (log_bucket_of(entries->list[i]) == bucket)
            entries->list[kept++] = entries->list[i];
    entries->count = kept;
}

/* What a listing shows counts only if the directory is still in the log afterwards. */
int chain_list_entries(int dir, uint64_t bucket, struct chain_list *ret_entries)
{
    char name[LOG_NAME_SIZE], path[LOG_NAME_SIZE + 4] = "log/";
    struct fs_identity identity;
    log_name_format_bucket(bucket, name);
    for (size_t i = 0; i < sizeof name; i++)
        path[4 + i] = name[i];
    const int opened = fs_open_dir_below(dir, "log", name);
    if (opened < 0)
        return opened == -ENOTDIR || opened == -ELOOP ? -ENOENT : opened;
    int error = fs_identify(opened, &identity);
    if (!error)
        error = list_numbers(opened, log_name_parse, ret_entries);
    close(opened);
    drop_foreign(bucket, ret_entries);
    const int is = error ? error : fs_is_named(dir, path, &identity);
    return is < 0 ? is : is == 1 ? 0 : -ENOENT;
}

/* ---- entries ------------------------------------------------------------------------ */

static int open_entry_in(int at, const char *parent, uint64_t offset)
{
    char name[LOG_NAME_SIZE];
    log_name_format(offset, name);
    return parent ? fs_open_shared_below(at, parent, name, false) : fs_open_file(at, name);
}

int chain_open_entry(int dir, uint64_t offset)
{
    char path[LOG_NAME_SIZE * 2] = "log/";
    log_name_format_bucket(log_bucket_of(offset), path + 4);
    return open_entry_in(dir, path, offset);
}

/* What has an entry's name and cannot be read as a file is a corrupt entry, as is one that does not parse. */
static bool is_no_file(int error)
{
    return error == -EBADMSG || error == -ELOOP || error == -ENXIO || error == -EISDIR;
}

int chain_read_head(int bucket_dir, uint64_t offset, struct log_entry_head *ret_head)
{
    char text[LOG_ENTRY_HEAD];
    const int file = open_entry_in(bucket_dir, NULL, offset);
    if (is_no_file(file)) {
        *ret_head = (struct log_entry_head){LOG_ENTRY_CORRUPT, 0};
        return 0;
    }
    if (file < 0)
        return file;
    const ssize_t got = io_read_at(file, text, sizeof text, 0);
    close(file);
    if (got < 0)
        return (int)got;
    *ret_head = log_entry_parse(text, (size_t)got);
    return 0;
}

int chain_read_moment(int dir, uint64_t offset, int64_t *ret_moment)
{
    struct stat status;
    const int file = chain_open_entry(dir, offset);
    if (file < 0)
        return file;
    const int error = fstat(file, &status) < 0 ? fs_error() : 0;
    close(file);
    if (!error)
        *ret_moment = clock_of_file(&status.st_mtim);
    return error;
}

/* ---- the end ------------------------------------------------------------------------- */

static int read_head_by_path(int dir, uint64_t offset, struct log_entry_head *ret_head)
{
    char text[LOG_ENTRY_HEAD];
    const int file = chain_open_entry(dir, offset);
    if (file < 0 && !is_no_file(file))
        return file;
    const ssize_t got = file < 0 ? 0 : io_read_at(file, text, sizeof text, 0);
    if (file >= 0)
        close(file);
    if (got < 0 && got != -EISDIR)
        return (int)got;
    *ret_head = log_entry_parse(text, got < 0 ? 0 : (size_t)got);
    return 0;
}

/* A bucket that was taken out of the log meanwhile is passed over: what is found then is not the last any more, which
   whoever appends behind it notices. */
static int find_last_in(int dir, const struct chain_list *buckets, struct chain_list *entries,
                        struct chain_last *ret_last)
{
    struct log_entry_head head;
    for (size_t i = buckets->count; i-- > 0;) {
        int error = chain_list_entries(dir, buckets->list[i], entries);
        if (error == -ENOENT || (!error && entries->count == 0))
            continue;
        const uint64_t offset = error ? 0 : entries->list[entries->count - 1];
        if (!error)
            error = read_head_by_path(dir, offset, &head);
        if (error)
            return error;
        *ret_last = (struct chain_last){offset, head.kind == LOG_ENTRY_CORRUPT ? 1 : head.count};
        return 1;
    }
    return 0;
}

int chain_find_last(int dir, struct chain_last *ret_last)
{
    struct chain_list buckets = {0}, entries = {0};
    int found = -ENOENT;
    for (int tries = 0; tries < TRIES && found == -ENOENT; tries++) {
        found = chain_list_buckets(dir, &buckets);
        if (!found)
            found = find_last_in(dir, &buckets, &entries, ret_last);
    }
    chain_list_free(&buckets);
    chain_list_free(&entries);
    return found;
}

int chain_end(int dir, uint64_t *ret_offset)
{
    struct chain_last last;
    uint64_t begin;
    const int found = chain_find_last(dir, &last), error = found < 0 ? found : chain_beginning(dir, &begin);
    if (error)
        return error;
    *ret_offset = found == 1 && last.offset + last.count > begin ? last.offset + last.count : begin;
    return 0;
}

/* ---- finding an offset ---------------------------------------------------------------- */

/* The greatest name that is not above an offset, and the least that is. */
struct neighbours {
    bool has_low, has_high;
    uint64_t low, high;
};

static void note_entries(const struct chain_list *entries, uint64_t offset, struct neighbours *near)
{
    for (size_t i = 0; i < entries->count; i++) {
        const uint64_t at = entries->list[i];
        if (at <= offset && (!near->has_low || at > near->low)) {
            near->has_low = true;
            near->low = at;
        }
        if (at > offset && (!near->has_high || at < near->high)) {
            near->has_high = true;
            near->high = at;
        }
    }
}

/* What a bucket that is not in the log any more has does not count. */
static int note_bucket(int dir, uint64_t bucket, uint64_t offset, struct chain_list *entries, struct neighbours *near)
{
    const int error = chain_list_entries(dir, bucket, entries);
    if (!error)
        note_entries(entries, offset, near);
    return error == -ENOENT ? 0 : error;
}

/* In the bucket of the offset alone. */
static int find_near(int dir, uint64_t offset, struct neighbours *ret_near)
{
    struct chain_list entries = {0};
    *ret_near = (struct neighbours){0};
    const int error = note_bucket(dir, log_bucket_of(offset), offset, &entries, ret_near);
    chain_list_free(&entries);
    return error;
}

/* Beside what find_near has found, look back from the bucket of the offset until there is a name, and forward. */
static int find_others(int dir, uint64_t offset, struct neighbours *near)
{
    struct chain_list buckets = {0}, entries = {0};
    int error = chain_list_buckets(dir, &buckets);
    size_t behind = 0;
    while (behind < buckets.count && buckets.list[behind] <= log_bucket_of(offset))
        behind++;
    for (size_t i = behind; i-- > 0 && !error && !near->has_low;)
        error = note_bucket(dir, buckets.list[i], offset, &entries, near);
    for (size_t i = behind; i < buckets.count && !error && !near->has_high; i++)
        error = note_bucket(dir, buckets.list[i], offset, &entries, near);
    chain_list_free(&buckets);
    chain_list_free(&entries);
    return error;
}

int chain_next_name(int dir, uint64_t offset, uint64_t *ret_next)
{
    struct neighbours near;
    int error = find_near(dir, offset, &near);
    if (!error && !near.has_high)
        error = find_others(dir, offset, &near);
    if (error || !near.has_high)
        return error;
    *ret_next = near.high;
    return 1;
}

int chain_enter(int dir, uint64_t offset, struct chain_place *place)
{
    const int file = chain_open_entry(dir, offset);
    if (file == -ENOENT || file == -ENOTDIR)
        return 0;
    if (file < 0 && !is_no_file(file))
        return file;
    const ssize_t got = file < 0 ? 0 : io_read_at(file, place->ahead, sizeof place->ahead, 0);
    if (got < 0 && got != -EISDIR) {
        close(file);
        return (int)got;
    }
    place->got = got < 0 ? 0 : (size_t)got;
    const struct log_entry_head head = log_entry_parse(place->ahead, place->got);
    place->kind = CHAIN_ENTRY;
    place->offset = offset;
    place->next = offset + head.count;
    place->is_gap = head.kind == LOG_ENTRY_GAP;
    place->is_corrupt = head.kind == LOG_ENTRY_CORRUPT;
    place->file = file;
    return 1;
}

/* 1: an entry of this name; 0: none that is whole. */
static int enter_whole(int dir, uint64_t offset, struct chain_place *place)
{
    const int entered = chain_enter(dir, offset, place);
    if (entered != 1 || !place->is_corrupt)
        return entered;
    chain_leave(place);
    return 0;
}

/* The entry before the offset, or at it, if the offset is in it: 1. A corrupt one reaches to the next name. */
static int enter_low(int dir, uint64_t offset, const struct neighbours *near, struct chain_place *place)
{
    const int entered = near->has_low ? chain_enter(dir, near->low, place) : 0;
    if (entered != 1)
        return entered;
    if (place->is_corrupt)
        place->next = near->has_high ? near->high : near->low + 1;
    if (place->next > offset)
        return 1;
    chain_leave(place);
    return 0;
}

/* There is no whole entry of this name. 1: found out; 0: look again. Usually an entry in the same bucket tells by
   itself that it reaches the offset, and the listing of all buckets is saved. */
static int judge(int dir, uint64_t offset, bool sure, struct chain_place *place)
{
    uint64_t begin;
    struct neighbours near;
    int error = chain_beginning(dir, &begin);
    if (!error && offset < begin) {
        place->kind = CHAIN_BELOW;
        return 1;
    }
    if (!error)
        error = find_near(dir, offset, &near);
    int entered = error ? error : enter_low(dir, offset, &near, place);
    if (entered < 0 || (entered == 1 && !place->is_corrupt))
        return entered;
    chain_leave(place);
    place->is_corrupt = false;
    error = find_others(dir, offset, &near);
    entered = error ? error : enter_low(dir, offset, &near, place);
    if (entered || !sure)
        return entered;
    place->kind = near.has_high ? CHAIN_HOLE : CHAIN_END;
    place->offset = offset;
    place->next = near.has_high ? near.high : offset;
    return 1;
}

int chain_locate(int dir, uint64_t offset, struct chain_place *ret_place)
{
    ret_place->file = -1;
    ret_place->is_gap = ret_place->is_corrupt = false;
    int found = 0;
    for (int looks = 1; looks <= LOOKS && found == 0; looks++) {
        found = enter_whole(dir, offset, ret_place);
        if (found == 0)
            found = judge(dir, offset, looks == LOOKS, ret_place);
    }
    return found < 0 ? found : 0;
}

void chain_leave(struct chain_place *place)
{
    if (place->file >= 0)
        close(place->file);
    place->file = -1;
}
