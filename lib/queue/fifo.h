/*
 * The FIFOs in waiters/: the bell, which has a fixed name and is read by the receiver that leads, and one for each
 * receiver that follows. `waiters` is the open directory. bell.h rings the bell, wait.h reads all of them.
 */
#ifndef MQ_FIFO_H
#define MQ_FIFO_H

#include <stdbool.h>

/* Write a byte into a FIFO, without SIGPIPE if its reader has gone. True: a reader has it or will have it. */
bool fifo_write(int fifo);

/* Read what was written so far. True: there was something. */
bool fifo_read(int fifo);

/* Wake one of the followers, and remove the FIFOs whose reader is dead. True: one was woken. */
bool fifo_ring_follower(int waiters);

/* Open the bell to read it; it is made if it is missing. For the receiver that holds the lock of waiters/. */
int fifo_open_bell(int waiters, unsigned sharing);

#endif
