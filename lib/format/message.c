/* A message in memory. */
#include "format/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/id.h"
#include "base/io.h"
#include "base/swar.h"
#include "base/utf8.h"
#include "format/death.h"

/* Bytes of headers for which there is room at first. */
#define FEW_HEADERS 256

/* ---- text rules ----------------------------------------------------------------- */

static bool are_printable_ascii(uint64_t eight)
{
    return swar_are(eight, swar_between(eight, ' ', '~'));
}

bool message_is_one_line(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *const end = at + size;
    for (at += swar_span(text, size, are_printable_ascii); at < end;) {
        uint32_t code;
        const size_t length = utf8_decode(at, (size_t)(end - at), &code);
        if (length == 0 || utf8_is_control(code))
            return false;
        at += length;
    }
    return true;
}

static bool may_be_in_a_name(uint64_t eight)
{
    return swar_are(eight, swar_are_words(eight));
}

bool message_is_header_name(const char *text, size_t size)
{
    return size > 0 && swar_span(text, size, may_be_in_a_name) == size;
}

/* Whether they differ in case at most. Most names differ in their first letter, which is compared first. */
static bool are_same(const char *one, const char *other)
{
    return ((*one ^ *other) & ~('a' ^ 'A')) == 0 && strcasecmp(one, other) == 0;
}

/* Whether only the library sets this header. */
static bool is_our_own(const char *name)
{
    static const char *const own[] = {"Id", "Timestamp", "Content-Length", "Priority", "Expires"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (are_same(name, own[i]))
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
    message->name.count = 1;
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
    free(message->memory);
    free(message);
}

int mq_message_set_id(mq_message *message, const char *id)
{
    if (!id_is_valid(id))
        return -EINVAL;
    memcpy(message->name.id, id, strlen(id) + 1);
    return 0;
}

const char *message_next_header(const mq_message *message, const char *at, const char **ret_name,
                                const char **ret_value)
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
    for (const char *at = message->headers; (next = message_next_header(message, at, &found, &value)); at = next)
        if (are_same(found, name)) {
            char *const hole = message->headers + (at - message->headers);
            memmove(hole, next, message->headers_size - (size_t)(next - message->headers));
            message->headers_size -= (size_t)(next - at);
            return;
        }
}

/* A program that sends has thousands of messages in memory at once, and each page that is touched first is dear. */
static bool grow_memory(mq_message *message, size_t wanted)
{
    if (wanted <= message->headers_room)
        return true;
    const size_t room = grow_room(wanted, message->headers_room ? message->headers_room : FEW_HEADERS / 2, 1);
    char *const memory = realloc(message->memory, room);
    if (!memory)
        return false;
    message->memory = memory;
    message->headers_room = room;
    return true;
}

static int append_header(mq_message *message, const char *name, const char *value)
{
    const size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    const size_t wanted = message->headers_size + name_size + value_size;
    if (wanted > MESSAGE_HEADERS_MAX)
        return -E2BIG;
    if (!grow_memory(message, wanted))
        return -ENOMEM;
    message->headers = message->memory;
    memcpy(message->headers + message->headers_size, name, name_size);
    memcpy(message->headers + message->headers_size + name_size, value, value_size);
    message->headers_size = wanted;
    return 0;
}

int mq_message_set_header(mq_message *message, const char *name, const char *value)
{
    if (!message_is_header_name(name, strlen(name)) || !message_is_one_line(value, strlen(value)))
        return -EINVAL;
    const bool is_received = message->headers_size > message->headers_room;
    if (is_received || is_our_own(name))
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
    if (!name_can_say_after(clock_now(), delay))
        return -EINVAL;
    return set_moment(&message->delay, delay);
}

int mq_message_set_due(mq_message *message, int64_t due)
{
    return set_moment(&message->due, due);
}

int mq_message_set_ttl(mq_message *message, int64_t ttl)
{
    if (!name_can_say_after(clock_now(), ttl))
        return -EINVAL;
    return set_moment(&message->ttl, ttl);
}

int mq_message_set_expires(mq_message *message, int64_t expires)
{
    return set_moment(&message->name.expires, expires);
}

int mq_message_set_sent_at(mq_message *message, int64_t moment)
{
    return set_moment(&message->sent_at, moment);
}

int mq_message_set_attempts(mq_message *message, unsigned attempts)
{
    if (attempts > NAME_ATTEMPTS_MAX)
        return -EINVAL;
    message->name.attempts = attempts;
    return 0;
}

int mq_message_set_max_attempts(mq_message *message, unsigned attempts)
{
    return attempts <= MQ_MAX_ATTEMPTS_MOST && name_set_max_attempts(&message->name, attempts) ? 0 : -EINVAL;
}

unsigned mq_message_max_attempts(const mq_message *message)
{
    return name_max_attempts(&message->name);
}

int mq_message_set_death(mq_message *message, int64_t died, const char *reason)
{
    if (!*reason || died == 0)
        return -EINVAL;
    name_escape_reason(reason, message->name.reason);
    return set_moment(&message->died, died);
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
    for (const char *at = message->headers; (next = message_next_header(message, at, &found, &value)); at = next)
        if (are_same(found, name))
            return value;
    return NULL;
}

int mq_message_header_at(const mq_message *message, size_t index, const char **ret_name, const char **ret_value)
{
    const char *name, *value, *next;
    for (const char *at = message->headers; (next = message_next_header(message, at, &name, &value)); at = next)
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
    if (message->file < 0 && !message->ahead)
        return -EINVAL;
    if (message->body_read < message->ahead_size) {
        const size_t left = message->ahead_size - (size_t)message->body_read;
        const size_t part = size < left ? size : left;
        memcpy(buffer, message->ahead + message->body_read, part);
        message->body_read += part;
        return (ssize_t)part;
    }
    const uint64_t left = message->body_size - message->body_read;
    if (left == 0)
        return 0;
    const ssize_t got = io_read_at(message->file, buffer, size < left ? size : (size_t)left,
                                   message->body_at + message->body_read);
    if (got > 0)
        message->body_read += (uint64_t)got;
    /* The file was whole when it was opened, so another process has cut it short since. */
    return got == 0 ? -EBADMSG : got;
}

int mq_message_offset(const mq_message *message, uint64_t *ret_offset)
{
    if (message->has_offset)
        *ret_offset = message->offset;
    return message->has_offset;
}
