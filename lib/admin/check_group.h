/* Checking how far a group of a log has come: its cursor. */
#ifndef MQ_CHECK_GROUP_H
#define MQ_CHECK_GROUP_H

#include "admin/finding.h"

/* What is no cursor does not belong in cursor/. Of two the one that comes first in the log stays, so that nothing is passed
   over; a group that has lost its cursor begins at the beginning. If the cursor is beyond the end of
   the log, that goes on behind it. */
int check_group(struct check *check);

#endif
