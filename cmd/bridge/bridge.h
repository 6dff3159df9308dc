/*
 * A bridge at work: its end, its pace, and what it does when the other side is lost.
 *
 *     struct bridge bridge;
 *     status = bridge_open(&bridge, &arguments, shown);
 *     do
 *         result = … one connection …;
 *     while (bridge_goes_on(&bridge, result));
 *     return bridge_close(&bridge);
 *
 * What goes wrong with the other side is not reported where it happens, but kept with bridge_trouble, since it may be
 * over after the next attempt: it is reported once, and then when messages are carried again.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/arguments.h"

/* How a connection, or a step of it, went. All but the first are errors, about which bridge_trouble was called. */
enum bridge_result {
    BRIDGE_OK,
    BRIDGE_LOST,    /* it may work later */
    BRIDGE_REFUSED, /* the other side will never take this message, and the connection is of no more use */
    BRIDGE_SKIPPED, /* it will never take this message, and goes on with those behind it */
    BRIDGE_FAILED,  /* it will not work before somebody has changed something */
};

#define BRIDGE_WORDS_SIZE 512

struct bridge {
    const struct bridge_arguments *arguments;
    const char *shown; /* the other side, for people */
    int signals;       /* where signals are read from */
    int poll;          /* an epoll descriptor: signals, and what the connection adds */
    int signal;        /* that ends the bridge; 0: none */
    int64_t ends_at;   /* how long it has for that; monotonic */
    bool is_cut_short; /* the time for that is over */
    int64_t moved_at;  /* when something was carried, or on its way; monotonic */
    uint64_t carried, refused;
    int status;
    struct {
        int status;
        char words[BRIDGE_WORDS_SIZE];
    } trouble;
    /* of the connection */
    enum bridge_told { TOLD_NOTHING, TOLD_LOSS, TOLD_WAIT } told; /* what was said, and is not over yet */
    bool was_up;                                                  /* it was there once */
    bool is_ready;                                                /* the service manager was told so */
    unsigned tries;                                               /* in a row without a message carried */
    int64_t up_since;                                             /* monotonic; 0: it is not up */
    int64_t next_at;                                              /* when the next message may be carried; monotonic */
    int64_t notify_at; /* when the service manager is told the next figures */
};

/* Errors are reported. An exit status. */
int bridge_open(struct bridge *bridge, const struct bridge_arguments *arguments, const char *shown);

/* Keep what went wrong, to be reported by bridge_goes_on. Returns `result`. */
enum bridge_result bridge_trouble(struct bridge *bridge, enum bridge_result result, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The connection is there; and so many messages were carried, or refused for good. */
void bridge_is_up(struct bridge *bridge);
void bridge_carried(struct bridge *bridge, uint64_t count);

/* The other side is away, as bridge_trouble says, and the connection goes on: its library makes it again. Said once. */
void bridge_is_away(struct bridge *bridge);

/* The connection is there, and nothing can be carried over it for now, as bridge_trouble says. Said once. */
void bridge_has_to_wait(struct bridge *bridge);

/* While this is on, a signal ends the program at once: for a library that waits, while this process holds nothing. */
void bridge_dies_of_signals(const struct bridge *bridge, bool is_on);

/* A message was refused for good, for the reason that bridge_trouble was given. */
void bridge_refused(struct bridge *bridge, const char *id);

/* Watch a descriptor of the connection: EPOLLIN, EPOLLOUT; 0: no more. Closing it ends that as well. */
void bridge_watch(const struct bridge *bridge, int fd, uint32_t events);

/* Wait until something happens to what is watched, or to this moment, monotonic; MQ_FOREVER: no limit. */
void bridge_wait(const struct bridge *bridge, int64_t until);

/* Whether a signal asks for the end. BRIDGE_FAILED: at once, since a second one came or the time for it is over. */
bool bridge_is_ending(const struct bridge *bridge);
enum bridge_result bridge_heed_signals(struct bridge *bridge);

/* How many messages may be asked for now, where `pending` are on their way and at most `most` at a time are of use: with a
   rate not more than are due. 0: none, until `ret_next`, monotonic, or MQ_FOREVER. */
uint64_t bridge_allows(const struct bridge *bridge, uint64_t pending, uint64_t most, int64_t *ret_next);
void bridge_took(struct bridge *bridge, uint64_t count);

/* After a connection: whether there is to be another, for which this waits a while. Reports what went wrong. */
bool bridge_goes_on(struct bridge *bridge, enum bridge_result result);

/* The exit status. With -f a signal is the expected end; else the program dies of it. */
int bridge_close(struct bridge *bridge);

#endif
