/* Names of messages that failed, or that were dead and are retried. */
#include <string.h>

#include "format/name.h"

static bool is_marked_retried(const struct message_name *name)
{
    const char *found = strstr(name->others, ".f");
    return found && (found[2] == '\0' || found[2] == '.');
}

bool name_mark_retried(struct message_name *name)
{
    const size_t used = strlen(name->others);
    if (is_marked_retried(name))
        return true;
    if (used + 2 >= sizeof name->others)
        return false;
    memcpy(name->others + used, ".f", 3);
    return true;
}

/* A claim's own attempt has not failed yet. */
bool name_may_have_failed(enum mq_state state, const struct message_name *name)
{
    return name->attempts > (state == MQ_INFLIGHT ? 1 : 0) || is_marked_retried(name);
}
