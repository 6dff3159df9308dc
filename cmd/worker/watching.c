/* The descriptors that a worker watches. */
#include "worker/watching.h"

#include <errno.h>
#include <sys/epoll.h>

#define SOURCE_BITS 3
#define STREAM_BITS 1

uint64_t watched_pack(struct watched watched)
{
    return ((uint64_t)watched.slot << STREAM_BITS | watched.stream) << SOURCE_BITS | watched.source;
}

struct watched watched_unpack(uint64_t data)
{
    return (struct watched){
        .source = (enum source)(data & ((1 << SOURCE_BITS) - 1)),
        .stream = (enum mq_stream)(data >> SOURCE_BITS & ((1 << STREAM_BITS) - 1)),
        .slot = (size_t)(data >> (SOURCE_BITS + STREAM_BITS)),
    };
}

int watch(int epoll, int fd, uint32_t events, struct watched about)
{
    struct epoll_event event = {.events = events, .data.u64 = watched_pack(about)};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void unwatch(int epoll, int fd)
{
    (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

void watch_outlet(int epoll, int fd, enum mq_stream stream)
{
    (void)watch(epoll, fd, EPOLLOUT | EPOLLONESHOT, (struct watched){OUTLET, stream, 0}); /* EEXIST: it is watched */
}
