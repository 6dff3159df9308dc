/*
 * A client of beanstalkd, which brings none, as fast as its protocol allows.
 *
 *     beanstalk ADDRESS put            standard input is a message
 *     beanstalk ADDRESS lines WINDOW   each line is one; so many are under way before an answer is waited for
 *     beanstalk ADDRESS await          wait for a message, print it, delete it
 *     beanstalk ADDRESS one            take a message, print it, delete it; 1 when there is none
 *     beanstalk ADDRESS drain          take all there are, print and delete them
 *     beanstalk ADDRESS follow         wait for messages for ever
 *
 * ADDRESS is unix:PATH or tcp:PORT.
 */
#include "client.h"

#define RESERVED_AT_ONCE 100

static struct client client;

static void say_line(const char *line)
{
    client_say(&client, line, strlen(line));
}

static void put(const char *message, size_t size)
{
    char command[64];
    snprintf(command, sizeof command, "put 0 0 120 %zu\r\n", size);
    say_line(command);
    client_say(&client, message, size);
    say_line("\r\n");
}

static void expect(const char *word)
{
    const char *line = client_hear_line(&client);
    if (strncmp(line, word, strlen(word)) == 0)
        return;
    fprintf(stderr, "beanstalk: %s instead of %s\n", line, word);
    exit(1);
}

static void put_all(bool lines, long window)
{
    char *message = NULL;
    size_t size;
    long under_way = 0;
    while (client_next_message(lines, &message, &size)) {
        put(message, size);
        if (++under_way < window)
            continue;
        for (const long left = window / 2; under_way > left; under_way--)
            expect("INSERTED");
    }
    for (; under_way > 0; under_way--)
        expect("INSERTED");
    free(message);
}

/* Print the job that a line reserves and say that it is done. */
static void finish(const char *reserved)
{
    unsigned long long job;
    size_t size;
    char command[64];
    if (sscanf(reserved, "RESERVED %llu %zu", &job, &size) != 2) {
        fprintf(stderr, "beanstalk: %s\n", reserved);
        exit(1);
    }
    client_print(client_hear(&client, size + 2), size);
    snprintf(command, sizeof command, "delete %llu\r\n", job);
    say_line(command);
}

/* As many reserves as jobs to come are under way at any time, and the deletes with them; how many jobs came. */
static long take(const char *reserve, long at_once, bool again)
{
    long answers = 0, taken = 0;
    for (; answers < at_once; answers++)
        say_line(reserve);
    while (answers-- > 0) {
        const char *line = client_hear_line(&client);
        if (strcmp(line, "TIMED_OUT") == 0 || strcmp(line, "DELETED") == 0)
            continue;
        finish(line);
        answers++;
        taken++;
        if (again) {
            say_line(reserve);
            answers++;
        }
        if (at_once == 1)
            fflush(stdout);
    }
    return taken;
}

int main(int argc, char **argv)
{
    const char *verb = argc >= 3 ? argv[2] : "";
    if (argc >= 3)
        client_connect(&client, argv[1]);
    if (strcmp(verb, "put") == 0)
        put_all(false, 1);
    else if (strcmp(verb, "lines") == 0 && argc == 4)
        put_all(true, atol(argv[3]));
    else if (strcmp(verb, "one") == 0)
        return take("reserve-with-timeout 0\r\n", 1, false) == 0;
    else if (strcmp(verb, "await") == 0)
        return take("reserve\r\n", 1, false) == 0;
    else if (strcmp(verb, "drain") == 0)
        take("reserve-with-timeout 0\r\n", RESERVED_AT_ONCE, true);
    else if (strcmp(verb, "follow") == 0)
        take("reserve\r\n", 1, true);
    else {
        fprintf(stderr, "usage: beanstalk ADDRESS put|lines WINDOW|await|one|drain|follow\n");
        return 64;
    }
    return 0;
}
