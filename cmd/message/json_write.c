/* Messages as JSON. */
#include "message/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "message/content.h"
#include "text/base64.h"
#include "text/moment.h"
#include "text/text.h"

/* ---- the body ------------------------------------------------------------------- */

static int put_body(struct json_text *text, mq_message *message)
{
    const size_t size = (size_t)mq_message_size(message);
    char *data;
    const int error = content_copy(message, &data);
    if (error)
        return error;
    if (text_is_utf8(data, size))
        json_text_bytes(text, "body", data, size);
    else
        json_text_base64(text, "body_base64", data, size);
    free(data);
    return 0;
}

json_t *json_moment(int64_t moment)
{
    char text[MOMENT_SIZE];
    moment_format(moment, text);
    return json_string(text);
}

/* ---- the rest ------------------------------------------------------------------- */

/* If a name occurs twice, the first one counts. */
static void put_headers(struct json_text *text, const mq_message *message)
{
    const char *name, *value;
    json_text_open(text, "headers");
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++)
        if (!content_is_property(name) && mq_message_header(message, name) == value)
            json_text_string(text, name, value);
    json_text_close(text);
}

/* The moment in the header Timestamp. The time of the file, which is used without that header, is a little coarser. */
static void put_timestamp(struct json_text *text, const mq_message *message)
{
    const char *said = mq_message_header(message, "Timestamp");
    if (said)
        json_text_string(text, "timestamp", said);
    else
        json_text_moment(text, "timestamp", mq_message_sent_at(message));
}

static void put_envelope(struct json_text *text, const mq_message *message, const struct json_shown *shown)
{
    const int64_t expires = mq_message_expires_at(message);
    uint64_t offset;
    json_text_string(text, "id", mq_message_id(message));
    put_timestamp(text, message);
    json_text_number(text, "priority", (uint64_t)mq_message_priority(message));
    if (!shown->no_attempts)
        json_text_number(text, "attempts", mq_message_attempts(message));
    json_text_string(text, "queue", shown->queue);
    if (shown->receipt)
        json_text_string(text, "receipt", shown->receipt);
    if (mq_message_offset(message, &offset) == 1)
        json_text_number(text, "offset", offset);
    if (mq_message_max_attempts(message) && !shown->no_max_attempts)
        json_text_number(text, "max_attempts", mq_message_max_attempts(message));
    if (expires)
        json_text_moment(text, "expires", expires);
    put_headers(text, message);
}

int json_from_message(mq_message *message, const struct json_shown *shown, struct json_text *text)
{
    text->is_ascii = output_is_terminal();
    json_text_begin(text);
    put_envelope(text, message, shown);
    return put_body(text, message);
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

void json_text_value(struct json_text *text, const char *name, const json_t *value)
{
    char *const json = json_dumps(value, flags());
    if (json)
        json_text_raw(text, name, json);
    else
        text->is_short = true;
    free(json);
}

int json_text_print(struct json_text *text, int error)
{
    if (!error)
        error = json_text_end(text);
    if (!error)
        (void)fwrite(text->data, text->size, 1, stdout);
    json_text_release(text);
    return error;
}

void json_print(json_t *object)
{
    char *line = cli_must(json_line(cli_must(object)));
    fputs(line, stdout);
    free(line);
    json_decref(object);
}
