/* Checking a log: finding what lies in it and does not belong there. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/check_chain.h"
#include "admin/check_sent.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "format/log_name.h"
#include "format/sent_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "log/log.h"
#include "store/layout.h"

#define LOOKS_AT_END 3 /* a bucket may be exchanged while the end is looked for */
#define LOOKS 100      /* a listing may show both names of a beginning that is renamed, or none */

/* ---- directories -------------------------------------------------------------------- */

static int check_part(void *context, const char *name, unsigned char type)
{
    static const char *const dirs[] = {LOG_ENTRIES, LOG_BEGIN,     LOG_REMOVED, "tmp",
                                       "sizes",     SENT_NAME_DIR, NAME_GROUPS, "aside"};
    static const char *const files[] = {LOG_HOLD, "hint", "settings"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        if (type == DT_DIR && strcmp(name, dirs[i]) == 0)
            return 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (type == DT_REG && strcmp(name, files[i]) == 0)
            return 0;
    return finding_report(context, "", name, "not a part of a log");
}

static int check_removed_entry(void *context, const char *name, unsigned char type)
{
    uint64_t bucket;
    return type == DT_DIR && log_name_parse_removed(name, &bucket)
               ? 0
               : finding_report(context, LOG_REMOVED, name, "not a bucket that was removed");
}

static int check_tmp_entry(void *context, const char *name, unsigned char type)
{
    const bool is_new_dir = type == DT_DIR && (name_is_new_bucket(name) || sent_name_is_new_slot_dir(name));
    return is_new_dir || type == DT_REG ? 0 : finding_report(context, "tmp", name, "not a regular file");
}

static int check_size(void *context, const char *name, unsigned char type)
{
    uint64_t bucket;
    return type == DT_LNK && log_name_parse_bucket(name, &bucket)
               ? 0
               : finding_report(context, "sizes", name, "not the size of a bucket");
}

static int check_group_name(void *context, const char *name, unsigned char type)
{
    const struct check *check = context;
    char group[MQ_QUEUE_NAME_SIZE];
    enum name_pending kind;
    if (type == DT_DIR && name_parse_pending(name, &kind, group))
        return 0;
    if (type != DT_DIR || !mq_queue_name_is_valid(name))
        return finding_report(context, NAME_GROUPS, name, "not a group's name");
    const int dir = fs_open_dir(check->dir, name);
    const int is = dir < 0 ? dir : layout_is_queue(dir);
    if (dir >= 0)
        close(dir);
    if (is < 0)
        return is == -ENOENT ? 0 : is;
    return is == 1 || fs_has(check->dir, name) != 1 ? 0 : finding_report(context, NAME_GROUPS, name, "not a group");
}

static int make_missing_part(struct check *check, const mq_log *log, const char *name)
{
    const int has = fs_has(log->dir, name);
    if (has != 0)
        return has < 0 ? has : 0;
    const int made = check->repair ? mq_log_create(log->spool, log->name) : 0;
    finding_tell(check, "", name, "a part of the log that is missing");
    return made < 0 ? made : 0;
}

/* ---- the beginning ---------------------------------------------------------------------- */

struct beginnings {
    unsigned count;
    uint64_t limit; /* the end of the log */
    uint64_t right; /* the greatest that is not beyond the limit, if there is one; else the greatest */
};

static int note_beginning(void *context, const char *name, unsigned char type)
{
    struct beginnings *beginnings = context;
    uint64_t offset;
    (void)type;
    if (!log_name_parse(name, &offset))
        return 0;
    const bool is_first = beginnings->count++ == 0, fits = offset <= beginnings->limit,
               others_fit = beginnings->right <= beginnings->limit;
    if (is_first || (fits && !others_fit) || (fits == others_fit && offset > beginnings->right))
        beginnings->right = offset;
    return 0;
}

struct beginning_check {
    struct check *check;
    const struct beginnings *beginnings;
};

static int check_beginning_name(void *context, const char *name, unsigned char type)
{
    const struct beginning_check *beginning = context;
    uint64_t offset;
    if (!log_name_parse(name, &offset) || type != DT_REG)
        return finding_report(beginning->check, LOG_BEGIN, name, "not a beginning's name");
    return beginning->beginnings->count > 1 && offset != beginning->beginnings->right
               ? finding_report(beginning->check, LOG_BEGIN, name, "a second beginning of the log")
               : 0;
}

/* The first entry: 1; 0: there is none. */
static int find_first(int dir, uint64_t *ret_offset)
{
    struct chain_list buckets = {0}, entries = {0};
    int error = chain_list_buckets(dir, &buckets);
    for (size_t i = 0; i < buckets.count && !error && entries.count == 0; i++) {
        error = chain_list_entries(dir, buckets.list[i], &entries);
        error = error == -ENOENT ? 0 : error;
    }
    const int found = error ? error : entries.count > 0;
    if (found == 1)
        *ret_offset = entries.list[0];
    chain_list_free(&buckets);
    chain_list_free(&entries);
    return found;
}

/* The first entry is the beginning again. */
static int mend_beginning(const mq_log *log, const struct beginnings *beginnings)
{
    char old[LOG_NAME_SIZE], new[LOG_NAME_SIZE];
    uint64_t first = 0;
    const int found = find_first(log->dir, &first);
    const int begin = found < 0 ? found : fs_open_dir(log->dir, LOG_BEGIN);
    if (begin < 0)
        return begin;
    log_name_format(beginnings->right, old);
    log_name_format(first, new);
    int error = beginnings->count == 0 ? fs_make_empty(begin, new, FS_FILE_MODE) : fs_rename(begin, old, begin, new);
    if (!error && beginnings->count == 0)
        error = fs_give_to_owner_of(begin, new);
    if (!error)
        error = fs_sync(begin);
    close(begin);
    return error == -EEXIST ? 0 : error;
}

/* Of several, readers take the greatest. The end is looked for after the beginnings, and never before them, unless
   names were planted: so what is beyond it was. */
static int find_beginnings(const mq_log *log, struct beginnings *ret_beginnings)
{
    struct beginnings beginnings = {0};
    struct chain_last last;
    int error = 0, found = 0;
    for (int looks = 0; looks < LOOKS && !error && beginnings.count != 1; looks++) {
        beginnings = (struct beginnings){.limit = UINT64_MAX};
        error = fs_list_at(log->dir, LOG_BEGIN, note_beginning, &beginnings);
    }
    if (!error)
        found = chain_find_last(log->dir, &last);
    if (error || found < 0)
        return error ? error : found;
    beginnings.limit = found == 1 ? last.offset + last.count : UINT64_MAX;
    if (beginnings.count > 1) {
        beginnings.count = 0;
        error = fs_list_at(log->dir, LOG_BEGIN, note_beginning, &beginnings);
    }
    *ret_beginnings = beginnings;
    return error;
}

static bool is_right(const struct beginnings *beginnings)
{
    return beginnings->count > 0 && beginnings->right <= beginnings->limit;
}

static int check_beginning(struct check *check, const mq_log *log)
{
    struct beginnings beginnings = {0};
    char name[LOG_NAME_SIZE];
    int error = 0;
    for (int looks = 0; looks < LOOKS_AT_END && !error && !is_right(&beginnings); looks++)
        error = find_beginnings(log, &beginnings);
    check->dir = error ? error : fs_open_dir(log->dir, LOG_BEGIN);
    if (check->dir < 0)
        return check->dir;
    error = fs_list_at(check->dir, ".", check_beginning_name, &(struct beginning_check){check, &beginnings});
    close(check->dir);
    if (error || is_right(&beginnings))
        return error;
    log_name_format(beginnings.right, name);
    if (beginnings.count == 0)
        finding_tell(check, "", LOG_BEGIN, "the log has lost its beginning");
    else
        finding_tell(check, LOG_BEGIN, name, "a beginning beyond the end of the log");
    return check->repair ? mend_beginning(log, &beginnings) : 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

int mq_log_check(mq_log *log, bool repair, void (*each)(const char *path, const char *problem, void *context),
                 void *context)
{
    static const char *const parts[] = {"tmp", LOG_REMOVED, LOG_HOLD};
    struct check check = {.home = log->dir, .repair = repair, .each = each, .context = context};
    int error = finding_list(&check, fs_open_dir(log->dir, "."), check_part);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !error; i++)
        error = make_missing_part(&check, log, parts[i]);
    if (!error)
        error = finding_list_later(&check, LOG_REMOVED, check_removed_entry);
    if (!error)
        error = finding_list_later(&check, "tmp", check_tmp_entry);
    if (!error)
        error = finding_list_later(&check, "sizes", check_size);
    if (!error)
        error = finding_list_later(&check, NAME_GROUPS, check_group_name);
    if (!error)
        error = check_sent(&check);
    if (!error)
        error = check_beginning(&check, log);
    if (!error)
        error = check_chain(&check, log);
    log_release(log);
    error = log_explain(log, error);
    return error ? error : check.left ? check.left : check.found;
}
