/* mq-queue list: the names of the queues in the spool. */
#ifndef LIST_QUEUES_H
#define LIST_QUEUES_H

/* Print them; there are no words. Returns an exit status. */
int list_queues(char **words, int count);

#endif
