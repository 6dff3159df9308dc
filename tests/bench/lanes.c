/*
 * Ordered queues through the library: single messages of many groups. Each queue is one of the caller's, and empty.
 *
 *     lanes cycle QUEUE GROUPS COUNT              a message to each group, then all of them claimed and acked, and again
 *     lanes fill QUEUE GROUPS COUNT               messages to the groups in turn
 *     lanes drain QUEUE CONSUMERS                 so many processes claim and ack all that is there
 *     lanes turns QUEUE                           two receivers claim and ack all that is there in turn
 *     lanes claims QUEUE SHALLOW GROUPS COUNT     claims where so many groups wait, in turn with claims where ten do
 *     lanes blocked QUEUE SHALLOW GROUPS COUNT    the same with so many groups blocked, and ten that wait
 *
 * The first three print the messages a second, the fourth how many there were; the last two how many times a claim in QUEUE takes what one in SHALLOW takes,
 * by the medians and by the sums. Nothing waits for the disk. Needs $MQ_SPOOL.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "mq.h"

#define SHALLOW 10
#define HOUR INT64_C(3600000000) /* microseconds */

static char body[64];

static int must(int result, const char *what)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "lanes: %s: %s\n", what, strerror(-result));
    exit(1);
}

static mq_queue *open_queue(const char *name)
{
    mq_queue *queue;
    must(mq_open(NULL, name, 0, &queue), "cannot open");
    return queue;
}

static void send_to(mq_queue *queue, int group)
{
    struct mq_send_options options = {MQ_SEND_DEFAULTS};
    char key[16];
    mq_message *message;
    options.no_sync = true;
    snprintf(key, sizeof key, "%d", group);
    must(mq_message_new(&message), "cannot make a message");
    must(mq_message_set_header(message, "Group", key), "cannot set the group");
    mq_message_set_body(message, body, sizeof body);
    must(mq_send(queue, message, &options, NULL), "cannot send");
    mq_message_free(message);
}

static bool claim(mq_queue *queue, mq_message **ret_message)
{
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    options.wait = 0;
    return must(mq_receive(queue, &options, ret_message), "cannot receive") == 1;
}

/* How many there were. */
static int drain(mq_queue *queue, int most)
{
    mq_message *message;
    int count = 0;
    for (; count < most && claim(queue, &message); count++) {
        must(mq_ack(queue, mq_message_receipt(message)), "cannot ack");
        mq_message_free(message);
    }
    return count;
}

static void cycle(mq_queue *queue, int groups, int count)
{
    const double begun = microseconds();
    for (int done = 0; done < count; done += groups) {
        for (int group = 0; group < groups; group++)
            send_to(queue, group);
        drain(queue, groups);
    }
    printf("%.0f\n", count / (microseconds() - begun) * 1e6);
}

static void fill(mq_queue *queue, int groups, int count)
{
    const double begun = microseconds();
    for (int i = 0; i < count; i++)
        send_to(queue, i % groups);
    printf("%.0f\n", count / (microseconds() - begun) * 1e6);
}

static int consume(const char *name)
{
    mq_queue *queue = open_queue(name);
    const int count = drain(queue, 1 << 30);
    mq_close(queue);
    return count;
}

static void drain_by(const char *name, int consumers)
{
    int results[2], count = 0, got;
    must(pipe(results), "cannot make a pipe");
    const double begun = microseconds();
    for (int i = 0; i < consumers; i++)
        if (fork() == 0) {
            got = consume(name);
            _exit(write(results[1], &got, sizeof got) != sizeof got);
        }
    for (int i = 0; i < consumers; i++)
        count += read(results[0], &got, sizeof got) == sizeof got ? got : 0;
    const double taken = microseconds() - begun;
    while (wait(NULL) > 0)
        ;
    printf("%.0f\n", count / taken * 1e6);
}

static void drain_in_turn(const char *name)
{
    mq_queue *queues[] = {open_queue(name), open_queue(name)};
    int count = 0;
    while (drain(queues[count % 2], 1) == 1)
        count++;
    printf("%d\n", count);
    mq_close(queues[0]);
    mq_close(queues[1]);
}

/* The group gets no other message: the next one begins another group. */
static double time_claim(mq_queue *queue, int *group)
{
    mq_message *message;
    const double begun = microseconds();
    const bool got = claim(queue, &message);
    const double taken = microseconds() - begun;
    must(got ? mq_ack(queue, mq_message_receipt(message)) : -1, "cannot ack");
    mq_message_free(message);
    send_to(queue, (*group)++);
    return taken;
}

static void compare(mq_queue *deep, mq_queue *shallow, int groups, int count)
{
    double *times = calloc((size_t)count, sizeof *times), *others = calloc((size_t)count, sizeof *times), sum = 0,
           other_sum = 0;
    int deep_group = groups, shallow_group = SHALLOW;
    must(times && others ? 0 : -12, "cannot measure");
    for (int i = 0; i < count; i++) {
        sum += times[i] = time_claim(deep, &deep_group);
        other_sum += others[i] = time_claim(shallow, &shallow_group);
    }
    printf("median=%.3f sum=%.3f\n", percentile(times, count, 50) / percentile(others, count, 50), sum / other_sum);
    free(times);
    free(others);
}

static void block(mq_queue *queue, int groups)
{
    mq_message *message;
    for (int i = 0; i < groups; i++) {
        must(claim(queue, &message) ? 0 : -1, "cannot claim");
        must(mq_nack(queue, mq_message_receipt(message), HOUR), "cannot nack");
        mq_message_free(message);
    }
}

static void measure_claims(const char *name, const char *shallow_name, int groups, int count, bool blocked)
{
    mq_queue *deep = open_queue(name), *shallow = open_queue(shallow_name);
    for (int group = 0; group < groups + (blocked ? SHALLOW : 0); group++)
        send_to(deep, group);
    for (int group = 0; group < SHALLOW; group++)
        send_to(shallow, group);
    if (blocked)
        block(deep, groups);
    compare(deep, shallow, groups + SHALLOW, count);
    mq_close(deep);
    mq_close(shallow);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    memset(body, 'x', sizeof body);
    if (argc == 4 && strcmp(what, "drain") == 0)
        drain_by(argv[2], atoi(argv[3]));
    else if (argc == 3 && strcmp(what, "turns") == 0)
        drain_in_turn(argv[2]);
    else if (argc == 5 && strcmp(what, "cycle") == 0)
        cycle(open_queue(argv[2]), atoi(argv[3]), atoi(argv[4]));
    else if (argc == 5 && strcmp(what, "fill") == 0)
        fill(open_queue(argv[2]), atoi(argv[3]), atoi(argv[4]));
    else if (argc == 6 && (strcmp(what, "claims") == 0 || strcmp(what, "blocked") == 0))
        measure_claims(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]), strcmp(what, "blocked") == 0);
    else {
        fprintf(stderr, "usage: lanes cycle|fill QUEUE GROUPS COUNT\n"
                        "       lanes drain QUEUE CONSUMERS\n"
                        "       lanes turns QUEUE\n"
                        "       lanes claims|blocked QUEUE SHALLOW GROUPS COUNT\n");
        return 64;
    }
    return 0;
}
