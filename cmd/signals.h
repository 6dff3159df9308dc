/*
 * Signals that ask the program to end, to be read from a descriptor rather than to strike: what is
 * held can then be given back first.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

/* Block SIGINT, SIGTERM and SIGHUP, unless ignored. A descriptor that is readable once one came, or a negative
   errno. */
int signals_open(void);

/* End the program by the signal that came, so that the caller sees it. Returns only where none came. */
void signals_obey(int fd);

#endif
