/*
 * An entry of a log with any content: readers and groups come to what is behind it, no offset comes twice or out of order,
 * and nothing but messages or damage is found in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/group_name.h"
#include "format/log_entry.h"
#include "format/log_name.h"
#include "fuzz.h"
#include "mq.h"

#define BEHIND "Id: behind\nTimestamp: 2026-11-24T10:30:00.123456Z\nContent-Length: 6\n\nbehind"

static const char *spool;
static mq_log *clicks;
static mq_queue *group;
static char last[200]; /* the entry behind the input's; empty: none yet */

static void must(int error, const char *what)
{
    if (error >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-error));
    abort();
}

static void write_entry(uint64_t offset, const void *data, size_t size, char ret_path[200])
{
    char bucket[LOG_NAME_SIZE], name[LOG_NAME_SIZE];
    log_name_format_bucket(log_bucket_of(offset), bucket);
    log_name_format(offset, name);
    snprintf(ret_path, 200, "%s/clicks/log/%s", spool, bucket);
    (void)mkdir(ret_path, 0700);
    snprintf(ret_path, 200, "%s/clicks/log/%s/%s", spool, bucket, name);
    const int file = open(ret_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(file >= 0 && write(file, data, size) == (ssize_t)size);
    close(file);
}

/* With its bucket, if that is empty then. */
static void remove_last(void)
{
    if (!last[0])
        return;
    (void)unlink(last);
    *strrchr(last, '/') = '\0';
    (void)rmdir(last);
}

static void make_log(void)
{
    char path[200];
    spool = fuzz_dir();
    must(mq_log_create(spool, "clicks"), "mq_log_create");
    write_entry(0, BEHIND, sizeof BEHIND - 1, path);
    must(mq_group_create(spool, "clicks/g", 0), "mq_group_create");
    must(mq_open(spool, "clicks/g", 0, &group), "mq_open");
    must(mq_log_open(spool, "clicks", &clicks), "mq_log_open");
}

static void read_body(mq_message *message)
{
    char part[512];
    ssize_t got;
    while ((got = mq_message_read(message, part, sizeof part)) > 0)
        ;
    REQUIRE(got == 0 || got == -EBADMSG);
}

static void read_log(uint64_t end)
{
    mq_log_reader *reader;
    mq_message *message;
    uint64_t offset = 0, next = 0;
    int got;
    must(mq_log_reader_new(clicks, 0, &reader), "mq_log_reader_new");
    while ((got = mq_log_next(reader, &message, &offset)) != 0) {
        REQUIRE((got == 1 || got == -EBADMSG) && offset >= next && offset <= end);
        next = mq_log_reader_at(reader);
        REQUIRE(next > offset && (got == -EBADMSG || next == offset + 1));
        if (got == 1)
            read_body(message);
    }
    REQUIRE(next == end + 1 && offset == end);
    mq_log_reader_free(reader);
}

/* As a seek to the beginning, which waits for the disk. */
static void rewind_group(void)
{
    static uint64_t mark;
    char path[200], old[500], new[500], name[GROUP_NAME_SIZE];
    const struct group_place place = {.mark = ++mark};
    snprintf(path, sizeof path, "%s/clicks/groups/g/cursor", spool);
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
        ;
    REQUIRE(entry);
    group_name_format(&place, name);
    snprintf(old, sizeof old, "%s/%s", path, entry->d_name);
    snprintf(new, sizeof new, "%s/%s", path, name);
    REQUIRE(rename(old, new) == 0);
    closedir(dir);
}

static void take_all(uint64_t end)
{
    const struct mq_receive_options options = {.wait = 0, .cancel_fd = -1};
    mq_message *message;
    uint64_t offset = 0, next = 0, removed;
    bool died = false;
    int got;
    while ((got = mq_receive(group, &options, &message)) == 1) {
        REQUIRE(mq_message_offset(message, &offset) == 1 && offset >= next && offset <= end);
        died = died || offset > next;
        next = offset + 1;
        read_body(message);
        must(mq_ack(group, mq_message_receipt(message)), "mq_ack");
        mq_message_free(message);
    }
    REQUIRE(got == 0 && next == end + 1);
    if (died)
        must(mq_purge(group, MQ_DEAD, &removed), "mq_purge");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[200];
    const struct log_entry_head head = log_entry_parse((const char *)data, size);
    const uint64_t end = 1 + (head.kind == LOG_ENTRY_CORRUPT ? 1 : head.count);
    if (end > LOG_OFFSET_MAX / 16)
        return 0;
    if (!spool)
        make_log();
    write_entry(1, data, size, path);
    remove_last();
    write_entry(end, BEHIND, sizeof BEHIND - 1, last);
    read_log(end);
    rewind_group();
    take_all(end);
    return 0;
}
