/* Groups of logs. Calls return an exit status, and have reported what is wrong. */
#ifndef GROUP_H
#define GROUP_H

#include "cli/where.h"

/* Make the group if it is not there. `from` is where one begins that is made. */
int group_create(const char *name, const struct where *from);

/* The offset that is meant, in the log of the group. */
int group_find_where(const char *name, const struct where *where, const char *option, uint64_t *ret_offset);

/* There is no group of this name: tell what is missing. */
int group_missing(const char *name);

/* Tell how many messages were removed from the log before the group came to them, once for each. */
void group_tell_overtaken(const mq_queue *group);

#endif
