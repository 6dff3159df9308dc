/* Following what happens in queues: a line, or an object, for each event. */
#ifndef FOLLOW_H
#define FOLLOW_H

/* In the queues named, or in all of the spool, those that are made meanwhile too; until a signal ends it, or there
   is no queue left of those named. An exit status. */
int follow_run(char **names, int count);

#endif
