/* The host's page is noise: nothing is lost, delivered twice, or delivered out of thin air. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "mq.h"

#define MESSAGES 3

static void send_one(mq_queue *queue, int priority)
{
    mq_message *message;
    REQUIRE(mq_message_new(&message) == 0 && mq_message_set_priority(message, priority) == 0);
    mq_message_set_body(message, "x", 1);
    REQUIRE(mq_send(queue, message, &(struct mq_send_options){.no_sync = true, .cancel_fd = -1}, NULL) == 0);
    mq_message_free(message);
}

static bool receive_one(mq_queue *queue)
{
    mq_message *message;
    const struct mq_receive_options options = {.wait = 0, .cancel_fd = -1};
    const int got = mq_receive(queue, &options, &message);
    REQUIRE(got >= 0);
    if (got == 0)
        return false;
    REQUIRE(mq_ack(queue, mq_message_receipt(message)) == 0);
    mq_message_free(message);
    return true;
}

/* Noise behind the magic and the boot id, so that it is believed; all of it where the first byte is odd. */
static void make_noise(const uint8_t *data, size_t size)
{
    char path[sizeof fuzz_path + 16];
    snprintf(path, sizeof path, "%s/jobs/host", fuzz_dir());
    DIR *host = opendir(path);
    REQUIRE(host);
    for (struct dirent *entry; (entry = readdir(host));) {
        const int file = entry->d_name[0] == '.' ? -1 : openat(dirfd(host), entry->d_name, O_WRONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        const size_t room = data[0] & 1 ? 4096 : 4096 - 48;
        for (size_t at = 0; at < room; at += size)
            REQUIRE(pwrite(file, data, at + size < room ? size : room - at, (off_t)(4096 - room + at)) > 0);
        close(file);
    }
    closedir(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mq_queue *queue;
    int got = 0;
    if (size == 0)
        return 0;
    if (!queue)
        REQUIRE(mq_open(fuzz_dir(), "jobs", MQ_CREATE, &queue) == 0);
    for (int i = 0; i < MESSAGES; i++)
        send_one(queue, (i + data[0]) % 10);
    make_noise(data, size);
    send_one(queue, data[0] % 10);
    make_noise(data, size);
    while (receive_one(queue))
        got++;
    REQUIRE(got == MESSAGES + 1);
    return 0;
}
