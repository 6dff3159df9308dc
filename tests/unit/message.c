/* Message files: what is written reads back, and whatever is not a whole message is refused. */
#include "format/decode.h"
#include "format/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

static const struct message_name named = {.id = "abc", .priority = MQ_PRIORITY_DEFAULT, .count = 1};

static int make_file(const char *text, size_t size)
{
    const int file = memfd_create("message", MFD_CLOEXEC);
    EXPECT(write(file, text, size) == (ssize_t)size);
    lseek(file, 0, SEEK_SET);
    return file;
}

static void expect_corrupt(const char *text)
{
    mq_message *message;
    const int file = make_file(text, strlen(text));
    if (!EXPECT(decode_file(file, &named, &message) == -EBADMSG))
        fprintf(stderr, "taken: %s\n", text);
    close(file);
}

static void what_is_corrupt(void)
{
    expect_corrupt("");
    expect_corrupt("Id: abc\n");
    expect_corrupt("Id: abc\nContent-Length: 5\n\nfour");
    expect_corrupt("Id: abc\nContent-Length: 3\n\nfour");
    expect_corrupt("Id: abc\nContent-Length: -4\n\nfour");
    expect_corrupt("Id: abc\nContent-Length: 99999999999999999999\n\nfour");
    expect_corrupt("Id: other\nContent-Length: 4\n\nfour");
    expect_corrupt("Content-Length: 4\n\nfour");
    expect_corrupt("Id: abc\nno colon\nContent-Length: 4\n\nfour");
    expect_corrupt("Id: abc\nType: a\tb\nContent-Length: 4\n\nfour");
    expect_corrupt("Id: abc\nType: \xC3\x28\nContent-Length: 4\n\nfour");
    expect_corrupt("Id: abc\n: x\n\n");
}

/* Wherever it is: values are looked at several bytes at a time. */
static void which_bytes_a_header_takes(void)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    for (size_t at = 0; at < 20; at++)
        for (int byte = 1; byte < 0x100; byte++) {
            char value[21] = "abcdefghijklmnopqrst";
            value[at] = (char)byte;
            const int wanted = byte >= ' ' && byte < 0x7f ? 0 : -EINVAL;
            if (!EXPECT(mq_message_set_header(message, "X", value) == wanted))
                fprintf(stderr, "byte 0x%02x at %zu\n", (unsigned)byte, at);
        }
    EXPECT(mq_message_set_header(message, "X", "\xC3\xBC, \xE2\x82\xAC") == 0);
    mq_message_free(message);
}

static void a_body_may_end_at_the_end_of_the_file(void)
{
    mq_message *message;
    char body[10] = "";
    EXPECT(decode_file(make_file("Id: abc\nType:  t\n\nfour", 22), &named, &message) == 0);
    EXPECT(mq_message_size(message) == 4 && mq_message_read(message, body, 9) == 4);
    EXPECT_TEXT(body, "four");
    EXPECT_TEXT(mq_message_header(message, "tYPE"), "t");
    mq_message_free(message);
}

static char *make_bytes(size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

static void expect_body(mq_message *message, const char *wanted, size_t size)
{
    char *got = malloc(size + 1);
    size_t have = 0;
    ssize_t part;
    while ((part = mq_message_read(message, got + have, size + 1 - have)) > 0)
        have += (size_t)part;
    EXPECT(part == 0 && have == size && memcmp(got, wanted, size) == 0);
    free(got);
}

static void write_and_read(size_t size, bool streamed, const char *header_value)
{
    mq_message *message, *back;
    char *body = make_bytes(size);
    uint64_t file_size = 0;
    const int source = make_file(body, size), file = memfd_create("message", MFD_CLOEXEC);
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(mq_message_set_header(message, "Type", "first") == 0);
    EXPECT(mq_message_set_header(message, "X-Note", header_value) == 0);
    EXPECT(mq_message_set_header(message, "TYPE", "user.signup") == 0);
    if (streamed)
        mq_message_set_body_fd(message, source);
    else
        mq_message_set_body(message, body, size);
    EXPECT(encode_to_file(message, &named, 1700000000000000, size, file, &file_size) == 0);
    EXPECT((uint64_t)lseek(file, 0, SEEK_END) == file_size);
    lseek(file, 0, SEEK_SET);
    EXPECT(decode_file(file, &named, &back) == 0);
    EXPECT_TEXT(mq_message_header(back, "type"), "user.signup");
    EXPECT_TEXT(mq_message_header(back, "x-note"), header_value);
    EXPECT_TEXT(mq_message_header(back, "timestamp"), "2023-11-14T22:13:20.000000Z");
    EXPECT(mq_message_size(back) == size);
    EXPECT(mq_message_set_header(back, "Not", "to be changed") == -EPERM);
    expect_body(back, body, size);
    mq_message_free(back);
    mq_message_free(message);
    close(source);
    free(body);
}

static void round_trips(void)
{
    static const size_t sizes[] = {0, 1, 1000, 8000, 65535, 65536, 65537, 300000};
    char *longest = malloc(60001);
    memset(longest, 'v', 60000);
    longest[60000] = '\0';
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int streamed = 0; streamed < 2; streamed++) {
            write_and_read(sizes[i], streamed, "plain \xC3\xA9");
            write_and_read(sizes[i], streamed, longest);
        }
    free(longest);
}

static void a_body_over_the_limit_is_refused(void)
{
    mq_message *message;
    uint64_t size;
    char *body = make_bytes(100000);
    EXPECT(mq_message_new(&message) == 0);
    for (size_t over = 10; over <= 100000; over *= 100) {
        const int source = make_file(body, over), file = memfd_create("message", MFD_CLOEXEC);
        mq_message_set_body(message, body, over);
        EXPECT(encode_to_file(message, &named, 0, over - 1, file, &size) == -EMSGSIZE);
        mq_message_set_body_fd(message, source);
        EXPECT(encode_to_file(message, &named, 0, over - 1, file, &size) == -EMSGSIZE);
        close(file);
        close(source);
    }
    mq_message_free(message);
    free(body);
}

static void headers_that_are_refused(void)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(mq_message_set_header(message, "", "x") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A B", "x") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A:", "x") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A", "x\ny") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A", "x\ry") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A", "\x1b[31m") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A",
                                 "\xC2\x9B"
                                 "31m") == -EINVAL); /* CSI in one character */
    EXPECT(mq_message_set_header(message, "A", "\xFF") == -EINVAL);
    EXPECT(mq_message_set_header(message, "A", "\xED\xA0\x80") == -EINVAL); /* a surrogate */
    EXPECT(mq_message_set_header(message, "A", "\xC0\xAF") == -EINVAL);     /* an overlong slash */
    EXPECT(mq_message_set_header(message, "content-length", "5") == -EPERM);
    EXPECT(mq_message_set_header(message, "Mq-Anything", "5") == -EPERM);
    char *text = malloc(70000);
    memset(text, 'x', 69999);
    text[69999] = '\0';
    EXPECT(mq_message_set_header(message, "A", text) == -E2BIG);
    free(text);
    EXPECT(mq_message_set_id(message, "a.b") == -EINVAL && mq_message_set_priority(message, 10) == -EINVAL);
    mq_message_free(message);
}

int main(void)
{
    what_is_corrupt();
    which_bytes_a_header_takes();
    a_body_may_end_at_the_end_of_the_file();
    round_trips();
    a_body_over_the_limit_is_refused();
    headers_that_are_refused();
    return unit_failures != 0;
}
