/*
 * The other side of mq-bridge-amqp in its tests: another client of RabbitMQ.
 *
 *     rabbitmq PORT declare QUEUE [ARGUMENT=VALUE…]   make a queue; a value is a number or a text
 *     rabbitmq PORT bind QUEUE EXCHANGE KEY
 *     rabbitmq PORT delete QUEUE
 *     rabbitmq PORT count QUEUE                       print how many messages are ready
 *     rabbitmq PORT put QUEUE [ID [BODY]]             send a message; - or none: without an id
 *     rabbitmq PORT strange QUEUE                     send one with every property, and headers of every type
 *     rabbitmq PORT take QUEUE                        take a message, and print its properties and headers, a line each
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL 1

static amqp_connection_state_t connection;

static void must(bool well, const char *what)
{
    if (well)
        return;
    fprintf(stderr, "rabbitmq: %s failed\n", what);
    exit(1);
}

static void answered(const char *what)
{
    must(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, what);
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

static amqp_bytes_t text(const char *string)
{
    return amqp_cstring_bytes(string);
}

static void declare(const char *queue, char **arguments)
{
    amqp_table_entry_t entries[8];
    amqp_table_t table = {0, entries};
    for (; *arguments && table.num_entries < 8; arguments++) {
        char *value = strchr(*arguments, '=');
        amqp_table_entry_t *entry = &entries[table.num_entries++];
        *value++ = '\0';
        entry->key = text(*arguments);
        entry->value.kind = isdigit(*value) ? AMQP_FIELD_KIND_I64 : AMQP_FIELD_KIND_UTF8;
        if (isdigit(*value))
            entry->value.value.i64 = atoll(value);
        else
            entry->value.value.bytes = text(value);
    }
    amqp_queue_declare(connection, CHANNEL, text(queue), 0, 1, 0, 0, table);
    answered("declaring");
}

static void publish(const char *queue, const amqp_basic_properties_t *properties, const char *body)
{
    amqp_confirm_select(connection, CHANNEL);
    answered("asking for confirms");
    must(amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes, text(queue), 0, 0, properties, text(body)) == 0,
         "publishing");
    amqp_frame_t frame;
    must(amqp_simple_wait_frame(connection, &frame) == 0, "waiting for the confirmation");
}

static void put(const char *queue, const char *id, const char *body)
{
    amqp_basic_properties_t properties = {0};
    if (id && strcmp(id, "-") != 0) {
        properties._flags = AMQP_BASIC_MESSAGE_ID_FLAG;
        properties.message_id = text(id);
    }
    publish(queue, &properties, body ? body : "");
}

static amqp_field_value_t text_value(amqp_bytes_t bytes)
{
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes};
}

static void strange(const char *queue)
{
    amqp_table_entry_t inner[] = {{text("reason"), text_value(text("re\njected"))},
                                  {text("count"), {AMQP_FIELD_KIND_I64, {.i64 = 3}}}};
    amqp_field_value_t list[] = {{AMQP_FIELD_KIND_TABLE, {.table = {2, inner}}}};
    amqp_table_entry_t entries[] = {
        {text("user.name"), text_value(text("Zo\xc3\xab"))},
        {text("user-name"), text_value(text("second"))},
        {text("Priority"), text_value(text("high"))},
        {text("two-lines"), text_value(text("one\ntwo"))},
        {text("bytes"), text_value((amqp_bytes_t){3, (void *)(uintptr_t) "\xff\0\n"})},
        {text("yes"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
        {text("small"), {AMQP_FIELD_KIND_I32, {.i32 = -7}}},
        {text("half"), {AMQP_FIELD_KIND_F64, {.f64 = 0.5}}},
        {text("when"), {AMQP_FIELD_KIND_TIMESTAMP, {.u64 = 1700000000}}},
        {text("none"), {AMQP_FIELD_KIND_VOID, {.u64 = 0}}},
        {text("x-death"), {AMQP_FIELD_KIND_ARRAY, {.array = {1, list}}}},
    };
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG |
                  AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                  AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
                  AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_APP_ID_FLAG |
                  AMQP_BASIC_CLUSTER_ID_FLAG,
        .content_type = text("text/plain"),
        .content_encoding = text("identity"),
        .headers = {sizeof entries / sizeof *entries, entries},
        .delivery_mode = 1,
        .priority = 200,
        .correlation_id = text("c\xff"),
        .reply_to = text("answers"),
        .expiration = text("3600000"),
        .message_id = text("urn:uuid:1"),
        .timestamp = 1700000000,
        .type = text("greeting"),
        .user_id = text("guest"),
        .app_id = text("tests"),
        .cluster_id = text("c1"),
    };
    publish(queue, &properties, "body");
}

static void print(bool is_set, const char *name, amqp_bytes_t bytes)
{
    if (is_set)
        printf("%s=%.*s\n", name, (int)bytes.len, (const char *)bytes.bytes);
}

static void take(const char *queue)
{
    amqp_message_t message;
    must(amqp_basic_get(connection, CHANNEL, text(queue), 1).reply.id == AMQP_BASIC_GET_OK_METHOD, "getting");
    must(amqp_read_message(connection, CHANNEL, &message, 0).reply_type == AMQP_RESPONSE_NORMAL, "reading");
    const amqp_basic_properties_t *p = &message.properties;
    print(p->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG, "content_type", p->content_type);
    print(p->_flags & AMQP_BASIC_CORRELATION_ID_FLAG, "correlation_id", p->correlation_id);
    print(p->_flags & AMQP_BASIC_REPLY_TO_FLAG, "reply_to", p->reply_to);
    print(p->_flags & AMQP_BASIC_TYPE_FLAG, "type", p->type);
    print(p->_flags & AMQP_BASIC_APP_ID_FLAG, "app_id", p->app_id);
    print(p->_flags & AMQP_BASIC_MESSAGE_ID_FLAG, "message_id", p->message_id);
    print(p->_flags & AMQP_BASIC_EXPIRATION_FLAG, "expiration", p->expiration);
    if (p->_flags & AMQP_BASIC_PRIORITY_FLAG)
        printf("priority=%u\n", p->priority);
    if (p->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
        printf("delivery_mode=%u\n", p->delivery_mode);
    if (p->_flags & AMQP_BASIC_TIMESTAMP_FLAG)
        printf("timestamp=%" PRIu64 "\n", p->timestamp);
    for (int i = 0; i < p->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &p->headers.entries[i];
        printf("header %.*s", (int)entry->key.len, (const char *)entry->key.bytes);
        print(entry->value.kind == AMQP_FIELD_KIND_UTF8, "", entry->value.value.bytes);
    }
    print(true, "body", message.body);
}

int main(int argc, char **argv)
{
    must(argc >= 4, "understanding the command line");
    const char *verb = argv[2], *queue = argv[3];
    connect_to(atoi(argv[1]));
    if (strcmp(verb, "declare") == 0)
        declare(queue, argv + 4);
    else if (strcmp(verb, "bind") == 0 && argc == 6)
        amqp_queue_bind(connection, CHANNEL, text(queue), text(argv[4]), text(argv[5]), amqp_empty_table);
    else if (strcmp(verb, "delete") == 0)
        amqp_queue_delete(connection, CHANNEL, text(queue), 0, 0);
    else if (strcmp(verb, "count") == 0) {
        const amqp_queue_declare_ok_t *is = amqp_queue_declare(connection, CHANNEL, text(queue), 1, 0, 0, 0,
                                                               amqp_empty_table);
        answered("counting");
        printf("%u\n", is->message_count);
    } else if (strcmp(verb, "put") == 0)
        put(queue, argv[4], argc > 5 ? argv[5] : NULL);
    else if (strcmp(verb, "strange") == 0)
        strange(queue);
    else if (strcmp(verb, "take") == 0)
        take(queue);
    else
        must(false, verb);
    amqp_channel_close(connection, CHANNEL, AMQP_REPLY_SUCCESS);
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection);
    return 0;
}
