/* Encoding: a message to the bytes of its file. */
#include "format/encode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/put.h"
#include "format/shared_headers.h"

#define BODY_CHUNK 65536
#define LENGTH_DIGITS 20

/* Room for the library's own lines and the blank one. Their longest forms: Mq-Separator 22, Id 69, Timestamp 39,
   Priority 12, Expires 37, Content-Length 38; before them Mq-Count 15. */
#define OWN_LINES 240

/* A pair "Name\0Value\0" of at least three bytes becomes a line that is one byte longer. */
static size_t headers_room(const mq_message *message)
{
    return OWN_LINES + message->headers_size * 2;
}

static inline char *put_line(char *at, const char *name, const char *value)
{
    at = put_text(at, name);
    *at++ = ':';
    *at++ = ' ';
    at = put_text(at, value);
    *at++ = '\n';
    return at;
}

/* All header lines up to the digits of Content-Length. */
static char *put_headers(char *at, const mq_message *message, const char *id, int64_t expires, const char *sent_at)
{
    at = put_line(at, "Id", id);
    at = put_line(at, "Timestamp", sent_at);
    if (message->name.priority != MQ_PRIORITY_DEFAULT)
        at = put_line(at, "Priority", (const char[2]){(char)('0' + message->name.priority)});
    if (expires) {
        char moment[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(expires, moment);
        at = put_line(at, "Expires", moment);
    }
    const char *header, *value, *next;
    for (const char *pair = message->headers; (next = message_next_header(message, pair, &header, &value)); pair = next)
        at = put_line(at, header, value);
    return put_text(at, "Content-Length: ");
}

static char *put_length(char *at, uint64_t length)
{
    return put_text(put_decimal(at, length), "\n\n");
}

size_t encode_room(const mq_message *message)
{
    return headers_room(message) + message->body_size;
}

char *encode_message(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char *to)
{
    to = put_length(put_headers(to, message, id, expires, sent_at), message->body_size);
    return message->body_size ? put_bytes(to, message->body, message->body_size) : to;
}

/* ---- shared headers ---------------------------------------------------------------- */

size_t encode_shared_room(const mq_message *message)
{
    return headers_room(message);
}

char *encode_shared(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char separator,
                    char *to)
{
    to = put_headers(shared_headers_put_separator(to, separator), message, id, expires, sent_at);
    return put_text(to, "       \n\n"); /* room for as many digits as NAME_BYTES_MAX has */
}

void encode_shared_length(char *end_of_headers, uint64_t length)
{
    char *const end = end_of_headers - 2;
    char digits[20];
    const size_t count = (size_t)(put_decimal(digits, length) - digits);
    memcpy(end - count, digits, count);
}

/* ---- files ----------------------------------------------------------------------- */

/* Write headers and a body that is in memory. The length is added at `end`, where the headers end. */
static int write_whole(int file, const char *headers, char *end, const void *body, size_t body_size, uint64_t *ret_size)
{
    const size_t size = (size_t)(put_length(end, body_size) - headers);
    struct iovec parts[] = {{(void *)(uintptr_t)headers, size}, {(void *)(uintptr_t)body, body_size}};
    *ret_size = size + body_size;
    return io_write_parts(file, parts, 2);
}

/* The length is known last. It is written into the space that was left for it. */
static int fill_in_length(int file, size_t offset, uint64_t length)
{
    char digits[LENGTH_DIGITS + 1];
    snprintf(digits, sizeof digits, "%*" PRIu64, LENGTH_DIGITS, length);
    const ssize_t written = pwrite(file, digits, LENGTH_DIGITS, (off_t)offset);
    return written == LENGTH_DIGITS ? 0 : written < 0 ? -errno : -EIO;
}

static int copy_rest(int from, int to, char *buffer, uint64_t max_size, uint64_t *length)
{
    for (;;) {
        const ssize_t got = io_read_full(from, buffer, BODY_CHUNK);
        if (got <= 0)
            return (int)got;
        *length += (uint64_t)got;
        if (*length > max_size)
            return -EMSGSIZE;
        const int error = io_write_all(to, buffer, (size_t)got);
        if (error)
            return error;
    }
}

static int write_stream(int from, int file, char *headers, char *end, uint64_t max_size, uint64_t *ret_size)
{
    char buffer[BODY_CHUNK];
    const ssize_t first = io_read_full(from, buffer, sizeof buffer);
    if (first < 0)
        return (int)first;
    if ((uint64_t)first > max_size)
        return -EMSGSIZE;
    if (first < BODY_CHUNK)
        return write_whole(file, headers, end, buffer, (size_t)first, ret_size);

    uint64_t length = (uint64_t)first;
    const size_t length_at = (size_t)(end - headers);
    const size_t size = length_at + (size_t)sprintf(end, "%*s\n\n", LENGTH_DIGITS, "");
    struct iovec parts[] = {{headers, size}, {buffer, (size_t)first}};
    int error = io_write_parts(file, parts, 2);
    if (!error)
        error = copy_rest(from, file, buffer, max_size, &length);
    if (!error)
        error = fill_in_length(file, length_at, length);
    *ret_size = size + length;
    return error;
}

int encode_to_file(const mq_message *message, const struct message_name *name, int64_t sent_at, uint64_t max_size,
                   int file, uint64_t *ret_size)
{
    char moment[CLOCK_RFC3339_SIZE];
    if (message->body_fd < 0 && message->body_size > max_size)
        return -EMSGSIZE;
    char *headers = malloc(headers_room(message));
    if (!headers)
        return -ENOMEM;
    clock_format_rfc3339(sent_at, moment);
    char *end = put_headers(headers, message, name->id, name->expires, moment);
    const int error = message->body_fd >= 0
                          ? write_stream(message->body_fd, file, headers, end, max_size, ret_size)
                          : write_whole(file, headers, end, message->body, message->body_size, ret_size);
    free(headers);
    return error;
}

int encode_set_id(int file, const char *id)
{
    const size_t size = strlen(id);
    const ssize_t written = pwrite(file, id, size, (off_t)strlen("Id: ")); /* put_headers begins so */
    return written == (ssize_t)size ? 0 : written < 0 ? -errno : -EIO;
}
