/* Records of failed attempts. */
#include "message/failure.h"

#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "text/moment.h"
#include "text/text.h"

#define SAID_MAX 4096

/* ---- keeping ---------------------------------------------------------------------- */

/* Standard error may hold any bytes. Bytes that are not UTF-8 are escaped, since JSON cannot hold them. */
static json_t *text_of(const char *said, size_t size)
{
    char text[TEXT_ESCAPED(SAID_MAX)];
    const size_t kept = size < SAID_MAX ? size : SAID_MAX;
    return json_stringn(text, text_escape(said + size - kept, kept, "\n\t", text));
}

static json_t *describe(const mq_message *message, const struct outcome *outcome, const char *said, size_t size)
{
    char moment[MOMENT_SIZE], host[256] = "";
    moment_format(clock_now(), moment);
    (void)gethostname(host, sizeof host - 1);
    json_t *object = json_pack("{s:s, s:i, s:s, s:o, s:s, s:i}", "time", moment, "attempt",
                               (int)mq_message_attempts(message), "outcome", outcome->text, "stderr",
                               text_of(said, size), "host", host, "pid", (int)getpid());
    if (object && outcome->exit_status >= 0)
        (void)json_object_set_new(object, "exit_status", json_integer(outcome->exit_status));
    if (object && outcome->signal)
        (void)json_object_set_new(object, "signal", json_integer(outcome->signal));
    return object;
}

void failure_keep(mq_queue *queue, const mq_message *message, const struct outcome *outcome, const char *said,
                  size_t size)
{
    json_t *object = describe(message, outcome, said, size);
    char *line = object ? json_line(object) : NULL;
    const int error = line ? mq_failure_add(queue, mq_message_receipt(message), line, strlen(line)) : -ENOMEM;
    if (error && error != -ESTALE)
        (void)cli_queue_error(error, mq_queue_name(queue), "cannot keep what went wrong");
    json_decref(object);
    free(line);
}

/* ---- loading ---------------------------------------------------------------------- */

/* A line that is not an object is skipped. Any user with access may write into the file. */
static int take_line(json_t *array, const char *line, size_t size)
{
    json_t *object = json_loadb(line, size, 0, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return 0;
    }
    return json_array_append_new(array, object) ? -ENOMEM : 0;
}

static int take_lines(json_t *array, const char *text, size_t size)
{
    int error = 0;
    for (const char *line = text, *const end = text + size; line < end && !error;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        error = take_line(array, line, (size_t)(stop - line));
        line = stop + 1;
    }
    return error;
}

int failure_load(mq_queue *queue, const char *id, json_t **ret_array)
{
    char *text = NULL;
    size_t size = 0;
    json_t *array = json_array();
    int error = array ? mq_failures(queue, id, &text, &size) : -ENOMEM;
    if (error == 1)
        error = take_lines(array, text, size);
    free(text);
    if (error < 0)
        json_decref(array);
    else
        *ret_array = array;
    return error < 0 ? error : 0;
}

/* ---- showing ---------------------------------------------------------------------- */

/* Any user with access may write into the file, so a member may have any type. */
static const char *member(const json_t *failure, const char *name)
{
    const char *text = json_string_value(json_object_get(failure, name));
    return text ? text : "";
}

void failure_outcome(const json_t *failure, char *ret_text, size_t size)
{
    const char *outcome = member(failure, "outcome");
    const size_t length = strnlen(outcome, (size - 1) / 4);
    text_escape(outcome, length, "", ret_text);
}

static void print_escaped(const char *text, size_t size)
{
    char escaped[TEXT_ESCAPED(SAID_MAX)];
    text_escape(text, size < SAID_MAX ? size : SAID_MAX, "\t", escaped);
    fputs(escaped, stdout);
}

static void print_said(const char *said)
{
    while (*said) {
        const size_t length = strcspn(said, "\n");
        putchar('\t');
        print_escaped(said, length);
        putchar('\n');
        said += length + (said[length] == '\n');
    }
}

void failure_print(const json_t *failures)
{
    size_t index;
    json_t *failure;
    json_array_foreach(failures, index, failure)
    {
        char outcome[TEXT_ESCAPED(256)];
        failure_outcome(failure, outcome, sizeof outcome);
        fputs("Mq-Failure: ", stdout);
        print_escaped(member(failure, "time"), strlen(member(failure, "time")));
        printf(", attempt %d: %s\n", (int)json_integer_value(json_object_get(failure, "attempt")), outcome);
        print_said(member(failure, "stderr"));
    }
}
