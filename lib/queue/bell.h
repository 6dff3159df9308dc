/*
 * Waking a receiver that waits.
 *
 * One of the waiting receivers leads (wait.h) and reads the bell. A process rings the bell when it makes a message
 * ready, or makes something due earlier than the leader planned to look. The page says whether there is a leader: if
 * there is none, ringing costs no system call.
 */
#ifndef MQ_BELL_H
#define MQ_BELL_H

#include "queue/queue.h"

/* Wake the receiver that leads. If the page names one that is dead, a follower is woken instead; if there is none
   either, the page is corrected: nobody leads. */
void bell_ring(mq_queue *queue);

#endif
