/* Handles of logs that stay open for the next use. */
#include "log/log_handles.h"

#include <errno.h>
#include <string.h>

static unsigned find(const struct log_handles *handles, const char *name)
{
    unsigned at = 0;
    while (at < handles->count && strcmp(mq_log_name(handles->list[at]), name) != 0)
        at++;
    return at;
}

static void remove_at(struct log_handles *handles, unsigned at)
{
    mq_log_close(handles->list[at]);
    handles->list[at] = handles->list[--handles->count];
}

int log_handles_get(struct log_handles *handles, const char *spool, const char *name, mq_log **ret_log)
{
    const unsigned at = find(handles, name);
    const int has = at < handles->count ? log_has_name(handles->list[at]) : 0;
    if (has < 0)
        return has;
    if (has == 1) {
        *ret_log = handles->list[at];
        return 0;
    }
    if (at < handles->count)
        remove_at(handles, at);
    else if (handles->count == LOG_HANDLES_MAX)
        remove_at(handles, handles->replaced++ % LOG_HANDLES_MAX);
    const int error = log_open(spool, name, ret_log);
    if (!error)
        handles->list[handles->count++] = *ret_log;
    return error;
}

mq_log *log_handles_find(const struct log_handles *handles, const char *name)
{
    const unsigned at = find(handles, name);
    return at < handles->count ? handles->list[at] : NULL;
}

void log_handles_release(struct log_handles *handles)
{
    while (handles->count > 0)
        remove_at(handles, handles->count - 1);
}
