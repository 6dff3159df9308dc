/* mq-log seek. */
#ifndef LOG_SEEK_H
#define LOG_SEEK_H

#include <stdbool.h>

/* Let a group go on elsewhere in its log; with `dry_run` only say what that would mean. Returns an exit status. */
int log_seek(const char *group, const char *where, bool dry_run);

#endif
