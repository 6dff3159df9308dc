/* How many messages a group that is followed has missed, since they were removed from the log before it came to them. */
#ifndef MQ_OVERTAKEN_H
#define MQ_OVERTAKEN_H

#include "admin/watch_table.h"

/* The directory of the cursor. -ENOENT: it is no group. */
int overtaken_open_cursor(const struct followed *followed);

/* What the group has missed until now is not told. */
void overtaken_begin(struct followed *followed);

/* How many more the new name of the cursor tells; UINT_MAX: that many or more. */
unsigned overtaken_by(struct followed *followed, const char *cursor);

#endif
