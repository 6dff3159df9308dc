/* Groups of logs. Calls return an exit status, and have reported what is wrong. */
#ifndef GROUP_H
#define GROUP_H

#include "cli/where.h"

/* Make the group if it is not there. `from` is where one begins that is made. */
int group_create(const char *name, const struct where *from);

/* The same with an order, as words of a command line give it; NULL: none, and the header that says nothing else. */
struct group_order {
    const char *order, *by;
};
int group_create_ordered(const char *name, const struct where *from, const struct group_order *order);

/* Report that a queue or group is there and keeps another order. */
int group_other_order(const char *queue);

/* The offset that is meant, in the log of the group. */
int group_find_where(const char *name, const struct where *where, const char *option, uint64_t *ret_offset);

/* Tell how many messages were removed from the log before the group came to them, once for each. */
void group_tell_overtaken(const mq_queue *group);

#endif
