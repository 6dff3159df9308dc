/*
 * Topics on disk: SPOOL/NAME/ with `bindings`, `unroutable` where it is not the default, and feed/tmp/, where what is
 * sent to it is written.
 */
#ifndef MQ_TOPIC_H
#define MQ_TOPIC_H

#include "route/route.h"

/* Open the directory of a topic. -ENOENT: there is no such topic, perhaps a queue of that name. */
int topic_open_dir(int spool, const char *name);

/* The same with a flock(2): while any process holds LOCK_SH the topic is not deleted. A process that holds one takes no
   other topic's. */
int topic_hold(int spool, const char *name, int lock);

/* Whether the name is a topic's: 1, 0, or why that cannot be told. */
int topic_is(int spool, const char *name);

/* Read its bindings. -EBADMSG: they are malformed; the problem names the line. */
int topic_read_bindings(int dir, struct bindings *ret_bindings, char ret_problem[BINDINGS_PROBLEM_SIZE]);

/* Read what it does with what nobody gets. -EBADMSG: malformed. */
int topic_read_unroutable(int dir, struct route_topic *topic);

#endif
