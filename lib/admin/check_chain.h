/* Checking the entries of a log: that each is whole, and that they are a chain. */
#ifndef MQ_CHECK_CHAIN_H
#define MQ_CHECK_CHAIN_H

#include "admin/finding.h"
#include "log/log.h"

/* What is no entry does not belong in log/; nor does an entry inside another one. A damaged entry gives its place to an
   entry of no messages, and one whose name was lost is replaced by such a one, as readers do. */
int check_chain(struct check *check, mq_log *log);

#endif
