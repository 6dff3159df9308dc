/*
 * The FIFOs in waiters/ and how they are rung.
 *
 * The receiver that leads those that wait reads the bell, one FIFO with a fixed name. Whoever makes a message ready, or
 * makes something happen sooner than anybody meant to look, rings it; the page says whether anybody leads, so that it
 * costs nothing where nobody waits. Each receiver that follows has a FIFO of its own.
 */
#ifndef MQ_BELL_H
#define MQ_BELL_H

#include "queue/queue.h"

/* Wake the receiver that leads. If the page names one that is dead a follower is rung instead; if there is none either,
   the page names nobody from then on. */
void bell_ring(mq_queue *queue);

/* Wake one of the followers: `waiters` is the directory. FIFOs of the dead are removed on the way. True: one was rung. */
bool bell_ring_follower(int waiters);

/* Write a byte into a FIFO, without SIGPIPE if its reader has gone. True: a reader has it or will have it. */
bool bell_write(int fifo);

/* Open the bell to read it, for the receiver that holds the lock of waiters/; it is made if it is missing. */
int bell_open(const mq_queue *queue, int waiters);

/* Take what was rung so far. True: there was something. */
bool bell_read(int fifo);

#endif
