/*
 * A connection to RabbitMQ with its one channel: frames without waiting, heartbeats, and what its errors mean.
 *
 *     struct link link = {.bridge = bridge, .target = &target};
 *     result = link_open(&link);
 *     while ((result = link_read(&link, &frame, &is_there)) == BRIDGE_OK && is_there) …
 *     result = link_close(&link);
 *
 * Calls that fail have called bridge_trouble.
 */
#ifndef LINK_H
#define LINK_H

#include <amqp.h>

#include "bridge/bridge.h"
#include "target.h"

#define LINK_CHANNEL 1

struct link {
    struct bridge *bridge;
    const struct target *target;
    amqp_connection_state_t connection; /* NULL: none */
    bool is_up, has_channel;            /* and both work, as far as we know */
    bool is_blocked;                    /* the server is short of memory or disk, and reads nothing for now */
    int timer;                          /* for heartbeats, and what link_wake asks for; -1: none */
    uint32_t events;                    /* that the connection is watched for */
};

/* Connect, and see that the queue or the exchange is there; with --create make it. */
enum bridge_result link_open(struct link *link);

/* The next frame that has come whole. It lives until the next call. */
enum bridge_result link_read(struct link *link, amqp_frame_t *ret_frame, bool *ret_there);

/* What a call of the library says, or the reply to one. */
enum bridge_result link_check(struct link *link, int status, const char *what);
enum bridge_result link_check_reply(struct link *link, amqp_rpc_reply_t reply, const char *what);

/* Whether the connection takes more bytes at once; watch it for these events. */
bool link_is_writable(const struct link *link);
void link_watch(struct link *link, uint32_t events);

/* Have bridge_wait return after this time, in microseconds. Heartbeats do that anyway. */
void link_wake(struct link *link, int64_t after);

/* Send a heartbeat if it is time. */
enum bridge_result link_beat(struct link *link);

/* End the connection; politely if it works. With a signal that asks for the end, the server gets little time to answer. */
enum bridge_result link_close(struct link *link);

/* Text of the protocol for bridge_trouble, as "%.*s" takes it. */
#define LINK_TEXT(bytes_) (int)(bytes_).len, (const char *)((bytes_).len ? (bytes_).bytes : "")

#endif
