/*
 * FIFOs, by which processes wake one another. The process that waits holds its FIFO open; any other process that opens
 * the FIFO for writing and finds no reader knows that the waiting process is dead.
 *
 *     fifo = fs_make_fifo(dir, name, mode);      poll() waits until another process writes
 *     fifo = fs_open_fifo(dir, name);            another process: write() wakes the first
 *
 * Errors. Each call returns a descriptor or a negative errno. -EBADMSG: the name belongs to something that is no FIFO.
 */
#ifndef MQ_FS_FIFO_H
#define MQ_FS_FIFO_H

#include <sys/types.h>

/* Make a FIFO and open it for reading and writing, so that it never reports the end of input. It is made under its name
   with a leading dot and renamed once it is open, since other processes take a FIFO without a reader for a dead
   process's. */
int fs_make_fifo(int at, const char *name, mode_t mode);

/* Open an existing FIFO as fs_make_fifo does. */
int fs_open_own_fifo(int at, const char *name);

/* Open a FIFO for writing, without waiting. -ENXIO: it has no reader. The reader may close it later: then a write
   raises SIGPIPE. */
int fs_open_fifo(int at, const char *name);
int fs_open_fifo_below(int at, const char *parent, const char *name); /* in the directory `parent` of `at` */

#endif
