/*
 * Signals to be read from a descriptor rather than to strike: those that ask the program to end, so that what is held
 * can be given back first, and the one that tells of children.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/* Block SIGINT, SIGTERM and SIGHUP, unless ignored. A descriptor that is readable once one came, or a negative
   errno. It also ends the wait of what we say on a standard error that nobody reads. */
int signals_open(void);

/* The same for SIGCHLD. */
int signals_open_children(void);

/* Whether one came that was not taken. */
bool signals_came(int fd);

/* Take a signal that came: its number, or 0 where none did. */
int signals_take(int fd);

/* End the program by a signal that was taken, so that the caller sees it. */
void signals_die(int number);

/* End the program by the signal that came. Returns only where none came. */
void signals_obey(int fd);

#endif
