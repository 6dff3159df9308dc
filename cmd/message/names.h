/* What the programs call the time of a message. States and causes of death have their names in mq.h. */
#ifndef NAMES_H
#define NAMES_H

#include <mq.h>

/* What the time of a message in this state is called: due, deadline, died. NULL: a ready message has no such time. */
const char *state_time_name(enum mq_state state);

#endif
