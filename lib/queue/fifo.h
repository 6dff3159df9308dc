/*
 * The FIFOs in waiters/: the bell, which has a fixed name and is read by the leader, and one for each follower.
 * `waiters` is the open directory. bell.h rings the bell; wait.h reads all the FIFOs.
 */
#ifndef MQ_FIFO_H
#define MQ_FIFO_H

#include <stdbool.h>

/* Write a byte into a FIFO, without SIGPIPE if no process reads it any more. True: the reader finds something to read. */
bool fifo_write(int fifo);

/* Read what was written so far. True: something was. */
bool fifo_read(int fifo);

/* Wake one of the followers, and remove the FIFOs of dead followers. 1: a follower was woken. 0: there is none. -EAGAIN:
   those that there are have been rung before, and have not woken yet; or another negative errno. */
int fifo_ring_follower(int waiters);

/* Open the bell for reading, and make it if it is missing. Only the receiver that holds the lock of waiters/ calls
   this. */
int fifo_open_bell(int waiters, unsigned sharing);

#endif
