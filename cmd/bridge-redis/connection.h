/*
 * A connection to a server of Redis, which does not wait: commands go out in one stream, and replies come in the same order.
 *
 *     result = connection_open(&connection, bridge, &place);
 *     connection_put(&connection, words, count);
 *     result = connection_work(&connection);
 *     while (connection_reply(&connection, &reply)) … freeReplyObject(reply);
 *     connection_close(&connection);
 *
 * The user and the database are settled before it is up. An end of the connection is an error of connection_work only when
 * all replies that came have been taken, since the last one may say why it ended.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <hiredis/hiredis.h>

#include "bridge-redis/place.h"
#include "bridge-redis/tls.h"
#include "bridge/bridge.h"

/* A word of a command: any bytes. */
struct word {
    const void *bytes;
    size_t size;
};

struct connection {
    struct bridge *bridge;
    const struct place *place;
    struct addrinfo *addresses, *address; /* all of the host's, and the one that is tried */
    int fd, timer;                        /* -1: closed */
    struct tls *tls;
    enum connection_state { CONNECTION_CONNECTS, CONNECTION_GREETS, CONNECTION_LOGS_IN, CONNECTION_UP } state;
    unsigned greetings; /* replies of the login that are to come */
    bool is_stuck;      /* the socket is watched until it can be written */
    bool is_ended;
    int error; /* what ended it; 0: the other side */
    char *bytes;
    size_t start, end, room; /* what is to be written */
    redisReader *reader;
    uint64_t expected; /* replies that are to come */
    int64_t heard_at;  /* when something last happened; monotonic */
};

/* Begin to connect. What is wrong is kept as trouble. */
enum bridge_result connection_open(struct connection *connection, struct bridge *bridge, const struct place *place);
void connection_close(struct connection *connection);
void connection_release(struct connection *connection); /* its memory */

/* Add a command to what will be written: only when it is up. False: out of memory. */
bool connection_put(struct connection *connection, const struct word *words, size_t count);
size_t connection_held(const struct connection *connection);
bool connection_is_up(const struct connection *connection);

/* Write what can be without waiting. An error is one of connection_work. */
void connection_flush(struct connection *connection);

/* Write and read what can be without waiting. */
enum bridge_result connection_work(struct connection *connection);

/* The next reply, which the caller frees. */
bool connection_reply(struct connection *connection, redisReply **ret_reply);

#endif
