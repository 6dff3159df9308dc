/*
 * The whole terminal as a screen, by control sequences that all terminals in use understand.
 *
 *     terminal_open(cancel);  show the alternate screen, and read keys one by one
 *     terminal_draw(text, size);
 *     key = terminal_key();
 *     terminal_close();       restore the terminal
 *
 * The terminal is also restored when the program exits or crashes. After SIGKILL the user can type `reset`.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Keys that are not characters. */
enum terminal_key {
    TERMINAL_NONE = -1, /* nothing more was typed */
    TERMINAL_GONE = -2, /* there is no terminal any more */
    TERMINAL_UP = 0x100,
    TERMINAL_DOWN,
    TERMINAL_LEFT,
    TERMINAL_RIGHT,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_HOME,
    TERMINAL_END,
    TERMINAL_ESCAPE
};

/* 0 or a negative errno. -ECANCELED, here and from terminal_draw: the terminal takes no output, and cancel_fd became
   readable. */
int terminal_open(int cancel_fd);
void terminal_close(void);

/* A descriptor that is readable when a key was pressed. */
int terminal_fd(void);
int terminal_key(void);

void terminal_size(size_t *ret_columns, size_t *ret_rows);

/* Show the lines of a text, as many as fit on the screen. 0 or a negative errno. */
int terminal_draw(const char *text, size_t size);

#endif
