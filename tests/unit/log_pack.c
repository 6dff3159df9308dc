/* Logs: what happens between the steps of others, while buckets are packed and outputs are carried out. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "mq.h"
#include "unit.h"

#define BUCKET 4096

static const struct mq_send_options sending = {.cancel_fd = -1, .no_sync = true},
                                    singly = {.cancel_fd = -1, .no_sync = true, .batch = 1};
static char *spool;

static mq_log *open_log(const char *name)
{
    mq_log *log;
    EXPECT(mq_log_create(spool, name) >= 0 && mq_log_open(spool, name, &log) == 0);
    return log;
}

static uint64_t append(mq_log *log, const char *body)
{
    uint64_t offset = MQ_NO_OFFSET;
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    mq_message_set_body(message, body, strlen(body));
    EXPECT(mq_log_send(log, NULL, message, &sending, NULL, &offset) == 0);
    mq_message_free(message);
    return offset;
}

static void append_singly(mq_log *log, size_t count)
{
    struct iovec *bodies = calloc(count, sizeof *bodies);
    size_t sent = 0;
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    for (size_t i = 0; i < count; i++)
        bodies[i] = (struct iovec){(void *)(uintptr_t) "x", 1};
    EXPECT(mq_log_send_bodies(log, NULL, message, bodies, count, &singly, NULL, NULL, &sent) == 0 && sent == count);
    mq_message_free(message);
    free(bodies);
}

static size_t count_files(const char *log, const char *part)
{
    char path[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s/%s", spool, log, part);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

/* One sequence from the beginning to `end`. */
static void expect_dense(mq_log *log, uint64_t end)
{
    uint64_t offset, next = 0;
    mq_log_reader *reader;
    mq_message *message;
    EXPECT(mq_log_reader_new(log, 0, &reader) == 0);
    for (; mq_log_next(reader, &message, &offset) == 1 && EXPECT(offset == next); next++)
        ;
    EXPECT(next == end);
    mq_log_reader_free(reader);
}

/* A sender that has a bucket open when it is packed neither finds a name free in it, nor keeps anybody waiting. */
static void a_late_sender_finds_no_name_free(void)
{
    uint64_t removed;
    mq_log *late = open_log("packed"), *log = open_log("packed");
    EXPECT(append(late, "first") == 0);
    append_singly(log, BUCKET);
    EXPECT(count_files("packed", "log/0000000000000") < 32);
    EXPECT(count_files("packed", "removed") == 1); /* the old one, as long as the late sender may link into it */
    EXPECT(append(late, "late") == BUCKET + 1);
    expect_dense(log, BUCKET + 2);
    mq_log_close(late);
    EXPECT(mq_log_trim(log, &removed) == 0 && removed == 0);
    EXPECT(count_files("packed", "removed") == 0);
    mq_log_close(log);
}

/* A reader in the middle of what is packed goes on there. */
static void a_reader_goes_on(void)
{
    uint64_t offset;
    mq_message *message;
    mq_log_reader *reader;
    mq_log *log = open_log("read");
    append_singly(log, 100);
    EXPECT(mq_log_reader_new(log, 50, &reader) == 0);
    EXPECT(mq_log_next(reader, &message, &offset) == 1 && offset == 50);
    append_singly(log, BUCKET);
    EXPECT(count_files("read", "log/0000000000000") < 32);
    for (uint64_t next = 51; next < BUCKET + 100; next++)
        if (!EXPECT(mq_log_next(reader, &message, &offset) == 1 && offset == next))
            break;
    EXPECT(mq_log_next(reader, &message, &offset) == 0);
    mq_log_reader_free(reader);
    mq_log_close(log);
}

/* What cannot be joined keeps its file: a large message, and a damaged one, which nobody can tell the end of. */
static void what_cannot_be_joined_stays(void)
{
    uint64_t offset;
    mq_log_reader *reader;
    char path[256];
    static char large[100000];
    mq_message *message;
    mq_log *log = open_log("mixed");
    append_singly(log, 1000);
    EXPECT(mq_message_new(&message) == 0);
    mq_message_set_body(message, large, sizeof large);
    EXPECT(mq_log_send(log, NULL, message, &sending, NULL, NULL) == 0);
    mq_message_free(message);
    append_singly(log, BUCKET);
    const size_t files = count_files("mixed", "log/0000000000000");
    EXPECT(files >= 3 && files < 32);
    expect_dense(log, BUCKET + 1001);
    mq_log_close(log);

    log = open_log("damaged");
    append_singly(log, 1000);
    snprintf(path, sizeof path, "%s/damaged/log/0000000000000/0000000000000010", spool);
    EXPECT(truncate(path, 20) == 0);
    append_singly(log, BUCKET);
    EXPECT(count_files("damaged", "log/0000000000000") < 32);
    EXPECT(mq_log_reader_new(log, 15, &reader) == 0);
    EXPECT(mq_log_next(reader, &message, &offset) == 1 && offset == 15);
    EXPECT(mq_log_next(reader, &message, &offset) < 0 && offset == 16);
    EXPECT(mq_log_next(reader, &message, &offset) == 1 && offset == 17);
    mq_log_reader_free(reader);
    mq_log_close(log);
}

int main(void)
{
    spool = unit_directory();
    a_late_sender_finds_no_name_free();
    a_reader_goes_on();
    what_cannot_be_joined_stays();
    EXPECT(mq_log_delete(spool, "packed", true) == 0 && mq_log_delete(spool, "read", true) == 0 &&
           mq_log_delete(spool, "mixed", true) == 0 && mq_log_delete(spool, "damaged", true) == 0);
    EXPECT(rmdir(spool) == 0);
    free(spool);
    return unit_failures > 0;
}
