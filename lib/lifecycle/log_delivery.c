/* Carrying out an output of a transaction into a log: lib/log/append_output.c, and what lies around it. */
#include "lifecycle/log_delivery.h"

#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/journal.h"
#include "log/append.h"

/* How often the log may be deleted meanwhile. */
#define TRIES 100

static void drop(mq_log **log)
{
    mq_log_close(*log);
    *log = NULL;
}

/* The log that has the name now. */
static int open_log(mq_log **log, const char *spool_path, const char *name)
{
    if (*log && strcmp(mq_log_name(*log), name) == 0)
        return 0;
    drop(log);
    int error = log_open(spool_path, name, log);
    if (error == -ENOENT) {
        error = mq_log_create(spool_path, name);
        error = error < 0 ? error : log_open(spool_path, name, log);
    }
    return error;
}

/* The log lost its end in a power cut, or was made anew: it is looked for from its present end on, and no longer by
   processes that know the old name. */
static int move_position(int dir, const char *file, const struct outbox_entry *entry, uint64_t end)
{
    char text[NAME_SIZE];
    struct outbox_entry moved = *entry;
    moved.end = end;
    int error = outbox_format_entry(&moved, text);
    if (!error)
        error = fs_rename(dir, file, dir, text);
    if (!error && !journal_keeps_order(dir))
        error = fs_sync(dir);
    return error ? error : -EAGAIN;
}

/* 1: it is in the log that has the name. 0: in one that was deleted meanwhile. */
static int is_there(mq_log *log, int dir)
{
    const int has = log_has_name(log), error = has == 1 && !journal_keeps_order(dir) ? log_sync(log) : 0;
    return error ? error : has;
}

int log_delivery(mq_log **log, const char *spool_path, int dir, const char *file, const struct outbox_entry *entry)
{
    uint64_t end;
    const struct log_output output = {dir, file, entry->end, entry->name.count, outbox_is_durable(entry->kind)};
    for (int tries = 0; tries < TRIES; tries++) {
        int done = open_log(log, spool_path, entry->queue);
        if (done)
            return done;
        done = log_append_output(*log, &output, &end);
        if (done == -ESTALE)
            return move_position(dir, file, entry, end);
        if (done == 1)
            done = is_there(*log, dir);
        else if (done == 0)
            return 0;
        else
            done = log_explain(*log, done) == -ENOENT ? 0 : done;
        if (done == 1) {
            const int error = fs_unlink(dir, file);
            return error == -ENOENT ? 0 : error;
        }
        if (done < 0)
            return done;
        drop(log);
    }
    return -EBUSY;
}
