/* A connection to a server of Redis. */
#include "bridge-redis/connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/put.h"
#include "bridge-redis/verdict.h"
#include "cli/cli.h"

#define PIECE ((size_t)64 << 10)
#define LOOK_EVERY 5                /* seconds */
#define LONGEST (30 * CLOCK_SECOND) /* without a word, while replies are to come */
#define NUMBER_SIZE 24              /* *NUMBER or $NUMBER, and the end of the line */

/* ---- what will be written -------------------------------------------------------- */

static char *put_count(char *at, char kind, size_t count)
{
    *at++ = kind;
    return put_text(put_decimal(at, count), "\r\n");
}

bool connection_put(struct connection *connection, const struct word *words, size_t count)
{
    size_t size = NUMBER_SIZE;
    for (size_t i = 0; i < count; i++)
        size += words[i].size + NUMBER_SIZE + 2;
    if (connection->start == connection->end)
        connection->start = connection->end = 0;
    if (!GROW(connection->bytes, connection->end + size, connection->room))
        return false;
    char *at = put_count(connection->bytes + connection->end, '*', count);
    for (size_t i = 0; i < count; i++) {
        at = put_count(at, '$', words[i].size);
        if (words[i].size > 0)
            at = put_bytes(at, words[i].bytes, words[i].size);
        at = put_text(at, "\r\n");
    }
    connection->end = (size_t)(at - connection->bytes);
    if (connection->expected++ == 0)
        connection->heard_at = clock_monotonic();
    return true;
}

size_t connection_held(const struct connection *connection)
{
    return connection->end - connection->start;
}

bool connection_is_up(const struct connection *connection)
{
    return connection->state == CONNECTION_UP;
}

/* ---- connecting ------------------------------------------------------------------ */

static enum bridge_result lost(struct connection *connection, const char *what, int error)
{
    return bridge_trouble(connection->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s: %s", what,
                          error ? strerror(error) : "the server has closed the connection");
}

static void watch(struct connection *connection, bool is_stuck, bool anew)
{
    if (anew || is_stuck != connection->is_stuck)
        bridge_watch(connection->bridge, connection->fd, is_stuck ? EPOLLIN | EPOLLOUT : EPOLLIN);
    connection->is_stuck = is_stuck;
}

static void set_options(int fd)
{
    const int on = 1, seconds = 15, probes = 3, most = 30000;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

/* Begin to connect to the next address. */
static enum bridge_result try_address(struct connection *connection)
{
    int error = ENOENT;
    for (; connection->address; connection->address = connection->address->ai_next) {
        const struct addrinfo *to = connection->address;
        connection->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connection->fd >= 0) {
            set_options(connection->fd);
            if (connect(connection->fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS) {
                watch(connection, true, true);
                return BRIDGE_OK;
            }
        }
        error = errno;
        if (connection->fd >= 0)
            close(connection->fd);
        connection->fd = -1;
    }
    return lost(connection, "cannot connect", error);
}

static enum bridge_result resolve(struct connection *connection)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    const int error = getaddrinfo(connection->place->url->host, connection->place->port, &hints,
                                  &connection->addresses);
    if (error)
        return bridge_trouble(connection->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "cannot resolve the host: %s",
                              error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    connection->address = connection->addresses;
    return try_address(connection);
}

/* A timer is watched beside the socket, so that a server that is silent is noticed whatever the bridge waits for. */
static bool start_timer(struct connection *connection)
{
    const struct itimerspec every = {.it_interval.tv_sec = LOOK_EVERY, .it_value.tv_sec = LOOK_EVERY};
    connection->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (connection->timer < 0 || timerfd_settime(connection->timer, 0, &every, NULL) < 0)
        return false;
    bridge_watch(connection->bridge, connection->timer, EPOLLIN);
    return true;
}

enum bridge_result connection_open(struct connection *connection, struct bridge *bridge, const struct place *place)
{
    *connection = (struct connection){.bridge = bridge,
                                      .place = place,
                                      .fd = -1,
                                      .timer = -1,
                                      .bytes = connection->bytes,
                                      .room = connection->room,
                                      .heard_at = clock_monotonic()};
    connection->reader = redisReaderCreate();
    if (!connection->reader || !start_timer(connection))
        return lost(connection, "cannot begin", errno ? errno : ENOMEM);
    connection->reader->maxbuf = 0; /* keep the memory */
    return resolve(connection);
}

void connection_close(struct connection *connection)
{
    tls_close(connection->tls);
    if (connection->fd >= 0)
        close(connection->fd);
    if (connection->timer >= 0)
        close(connection->timer);
    if (connection->addresses)
        freeaddrinfo(connection->addresses);
    if (connection->reader)
        redisReaderFree(connection->reader);
    connection->tls = NULL;
    connection->addresses = NULL;
    connection->reader = NULL;
    connection->fd = connection->timer = -1;
}

void connection_release(struct connection *connection)
{
    free(connection->bytes);
    connection->bytes = NULL;
    connection->room = 0;
}

/* ---- being let in ---------------------------------------------------------------- */

static enum bridge_result fail_tls(struct connection *connection)
{
    return bridge_trouble(connection->bridge, BRIDGE_FAILED,
                          tls_is_distrusted(connection->tls) ? STATUS_PERMISSION : STATUS_UNAVAILABLE, "%s",
                          tls_words(connection->tls));
}

static enum bridge_result out_of_memory(struct connection *connection)
{
    return bridge_trouble(connection->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", strerror(ENOMEM));
}

#define WORD(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof text - 1                                                                                          \
    }

static enum bridge_result log_in(struct connection *connection)
{
    const struct place *place = connection->place;
    const char *user = place->url->user, *password = place->password;
    const struct word select[] = {WORD("SELECT"), {place->database, strlen(place->database)}};
    connection->state = CONNECTION_LOGS_IN;
    if (password) {
        struct word auth[3] = {WORD("AUTH")};
        size_t count = 1;
        if (user)
            auth[count++] = (struct word){user, strlen(user)};
        auth[count++] = (struct word){password, strlen(password)};
        connection->greetings++;
        if (!connection_put(connection, auth, count))
            return out_of_memory(connection);
    }
    connection->greetings++;
    return connection_put(connection, select, 2) ? BRIDGE_OK : out_of_memory(connection);
}

/* Whether the socket is connected now; another address may be tried. */
static enum bridge_result connect_on(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error) {
        close(connection->fd);
        connection->fd = -1;
        connection->address = connection->address->ai_next;
        return connection->address ? try_address(connection) : lost(connection, "cannot connect", error);
    }
    if (getpeername(connection->fd, (struct sockaddr *)&peer, &peer_size) < 0)
        return errno == ENOTCONN ? BRIDGE_OK : lost(connection, "cannot connect", errno);
    watch(connection, false, false);
    if (!connection->place->has_tls)
        return log_in(connection);
    connection->state = CONNECTION_GREETS;
    error = tls_open(&connection->tls, connection->fd, connection->place->url->host, &connection->place->files);
    if (error == -EPROTO)
        return bridge_trouble(connection->bridge, BRIDGE_FAILED, STATUS_CONFIG, "%s", tls_words(connection->tls));
    return error ? out_of_memory(connection) : BRIDGE_OK;
}

static enum bridge_result greet(struct connection *connection)
{
    const int error = tls_handshake(connection->tls);
    if (error == -EPROTO)
        return fail_tls(connection);
    if (error && error != -EAGAIN)
        return lost(connection, "TLS", -error);
    watch(connection, error && tls_wants_write(connection->tls), false);
    return error ? BRIDGE_OK : log_in(connection);
}

/* ---- writing and reading --------------------------------------------------------- */

static void end(struct connection *connection, ssize_t returned)
{
    connection->is_ended = true;
    connection->error = (int)-returned;
}

static void write_some(struct connection *connection)
{
    ssize_t put = 1;
    while (connection->start < connection->end && put > 0) {
        const char *from = connection->bytes + connection->start;
        const size_t size = connection->end - connection->start;
        put = connection->tls ? tls_write(connection->tls, from, size) : send(connection->fd, from, size, MSG_NOSIGNAL);
        if (put < 0 && !connection->tls)
            put = -errno;
        if (put > 0)
            connection->start += (size_t)put;
    }
    watch(connection, put == -EAGAIN && (!connection->tls || tls_wants_write(connection->tls)), false);
    if (put < 0 && put != -EAGAIN && put != -EINTR)
        end(connection, put);
}

void connection_flush(struct connection *connection)
{
    if (connection_is_up(connection) && !connection->is_ended && connection_held(connection) > 0)
        write_some(connection);
}

static enum bridge_result read_some(struct connection *connection)
{
    char bytes[PIECE];
    ssize_t got;
    do {
        got = connection->tls ? tls_read(connection->tls, bytes, sizeof bytes)
                              : recv(connection->fd, bytes, sizeof bytes, 0);
        if (got < 0 && !connection->tls)
            got = -errno;
        if (got > 0 && redisReaderFeed(connection->reader, bytes, (size_t)got) != REDIS_OK)
            return out_of_memory(connection);
        if (got > 0)
            connection->heard_at = clock_monotonic();
    } while (connection->tls ? got > 0 : got == (ssize_t)sizeof bytes);
    if (got == 0 || (got < 0 && got != -EAGAIN && got != -EINTR))
        end(connection, got);
    return BRIDGE_OK;
}

bool connection_reply(struct connection *connection, redisReply **ret_reply)
{
    void *reply = NULL;
    if (redisReaderGetReply(connection->reader, &reply) != REDIS_OK) {
        end(connection, -EPROTO);
        return false;
    }
    if (!reply)
        return false;
    if (connection->expected > 0)
        connection->expected--;
    *ret_reply = reply;
    return true;
}

/* The end of the connection, once there is no whole reply any more. */
static enum bridge_result tell_end(struct connection *connection)
{
    if (connection->error == EPROTO && connection->tls && *tls_words(connection->tls))
        return connection_is_up(connection) ? lost(connection, tls_words(connection->tls), ECONNRESET)
                                            : fail_tls(connection);
    if (connection->reader->err == REDIS_ERR_PROTOCOL)
        return bridge_trouble(connection->bridge, BRIDGE_FAILED, STATUS_DATA, "what answers there is not Redis: %s",
                              connection->reader->errstr);
    return lost(connection, "the connection was lost", connection->error);
}

static enum bridge_result take_greetings(struct connection *connection)
{
    redisReply *reply;
    enum bridge_result result = BRIDGE_OK;
    while (result == BRIDGE_OK && connection->greetings > 0 && connection_reply(connection, &reply)) {
        connection->greetings--;
        if (reply->type == REDIS_REPLY_ERROR)
            result = verdict(connection->bridge, connection->place, reply->str);
        freeReplyObject(reply);
    }
    if (result != BRIDGE_OK || connection->greetings > 0)
        return result;
    connection->state = CONNECTION_UP;
    bridge_is_up(connection->bridge);
    return BRIDGE_OK;
}

static enum bridge_result transfer(struct connection *connection)
{
    if (connection->is_ended)
        return tell_end(connection);
    write_some(connection);
    enum bridge_result result = read_some(connection);
    if (result == BRIDGE_OK && connection->state == CONNECTION_LOGS_IN)
        result = take_greetings(connection);
    if (result == BRIDGE_OK && connection->is_ended && connection->state == CONNECTION_LOGS_IN)
        return tell_end(connection);
    return result;
}

/* Whether nothing has happened for too long. */
static bool is_silent(struct connection *connection)
{
    uint64_t times;
    return read(connection->timer, &times, sizeof times) > 0 &&
           (connection->expected > 0 || !connection_is_up(connection)) &&
           clock_monotonic() - connection->heard_at > LONGEST;
}

enum bridge_result connection_work(struct connection *connection)
{
    enum bridge_result result = BRIDGE_OK;
    if (is_silent(connection))
        return bridge_trouble(connection->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "no answer for %d s",
                              (int)(LONGEST / CLOCK_SECOND));
    if (connection->state == CONNECTION_CONNECTS)
        result = connect_on(connection);
    if (result == BRIDGE_OK && connection->state == CONNECTION_GREETS)
        result = greet(connection);
    if (result == BRIDGE_OK && connection->state >= CONNECTION_LOGS_IN)
        result = transfer(connection);
    return result;
}
