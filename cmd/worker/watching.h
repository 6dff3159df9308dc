/* The descriptors that a worker watches by epoll, and what an event of each is about. */
#ifndef WATCHING_H
#define WATCHING_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

/* `slot` is that of a job for FEED and RELAY, and a descriptor for REST. `stream` is said for OUTLET, RELAY and REST. */
enum source { SIGNALS, CHILDREN, OUTLET, FEED, RELAY, REST };

struct watched {
    enum source source;
    enum mq_stream stream;
    size_t slot;
};

uint64_t watched_pack(struct watched watched);
struct watched watched_unpack(uint64_t data);

/* 0 or a negative errno. */
int watch(int epoll, int fd, uint32_t events, struct watched about);
void unwatch(int epoll, int fd);

/* Watch for the moment when one of the worker's own streams takes more, once. */
void watch_outlet(int epoll, int fd, enum mq_stream stream);

#endif
