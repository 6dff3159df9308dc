/* The words for states, times and causes of death. */
#include "message/names.h"

#include <stddef.h>

const char *state_name(enum mq_state state)
{
    static const char *const names[MQ_STATES] = {"ready", "delayed", "inflight", "dead"};
    return names[state];
}

const char *state_time_name(enum mq_state state)
{
    static const char *const names[MQ_STATES] = {NULL, "due", "deadline", "died"};
    return names[state];
}

const char *death_name(enum mq_death death)
{
    static const char *const names[MQ_DEATHS] = {"rejected", "max-attempts", "expired", "corrupt"};
    return names[death];
}
