/* Message files: what loads has sound headers and a whole body, and what is written from it loads the same. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/decode.h"
#include "format/encode.h"
#include "format/shared_headers.h"
#include "fuzz.h"

#define SHARED_ID "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11"

static void compare_headers(const mq_message *message, const mq_message *again)
{
    const char *name, *value;
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++) {
        const char *other = mq_message_header(again, name);
        REQUIRE(strcmp(name, "Content-Length") == 0 || !other || strpbrk(value, "\n\r") == NULL);
    }
}

static void read_whole(mq_message *message)
{
    char buffer[512];
    uint64_t size = 0;
    ssize_t got;
    while ((got = mq_message_read(message, buffer, sizeof buffer)) > 0)
        size += (uint64_t)got;
    REQUIRE(got == 0 && size == mq_message_size(message));
}

/* Write it anew, as a sender would who passes all headers on. */
static void write_again(mq_message *message)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    mq_message *copy, *again;
    const char *name, *value;
    uint64_t size;
    REQUIRE(file >= 0 && mq_message_new(&copy) == 0);
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++) {
        const int set = mq_message_set_header(copy, name, value);
        REQUIRE(set == 0 || set == -EPERM || set == -E2BIG || set == -EINVAL);
    }
    mq_message_set_body(copy, "body", 4);
    REQUIRE(encode_to_file(copy, &message->name, 0, UINT64_MAX, file, &size) == 0);
    lseek(file, 0, SEEK_SET);
    REQUIRE(decode_file(file, &message->name, &again) == 0);
    REQUIRE(mq_message_size(again) == 4);
    compare_headers(copy, again);
    read_whole(again);
    mq_message_free(again);
    mq_message_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_name name = {.priority = MQ_PRIORITY_DEFAULT, .count = 1};
    mq_message *message;
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    REQUIRE(file >= 0 && fs_write_all(file, data, size) == 0);
    lseek(file, 0, SEEK_SET);
    strcpy(name.id, shared_headers_begins((const char *)data, size) ? SHARED_ID : "x");
    const int error = decode_file(file, &name, &message);
    if (error) {
        REQUIRE(error == -EBADMSG);
        close(file);
        return 0;
    }
    REQUIRE(strcmp(mq_message_id(message), name.id) == 0);
    read_whole(message);
    write_again(message);
    mq_message_free(message);
    return 0;
}
