/* Temporary files without a name: the kernel removes each with its last descriptor, even if the process is killed. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <mq.h>

/* A new file for reading and writing, in $TMPDIR, or in memory if $TMPDIR cannot hold one. A descriptor or a negative
   errno. */
int temporary_open(void);

/* The same, filled with the part of the message's body that has not been read yet. */
int temporary_copy_body(mq_message *message);

#endif
