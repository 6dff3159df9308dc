/*
 * A connection to a peer's server that speaks in lines: buffered both ways, so that what is sent together goes out in
 * one write, and many answers come in with one read.
 *
 *     client_connect(&client, "unix:PATH" or "tcp:PORT");
 *     client_say(&client, data, size); …          kept until client_flush, or until there is no more room
 *     line = client_hear_line(&client);           without its end; flushes first where it has to wait
 *     data = client_hear(&client, size);          good until the next of both
 *
 * Whatever goes wrong ends the program.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENT_BUFFER 262144

struct client {
    int socket;
    size_t begin, end, used;
    char in[CLIENT_BUFFER], out[CLIENT_BUFFER];
};

static inline void client_fail(const char *what)
{
    perror(what);
    exit(1);
}

static inline void client_connect(struct client *client, const char *address)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error;
    if (strncmp(address, "unix:", 5) == 0) {
        snprintf(local.sun_path, sizeof local.sun_path, "%s", address + 5);
        client->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        error = connect(client->socket, (const struct sockaddr *)&local, sizeof local);
    } else {
        loopback.sin_port = htons((in_port_t)atoi(address + strcspn(address, ":") + 1));
        client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        error = connect(client->socket, (const struct sockaddr *)&loopback, sizeof loopback);
        setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    }
    if (error < 0)
        client_fail(address);
}

/* Take in what the server has said, if there is room for it. */
static inline void client_read(struct client *client)
{
    memmove(client->in, client->in + client->begin, client->end - client->begin);
    client->end -= client->begin;
    client->begin = 0;
    const ssize_t got = read(client->socket, client->in + client->end, sizeof client->in - client->end);
    if (got <= 0)
        client_fail("the server has gone");
    client->end += (size_t)got;
}

/* A server whose answers nobody reads stops reading too: so read while it takes nothing. */
static inline void client_flush(struct client *client)
{
    for (size_t done = 0; done < client->used;) {
        const ssize_t written = send(client->socket, client->out + done, client->used - done,
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written > 0) {
            done += (size_t)written;
            continue;
        }
        if (errno != EAGAIN)
            client_fail("write");
        const bool room = client->end - client->begin < sizeof client->in;
        struct pollfd ready = {.fd = client->socket, .events = room ? POLLIN | POLLOUT : POLLOUT};
        if (poll(&ready, 1, -1) == 1 && (ready.revents & POLLIN))
            client_read(client);
    }
    client->used = 0;
}

static inline void client_say(struct client *client, const void *data, size_t size)
{
    if (size > sizeof client->out - client->used)
        client_flush(client);
    if (size > sizeof client->out) {
        fprintf(stderr, "a message is too large for this client\n");
        exit(1);
    }
    memcpy(client->out + client->used, data, size);
    client->used += size;
}

/* More of what the server says, who may wait for what we have not sent yet. */
static inline void client_listen(struct client *client)
{
    const size_t had = client->end - client->begin;
    client_flush(client);
    if (client->end - client->begin == had)
        client_read(client);
}

static inline char *client_hear(struct client *client, size_t size)
{
    while (client->end - client->begin < size)
        client_listen(client);
    char *data = client->in + client->begin;
    client->begin += size;
    return data;
}

static inline char *client_hear_line(struct client *client)
{
    char *end;
    while (!(end = memmem(client->in + client->begin, client->end - client->begin, "\r\n", 2)))
        client_listen(client);
    char *line = client->in + client->begin;
    *end = '\0';
    client->begin = (size_t)(end - client->in) + 2;
    return line;
}

/* All of standard input, or its next line without the end: the next message to send. False at the end. */
static inline bool client_next_message(bool lines, char **message, size_t *size)
{
    static size_t room;
    const ssize_t got = getdelim(message, &room, lines ? '\n' : EOF, stdin);
    if (got < 0)
        return false;
    *size = (size_t)got - (lines && (*message)[got - 1] == '\n');
    return true;
}

static inline void client_print(const char *message, size_t size)
{
    fwrite(message, 1, size, stdout);
    putchar('\n');
}

#endif
