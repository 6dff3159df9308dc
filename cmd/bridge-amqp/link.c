/* A connection to RabbitMQ. */
#include "link.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "reach.h"

#define CONNECT_FOR 15 /* seconds */
#define ANSWER_FOR 15
#define LAST_ANSWER_FOR 2 /* once a signal has come */
#define FRAME_MOST 131072 /* bytes; RabbitMQ's own default */

/* ---- errors ---------------------------------------------------------------------- */

enum bridge_result link_check(struct link *link, int status, const char *what)
{
    if (status == AMQP_STATUS_OK)
        return BRIDGE_OK;
    link->is_up = false;
    switch (status) {
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
        return bridge_trouble(link->bridge, BRIDGE_FAILED, STATUS_UNAVAILABLE, "%s: %s", what,
                              amqp_error_string2(status));
    default:
        return bridge_trouble(link->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s: %s", what, amqp_error_string2(status));
    }
}

/*
 * RabbitMQ closes the channel or the connection to say what is wrong. `method` is what it is about, 0: nothing that we did.
 * BRIDGE_REFUSED: a message that was published; it does not say which.
 */
static enum bridge_result judge(struct link *link, int code, amqp_bytes_t text, unsigned class_id, unsigned method_id)
{
    const amqp_method_number_t method = (class_id << 16) | method_id;
    const bool is_publish = method == AMQP_BASIC_PUBLISH_METHOD;
    enum bridge_result result = BRIDGE_FAILED;
    int status = STATUS_UNAVAILABLE;
    const char *advice = "";
    if (text.len > 0 && ((const char *)text.bytes)[text.len - 1] == '.')
        text.len--;
    switch (code) {
    case AMQP_NOT_FOUND:
        status = STATUS_NO_QUEUE;
        advice = "; --create makes it";
        break;
    case AMQP_ACCESS_REFUSED:
    case AMQP_NOT_ALLOWED:
        status = STATUS_PERMISSION;
        break;
    case AMQP_CONTENT_TOO_LARGE:
    case AMQP_PRECONDITION_FAILED:
        if (is_publish)
            result = BRIDGE_REFUSED, status = STATUS_DATA;
        else if (class_id != AMQP_QUEUE_CLASS &&
                 class_id != AMQP_EXCHANGE_CLASS) /* such as an ack that took too long */
            result = BRIDGE_LOST, status = STATUS_TRY_LATER;
        break;
    case AMQP_CONNECTION_FORCED:
    case AMQP_INTERNAL_ERROR:
    case AMQP_RESOURCE_LOCKED:
    case AMQP_RESOURCE_ERROR:
        result = BRIDGE_LOST, status = STATUS_TRY_LATER;
        break;
    default:
        break;
    }
    return bridge_trouble(link->bridge, result, status, "%.*s%s", LINK_TEXT(text), advice);
}

static enum bridge_result channel_closed(struct link *link, const amqp_channel_close_t *close)
{
    link->has_channel = false;
    return judge(link, close->reply_code, close->reply_text, close->class_id, close->method_id);
}

static enum bridge_result connection_closed(struct link *link, const amqp_connection_close_t *close)
{
    link->is_up = false;
    return judge(link, close->reply_code, close->reply_text, close->class_id, close->method_id);
}

enum bridge_result link_check_reply(struct link *link, amqp_rpc_reply_t reply, const char *what)
{
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return BRIDGE_OK;
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        return reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD ? channel_closed(link, reply.reply.decoded)
                                                           : connection_closed(link, reply.reply.decoded);
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        return link_check(link, reply.library_error, what);
    default:
        return link_check(link, AMQP_STATUS_CONNECTION_CLOSED, what);
    }
}

/* ---- opening --------------------------------------------------------------------- */

static enum bridge_result out_of_memory(struct link *link)
{
    return bridge_trouble(link->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

static enum bridge_result prepare_tls(struct link *link, amqp_socket_t *socket)
{
    const struct secret_files *files = &link->target->files;
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    if (amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK)
        return bridge_trouble(link->bridge, BRIDGE_FAILED, STATUS_UNAVAILABLE, "TLS 1.2 cannot be used here");
    if (!files->authorities || amqp_ssl_socket_set_cacert(socket, files->authorities) != AMQP_STATUS_OK)
        return bridge_trouble(link->bridge, BRIDGE_FAILED, STATUS_CONFIG, "there are no authorities to trust in %s",
                              files->authorities ? files->authorities : "this system: give cacertfile=");
    if (files->certificate && amqp_ssl_socket_set_key(socket, files->certificate, files->key) != AMQP_STATUS_OK)
        return bridge_trouble(link->bridge, BRIDGE_FAILED, STATUS_CONFIG,
                              "the certificate in %s cannot be used with %s", files->certificate, files->key);
    return BRIDGE_OK;
}

static enum bridge_result connect_to(struct link *link)
{
    const struct target *target = link->target;
    const struct timeval limit = {.tv_sec = CONNECT_FOR}, answer = {.tv_sec = ANSWER_FOR};
    char what[URL_PROBLEM_SIZE];
    amqp_socket_t *socket = target->is_tls ? amqp_ssl_socket_new(link->connection)
                                           : amqp_tcp_socket_new(link->connection);
    if (!socket)
        return out_of_memory(link);
    const enum bridge_result result = target->is_tls ? prepare_tls(link, socket) : BRIDGE_OK;
    if (result != BRIDGE_OK)
        return result;
    (void)snprintf(what, sizeof what, "cannot connect to port %d of %.128s", target->port, target->host);
    const int status = amqp_socket_open_noblock(socket, target->host, target->port, &limit);
    if (status == AMQP_STATUS_SOCKET_ERROR || status == AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED)
        return bridge_trouble(link->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s: %s", what,
                              reach_why_not(target->host, target->port));
    (void)amqp_set_handshake_timeout(link->connection, &answer);
    (void)amqp_set_rpc_timeout(link->connection, &answer);
    link->is_up = status == AMQP_STATUS_OK;
    return link_check(link, status, what);
}

static amqp_table_entry_t text_entry(const char *name, const char *text)
{
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(name),
                                .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text)}};
}

/* Say what this is, for lists of connections there; and that we hear when the queue is deleted or the memory is short. */
static enum bridge_result log_in(struct link *link)
{
    const struct target *target = link->target;
    const struct bridge_arguments *arguments = link->bridge->arguments;
    char name[256];
    (void)snprintf(name, sizeof name, "mq-bridge %.200s (%d)",
                   url_is_meant(arguments->source) ? arguments->destination : arguments->source, (int)getpid());
    amqp_table_entry_t can[2] = {
        {.key = amqp_cstring_bytes("consumer_cancel_notify"), .value = {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
        {.key = amqp_cstring_bytes("connection.blocked"), .value = {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}}};
    amqp_table_entry_t entries[] = {
        text_entry("connection_name", name),
        text_entry("product", "mq-bridge"),
        text_entry("version", MQ_VERSION),
        {.key = amqp_cstring_bytes("capabilities"), .value = {AMQP_FIELD_KIND_TABLE, {.table = {2, can}}}}};
    const amqp_table_t properties = {sizeof entries / sizeof *entries, entries};
    return link_check_reply(link,
                            amqp_login_with_properties(link->connection, target->vhost, 1, FRAME_MOST,
                                                       target->heartbeat, &properties, AMQP_SASL_METHOD_PLAIN,
                                                       target->user, target->password),
                            "cannot log in");
}

static enum bridge_result open_channel(struct link *link)
{
    (void)amqp_channel_open(link->connection, LINK_CHANNEL);
    link->has_channel = true;
    return link_check_reply(link, amqp_get_rpc_reply(link->connection), "cannot open a channel");
}

/* Declare the queue or the exchange: passively, which only tells whether it is there, or to make it. */
static amqp_rpc_reply_t declare(struct link *link, bool passive)
{
    const struct target *target = link->target;
    if (target->queue)
        (void)amqp_queue_declare(link->connection, LINK_CHANNEL, amqp_cstring_bytes(target->queue), passive, 1, 0, 0,
                                 amqp_empty_table);
    else
        (void)amqp_exchange_declare(link->connection, LINK_CHANNEL, amqp_cstring_bytes(target->exchange),
                                    amqp_cstring_bytes("topic"), passive, 1, 0, 0, amqp_empty_table);
    return amqp_get_rpc_reply(link->connection);
}

static enum bridge_result find_or_make(struct link *link)
{
    if (!link->target->queue && !*link->target->exchange) /* the default one, which is always there */
        return BRIDGE_OK;
    const amqp_rpc_reply_t reply = declare(link, true);
    const bool is_missing = reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
                            reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD &&
                            ((const amqp_channel_close_t *)reply.reply.decoded)->reply_code == AMQP_NOT_FOUND;
    if (!is_missing || !link->bridge->arguments->create)
        return link_check_reply(link, reply, "cannot tell whether it is there");
    amqp_channel_close_ok_t ok = {0}; /* what is missing has closed the channel */
    enum bridge_result result = link_check(
        link, amqp_send_method(link->connection, LINK_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), "cannot go on");
    if (result == BRIDGE_OK)
        result = open_channel(link);
    return result == BRIDGE_OK ? link_check_reply(link, declare(link, false), "cannot make it") : result;
}

static enum bridge_result start_timer(struct link *link)
{
    link->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (link->timer < 0)
        return bridge_trouble(link->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-errno));
    bridge_watch(link->bridge, link->timer, EPOLLIN);
    link_wake(link, MQ_FOREVER);
    return BRIDGE_OK;
}

enum bridge_result link_open(struct link *link)
{
    link->connection = amqp_new_connection();
    link->is_up = link->has_channel = link->is_blocked = false;
    link->timer = -1;
    link->events = 0;
    enum bridge_result result = link->connection ? connect_to(link) : out_of_memory(link);
    if (result == BRIDGE_OK)
        result = log_in(link);
    if (result == BRIDGE_OK)
        result = open_channel(link);
    if (result == BRIDGE_OK)
        result = find_or_make(link);
    return result == BRIDGE_OK ? start_timer(link) : result;
}

/* ---- at work --------------------------------------------------------------------- */

static enum bridge_result closed_by(struct link *link, amqp_frame_t *frame)
{
    amqp_method_t *method = &frame->payload.method;
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD)
        return channel_closed(link, method->decoded);
    const enum bridge_result result = connection_closed(link, method->decoded);
    amqp_connection_close_ok_t ok = {0};
    (void)amqp_send_method(link->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    return result;
}

/* Whether a frame is about the connection itself, and needs no more than this. */
static bool is_of_connection(struct link *link, const amqp_frame_t *frame)
{
    if (frame->channel != 0 || frame->frame_type != AMQP_FRAME_METHOD)
        return frame->channel != LINK_CHANNEL;
    if (frame->payload.method.id == AMQP_CONNECTION_BLOCKED_METHOD) {
        const amqp_connection_blocked_t *blocked = frame->payload.method.decoded;
        link->is_blocked = true;
        (void)bridge_trouble(link->bridge, BRIDGE_OK, STATUS_TRY_LATER, "it takes no messages for now: %.*s",
                             LINK_TEXT(blocked->reason));
        bridge_has_to_wait(link->bridge);
    } else if (frame->payload.method.id == AMQP_CONNECTION_UNBLOCKED_METHOD)
        link->is_blocked = false;
    return true;
}

enum bridge_result link_read(struct link *link, amqp_frame_t *ret_frame, bool *ret_there)
{
    struct timeval at_once = {0};
    amqp_frame_t frame;
    *ret_there = false;
    do {
        amqp_maybe_release_buffers(link->connection);
        const int status = amqp_simple_wait_frame_noblock(link->connection, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT)
            return BRIDGE_OK;
        if (status != AMQP_STATUS_OK)
            return link_check(link, status, "the connection is lost");
        if (frame.frame_type == AMQP_FRAME_METHOD && (frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD ||
                                                      frame.payload.method.id == AMQP_CHANNEL_CLOSE_METHOD))
            return closed_by(link, &frame);
    } while (is_of_connection(link, &frame));
    *ret_frame = frame;
    *ret_there = true;
    return BRIDGE_OK;
}

bool link_is_writable(const struct link *link)
{
    struct pollfd writable = {.fd = amqp_get_sockfd(link->connection), .events = POLLOUT};
    return poll(&writable, 1, 0) != 0;
}

void link_watch(struct link *link, uint32_t events)
{
    if (link->events != events)
        bridge_watch(link->bridge, amqp_get_sockfd(link->connection), events);
    link->events = events;
}

void link_wake(struct link *link, int64_t after)
{
    const int64_t beat = link->target->heartbeat * CLOCK_SECOND / 2, first = after < 0 || after > beat ? beat : after;
    const struct itimerspec when = {
        .it_value = {.tv_sec = first / CLOCK_SECOND, .tv_nsec = first % CLOCK_SECOND * 1000 + 1},
        .it_interval = {.tv_sec = beat / CLOCK_SECOND, .tv_nsec = beat % CLOCK_SECOND * 1000}};
    (void)timerfd_settime(link->timer, 0, &when, NULL);
}

/* A server that is blocked reads no heartbeats, and misses none. They would fill the socket until a write has to wait. */
enum bridge_result link_beat(struct link *link)
{
    uint64_t times;
    if (read(link->timer, &times, sizeof times) < 0 || amqp_get_heartbeat(link->connection) == 0 || link->is_blocked)
        return BRIDGE_OK;
    const amqp_frame_t beat = {.frame_type = AMQP_FRAME_HEARTBEAT};
    return link_check(link, amqp_send_frame(link->connection, &beat), "the connection is lost");
}

/* The answer to the end of the channel comes behind all that was said on it: acks have arrived then. */
enum bridge_result link_close(struct link *link)
{
    enum bridge_result result = BRIDGE_OK;
    const struct timeval little = {.tv_sec = LAST_ANSWER_FOR};
    if (!link->connection)
        return BRIDGE_OK;
    if (bridge_is_ending(link->bridge))
        (void)amqp_set_rpc_timeout(link->connection, &little);
    if (link->is_up && link->has_channel)
        result = link_check_reply(link, amqp_channel_close(link->connection, LINK_CHANNEL, AMQP_REPLY_SUCCESS),
                                  "the connection was not ended as it should be");
    if (link->is_up)
        (void)amqp_connection_close(link->connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(link->connection);
    link->connection = NULL;
    if (link->timer >= 0)
        close(link->timer);
    link->timer = -1;
    return result;
}
