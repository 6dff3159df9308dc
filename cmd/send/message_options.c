/* The options of mq-send that are about each message. */
#include "send/message_options.h"

#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "text/moment.h"

enum {
    TYPE = 512,
    CONTENT_TYPE,
    CORRELATION_ID,
    REPLY_TO,
    AT,
    TTL,
    MAX_ATTEMPTS
}; /* beside the numbers of mq-send.c */

#define ROUTING_KEY_MAX 255 /* as in AMQP */

struct header {
    const char *name, *value; /* `value` NULL: the argument had no colon */
};

static struct header *arg_headers;
static size_t arg_header_count;
static const char *arg_id; /* NULL: the library makes one */
static int arg_priority = MQ_PRIORITY_DEFAULT;
static unsigned arg_max_attempts;           /* 0: as the queue says */
static int64_t arg_delay, arg_due, arg_ttl; /* 0: not given */

static const struct argp_option options[] = {
    {"header", 'H', "'NAME: VALUE'", 0, "Add a header; may be repeated", 2},
    {"type", TYPE, "TYPE", 0, "Set the header Type", 2},
    {"content-type", CONTENT_TYPE, "TYPE", 0, "Set the header Content-Type", 2},
    {"correlation-id", CORRELATION_ID, "ID", 0, "Set the header Correlation-Id", 2},
    {"reply-to", REPLY_TO, "QUEUE", 0, "Set the header Reply-To", 2},
    {"message-group", 'g', "KEY", 0, "Set the header Group: an ordered queue keeps the order of a group", 2},
    {"routing-key", 'k', "KEY", 0, "Set the header Routing-Key, by which topics route", 2},
    {"id", 'i', "ID", 0, "The message's id, instead of a new one", 2},
    {"priority", 'p', "0-9", 0, "How soon it is delivered: 9 first; 4 by default", 3},
    {"delay", 'd', "DURATION", 0, "Deliver it no sooner than after DURATION", 3},
    {"at", AT, "TIME", 0, "Deliver it no sooner than at TIME: RFC 3339, @SECONDS or HH:MM", 3},
    {"ttl", TTL, "DURATION", 0, "Let it expire after DURATION", 3},
    {"max-attempts", MAX_ATTEMPTS, "N", 0, "Deliver it N times at most, whatever the queue says", 3},
    {0},
};

/* ---- options --------------------------------------------------------------------- */

static void add_header(const struct argp_state *state, const char *name, const char *value)
{
    /* There are at most as many headers as arguments. */
    if (!arg_headers)
        arg_headers = cli_must(calloc((size_t)state->argc, sizeof *arg_headers));
    if (message_options_has_header(name))
        cli_usage(state, "the header '%s' is given twice", name);
    arg_headers[arg_header_count++] = (struct header){name, value};
}

/* Split "Name: value" in place. */
static void split_header(const struct argp_state *state, char *text)
{
    char *colon = strchr(text, ':');
    if (colon)
        *colon = '\0';
    add_header(state, text, colon ? colon + 1 + strspn(colon + 1, " \t") : NULL);
}

static error_t parse_header(int key, char *argument, struct argp_state *state)
{
    static const char *const names[AT - TYPE] = {"Type", "Content-Type", "Correlation-Id", "Reply-To"};
    switch (key) {
    case 'H':
        split_header(state, argument);
        return 0;
    case 'g':
        add_header(state, "Group", argument);
        return 0;
    case 'k':
        if (strlen(argument) > ROUTING_KEY_MAX)
            cli_usage(state, "--routing-key: longer than %d bytes", ROUTING_KEY_MAX);
        add_header(state, MQ_ROUTING_KEY, argument);
        return 0;
    default:
        if (key < TYPE || key >= AT)
            return ARGP_ERR_UNKNOWN;
        add_header(state, names[key - TYPE], argument);
        return 0;
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'i':
        arg_id = argument;
        return 0;
    case 'p':
        arg_priority = (int)cli_number(state, "--priority", argument, 0, 9);
        return 0;
    case 'd':
        arg_delay = cli_delay(state, "--delay", argument);
        return 0;
    case AT:
        if (!moment_parse(argument, clock_now(), &arg_due))
            cli_usage(state, "--at: '%s' is not a time such as 2026-11-24T10:30:00Z, @1795516200 or 10:30", argument);
        return 0;
    case TTL:
        (void)cli_delay(state, "--ttl", argument);
        arg_ttl = cli_period(state, "--ttl", argument);
        return 0;
    case MAX_ATTEMPTS:
        arg_max_attempts = (unsigned)cli_number(state, "--max-attempts", argument, 1, MQ_MAX_ATTEMPTS_MOST);
        return 0;
    case ARGP_KEY_END:
        if (arg_delay && arg_due)
            cli_usage(state, "--delay and --at exclude one another");
        return 0;
    default:
        return parse_header(key, argument, state);
    }
}

const struct argp message_options_argp = {.options = options, .parser = parse};

int64_t message_options_ttl(void)
{
    return arg_ttl;
}

bool message_options_has_id(void)
{
    return arg_id != NULL;
}

bool message_options_has_header(const char *name)
{
    for (size_t i = 0; i < arg_header_count; i++)
        if (strcasecmp(arg_headers[i].name, name) == 0)
            return true;
    return false;
}

/* ---- messages -------------------------------------------------------------------- */

/* What to use instead of a header that the library writes itself. */
static const char *advice(const char *name)
{
    static const struct {
        const char *name, *advice;
    } known[] = {{"Id", "use --id"}, {"Priority", "use --priority"}, {"Expires", "use --ttl"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].advice;
    return "mq writes this one itself";
}

static int apply_header(const struct header *header, mq_message *message)
{
    if (!header->value)
        return cli_fail(STATUS_DATA, NULL, "header '%s': not `Name: value`", header->name);
    const int error = mq_message_set_header(message, header->name, header->value);
    if (error == -EPERM)
        return cli_fail(STATUS_DATA, NULL, "header '%s': %s", header->name, advice(header->name));
    if (error == -EINVAL)
        return cli_fail(
            STATUS_DATA, NULL,
            "header '%s': a name takes A-Z a-z 0-9 -, and a value is one line of UTF-8 without control characters",
            header->name);
    return error ? cli_error(error, NULL, "cannot set the headers") : STATUS_DONE;
}

static int apply(mq_message *message)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < arg_header_count && status == STATUS_DONE; i++)
        status = apply_header(&arg_headers[i], message);
    if (status != STATUS_DONE)
        return status;
    if (arg_id && mq_message_set_id(message, arg_id))
        return cli_fail(STATUS_DATA, NULL, "'%s': not an id: it takes 1 to 64 of A-Z a-z 0-9 _ -", arg_id);
    if (mq_message_set_priority(message, arg_priority) || mq_message_set_delay(message, arg_delay) ||
        mq_message_set_due(message, arg_due) || mq_message_set_ttl(message, arg_ttl) ||
        mq_message_set_max_attempts(message, arg_max_attempts))
        return cli_fail(STATUS_DATA, NULL, "a time lies too far ahead");
    return STATUS_DONE;
}

mq_message *message_options_make(int *ret_status)
{
    mq_message *message;
    const int error = mq_message_new(&message);
    if (error) {
        *ret_status = cli_error(error, NULL, "cannot make a message");
        return NULL;
    }
    *ret_status = apply(message);
    if (*ret_status == STATUS_DONE)
        return message;
    mq_message_free(message);
    return NULL;
}
