/* Waiting until messages are settled. */
#ifndef WAIT_FOR_H
#define WAIT_FOR_H

#include <stdint.h>

/* Wait for the messages with these ids, at most `timeout`, which may be MQ_FOREVER. Returns an exit status: STATUS_DONE if
   all were acknowledged, STATUS_NOTHING if the time was up, STATUS_DATA if one is dead or was removed, STATUS_NO_QUEUE if
   nothing is known of an id. */
int wait_for_messages(const char *name, char *const *ids, int count, int64_t timeout);

#endif
