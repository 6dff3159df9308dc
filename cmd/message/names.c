/* What the programs call the time of a message. */
#include "message/names.h"

#include <stddef.h>

const char *state_time_name(enum mq_state state)
{
    static const char *const names[MQ_STATES] = {NULL, "due", "deadline", "died"};
    return names[state];
}
