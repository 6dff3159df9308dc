/*
 * A storm on an ordered queue: senders and consumers that are killed and stopped all the time, and a judge of the order.
 *
 *     build/tests/unit/lanes_storm [SECONDS]        2 by default
 *
 * A consumer that gets a message asks whether all that its sender sent to the group before it, and was told of, is
 * settled, and whether it was acked before: then it must not come again. Some messages are sent once; a sender that was
 * killed while it sent one sends it again. In the end all that was reported must have come.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mq.h"
#include "unit.h"

enum { SENDERS = 2, CONSUMERS = 3, PROCESSES = SENDERS + CONSUMERS, GROUPS = 4, MOST = 20000, BACKLOG = 20, BATCH = 5 };
enum { SENDING, DRAINING, ENDING };

static struct {
    _Atomic int phase;
    _Atomic int next[SENDERS][GROUPS];
    _Atomic long open, delivered, wrong, repeated;
    _Atomic int trying[SENDERS]; /* what is being sent once: its group and number, and 1; 0: nothing */
    _Atomic bool acked[SENDERS][GROUPS][MOST], reported[SENDERS][GROUPS][MOST], come[SENDERS][GROUPS][MOST],
        settled[SENDERS][GROUPS][MOST];
} * shared;

static unsigned seed;

static unsigned draw(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static void complain(const char *what, int error)
{
    fprintf(stderr, "%s: %d\n", what, error);
    shared->wrong++;
}

/* One message, or several that share a file. */
static int send_some(mq_queue *queue, const mq_message *message, int sender, int group, int first, int count)
{
    char text[BATCH][48];
    struct iovec bodies[BATCH];
    size_t sent;
    for (int i = 0; i < count; i++)
        bodies[i] = (struct iovec){text[i],
                                   (size_t)snprintf(text[i], sizeof *text, "%d %d %d", sender, group, first + i)};
    return mq_send_bodies(queue, message, bodies, (size_t)count, &(struct mq_send_options){MQ_SEND_DEFAULTS}, NULL,
                          &sent);
}

/* One message, under an id of its own. */
static int send_once(mq_queue *queue, mq_message *message, int sender, int group, int number)
{
    char text[48], id[48];
    struct mq_send_options options = {MQ_SEND_DEFAULTS};
    options.once = true;
    snprintf(text, sizeof text, "%d %d %d", sender, group, number);
    snprintf(id, sizeof id, "%d-%d-%d", sender, group, number);
    mq_message_set_id(message, id);
    mq_message_set_body(message, text, strlen(text));
    shared->trying[sender] = number * GROUPS + group + 1;
    const int error = mq_send(queue, message, &options, NULL);
    if (!error)
        shared->reported[sender][group][number] = true;
    shared->trying[sender] = 0;
    return error;
}

static mq_message *message_of(int group)
{
    mq_message *message;
    char key[16];
    if (mq_message_new(&message) != 0)
        return NULL;
    snprintf(key, sizeof key, "group %d", group);
    mq_message_set_header(message, "Group", key);
    return message;
}

/* The sender before this one was killed while it sent a message once. */
static void send_again(mq_queue *queue, int sender)
{
    const int trying = shared->trying[sender] - 1;
    mq_message *message = trying < 0 ? NULL : message_of(trying % GROUPS);
    if (!message)
        return;
    const int error = send_once(queue, message, sender, trying % GROUPS, trying / GROUPS);
    if (error)
        complain("send again", error);
    shared->repeated++;
    mq_message_free(message);
}

static void send_on(mq_queue *queue, int sender)
{
    send_again(queue, sender);
    while (shared->phase == SENDING) {
        const int group = (int)draw(GROUPS), count = draw(2) ? 1 : 1 + (int)draw(BATCH),
                  first = atomic_fetch_add(&shared->next[sender][group], count);
        mq_message *message = first + count > MOST ? NULL : message_of(group);
        if (!message)
            return;
        const int error = count == 1 && draw(2) ? send_once(queue, message, sender, group, first)
                                                : send_some(queue, message, sender, group, first, count);
        if (error)
            complain("send", error);
        for (int i = 0; i < count && !error; i++)
            shared->reported[sender][group][first + i] = true;
        mq_message_free(message);
        while (shared->phase == SENDING && ++shared->open > BACKLOG && draw(4))
            usleep(200);
    }
}

/* The claim lasts until then at least. Later the message may have come to another consumer, and be acked. */
static void judge(int sender, int group, int number, int64_t until)
{
    for (int before = number - 1; before >= 0 && before > number - 2 * BACKLOG; before--)
        if (shared->reported[sender][group][before] && !shared->settled[sender][group][before])
            complain("out of order", number);
    if (shared->acked[sender][group][number] && clock_monotonic() < until)
        complain("twice", number);
    shared->come[sender][group][number] = true;
    shared->delivered++;
    shared->open = 0;
}

static void settle(mq_queue *queue, const mq_message *message, _Atomic bool *settled, _Atomic bool *acked)
{
    const char *receipt = mq_message_receipt(message);
    const unsigned what = draw(12);
    int error;
    if (what == 0)
        error = mq_nack(queue, receipt, draw(2) ? 0 : 5000);
    else if (what == 1)
        error = mq_release(queue, receipt);
    else { /* told before it is done: whoever is killed in between has done it, or not */
        *settled = true;
        error = what == 2 ? mq_reject(queue, receipt, NULL) : mq_ack(queue, receipt);
        if (!error)
            *acked = true;
    }
    if (error && error != -ESTALE)
        complain("settle", error);
}

static void consume(mq_queue *queue)
{
    struct mq_receive_options options = {MQ_RECEIVE_DEFAULTS};
    options.wait = 50000;
    options.ack_timeout = 300000;
    while (shared->phase != ENDING) {
        mq_message *message;
        char body[48] = "";
        int sender, group, number;
        const int64_t until = clock_monotonic() + options.ack_timeout;
        const int got = mq_receive(queue, &options, &message);
        if (got < 0)
            complain("receive", got);
        if (got != 1)
            continue;
        if (mq_message_read(message, body, sizeof body - 1) < 0 ||
            sscanf(body, "%d %d %d", &sender, &group, &number) != 3)
            complain("body", 0);
        else {
            judge(sender, group, number, until);
            settle(queue, message, &shared->settled[sender][group][number], &shared->acked[sender][group][number]);
        }
        mq_message_free(message);
    }
}

static pid_t start(int which)
{
    mq_queue *queue;
    const pid_t process = fork();
    if (process)
        return process;
    seed = (unsigned)getpid() * 7919;
    if (mq_open(NULL, "storm", 0, &queue) == 0) {
        if (which < SENDERS)
            send_on(queue, which);
        else
            consume(queue);
    }
    _exit(0);
}

static void harm(pid_t *processes, int64_t until)
{
    while (clock_monotonic() < until) {
        const int which = (int)draw(PROCESSES);
        usleep(1000 + draw(8000));
        if (draw(6) == 0) {
            kill(processes[which], SIGSTOP);
            usleep(draw(2) ? 20000 : 400000); /* past its lease */
            kill(processes[which], SIGCONT);
            continue;
        }
        kill(processes[which], SIGKILL);
        waitpid(processes[which], NULL, 0);
        processes[which] = start(which);
    }
}

static bool is_drained(mq_queue *queue)
{
    struct mq_stats stats;
    return mq_stat(queue, true, &stats) == 0 && !stats.count[MQ_READY] && !stats.count[MQ_DELAYED] &&
           !stats.count[MQ_INFLIGHT];
}

static long count_lost(void)
{
    long lost = 0;
    for (int i = 0; i < SENDERS * GROUPS * MOST; i++)
        lost += (&shared->reported[0][0][0])[i] && !(&shared->come[0][0][0])[i];
    return lost;
}

int main(int count, char **words)
{
    char *const spool = unit_directory(), command[128];
    pid_t processes[PROCESSES];
    mq_queue *queue;
    const int64_t length = (count > 1 ? atoi(words[1]) : 2) * CLOCK_SECOND;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT(setenv("MQ_SPOOL", spool, 1) == 0);
    EXPECT(mq_create_ordered(NULL, "storm", "group", 0600, MQ_OWN_GROUP) == 1);
    EXPECT(mq_config_set(NULL, "storm", "durability", "none") == 0);
    EXPECT(mq_config_set(NULL, "storm", "max-attempts", "none") == 0 && mq_open(NULL, "storm", 0, &queue) == 0);
    seed = (unsigned)getpid();
    for (int i = 0; i < PROCESSES; i++)
        processes[i] = start(i);
    harm(processes, clock_monotonic() + length);
    shared->phase = DRAINING;
    const int64_t patience = clock_monotonic() + 60 * CLOCK_SECOND;
    while (!is_drained(queue) && clock_monotonic() < patience)
        usleep(50000);
    EXPECT(is_drained(queue));
    shared->phase = ENDING;
    for (int i = 0; i < PROCESSES; i++)
        waitpid(processes[i], NULL, 0);
    EXPECT(shared->wrong == 0 && shared->delivered > 0 && count_lost() == 0);
    mq_close(queue);
    snprintf(command, sizeof command, "rm -rf %s", spool);
    EXPECT(system(command) == 0);
    free(spool);
    return unit_failures != 0;
}
