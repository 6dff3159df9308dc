/* The environment of a command. */
#include "worker/environment.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "text/moment.h"

/* The most bytes that the variables of a message take, without those of its headers. */
#define OWN_SIZE 8192

static char **base; /* the variables that every command gets */
static size_t base_count;

/* The text of the message's variables, one after the other, and where each begins. */
static struct {
    char *text;
    size_t size, room;
    size_t *offsets;
    size_t count, offsets_room;
    char **variables; /* the finished environment */
    size_t variables_room;
} own;

/* ---- what every command gets ------------------------------------------------------ */

/* Whether a variable is set for each command anew. An outer worker may have set it for this process. */
static bool is_replaced(const char *variable)
{
    static const char *const names[] = {"MQ_SPOOL",    "MQ_QUEUE",          "MQ_ID",        "MQ_RECEIPT",
                                        "MQ_ATTEMPT",  "MQ_MAX_ATTEMPTS",   "MQ_TIMESTAMP", "MQ_PRIORITY",
                                        "MQ_REPLY_TO", "MQ_CORRELATION_ID", "MQ_BODY",      "NOTIFY_SOCKET",
                                        "MQ_TX",       "WATCHDOG_USEC",     "WATCHDOG_PID"};
    const size_t length = strcspn(variable, "=");
    if (strncmp(variable, "MQ_HEADER_", 10) == 0)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && memcmp(names[i], variable, length) == 0)
            return true;
    return false;
}

/* The absolute path of the spool: the command may change its directory before it runs an mq program. */
static char *spool_variable(void)
{
    char path[PATH_MAX], absolute[PATH_MAX], *variable;
    if (mq_spool_path(cli_spool, path, sizeof path) || !realpath(path, absolute))
        return NULL;
    return asprintf(&variable, "MQ_SPOOL=%s", absolute) < 0 ? NULL : variable;
}

void environment_prepare(void)
{
    size_t count = 0;
    while (environ[count])
        count++;
    base = cli_must(calloc(count + 2, sizeof *base));
    base_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(environ[i]))
            base[base_count++] = environ[i];
    char *spool = spool_variable();
    if (spool)
        base[base_count++] = spool;
}

size_t environment_base_size(char *const *command)
{
    size_t size = OWN_SIZE;
    for (size_t i = 0; i < base_count; i++)
        size += strlen(base[i]) + 1 + sizeof *base;
    for (; *command; command++)
        size += strlen(*command) + 1 + sizeof *command;
    return size;
}

/* ---- the variables of one message ------------------------------------------------- */

static bool has_room(size_t size)
{
    return GROW(own.text, own.size + size, own.room) && GROW(own.offsets, own.count + 1, own.offsets_room);
}

/* Add NAME=value; a NULL value is left out. */
static bool add(const char *prefix, const char *name, const char *value)
{
    if (!value)
        return true;
    const size_t size = strlen(prefix) + strlen(name) + strlen(value) + 2;
    if (!has_room(size))
        return false;
    own.offsets[own.count++] = own.size;
    sprintf(own.text + own.size, "%s%s=%s", prefix, name, value);
    own.size += size;
    return true;
}

static bool add_number(const char *name, unsigned long number)
{
    char text[24];
    snprintf(text, sizeof text, "%lu", number);
    return add("MQ_", name, text);
}

/* `Content-Type` as MQ_HEADER_CONTENT_TYPE: the prefix keeps a header from being any other variable. */
static bool add_header(const char *header, const char *value)
{
    const size_t at = own.size + strlen("MQ_HEADER_");
    if (!add("MQ_HEADER_", header, value))
        return false;
    for (char *c = own.text + at; *c != '='; c++)
        *c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
    return true;
}

static bool add_headers(const mq_message *message)
{
    const char *name, *value;
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++)
        if (!add_header(name, value))
            return false;
    return true;
}

static bool add_timestamp(const mq_message *message)
{
    char moment[MOMENT_SIZE];
    const char *said = mq_message_header(message, "Timestamp");
    moment_format(mq_message_sent_at(message), moment);
    return add("MQ_", "TIMESTAMP", said ? said : moment);
}

static bool add_all(mq_queue *queue, const mq_message *message, const char *body, const char *tx)
{
    char most[32];
    own.size = own.count = 0;
    return add("MQ_", "QUEUE", mq_queue_name(queue)) && add("MQ_", "ID", mq_message_id(message)) &&
           add("MQ_", "RECEIPT", mq_message_receipt(message)) && add_number("ATTEMPT", mq_message_attempts(message)) &&
           add("MQ_", "MAX_ATTEMPTS", mq_config_get(queue, "max-attempts", most, sizeof most) ? NULL : most) &&
           add_timestamp(message) && add_number("PRIORITY", (unsigned long)mq_message_priority(message)) &&
           add("MQ_", "REPLY_TO", mq_message_header(message, "Reply-To")) &&
           add("MQ_", "CORRELATION_ID", mq_message_header(message, "Correlation-Id")) && add("MQ_", "BODY", body) &&
           add("MQ_", "TX", tx) && add_headers(message);
}

char **environment_for(mq_queue *queue, const mq_message *message, const char *body, const char *tx)
{
    if (!add_all(queue, message, body, tx))
        return NULL;
    if (!GROW(own.variables, base_count + own.count + 1, own.variables_room))
        return NULL;
    memcpy(own.variables, base, base_count * sizeof *base);
    for (size_t i = 0; i < own.count; i++)
        own.variables[base_count + i] = own.text + own.offsets[i];
    own.variables[base_count + own.count] = NULL;
    return own.variables;
}
