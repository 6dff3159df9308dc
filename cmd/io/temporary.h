/* Files of a moment: without a name, gone with the last descriptor, so that nothing is left behind whoever dies. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <mq.h>

/* A fresh file, read-write, in $TMPDIR, or in memory where that cannot be. */
int temporary_open(void);

/* The same, filled with what is left of the message's body. */
int temporary_of_body(mq_message *message);

#endif
