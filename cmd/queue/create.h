/* mq-queue create. */
#ifndef CREATE_H
#define CREATE_H

#include "queue/sharing.h"

/* Make the queue words[0] and set its keys to what the other words say. Returns an exit status. */
int create_queue(const struct sharing *sharing, char **words, int count);

#endif
