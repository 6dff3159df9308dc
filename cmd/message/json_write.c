/* Messages as JSON. */
#include "message/json_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "io/space.h"
#include "text/base64.h"
#include "text/moment.h"
#include "text/text.h"

/* ---- the body ------------------------------------------------------------------- */

static int read_all(mq_message *message, char *data, size_t size)
{
    for (size_t have = 0; have < size;) {
        const ssize_t got = mq_message_read(message, data + have, size - have);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        have += (size_t)got;
    }
    return 0;
}

static json_t *encoded(const char *data, size_t size)
{
    char *text = malloc(BASE64_SIZE(size) + 1);
    if (!text)
        return NULL;
    base64_encode(data, size, text);
    json_t *string = json_stringn_nocheck(text, BASE64_SIZE(size));
    free(text);
    return string;
}

static int set_body(json_t *object, mq_message *message)
{
    const size_t size = (size_t)mq_message_size(message);
    int error = space_check_memory(size);
    char *data = error ? NULL : malloc(size + 1);
    if (!data)
        return -ENOMEM;
    error = read_all(message, data, size);
    if (!error && text_is_utf8(data, size))
        error = json_object_set_new(object, "body", json_stringn_nocheck(data, size)) ? -ENOMEM : 0;
    else if (!error)
        error = json_object_set_new(object, "body_base64", encoded(data, size)) ? -ENOMEM : 0;
    free(data);
    return error;
}

json_t *json_moment(int64_t moment)
{
    char text[MOMENT_SIZE];
    moment_format(moment, text);
    return json_string(text);
}

/* ---- the rest ------------------------------------------------------------------- */

/* Whether the object has a member of its own for this header. */
static bool is_a_member(const char *name)
{
    static const char *const members[] = {"Id", "Timestamp", "Content-Length", "Priority", "Expires"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcasecmp(name, members[i]) == 0)
            return true;
    return false;
}

static json_t *headers_of(const mq_message *message)
{
    json_t *headers = json_object();
    const char *name, *value;
    for (size_t i = 0; headers && mq_message_header_at(message, i, &name, &value) == 1; i++)
        if (!is_a_member(name) && json_object_set_new(headers, name, json_string(value))) {
            json_decref(headers);
            return NULL;
        }
    return headers;
}

/* The moment in the header Timestamp. The time of the file, which is used without that header, is a little coarser. */
static json_t *timestamp_of(const mq_message *message)
{
    const char *said = mq_message_header(message, "Timestamp");
    return said ? json_string(said) : json_moment(mq_message_sent_at(message));
}

static int set_envelope(json_t *object, const mq_message *message, const char *queue, const char *receipt)
{
    const int64_t expires = mq_message_expires_at(message);
    uint64_t offset;
    int failed = json_object_set_new(object, "id", json_string(mq_message_id(message)));
    failed |= json_object_set_new(object, "timestamp", timestamp_of(message));
    failed |= json_object_set_new(object, "priority", json_integer(mq_message_priority(message)));
    failed |= json_object_set_new(object, "attempts", json_integer(mq_message_attempts(message)));
    failed |= json_object_set_new(object, "queue", json_string(queue));
    if (receipt)
        failed |= json_object_set_new(object, "receipt", json_string(receipt));
    if (mq_message_offset(message, &offset) == 1)
        failed |= json_object_set_new(object, "offset", json_integer((json_int_t)offset));
    if (mq_message_max_attempts(message))
        failed |= json_object_set_new(object, "max_attempts", json_integer(mq_message_max_attempts(message)));
    if (expires)
        failed |= json_object_set_new(object, "expires", json_moment(expires));
    failed |= json_object_set_new(object, "headers", headers_of(message));
    return failed ? -ENOMEM : 0;
}

int json_from_message(mq_message *message, const char *queue, const char *receipt, json_t **ret_object)
{
    json_t *object = json_object();
    if (!object)
        return -ENOMEM;
    int error = set_envelope(object, message, queue, receipt);
    if (!error)
        error = set_body(object, message);
    if (error)
        json_decref(object);
    else
        *ret_object = object;
    return error;
}

/* ---- lines ---------------------------------------------------------------------- */

/* JSON leaves DEL and C1 control characters as they are, and a terminal would obey them. */
static size_t flags(void)
{
    return JSON_COMPACT | JSON_REAL_PRECISION(15) | (output_is_terminal() ? JSON_ENSURE_ASCII : 0);
}

char *json_line(const json_t *object)
{
    char *text = json_dumps(object, flags());
    const size_t length = text ? strlen(text) : 0;
    char *line = text ? realloc(text, length + 2) : NULL;
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + length, "\n", 2);
    return line;
}

void json_print(json_t *object)
{
    char *line = cli_must(json_line(cli_must(object)));
    fputs(line, stdout);
    free(line);
    json_decref(object);
}
