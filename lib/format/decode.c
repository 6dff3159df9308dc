/* Decoding: a message from the bytes of its file. */
#include "format/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs_error.h"
#include "base/id.h"
#include "base/io.h"
#include "format/headers.h"
#include "format/shared_headers.h"

/* ---- texts ------------------------------------------------------------------------ */

/* Take headers that must have the id and the length of the body. */
static int take_headers(char *text, size_t size, struct headers *ret_headers, uint64_t *ret_length)
{
    struct headers headers;
    if (headers_take(text, size, &headers) < 0 || !headers.id || !id_is_valid(headers.id) ||
        !headers_parse_length(&headers, ret_length))
        return -EBADMSG;
    *ret_headers = headers;
    return 0;
}

size_t decode_text(char *text, size_t size, mq_message *message)
{
    struct headers headers;
    uint64_t length;
    if (take_headers(text, size, &headers, &length) < 0 || length > size - headers.used)
        return 0;
    strcpy(message->name.id, headers.id);
    message->headers = headers.pairs;
    message->headers_size = headers.size;
    message->ahead = text + headers.used;
    message->ahead_size = message->body_size = length;
    message->body_read = 0;
    return headers.used + length;
}

int decode_extent(char *text, size_t size, char ret_id[MQ_ID_SIZE], size_t *ret_headers_size, uint64_t *ret_body_size)
{
    struct headers headers;
    const int error = take_headers(text, size, &headers, ret_body_size);
    if (error)
        return error;
    strcpy(ret_id, headers.id);
    *ret_headers_size = headers.used;
    return 0;
}

/* ---- files ------------------------------------------------------------------------ */

/* What was read of a file: the text with the headers of the message, or with those that it shares. */
struct source {
    int file;
    int64_t written_at;
    uint64_t size, end; /* of the file, and where in it the message ends */
    char *text;
    size_t text_size;
    bool is_shared;
};

static int read_source(const struct message_name *name, struct source *source)
{
    struct stat status;
    if (fstat(source->file, &status) < 0)
        return fs_error();
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    source->written_at = clock_of_file(&status.st_mtim);
    source->size = (uint64_t)status.st_size;
    source->end = name->length ? (uint64_t)name->offset + name->length : source->size;
    const int got = name->offset ? shared_headers_read(source->file, &source->text, &source->text_size) : 0;
    source->is_shared = got == 1;
    if (got != 0)
        return got < 0 ? got : 0;
    const int error = headers_read(source->file, name->offset, &source->text, &source->text_size);
    if (!error && name->offset == 0)
        source->is_shared = shared_headers_begins(source->text, source->text_size);
    return error;
}

/* The body ends where the name says. A length in the headers must agree; a file of one message may lack it. */
static int fill(mq_message *message, const struct source *source)
{
    struct headers headers;
    uint64_t length;
    if (headers_take(source->text, source->text_size, &headers) < 0)
        return -EBADMSG;
    message->headers_size = headers.size;
    message->body_at = message->name.offset + headers.used;
    if (!headers.id || strcmp(headers.id, message->name.id) != 0 || source->end < message->body_at ||
        source->end > source->size)
        return -EBADMSG;
    message->body_size = source->end - message->body_at;
    if (headers.length && (!headers_parse_length(&headers, &length) || length != message->body_size))
        return -EBADMSG;
    message->ahead = source->text + headers.used;
    message->ahead_size = source->text_size - headers.used;
    return 0;
}

static int expect_separator(int file, uint64_t at, char separator)
{
    char last;
    const ssize_t got = io_read_at(file, &last, 1, at);
    return got < 0 ? (int)got : got == 1 && last == separator ? 0 : -EBADMSG;
}

/* The body ends before the separator, which is the last byte that the name covers. */
static int fill_from_shared(mq_message *message, const struct source *source)
{
    struct shared_headers shared;
    const struct message_name *name = &message->name;
    int error = shared_headers_take(source->text, source->text_size, &shared);
    if (error)
        return error;
    if (!shared_headers_find(&shared, source->size, name->offset, name->id, &message->body_at) ||
        message->body_at >= source->end || source->end > source->size)
        return -EBADMSG;
    error = expect_separator(source->file, source->end - 1, shared.separator);
    if (error)
        return error;
    message->body_size = source->end - message->body_at - 1;
    message->ahead = source->text + shared.begin;
    message->ahead_size = name->offset == 0 ? source->text_size - shared.begin : 0;
    shared_headers_show(&shared, name->id, message->body_size, message);
    return 0;
}

/* The message takes over the text, which holds its headers and what was read of its body. */
static int fill_from(mq_message *message, const struct source *source)
{
    message->memory = message->headers = source->text;
    message->file_size = source->size;
    message->sent_at = source->written_at;
    const int error = source->is_shared ? fill_from_shared(message, source) : fill(message, source);
    if (message->ahead_size > message->body_size)
        message->ahead_size = (size_t)message->body_size;
    return error;
}

int decode_file(int file, const struct message_name *name, mq_message **ret_message)
{
    struct source source = {.file = file};
    mq_message *message;
    int error = read_source(name, &source);
    if (error)
        return error;
    error = mq_message_new(&message);
    if (error) {
        free(source.text);
        return error;
    }
    message->name = *name;
    error = fill_from(message, &source);
    if (error) {
        mq_message_free(message);
        return error;
    }
    message->file = file;
    *ret_message = message;
    return 0;
}
