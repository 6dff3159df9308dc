/*
 * Appending a file to a log (append.c), and one that may be in it already (append_output.c).
 *
 *     error = log_append(log, &(struct log_source){link_draft, count, durable});
 *     error = log_sync(log);
 *
 * What cannot be appended leaves the log as it was. The content of a file that is to be durable is where no name can reach
 * the disk before it.
 */
#ifndef MQ_LOG_APPEND_H
#define MQ_LOG_APPEND_H

#include "log/log.h"

/* A file that is to be an entry, as a member of what knows it. */
struct log_source {
    int (*give_name)(const struct log_source *source, int dir, const char *name);
    uint32_t count; /* messages */
    bool durable;
};

/* Append it behind the last entry, and note the run. */
int log_append(mq_log *log, const struct log_source *source);

/* An output of a transaction: a name in the open directory of that. */
struct log_output {
    int dir;
    const char *file;
    uint64_t end; /* the log had reached this offset when it was put in */
    uint32_t count;
    bool durable;
};

/* Append it, unless it is in the log already; its name stays. 1: it is in the log. 0: its name is gone, since another
   process has carried it out. -ESTALE: the log ends before `ret_end`, where it would have to be looked for: the output
   needs a name with `ret_end` first, which is where the log ends. */
int log_append_output(mq_log *log, const struct log_output *output, uint64_t *ret_end);

/* An offset that the log has reached. */
int log_reached(mq_log *log, uint64_t *ret_end);

/* Make durable what was appended. */
int log_sync(mq_log *log);

/* Root may append to the log of another user, who has to be able to read it. */
int log_give_to_owner(const mq_log *log, int file);

/* ---- steps of it ---------------------------------------------------------------------- */

/* 1: found; 0: the log has no entries, and its beginning is in `ret_last`. */
int log_find_last(mq_log *log, bool by_listing, struct chain_last *ret_last);

enum log_linked { LOG_LINKED, LOG_TAKEN, LOG_AGAIN };

/* Link it to the offset, which is behind the entry `last`. */
int log_link_at(mq_log *log, const struct log_source *source, const struct chain_last *last, uint64_t offset,
                enum log_linked *ret_linked);

void log_note_appended(mq_log *log, uint64_t offset, uint64_t count, bool durable);

#endif
