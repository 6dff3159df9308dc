/* A message by a template. */
#include "message/template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/cli.h"
#include "text/moment.h"

#define CHUNK 65536
#define VALUE_SIZE 64
#define HEADER "header."
#define HEADER_MOST 128

enum field {
    TEXT,
    BODY,
    ID,
    QUEUE,
    RECEIPT,
    PRIORITY,
    ATTEMPT,
    SENT,
    EXPIRES,
    SIZE,
    OFFSET,
    KEY,
    GROUP,
    STATE,
    DUE,
    DEADLINE,
    DIED,
    REASON,
    HEADER_FIELD,
};

static const struct {
    const char *name;
    enum field field;
    const char *header; /* whose value it is; NULL: it is none */
} fields[] = {
    {"body", BODY, NULL},         {"id", ID, NULL},           {"queue", QUEUE, NULL},       {"receipt", RECEIPT, NULL},
    {"priority", PRIORITY, NULL}, {"attempt", ATTEMPT, NULL}, {"sent", SENT, NULL},         {"expires", EXPIRES, NULL},
    {"size", SIZE, NULL},         {"offset", OFFSET, NULL},   {"key", KEY, "Routing-Key"},  {"group", GROUP, NULL},
    {"state", STATE, NULL},       {"due", DUE, NULL},         {"deadline", DEADLINE, NULL}, {"died", DIED, NULL},
    {"reason", REASON, NULL},
};
#define FIELDS (sizeof fields / sizeof *fields)
#define FIELD_LIST                                                                                                     \
    "body, id, queue, receipt, priority, attempt, sent, expires, size, offset, key, group, state, due, deadline, "     \
    "died, reason and header.NAME"

struct part {
    enum field field;
    char *text; /* of TEXT; of a field that is a header: its name */
    size_t size;
};

struct template
{
    struct part *parts;
    size_t count, room;
};

/* ---- parsing ------------------------------------------------------------------------ */

static void add(struct template *template, enum field field, const char *text, size_t size)
{
    if (!GROW(template->parts, template->count + 1, template->room))
        cli_must(NULL);
    char *copy = cli_must(malloc(size + 1));
    memcpy(copy, text, size);
    copy[size] = '\0';
    template->parts[template->count++] = (struct part){field, copy, size};
}

static bool is_header_name(const char *text, size_t size)
{
    return size > 0 && size <= HEADER_MOST &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") >= size;
}

/* Add a field by its name. False: there is no such field. */
static bool add_field(struct template *template, const char *name, size_t size)
{
    const size_t prefix = strlen(HEADER);
    if (size > prefix && memcmp(name, HEADER, prefix) == 0 && is_header_name(name + prefix, size - prefix)) {
        add(template, HEADER_FIELD, name + prefix, size - prefix);
        return true;
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (strlen(fields[i].name) == size && memcmp(fields[i].name, name, size) == 0) {
            const char *header = fields[i].header ? fields[i].header : "";
            add(template, fields[i].field, header, strlen(header));
            return true;
        }
    return false;
}

/* Take a backslash and what it stands before. Any other pair is taken as it is. Returns how many characters it was. */
static size_t add_escape(struct template *template, const char *at)
{
    static const char letters[] = "nt0\\", meant[] = "\n\t\0\\";
    const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
    if (letter)
        add(template, TEXT, meant + (letter - letters), 1);
    else
        add(template, TEXT, at, at[1] ? 2 : 1);
    return at[1] ? 2 : 1;
}

static const char *complain(const char *what, const char *text, size_t size)
{
    static char problem[256];
    snprintf(problem, sizeof problem, "%s '%.*s': there are %s", what, size < 64 ? (int)size : 64, text, FIELD_LIST);
    return problem;
}

const char *template_parse(const char *text, struct template **ret_template)
{
    struct template *template = cli_must(calloc(1, sizeof *template));
    *ret_template = template;
    for (const char *at = text; *at;) {
        const size_t plain = strcspn(at, "{}\\"), name = at[plain] == '{' ? strcspn(at + plain + 1, "{}") : 0;
        add(template, TEXT, at, plain);
        at += plain;
        if (*at == '\\') {
            at += add_escape(template, at);
        } else if (*at && at[1] == *at) {
            add(template, TEXT, at, 1);
            at += 2;
        } else if (*at == '}') {
            return "a } without a {: }} stands for one";
        } else if (*at) {
            if (at[1 + name] != '}')
                return "a { without a }: {{ stands for one";
            const bool again = template_has(template, "body") && name == 4 && memcmp(at + 1, "body", 4) == 0;
            if (again)
                return "{body} can be written only once";
            if (!add_field(template, at + 1, name))
                return complain("no field", at + 1, name);
            at += name + 2;
        }
    }
    return NULL;
}

struct template *template_of_option(const struct argp_state *state, const char *text)
{
    struct template *template;
    const char *problem = template_parse(text, &template);
    if (problem)
        cli_usage(state, "--format: %s", problem);
    return template;
}

bool template_has(const struct template *template, const char *field)
{
    for (size_t i = 0; i < FIELDS; i++)
        for (size_t j = 0; j < template->count && strcmp(fields[i].name, field) == 0; j++)
            if (template->parts[j].field == fields[i].field)
                return true;
    return false;
}

/* ---- writing ------------------------------------------------------------------------ */

static int write_body(mq_message *message, template_put_fn *put, void *context)
{
    char chunk[CHUNK];
    int error = 0;
    for (uint64_t left = mq_message_size(message); left > 0 && !error;) {
        const ssize_t got = mq_message_read(message, chunk, sizeof chunk);
        if (got <= 0)
            return got < 0 ? (int)got : -EBADMSG;
        left -= (uint64_t)got;
        error = put(context, chunk, (size_t)got);
    }
    return error;
}

static void format_moment(int64_t moment, char *text)
{
    if (moment > 0)
        moment_format(moment, text);
}

/* What a message that is looked at says by its name. */
static void format_look(enum field field, const struct mq_entry *entry, char *text)
{
    static const struct {
        enum field field;
        enum mq_state state;
    } times[] = {{DUE, MQ_DELAYED}, {DEADLINE, MQ_INFLIGHT}, {DIED, MQ_DEAD}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].field == field && times[i].state == entry->state)
            format_moment(entry->time, text);
    if (field == PRIORITY)
        snprintf(text, VALUE_SIZE, "%d", entry->priority);
    if (field == ATTEMPT)
        snprintf(text, VALUE_SIZE, "%u", entry->attempts);
}

/* A figure or a moment that the message says. */
static void format_value(enum field field, const mq_message *message, char text[VALUE_SIZE])
{
    uint64_t offset;
    switch (field) {
    case PRIORITY:
        snprintf(text, VALUE_SIZE, "%d", mq_message_priority(message));
        break;
    case ATTEMPT:
        snprintf(text, VALUE_SIZE, "%u", mq_message_attempts(message));
        break;
    case SIZE:
        snprintf(text, VALUE_SIZE, "%ju", (uintmax_t)mq_message_size(message));
        break;
    case OFFSET:
        if (mq_message_offset(message, &offset) == 1)
            snprintf(text, VALUE_SIZE, "%ju", (uintmax_t)offset);
        break;
    case SENT:
        format_moment(mq_message_sent_at(message), text);
        break;
    case EXPIRES:
        format_moment(mq_message_expires_at(message), text);
        break;
    default:
        break;
    }
}

/* NULL, or empty: the message has none. */
static const char *text_of(const struct part *part, const struct template_message *about, char value[VALUE_SIZE])
{
    const struct mq_entry *entry = about->entry;
    *value = '\0';
    switch (part->field) {
    case ID:
        return entry ? entry->id : mq_message_id(about->message);
    case QUEUE:
        return about->queue;
    case RECEIPT:
        return about->receipt;
    case STATE:
        return entry ? mq_state_name(entry->state) : NULL;
    case REASON:
        return entry ? entry->reason : NULL;
    case GROUP:
        return about->group;
    case KEY:
    case HEADER_FIELD:
        return about->message ? mq_message_header(about->message, part->text) : NULL;
    default:
        if (entry)
            format_look(part->field, entry, value);
        if (about->message)
            format_value(part->field, about->message, value);
        return value;
    }
}

int template_write(const struct template *template, const struct template_message *about, template_put_fn *put,
                   void *context)
{
    int error = 0;
    for (size_t i = 0; i < template->count && !error; i++) {
        const struct part *part = &template->parts[i];
        char value[VALUE_SIZE];
        const char *text = part->field == TEXT || part->field == BODY ? NULL : text_of(part, about, value);
        if (part->field == TEXT)
            error = put(context, part->text, part->size);
        else if (part->field == BODY && about->message)
            error = write_body(about->message, put, context);
        else if (text)
            error = put(context, text, strlen(text));
    }
    return error;
}
