/* The messages of an entry that a group takes. */
#ifndef MQ_GROUP_TAKE_H
#define MQ_GROUP_TAKE_H

#include "format/group_name.h"
#include "format/name.h"

/* The name in ready/ of what a take stands for, whose file is open; -1: it cannot be. What is damaged gets the name of one
   message, which whoever claims it finds to be corrupt. */
int group_take_name(int file, const struct group_place *place, struct message_name *ret_name);

#endif
