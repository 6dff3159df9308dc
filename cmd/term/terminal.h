/*
 * The whole terminal as a screen, by the control sequences that every terminal of today knows.
 *
 *     terminal_open(cancel);  the alternate screen; keys come one by one
 *     terminal_draw(text, size);
 *     key = terminal_key();
 *     terminal_close();       as it was before
 *
 * It is also put back when the program exits or crashes. (After SIGKILL `reset` does it.)
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Keys that are no character. */
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

/* 0 or a negative errno. Once cancel_fd is readable, nothing waits for a terminal that takes no more: -ECANCELED. */
int terminal_open(int cancel_fd);
void terminal_close(void);

/* Readable when a key was pressed. */
int terminal_fd(void);
int terminal_key(void);

void terminal_size(size_t *ret_columns, size_t *ret_rows);

/* Let the screen show these lines, each ended by a newline, as many as there is room for. 0 or a negative errno. */
int terminal_draw(const char *text, size_t size);

#endif
