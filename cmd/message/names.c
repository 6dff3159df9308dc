/* The words for states, times and causes of death. */
#include "message/names.h"

const char *state_name(enum mq_state state)
{
    return mq_state_name(state);
}

const char *state_time_name(enum mq_state state)
{
    return mq_state_time_name(state);
}

const char *death_name(enum mq_death death)
{
    static const char *const names[MQ_DEATHS] = {"rejected", "max-attempts", "expired", "corrupt"};
    return names[death];
}
