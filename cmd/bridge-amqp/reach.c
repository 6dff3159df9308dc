/* Why a host cannot be reached. */
#include "reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 1000 /* milliseconds */

static int try_address(const struct addrinfo *address)
{
    int error = 0;
    socklen_t size = sizeof error;
    const int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
        error = errno;
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    if (error == EINPROGRESS)
        error = poll(&connected, 1, LONGEST) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0
                    ? error
                    : ETIMEDOUT;
    close(fd);
    return error;
}

const char *reach_why_not(const char *host, int port)
{
    char service[16];
    struct addrinfo *addresses;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    (void)snprintf(service, sizeof service, "%d", port);
    const int problem = getaddrinfo(host, service, &hints, &addresses);
    if (problem != 0)
        return gai_strerror(problem);
    const int error = try_address(addresses);
    freeaddrinfo(addresses);
    return error ? strerror(error) : "the connection was not accepted";
}
