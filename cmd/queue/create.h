/* mq-queue create. */
#ifndef CREATE_H
#define CREATE_H

#include "cli/where.h"
#include "queue/sharing.h"

/* Make the queue words[0] and set its keys to what the other words say. `from` is where a group of a log begins; NULL:
   at the beginning. Returns an exit status. */
int create_queue(const struct sharing *sharing, const struct where *from, char **words, int count);

#endif
