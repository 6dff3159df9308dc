/* The queues that are received from. */
#ifndef SOURCES_H
#define SOURCES_H

#include <mq.h>

/* What mq_sources_receive takes; the caller frees it, and the queues. Ends the program if memory is out. */
mq_sources *sources_of(mq_queue *const *queues, size_t count, unsigned flags);

/* Close the queues that are open, and free the array. */
void sources_close(mq_queue **queues, size_t count);

#endif
