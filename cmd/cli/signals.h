/*
 * Signals that are read from a descriptor: those that ask the program to end, so that it can give back its claims
 * first, and SIGCHLD.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/* Block SIGINT, SIGTERM and SIGHUP, except those that are ignored. Returns a descriptor that becomes readable when one
   comes, or a negative errno. Such a signal also ends the wait for a reader of standard error. */
int signals_open(void);

/* The same for SIGCHLD. */
int signals_open_children(void);

/* Until it is called with NULL, these signals are not kept for the descriptor, but interrupt whatever this process does:
   `handler` is called, which ends the program. For a library that waits and cannot be told to stop. */
void signals_interrupt(void (*handler)(int));

/* Whether a signal came that was not taken yet. */
bool signals_came(int fd);

/* Take a signal that came: its number; 0: none came. */
int signals_take(int fd);

/* End the program by a signal that was taken, so that its parent sees which one it was. */
void signals_die(int number);

/* End the program by the signal that came. Returns only if none came. */
void signals_obey(int fd);

#endif
