/* The queues that are received from. */
#ifndef SOURCES_H
#define SOURCES_H

#include <mq.h>

/* What mq_sources_receive takes; the caller frees it, and the queues. Ends the program if memory is out. */
mq_sources *sources_of(mq_queue *const *queues, size_t count, unsigned flags);

/* Open the queues, with the flags of mq_open. `ret_queues` gets memory with all that are open, also after a failure.
   Returns an exit status. */
int sources_open(char *const *names, size_t count, unsigned flags, mq_queue ***ret_queues);
void sources_close(mq_queue **queues, size_t count);

#endif
