/* Batches: names take a file apart without a gap, each message of it is whole, and reading it from memory agrees. */
#include "format/batch.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/decode.h"
#include "format/shared_headers.h"
#include "fuzz.h"

#define COUNT 5

struct walk {
    int file;
    uint64_t end; /* of the messages so far */
    uint32_t seen;
};

static int visit(void *context, const struct message_name *one)
{
    struct walk *walk = context;
    mq_message *message;
    char buffer[512];
    ssize_t got;
    REQUIRE(one->count == 1 && one->offset == walk->end && one->position == walk->seen++);
    const int file = dup(walk->file), error = decode_file(file, one, &message);
    if (error) {
        REQUIRE(error == -EBADMSG);
        close(file);
        return error;
    }
    while ((got = mq_message_read(message, buffer, sizeof buffer)) > 0)
        ;
    REQUIRE(got == 0);
    if (one->length)
        walk->end += one->length;
    mq_message_free(message);
    return 0;
}

static void read_as_text(const uint8_t *data, size_t size, const struct walk *walk)
{
    char *text = fuzz_text(data, size);
    mq_message *message;
    size_t at = 0;
    REQUIRE(mq_message_new(&message) == 0);
    for (uint32_t i = 0; i < walk->seen; i++) {
        const size_t used = decode_text(text + at, size - at, message);
        REQUIRE(used > 0 || i + 1 == walk->seen);
        at += used;
    }
    mq_message_free(message);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_name name = {.priority = MQ_PRIORITY_DEFAULT, .count = COUNT};
    struct batch_part first;
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    REQUIRE(file >= 0 && fs_write_all(file, data, size) == 0);
    struct walk walk = {.file = file};
    if (batch_read_part(file, 0, "none", &first) == 0) {
        strcpy(name.id, first.id);
        const int stop = batch_walk(file, &name, visit, &walk);
        REQUIRE(stop == 0 || stop == -EBADMSG);
        if (!shared_headers_begins((const char *)data, size))
            read_as_text(data, size, &walk);
    }
    close(file);
    return 0;
}
