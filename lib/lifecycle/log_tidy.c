/* Tidying a log. */
#include "lifecycle/log_tidy.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "lifecycle/outbox.h"
#include "log/end.h"
#include "log/log.h"
#include "log/pack.h"
#include "store/outbox_dir.h"
#include "store/spool.h"

struct look {
    int outbox;
    const char *log;
};

static int is_for_log(void *context, const char *file, unsigned char type)
{
    const struct look *look = context;
    struct outbox_entry entry;
    (void)type;
    return outbox_parse_entry(file, &entry) && outbox_is_for_log(entry.kind) && strcmp(entry.queue, look->log) == 0;
}

/* 1: something in it is, or may be, for the log. Only the log's owner and root can append to it. */
static int holds(void *context, const struct outbox_place *place)
{
    const struct look *look = context;
    if (place->state != OUTBOX_COMMITTED)
        return 0;
    const int held = fs_list_at(look->outbox, place->name, is_for_log, context);
    return held == -EACCES ? place->owner == 0 : held == -ENOENT ? 0 : held;
}

/* 1: a transaction is left that is committed into the log. */
static int finish(const char *spool_path, const char *name)
{
    bool left;
    const int spool = spool_open(spool_path, false), outbox = spool < 0 ? spool : outbox_open(spool, false);
    if (spool >= 0)
        close(spool);
    if (outbox < 0)
        return outbox == -ENOENT ? 0 : outbox;
    (void)outbox_finish_all(spool_path, OUTBOX_AT_ONCE, OUTBOX_NO_TIME, &left); /* what is left is found out */
    const int holds_some = left ? outbox_walk(outbox, holds, &(struct look){outbox, name}) : 0;
    close(outbox);
    return holds_some;
}

int log_tidy(const char *spool_path, const char *name, int dir, size_t most, uint64_t *ret_removed)
{
    struct log_config config;
    struct hint hint = {.file = -1};
    uint64_t limit, packed = 0;
    int error = log_config_load(dir, &config, NULL);
    if (!error)
        error = log_find_end(dir, &hint, &limit);
    if (hint.file >= 0)
        close(hint.file);
    const int left = error ? error : finish(spool_path, name);
    *ret_removed = 0;
    if (left < 0)
        return left;
    error = log_trim(dir, &config, left ? 0 : limit, most, ret_removed);
    if (!error)
        error = log_pack(dir, left ? 0 : limit, most, &packed);
    const int cleared = log_clear_removed(dir, most);
    return error ? error : cleared;
}
