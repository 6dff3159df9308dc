/* mq-queue events: a line, or an object, for each event in queues. */
#ifndef FOLLOW_H
#define FOLLOW_H

/* Follow the named queues until all are deleted; without names, all queues of the spool, also those that are made
   later. A signal ends it. Returns an exit status. */
int follow_run(char **names, int count);

#endif
