/* Names of messages that failed, that were dead and are retried, or whose attempts are limited; and as they were sent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/name.h"

#define NAME_MAX_ATTEMPTS_DIGITS 7

void name_as_sent(struct message_name *name)
{
    name->attempts = name->offset = name->length = 0;
    name->split = false;
    name->begun = 0;
    name->owner.process = 0;
    name->reason[0] = name->lane[0] = '\0';
    name->head = 0;
    name->settled = name->skipped = name->of = 0;
    name->due = 0;
}

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

/* The field `m`, with its dot; NULL: there is none. */
static const char *find_max_attempts(const struct message_name *name)
{
    const char *found = name->others[0] ? strstr(name->others, ".m") : NULL;
    const size_t digits = found ? strspn(found + 2, "0123456789") : 0;
    return digits > 0 && digits <= NAME_MAX_ATTEMPTS_DIGITS && (!found[2 + digits] || found[2 + digits] == '.') ? found
                                                                                                                : NULL;
}

uint32_t name_max_attempts(const struct message_name *name)
{
    const char *found = find_max_attempts(name);
    return found ? (uint32_t)strtoul(found + 2, NULL, 10) : 0;
}

bool name_set_max_attempts(struct message_name *name, uint32_t attempts)
{
    char others[NAME_OTHERS_SIZE];
    const char *found = find_max_attempts(name);
    const size_t before = found ? (size_t)(found - name->others) : strlen(name->others);
    const char *behind = found ? found + 2 + strspn(found + 2, "0123456789") : "";
    char field[16] = "";
    if (attempts)
        snprintf(field, sizeof field, ".m%" PRIu32, attempts);
    const int size = snprintf(others, sizeof others, "%.*s%s%s", (int)before, name->others, behind, field);
    if (size < 0 || (size_t)size >= sizeof others)
        return false;
    memcpy(name->others, others, sizeof others);
    return true;
}
