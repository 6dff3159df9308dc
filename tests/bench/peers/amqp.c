/*
 * A client of RabbitMQ, by its own C library: its command-line tools cannot confirm, and run a process a message.
 *
 *     amqp PORT make                  make the durable queue, or empty it
 *     amqp PORT lines WINDOW MODE     each line is a message; so many are sent before their confirms are waited for.
 *                                     MODE is 2 for messages to keep on disk, else 1
 *     amqp PORT fan QUEUES WINDOW     the same to so many queues of its own, which go with it, by a fanout exchange
 *     amqp PORT take COUNT            take so many, print them, ack them a hundred at a time
 *     amqp PORT follow                wait for messages for ever
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL 1
#define PREFETCH 1000
#define ACK_EVERY 100

static amqp_connection_state_t connection;

static void must(bool well, const char *what)
{
    if (well)
        return;
    fprintf(stderr, "amqp: %s failed\n", what);
    exit(1);
}

static void answered(const char *what)
{
    must(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, what);
}

static amqp_bytes_t queue(void)
{
    return amqp_cstring_bytes("bench");
}

static void connect_to(int port)
{
    connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    must(socket && amqp_socket_open(socket, "127.0.0.1", port) == 0, "connecting");
    must(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type ==
             AMQP_RESPONSE_NORMAL,
         "logging in");
    amqp_channel_open(connection, CHANNEL);
    answered("opening a channel");
}

static void make(void)
{
    amqp_queue_declare(connection, CHANNEL, queue(), 0, 1, 0, 0, amqp_empty_table);
    answered("making the queue");
    amqp_queue_purge(connection, CHANNEL, queue());
    answered("emptying the queue");
}

/* Queues that end with this connection, all bound to one exchange. */
static void make_fan(int queues)
{
    const amqp_bytes_t fanout = amqp_cstring_bytes("amq.fanout");
    for (int i = 0; i < queues; i++) {
        const amqp_queue_declare_ok_t *made = amqp_queue_declare(connection, CHANNEL, amqp_empty_bytes, 0, 0, 1, 1,
                                                                 amqp_empty_table);
        answered("making a queue");
        const amqp_bytes_t name = amqp_bytes_malloc_dup(made->queue);
        amqp_queue_bind(connection, CHANNEL, name, fanout, amqp_empty_bytes, amqp_empty_table);
        answered("binding a queue");
        amqp_bytes_free(name);
    }
}

/* Wait until all messages up to `least` are confirmed: which is the last that is. */
static uint64_t await_confirms(uint64_t confirmed, uint64_t least)
{
    while (confirmed < least) {
        amqp_frame_t frame;
        must(amqp_simple_wait_frame(connection, &frame) == 0, "waiting for confirms");
        if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
            continue;
        const amqp_basic_ack_t *ack = frame.payload.method.decoded;
        /* Confirms come in order, or all but: counting them is enough. */
        confirmed = ack->multiple ? ack->delivery_tag : confirmed + 1;
        amqp_maybe_release_buffers(connection);
    }
    return confirmed;
}

static void send_lines(amqp_bytes_t exchange, amqp_bytes_t key, uint64_t window, int mode)
{
    const amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                                .delivery_mode = (uint8_t)mode};
    char *line = NULL;
    size_t room = 0;
    uint64_t sent = 0, confirmed = 0;
    amqp_confirm_select(connection, CHANNEL);
    answered("asking for confirms");
    for (ssize_t got; (got = getline(&line, &room, stdin)) > 0;) {
        const amqp_bytes_t body = {.len = (size_t)got - (line[got - 1] == '\n'), .bytes = line};
        must(amqp_basic_publish(connection, CHANNEL, exchange, key, 0, 0, &properties, body) == 0, "publishing");
        sent++;
        if (sent - confirmed >= window)
            confirmed = await_confirms(confirmed, sent - window / 2);
    }
    await_confirms(confirmed, sent);
    free(line);
}

/* Each message is printed before it is acked. `count` 0: for ever. */
static void take(uint64_t count)
{
    amqp_basic_qos(connection, CHANNEL, 0, PREFETCH, 0);
    amqp_basic_consume(connection, CHANNEL, queue(), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    answered("consuming");
    for (uint64_t taken = 1; !count || taken <= count; taken++) {
        amqp_envelope_t message;
        amqp_maybe_release_buffers(connection);
        must(amqp_consume_message(connection, &message, NULL, 0).reply_type == AMQP_RESPONSE_NORMAL, "receiving");
        fwrite(message.message.body.bytes, 1, message.message.body.len, stdout);
        putchar('\n');
        if (!count || taken == count || taken % ACK_EVERY == 0) {
            fflush(stdout);
            amqp_basic_ack(connection, CHANNEL, message.delivery_tag, 1);
        }
        amqp_destroy_envelope(&message);
    }
}

int main(int argc, char **argv)
{
    const char *verb = argc >= 3 ? argv[2] : "";
    if (argc >= 3)
        connect_to(atoi(argv[1]));
    if (strcmp(verb, "make") == 0)
        make();
    else if (strcmp(verb, "lines") == 0 && argc == 5)
        send_lines(amqp_empty_bytes, queue(), strtoull(argv[3], NULL, 10), atoi(argv[4]));
    else if (strcmp(verb, "fan") == 0 && argc == 5) {
        make_fan(atoi(argv[3]));
        send_lines(amqp_cstring_bytes("amq.fanout"), amqp_empty_bytes, strtoull(argv[4], NULL, 10), 1);
    } else if (strcmp(verb, "take") == 0 && argc == 4)
        take(strtoull(argv[3], NULL, 10));
    else if (strcmp(verb, "follow") == 0)
        take(0);
    else {
        fprintf(stderr, "usage: amqp PORT make|lines WINDOW MODE|fan QUEUES WINDOW|take COUNT|follow\n");
        return 64;
    }
    amqp_channel_close(connection, CHANNEL, AMQP_REPLY_SUCCESS);
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection);
    return 0;
}
