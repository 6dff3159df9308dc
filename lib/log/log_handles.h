/*
 * Handles of logs that stay open for the next use.
 *
 *     struct log_handles handles = {0};
 *     error = log_handles_get(&handles, spool, "clicks", &log);
 *     …
 *     log_handles_release(&handles);
 */
#ifndef MQ_LOG_HANDLES_H
#define MQ_LOG_HANDLES_H

#include "log/log.h"

#define LOG_HANDLES_MAX 8 /* each takes half a dozen descriptors */

struct log_handles {
    mq_log *list[LOG_HANDLES_MAX];
    unsigned count, replaced;
};

/* The log that has this name now, until the next call. -ENOENT: there is none. */
int log_handles_get(struct log_handles *handles, const char *spool, const char *name, mq_log **ret_log);

/* The same without a look whether it still has the name. NULL: there is no handle of it. */
mq_log *log_handles_find(const struct log_handles *handles, const char *name);

void log_handles_release(struct log_handles *handles);

#endif
