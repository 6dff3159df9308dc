/*
 * Which messages of a batch may share a file: those that go to the same queues, as long as no queue gets its messages in
 * another order. No I/O.
 */
#ifndef MQ_GROUPS_H
#define MQ_GROUPS_H

#include "route/route.h"

/* Put each message, whose routes these are, into a group; the groups are sent in their order. A message joins one of the
   last `back` groups if it goes to the same queues, and to no queue of a later group. Returns how many groups there are;
   ret_groups[i] is that of message i. */
size_t groups_make(const struct route *routes, size_t count, size_t back, size_t *ret_groups);

#endif
