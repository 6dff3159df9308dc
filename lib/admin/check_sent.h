/* Checking what is known of messages that were sent once: sent/ of a queue or log. */
#ifndef MQ_CHECK_SENT_H
#define MQ_CHECK_SENT_H

#include "admin/finding.h"

int check_sent(struct check *check);

#endif
