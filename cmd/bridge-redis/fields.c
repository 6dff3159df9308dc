/* A message as the fields of an entry, and back. */
#include "bridge-redis/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "message/content.h"
#include "text/moment.h"
#include "text/text.h"

/* Names that a sender cannot give to a header are those of properties, so a header cannot be mistaken for one. */
#define ID "Mq-Id"
#define TIMESTAMP "Mq-Timestamp"
#define PRIORITY "Mq-Priority"
#define EXPIRES "Mq-Expires"

/* Before the name of a header that is the name of the field with the body, and of a field that no header can have. */
#define IS_HEADER "header:"
#define IS_FIELD "Field-"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
#define NAME_MOST 256 /* bytes of a field's name that is to be a header's */

/* ---- a message as fields --------------------------------------------------------- */

int fields_add(struct fields *fields, const void *bytes, size_t size)
{
    if (!GROW(fields->words, fields->count + 1, fields->room))
        return -ENOMEM;
    fields->words[fields->count++] = (struct word){bytes, size};
    return 0;
}

static int add_pair(struct fields *fields, const char *name, const char *value)
{
    const int error = fields_add(fields, name, strlen(name));
    return error ? error : fields_add(fields, value, strlen(value));
}

static int add_properties(struct fields *fields, const mq_message *message)
{
    const int64_t expires = mq_message_expires_at(message);
    const int priority = mq_message_priority(message);
    int error = add_pair(fields, ID, mq_message_id(message));
    clock_format_rfc3339(mq_message_sent_at(message), fields->timestamp);
    if (!error)
        error = add_pair(fields, TIMESTAMP, fields->timestamp);
    fields->priority[0] = (char)('0' + priority);
    if (!error && priority != MQ_PRIORITY_DEFAULT)
        error = add_pair(fields, PRIORITY, fields->priority);
    if (expires)
        clock_format_rfc3339(expires, fields->expires);
    return error || !expires ? error : add_pair(fields, EXPIRES, fields->expires);
}

/* If a name occurs twice, the first one counts. */
static int add_headers(struct fields *fields, const struct place *place, const mq_message *message)
{
    const char *name, *value;
    int error = 0;
    for (size_t i = 0; !error && mq_message_header_at(message, i, &name, &value) == 1; i++)
        if (content_is_header(name) && mq_message_header(message, name) == value)
            error = add_pair(fields, strcmp(name, place->body) == 0 ? place->header_body : name, value);
    return error;
}

static int add_body(struct fields *fields, const struct place *place, mq_message *message)
{
    const size_t size = (size_t)mq_message_size(message);
    if (!GROW(fields->body, size + 1, fields->body_room))
        return -ENOMEM;
    int error = content_read(message, fields->body);
    if (!error)
        error = fields_add(fields, place->body, strlen(place->body));
    return error ? error : fields_add(fields, fields->body, size);
}

int fields_of_message(struct fields *fields, const struct place *place, mq_message *message)
{
    int error = add_properties(fields, message);
    if (!error)
        error = add_headers(fields, place, message);
    return error ? error : add_body(fields, place, message);
}

void fields_release(struct fields *fields)
{
    free(fields->words);
    free(fields->body);
    *fields = (struct fields){0};
}

/* ---- fields as a message --------------------------------------------------------- */

struct entry {
    const struct place *place;
    mq_message *message;
    bool has_body;
    char *body;
    char *words;
};

static bool wrong(struct entry *entry, const redisReply *name, const char *what)
{
    char shown[TEXT_ESCAPED(24)];
    (void)text_escape(name->str, text_whole(name->str, name->len < 24 ? name->len : 24), "", shown);
    (void)snprintf(entry->words, FIELDS_WORDS_SIZE, "its field '%s' %s", shown, what);
    return false;
}

static bool is_named(const redisReply *name, const char *text)
{
    return name->len == strlen(text) && strcasecmp(name->str, text) == 0;
}

static bool is_one_text(const redisReply *value)
{
    return value->len == strlen(value->str);
}

static bool take_body(struct entry *entry, const redisReply *name, const redisReply *value)
{
    if (entry->has_body)
        return wrong(entry, name, "is there twice");
    entry->body = malloc(value->len + 1);
    if (!entry->body)
        return false;
    memcpy(entry->body, value->str, value->len);
    entry->has_body = true;
    mq_message_set_body(entry->message, entry->body, value->len);
    return true;
}

/* The name of a header for a field that cannot have its own: one of letters, digits and hyphens. */
static void map_name(const redisReply *name, char mapped[NAME_MOST + sizeof IS_FIELD])
{
    char *at = stpcpy(mapped, IS_FIELD);
    for (size_t i = 0; i < name->len; i++)
        *at++ = name->str[i] && strchr(LETTERS, name->str[i]) ? name->str[i] : '-';
    *at = '\0';
}

/* Whether a header may have the name. */
static bool is_header_name(const char *name, size_t size)
{
    return size > 0 && strspn(name, LETTERS) == size && content_is_header(name);
}

static bool take_header(struct entry *entry, const redisReply *name, const redisReply *value)
{
    char mapped[NAME_MOST + sizeof IS_FIELD];
    const size_t prefix = strlen(IS_HEADER);
    const char *header = name->str;
    if (name->len > prefix && memcmp(header, IS_HEADER, prefix) == 0 &&
        is_header_name(header + prefix, name->len - prefix)) {
        header += prefix;
    } else if (!is_header_name(header, name->len)) {
        if (name->len > NAME_MOST)
            return wrong(entry, name, "has too long a name for a header");
        map_name(name, mapped);
        header = mapped;
    }
    if (mq_message_header(entry->message, header))
        return wrong(entry, name, "is there twice, as headers have names");
    const int error = is_one_text(value) ? mq_message_set_header(entry->message, header, value->str) : -EINVAL;
    if (error == -ENOMEM)
        return false;
    return error == 0 ||
           wrong(entry, name,
                 error == -E2BIG ? "is too large for a header" : "cannot be a header: that is one line of text");
}

static bool take_expires(mq_message *message, const redisReply *value)
{
    int64_t moment;
    return is_one_text(value) && moment_parse_rfc3339(value->str, &moment) &&
           mq_message_set_expires(message, moment) == 0;
}

static bool take_priority(mq_message *message, const redisReply *value)
{
    return value->len == 1 && value->str[0] >= '0' && value->str[0] <= '9' &&
           mq_message_set_priority(message, value->str[0] - '0') == 0;
}

static bool take_field(struct entry *entry, const redisReply *name, const redisReply *value)
{
    if (name->len == strlen(entry->place->body) && memcmp(name->str, entry->place->body, name->len) == 0)
        return take_body(entry, name, value);
    if (is_named(name, ID))
        return (is_one_text(value) && mq_message_set_id(entry->message, value->str) == 0) ||
               wrong(entry, name, "is not an id");
    if (is_named(name, PRIORITY))
        return take_priority(entry->message, value) || wrong(entry, name, "is not a priority");
    if (is_named(name, EXPIRES))
        return take_expires(entry->message, value) || wrong(entry, name, "is not a moment");
    /* A message has the time at which it is sent here. */
    return is_named(name, TIMESTAMP) || take_header(entry, name, value);
}

bool fields_to_message(const struct place *place, redisReply *const *words, size_t count, mq_message *message,
                       char **ret_body, char ret_words[FIELDS_WORDS_SIZE])
{
    struct entry entry = {.place = place, .message = message, .words = ret_words};
    bool is_good = true;
    *ret_words = '\0';
    for (size_t i = 0; is_good && i + 1 < count; i += 2)
        is_good = take_field(&entry, words[i], words[i + 1]);
    *ret_body = entry.body;
    return is_good;
}
