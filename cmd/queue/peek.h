/* Looking at messages without claiming them. */
#ifndef PEEK_H
#define PEEK_H

#include "message/selection.h"
#include "message/template.h"

/* Show the messages of a queue on standard output: those with the selected ids whole, else a row for each. The ready
   ones, if no state is selected. Returns an exit status; STATUS_NOTHING if no message was shown. */
int peek_show(const char *name, struct selection *selection, const struct template *format);

#endif
