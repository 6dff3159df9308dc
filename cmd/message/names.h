/* The words for states, times and causes of death, as the programs print and take them. */
#ifndef NAMES_H
#define NAMES_H

#include <mq.h>

/* ready, delayed, inflight, dead */
const char *state_name(enum mq_state state);

/* What the time of a message in this state is called: due, deadline, died. NULL: a ready message has no such time. */
const char *state_time_name(enum mq_state state);

/* rejected, max-attempts, expired, corrupt */
const char *death_name(enum mq_death death);

#endif
