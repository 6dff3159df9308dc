/* What is inside a message's file: headers and framing. */
#include "message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "fs.h"
#include "id.h"
#include "units.h"
#include "utf8.h"

/* Most messages are read whole with their headers at once. */
#define FIRST_READ 8192
#define BODY_CHUNK 65536
#define LENGTH_DIGITS 20

/* ---- text rules ----------------------------------------------------------------- */

static bool is_one_line(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *const end = at + size;
    while (at < end) {
        uint32_t code;
        const size_t length = utf8_decode(at, (size_t)(end - at), &code);
        if (length == 0 || utf8_is_control(code))
            return false;
        at += length;
    }
    return true;
}

static size_t header_name_length(const char *name)
{
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
}

/* Headers that say what the library knows better. */
static bool is_our_own(const char *name)
{
    static const char *const own[] = {"Id", "Timestamp", "Content-Length", "Priority", "Expires"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(name, own[i]) == 0)
            return true;
    return strncasecmp(name, "Mq-", 3) == 0;
}

/* ---- building ------------------------------------------------------------------- */

int mq_message_new(mq_message **ret_message)
{
    mq_message *message = calloc(1, sizeof *message);
    if (!message)
        return -ENOMEM;
    message->name.priority = MQ_PRIORITY_DEFAULT;
    message->body_fd = message->file = -1;
    *ret_message = message;
    return 0;
}

void mq_message_free(mq_message *message)
{
    if (!message)
        return;
    if (message->file >= 0)
        close(message->file);
    free(message->headers);
    free(message->ahead);
    free(message);
}

int mq_message_set_id(mq_message *message, const char *id)
{
    if (!id_is_valid(id))
        return -EINVAL;
    memcpy(message->name.id, id, strlen(id) + 1);
    return 0;
}

/* The pair at `at`; the place of the next one, or NULL past the last. */
static const char *next_header(const mq_message *message, const char *at, const char **ret_name, const char **ret_value)
{
    if (!message->headers || at >= message->headers + message->headers_size)
        return NULL;
    *ret_name = at;
    *ret_value = at + strlen(at) + 1;
    return *ret_value + strlen(*ret_value) + 1;
}

static void remove_header(mq_message *message, const char *name)
{
    const char *found, *value, *next;
    for (const char *at = message->headers; (next = next_header(message, at, &found, &value)); at = next)
        if (strcasecmp(found, name) == 0) {
            char *const hole = message->headers + (at - message->headers);
            memmove(hole, next, message->headers_size - (size_t)(next - message->headers));
            message->headers_size -= (size_t)(next - at);
            return;
        }
}

static int append_header(mq_message *message, const char *name, const char *value)
{
    const size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    const size_t wanted = message->headers_size + name_size + value_size;
    if (wanted > MESSAGE_HEADERS_MAX)
        return -E2BIG;
    if (wanted > message->headers_room) {
        const size_t room = wanted * 2;
        char *headers = realloc(message->headers, room);
        if (!headers)
            return -ENOMEM;
        message->headers = headers;
        message->headers_room = room;
    }
    memcpy(message->headers + message->headers_size, name, name_size);
    memcpy(message->headers + message->headers_size + name_size, value, value_size);
    message->headers_size = wanted;
    return 0;
}

int mq_message_set_header(mq_message *message, const char *name, const char *value)
{
    const size_t length = header_name_length(name);
    if (length == 0 || name[length] || !is_one_line(value, strlen(value)))
        return -EINVAL;
    if (is_our_own(name))
        return -EPERM;
    remove_header(message, name);
    return append_header(message, name, value);
}

int mq_message_set_priority(mq_message *message, int priority)
{
    if (priority < 0 || priority >= NAME_PRIORITIES)
        return -EINVAL;
    message->name.priority = priority;
    return 0;
}

static int set_moment(int64_t *field, int64_t value)
{
    if (value < 0 || value > NAME_TIME_MAX)
        return -EINVAL;
    *field = value;
    return 0;
}

int mq_message_set_delay(mq_message *message, int64_t delay)
{
    return set_moment(&message->delay, delay);
}

int mq_message_set_due(mq_message *message, int64_t due)
{
    return set_moment(&message->due, due);
}

int mq_message_set_ttl(mq_message *message, int64_t ttl)
{
    return set_moment(&message->ttl, ttl);
}

int mq_message_set_expires(mq_message *message, int64_t expires)
{
    return set_moment(&message->name.expires, expires);
}

void mq_message_set_body(mq_message *message, const void *data, size_t size)
{
    message->body = data;
    message->body_size = size;
    message->body_fd = -1;
}

void mq_message_set_body_fd(mq_message *message, int fd)
{
    message->body_fd = fd;
}

/* ---- writing -------------------------------------------------------------------- */

/* All header lines up to the digits of Content-Length. */
static int print_headers(const mq_message *message, const struct name *name, int64_t sent_at, char **ret_text,
                         size_t *ret_size)
{
    /* Our own lines are under 384 bytes; a pair becomes a line with one byte more. */
    char *text = malloc(384 + message->headers_size * 2);
    if (!text)
        return -ENOMEM;
    char moment[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(sent_at, moment);
    char *at = text + sprintf(text, "Id: %s\nTimestamp: %s\n", name->id, moment);
    if (name->priority != MQ_PRIORITY_DEFAULT)
        at += sprintf(at, "Priority: %d\n", name->priority);
    if (name->expires) {
        clock_format_rfc3339(name->expires, moment);
        at += sprintf(at, "Expires: %s\n", moment);
    }
    const char *header, *value, *next;
    for (const char *pair = message->headers; (next = next_header(message, pair, &header, &value)); pair = next)
        at += sprintf(at, "%s: %s\n", header, value);
    at += sprintf(at, "Content-Length: ");
    *ret_text = text;
    *ret_size = (size_t)(at - text);
    return 0;
}

static int write_two(int file, const void *first, size_t first_size, const void *second, size_t second_size)
{
    const struct iovec parts[2] = {{(void *)(uintptr_t)first, first_size}, {(void *)(uintptr_t)second, second_size}};
    const ssize_t written = writev(file, parts, 2);
    if (written == (ssize_t)(first_size + second_size))
        return 0;
    /* A short write: what follows tells why, or writes the rest. */
    const size_t done = written < 0 ? 0 : (size_t)written;
    int error = 0;
    if (done < first_size)
        error = fs_write_all(file, (const char *)first + done, first_size - done);
    const size_t second_done = done > first_size ? done - first_size : 0;
    return error ? error : fs_write_all(file, (const char *)second + second_done, second_size - second_done);
}

/* Headers whose length is known beforehand, and a body in memory. */
static int write_whole(int file, char *headers, size_t headers_size, const void *body, size_t body_size,
                       uint64_t *ret_size)
{
    const size_t size = headers_size + (size_t)sprintf(headers + headers_size, "%zu\n\n", body_size);
    *ret_size = size + body_size;
    return write_two(file, headers, size, body, body_size);
}

/* The length is written last, into the space left for it. */
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
        const ssize_t got = fs_read_full(from, buffer, BODY_CHUNK);
        if (got <= 0)
            return (int)got;
        *length += (uint64_t)got;
        if (*length > max_size)
            return -EMSGSIZE;
        const int error = fs_write_all(to, buffer, (size_t)got);
        if (error)
            return error;
    }
}

static int write_stream(int from, int file, char *headers, size_t headers_size, uint64_t max_size, uint64_t *ret_size)
{
    char buffer[BODY_CHUNK];
    const ssize_t first = fs_read_full(from, buffer, sizeof buffer);
    if (first < 0)
        return (int)first;
    if ((uint64_t)first > max_size)
        return -EMSGSIZE;
    if (first < BODY_CHUNK)
        return write_whole(file, headers, headers_size, buffer, (size_t)first, ret_size);

    uint64_t length = (uint64_t)first;
    const size_t size = headers_size + (size_t)sprintf(headers + headers_size, "%*s\n\n", LENGTH_DIGITS, "");
    int error = write_two(file, headers, size, buffer, (size_t)first);
    if (!error)
        error = copy_rest(from, file, buffer, max_size, &length);
    if (!error)
        error = fill_in_length(file, headers_size, length);
    *ret_size = size + length;
    return error;
}

int message_write(const mq_message *message, const struct name *name, int64_t sent_at, uint64_t max_size, int file,
                  uint64_t *ret_size)
{
    char *headers;
    size_t size;
    if (message->body_fd < 0 && message->body_size > max_size)
        return -EMSGSIZE;
    int error = print_headers(message, name, sent_at, &headers, &size);
    if (error)
        return error;
    if (message->body_fd >= 0)
        error = write_stream(message->body_fd, file, headers, size, max_size, ret_size);
    else
        error = write_whole(file, headers, size, message->body, message->body_size, ret_size);
    free(headers);
    return error;
}

/* ---- reading -------------------------------------------------------------------- */

/* Turn "Name: value\n" in place into "Name\0value\0", moving it to `to`. The end of what was written, or NULL. */
static char *take_line(char *to, char *line, size_t length)
{
    const size_t name_length = header_name_length(line);
    if (name_length == 0 || name_length >= length || line[name_length] != ':')
        return NULL;
    const char *value = line + name_length + 1, *const end = line + length;
    while (value < end && *value == ' ')
        value++;
    if (!is_one_line(value, (size_t)(end - value)))
        return NULL;
    const size_t value_length = (size_t)(end - value);
    memmove(to, line, name_length);
    to[name_length] = '\0';
    memmove(to + name_length + 1, value, value_length);
    to[name_length + 1 + value_length] = '\0';
    return to + name_length + value_length + 2;
}

/* Take the header lines up to the blank one. How many bytes they and it were, 0: malformed, or there is no blank
   line. */
static size_t take_headers(mq_message *message, char *text, size_t size)
{
    char *to = text, *line = text;
    for (char *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        if (end == line) {
            message->headers = text;
            message->headers_size = (size_t)(to - text);
            return (size_t)(line + 1 - text);
        }
        to = take_line(to, line, (size_t)(end - line));
        if (!to)
            return 0;
    }
    return 0;
}

static bool has_blank_line(const char *text, size_t size)
{
    return (size > 0 && text[0] == '\n') || memmem(text, size, "\n\n", 2) != NULL;
}

/* Read until the headers are whole. The text is the caller's to free. */
static int read_headers(int file, char **ret_text, size_t *ret_size)
{
    size_t have = 0;
    char *text = NULL;
    for (size_t room = FIRST_READ; room <= MESSAGE_HEADERS_MAX * 4; room *= 4) {
        char *more = realloc(text, room);
        const ssize_t got = more ? fs_read_full(file, more + have, room - have) : -ENOMEM;
        text = more ? more : text;
        if (got < 0) {
            free(text);
            return (int)got;
        }
        have += (size_t)got;
        if (has_blank_line(text, have)) {
            *ret_text = text;
            *ret_size = have;
            return 0;
        }
        if (have < room)
            break;
    }
    free(text);
    return -EBADMSG;
}

/* The body's size as the headers say it; a file without Content-Length ends where it ends. */
static int check_size(const mq_message *message, uint64_t in_file, uint64_t *ret_size)
{
    const char *length = mq_message_header(message, "Content-Length");
    *ret_size = in_file;
    if (!length)
        return 0;
    return units_parse_number(length, UINT64_MAX, ret_size) && *ret_size == in_file ? 0 : -EBADMSG;
}

static int fill(mq_message *message, int file, char *text, size_t size)
{
    struct stat status;
    if (fstat(file, &status) < 0)
        return -errno;
    const size_t used = take_headers(message, text, size);
    const char *id = used ? mq_message_header(message, "Id") : NULL;
    if (!id || strcmp(id, message->name.id) != 0 || (uint64_t)status.st_size < used)
        return -EBADMSG;
    message->sent_at = (int64_t)status.st_mtim.tv_sec * CLOCK_SECOND + status.st_mtim.tv_nsec / 1000;
    message->ahead_size = size - used;
    message->ahead = malloc(message->ahead_size + 1);
    if (!message->ahead)
        return -ENOMEM;
    memcpy(message->ahead, text + used, message->ahead_size);
    return check_size(message, (uint64_t)status.st_size - used, &message->body_size);
}

int message_load(int file, const struct name *name, mq_message **ret_message)
{
    char *text = NULL;
    size_t size = 0;
    mq_message *message;
    int error = read_headers(file, &text, &size);
    if (error)
        return error;
    error = mq_message_new(&message);
    if (!error) {
        message->name = *name;
        error = fill(message, file, text, size);
        if (!message->headers)
            free(text);
        if (error)
            mq_message_free(message);
    } else {
        free(text);
    }
    if (error)
        return error;
    message->file = file;
    *ret_message = message;
    return 0;
}

/* ---- what a message says of itself ---------------------------------------------- */

const char *mq_message_id(const mq_message *message)
{
    return message->name.id;
}

const char *mq_message_receipt(const mq_message *message)
{
    return message->receipt[0] ? message->receipt : NULL;
}

unsigned mq_message_attempts(const mq_message *message)
{
    return message->name.attempts;
}

int mq_message_priority(const mq_message *message)
{
    return message->name.priority;
}

int64_t mq_message_sent_at(const mq_message *message)
{
    return message->sent_at;
}

int64_t mq_message_expires_at(const mq_message *message)
{
    return message->name.expires;
}

const char *mq_message_header(const mq_message *message, const char *name)
{
    const char *found, *value, *next;
    for (const char *at = message->headers; (next = next_header(message, at, &found, &value)); at = next)
        if (strcasecmp(found, name) == 0)
            return value;
    return NULL;
}

int mq_message_header_at(const mq_message *message, size_t index, const char **ret_name, const char **ret_value)
{
    const char *name, *value, *next;
    for (const char *at = message->headers; (next = next_header(message, at, &name, &value)); at = next)
        if (index-- == 0) {
            *ret_name = name;
            *ret_value = value;
            return 1;
        }
    return 0;
}

uint64_t mq_message_size(const mq_message *message)
{
    return message->body_size;
}

ssize_t mq_message_read(mq_message *message, void *buffer, size_t size)
{
    if (message->file < 0)
        return -EINVAL;
    if (message->body_read < message->ahead_size) {
        const size_t left = message->ahead_size - (size_t)message->body_read;
        const size_t part = size < left ? size : left;
        memcpy(buffer, message->ahead + message->body_read, part);
        message->body_read += part;
        return (ssize_t)part;
    }
    if (message->body_read >= message->body_size)
        return 0;
    const ssize_t got = fs_read_full(message->file, buffer, size);
    if (got > 0)
        message->body_read += (uint64_t)got;
    /* The file was whole when it was opened: somebody cuts it short under us. */
    return got == 0 ? -EIO : got;
}
