/*
 * A client of NATS JetStream, for which Debian has none to run: a stream that is a work queue, kept in files, and a
 * consumer that pulls and acks each message.
 *
 *     nats ADDRESS make             make the stream and the consumer; what was in it is gone
 *     nats ADDRESS put              standard input is a message
 *     nats ADDRESS lines WINDOW     each line is one; so many are under way before an answer is waited for
 *     nats ADDRESS one              take a message, print it, ack it; 1 when there is none
 *     nats ADDRESS drain            take all there are
 *     nats ADDRESS follow           wait for messages for ever
 */
#include "client.h"

#define PULLED_AT_ONCE 1000

static struct client client;
static char inbox[32]; /* where answers to this process go */

static void say(const char *text)
{
    client_say(&client, text, strlen(text));
}

static void publish(const char *subject, const char *reply, const char *message, size_t size)
{
    char head[256];
    snprintf(head, sizeof head, "PUB %s %s %zu\r\n", subject, reply, size);
    say(head);
    client_say(&client, message, size);
    say("\r\n");
}

struct answer {
    const char *text;
    size_t size;
    char reply[128]; /* where to ack; empty for what the server itself has to say */
};

/* The next message for us, and true; or what the server says in its place. */
static bool hear(struct answer *ret_answer)
{
    size_t head, size;
    for (;;) {
        char *line = client_hear_line(&client);
        ret_answer->reply[0] = '\0';
        if (strncmp(line, "MSG ", 4) == 0) {
            if (sscanf(line, "MSG %*s %*s %127s %zu", ret_answer->reply, &size) != 2) {
                ret_answer->reply[0] = '\0';
                if (sscanf(line, "MSG %*s %*s %zu", &size) != 1)
                    break;
            }
            ret_answer->text = client_hear(&client, size + 2);
            ret_answer->size = size;
            return true;
        }
        if (strncmp(line, "HMSG ", 5) == 0 && sscanf(line, "HMSG %*s %*s %zu %zu", &head, &size) == 2) {
            ret_answer->text = client_hear(&client, size + 2);
            ret_answer->size = head;
            return false;
        }
        if (strncmp(line, "-ERR", 4) == 0)
            break;
        if (strcmp(line, "PING") == 0)
            say("PONG\r\n");
    }
    fprintf(stderr, "nats: the server says what we do not understand\n");
    exit(1);
}

/* Call the server's own interface; "exists" and the like are no matter. */
static void call(const char *subject, const char *text)
{
    struct answer answer;
    publish(subject, inbox, text, strlen(text));
    hear(&answer);
}

static void make(void)
{
    call("$JS.API.STREAM.DELETE.bench", "");
    call(
        "$JS.API.STREAM.CREATE.bench",
        "{\"name\":\"bench\",\"subjects\":[\"bench\"],\"retention\":\"workqueue\",\"storage\":\"file\",\"num_"
        "replicas\":1,"
        "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"max_msg_size\":-1,\"discard\":\"old\"}");
    call("$JS.API.CONSUMER.DURABLE.CREATE.bench.worker",
         "{\"stream_name\":\"bench\",\"config\":{\"durable_name\":\"worker\",\"deliver_policy\":\"all\","
         "\"ack_policy\":\"explicit\",\"ack_wait\":60000000000,\"max_ack_pending\":100000,\"max_waiting\":512}}");
}

static void put_all(bool lines, long window)
{
    char *message = NULL;
    size_t size;
    long under_way = 0;
    struct answer answer;
    while (client_next_message(lines, &message, &size)) {
        publish("bench", inbox, message, size);
        if (++under_way < window)
            continue;
        for (const long left = window / 2; under_way > left; under_way--)
            hear(&answer);
    }
    for (; under_way > 0; under_way--)
        hear(&answer);
    free(message);
}

static void pull(int count, bool wait)
{
    char request[64];
    snprintf(request, sizeof request, "{\"batch\":%d%s}", count, wait ? "" : ",\"no_wait\":true");
    publish("$JS.API.CONSUMER.MSG.NEXT.bench.worker", inbox, request, strlen(request));
}

/* Take up to `count` messages, which are asked for: how many came. */
static int take(int count)
{
    int taken = 0;
    for (struct answer answer; taken < count && hear(&answer); taken++) {
        client_print(answer.text, answer.size);
        publish(answer.reply, "", "+ACK", 4);
    }
    return taken;
}

static int drain(void)
{
    do
        pull(PULLED_AT_ONCE, false);
    while (take(PULLED_AT_ONCE) > 0);
    return 0;
}

static void follow(void)
{
    for (;;) {
        pull(1, true);
        take(1);
        fflush(stdout);
    }
}

static int take_one(void)
{
    pull(1, false);
    const int taken = take(1);
    say("PING\r\n"); /* its answer tells that the ack was heard */
    while (strcmp(client_hear_line(&client), "PONG") != 0)
        ;
    return taken == 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc >= 3 ? argv[2] : "";
    if (argc >= 3) {
        client_connect(&client, argv[1]);
        snprintf(inbox, sizeof inbox, "inbox.%d", (int)getpid());
        say("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"protocol\":1}\r\nSUB ");
        say(inbox);
        say(" 1\r\n");
    }
    if (strcmp(verb, "make") == 0)
        make();
    else if (strcmp(verb, "put") == 0)
        put_all(false, 1);
    else if (strcmp(verb, "lines") == 0 && argc == 4)
        put_all(true, atol(argv[3]));
    else if (strcmp(verb, "one") == 0)
        return take_one();
    else if (strcmp(verb, "drain") == 0)
        return drain();
    else if (strcmp(verb, "follow") == 0)
        follow();
    else {
        fprintf(stderr, "usage: nats ADDRESS make|put|lines WINDOW|one|drain|follow\n");
        return 64;
    }
    return 0;
}
