/* Checking the lanes of an ordered queue: each lane and its messages, and whether each lane has one token. */
#ifndef MQ_CHECK_LANES_H
#define MQ_CHECK_LANES_H

#include "admin/finding.h"

/* 0, or a negative errno. A queue without lanes has nothing to check. */
int check_lanes(struct check *check);

#endif
