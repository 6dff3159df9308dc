/* `mq help`: what there is, and the manual pages. Each returns an exit status. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#include "mq/programs.h"

/* Print every program with one line about it. Others' lines come from whatis(1), since to run a program that is not
   known is no way to ask for its summary. */
void help_list(const struct programs *programs, FILE *stream);

/* Become man(1) with the page about `topic`: a program with or without `mq-`, or another page. Returns only if there is
   no such page, or no man(1). */
int help_open(const struct programs *programs, const char *topic);

/* Report that there is no program `name`, and what it may have stood for. */
int help_no_such(const struct programs *programs, const char *name);

#endif
