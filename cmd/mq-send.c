/* mq-send: send messages to a queue. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "envelope.h"
#include "json_read.h"
#include "output.h"
#include "records.h"
#include "request.h"

enum { NO_SYNC = 256, REQUEST };

static char **arg_words; /* the queue, then the body */
static int arg_word_count;
static const char **arg_files;
static int arg_file_count;
static int arg_framing; /* the option that splits the input into messages, 0: it is one */
static bool arg_request;
static int64_t arg_reply_timeout = MQ_FOREVER;
static struct mq_send_options arg_options = {MQ_SEND_DEFAULTS};

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "Send FILE, - for standard input, and each further argument as a file too", 1},
    {"lines", 'l', NULL, 0, "Send each line of the input as a message", 1},
    {"null", '0', NULL, 0, "Send each NUL-terminated record of the input as a message", 1},
    {"json", 'j', NULL, 0, "Send a message for each line of the input, a JSON object", 1},
    {"no-sync", NO_SYNC, NULL, 0, "Do not wait for the disk", 4},
    {"request", REQUEST, "TIMEOUT", OPTION_ARG_OPTIONAL, "Wait for a reply, for ever or TIMEOUT, and print its body",
     4},
    {"block", 'b', "DURATION", OPTION_ARG_OPTIONAL, "While the queue is full wait for room, for ever or DURATION", 4},
    {0},
};

/* ---- the command line ------------------------------------------------------------ */

static void add_file(const struct argp_state *state, const char *file)
{
    if (!arg_files)
        arg_files = cli_must(calloc((size_t)state->argc, sizeof *arg_files));
    arg_files[arg_file_count++] = file;
}

static void set_framing(const struct argp_state *state, int framing)
{
    if (arg_framing && arg_framing != framing)
        cli_usage(state, "--lines, --null and --json exclude one another");
    arg_framing = framing;
}

/* `mq-send jobs -f *.txt`: the shell's expansion leaves all but the first among the words. */
static void take_words_as_files(const struct argp_state *state)
{
    for (int i = 1; i < arg_word_count; i++)
        add_file(state, arg_words[i]);
    arg_word_count = 1;
}

static void check(const struct argp_state *state)
{
    if (arg_file_count > 0)
        take_words_as_files(state);
    if (arg_word_count > 1 && arg_framing)
        cli_usage(state, "a body among the arguments excludes --lines, --null and --json");
    if (envelope_has_id() && (arg_framing || arg_file_count > 1))
        cli_usage(state, "--id is for one message");
    if (arg_request && (arg_framing || arg_file_count > 1))
        cli_usage(state, "--request is for one message");
    if (arg_request && envelope_has_header("Reply-To"))
        cli_usage(state, "--request excludes --reply-to");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'f':
        add_file(state, argument);
        return 0;
    case 'l':
    case '0':
    case 'j':
        set_framing(state, key);
        return 0;
    case NO_SYNC:
        arg_options.no_sync = true;
        return 0;
    case 'b':
        arg_options.block = argument ? cli_duration(state, "--block", argument) : MQ_FOREVER;
        return 0;
    case REQUEST:
        arg_request = true;
        arg_reply_timeout = argument ? cli_duration(state, "--request", argument) : MQ_FOREVER;
        return 0;
    case ARGP_KEY_ARGS:
        arg_words = state->argv + state->next;
        arg_word_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        cli_usage(state, "no queue is named");
    case ARGP_KEY_END:
        check(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&envelope_argp, 0, NULL, 0}, {&cli_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "QUEUE [BODY...]\nQUEUE -f FILE...",
    .doc = "Send a message to QUEUE: the words of BODY, or without them standard input.\v"
           "The queue is made if it is not there. The id of each message is printed once it is safe.",
    .children = children,
};

/* ---- sending --------------------------------------------------------------------- */

/* Where a message comes from. */
struct source {
    const char *file; /* NULL: standard input or the arguments */
    uint64_t record;  /* counted from 1; 0: the whole of it */
};

static uint64_t sent;

static int fail(int status, const struct source *source, const char *problem, const char *detail)
{
    char record[40] = "", tally[40] = "";
    if (source->record)
        snprintf(record, sizeof record, "record %" PRIu64 ": ", source->record);
    if (arg_framing || arg_file_count > 1)
        snprintf(tally, sizeof tally, "; %" PRIu64 " sent", sent);
    return cli_fail(status, arg_words[0], "%s%s%s%s%s%s%s", source->file ? source->file : "", source->file ? ": " : "",
                    record, problem, *detail ? ": " : "", detail, tally);
}

static int refused(mq_queue *queue, const struct source *source, int error)
{
    char limit[64] = "the body is larger than max-size = ", problem[256];
    const size_t length = strlen(limit);
    if (error == -EBADMSG && mq_config_explain(cli_spool, arg_words[0], problem, sizeof problem) == 1)
        return fail(STATUS_CONFIG, source, "bad configuration", problem);
    if (error == -EMSGSIZE && mq_config_get(queue, "max-size", limit + length, sizeof limit - length) == 0)
        return fail(STATUS_DATA, source, "cannot publish", limit);
    return fail(cli_status(error), source, "cannot publish", cli_reason(error));
}

/* Send it, and wait for the reply. */
static int ask(mq_queue *queue, mq_message *message, const struct source *source)
{
    mq_queue *replies;
    char id[MQ_ID_SIZE];
    int status = request_open(message, &replies);
    if (status != STATUS_DONE)
        return status;
    arg_options.cancel_fd = request_cancel_fd();
    const int error = mq_send(queue, message, &arg_options, id);
    if (!error)
        cli_note(arg_words[0], "sent %s", id);
    if (error && error != -ECANCELED)
        status = refused(queue, source, error);
    else if (!error)
        status = request_wait(replies, arg_words[0], arg_reply_timeout);
    return request_close(replies, status);
}

static int publish(mq_queue *queue, mq_message *message, const struct source *source)
{
    if (arg_request)
        return ask(queue, message, source);
    char id[MQ_ID_SIZE + 1];
    int error = mq_send(queue, message, &arg_options, id);
    if (error)
        return refused(queue, source, error);
    sent++;
    cli_note(arg_words[0], "sent %s", id);
    if (cli_quiet)
        return STATUS_DONE;
    const size_t length = strlen(id);
    id[length] = '\n';
    error = output_write(id, length + 1, -1);
    return error ? fail(STATUS_IO, source, "sent, but its id cannot be printed", cli_reason(error)) : STATUS_DONE;
}

/* A message with all that the command line says, or NULL, reported. */
static mq_message *make_message(int *ret_status)
{
    mq_message *message;
    const int error = mq_message_new(&message);
    if (error) {
        *ret_status = cli_error(error, NULL, "cannot make a message");
        return NULL;
    }
    *ret_status = envelope_apply(message);
    if (*ret_status == STATUS_DONE)
        return message;
    mq_message_free(message);
    return NULL;
}

static int send_bytes(mq_queue *queue, const char *data, size_t size, const struct source *source)
{
    int status;
    mq_message *message = make_message(&status);
    if (!message)
        return status;
    mq_message_set_body(message, data, size);
    status = publish(queue, message, source);
    mq_message_free(message);
    return status;
}

static int send_json(mq_queue *queue, const char *text, size_t size, const struct source *source)
{
    struct json_record record;
    int status;
    mq_message *message = make_message(&status);
    if (!message)
        return status;
    if (json_to_message(text, size, message, &record))
        status = publish(queue, message, source);
    else
        status = fail(STATUS_DATA, source, record.problem, "");
    json_record_release(&record);
    mq_message_free(message);
    return status;
}

static int send_whole(mq_queue *queue, int file, const struct source *source)
{
    int status;
    mq_message *message = make_message(&status);
    if (!message)
        return status;
    mq_message_set_body_fd(message, file);
    status = publish(queue, message, source);
    mq_message_free(message);
    return status;
}

static int send_records(mq_queue *queue, int file, struct source *source)
{
    struct records records = {.fd = file, .separator = arg_framing == '0' ? '\0' : '\n'};
    char *text;
    size_t size;
    int got, status = STATUS_DONE;
    for (source->record = 1; (got = records_next(&records, &text, &size)) == 1; source->record++) {
        status = arg_framing == 'j' ? send_json(queue, text, size, source) : send_bytes(queue, text, size, source);
        if (status != STATUS_DONE)
            break;
    }
    if (got == -EMSGSIZE)
        status = fail(STATUS_DATA, source, "longer than 64 MiB", "");
    else if (got < 0)
        status = fail(cli_status(got), source, "cannot read the input", cli_reason(got));
    records_release(&records);
    return status;
}

static int send_input(mq_queue *queue, int file, const char *name)
{
    struct source source = {.file = name};
    return arg_framing ? send_records(queue, file, &source) : send_whole(queue, file, &source);
}

static int send_file(mq_queue *queue, const char *name)
{
    if (strcmp(name, "-") == 0)
        return send_input(queue, STDIN_FILENO, NULL);
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(cli_status(-errno), &(struct source){.file = name}, "cannot open", strerror(errno));
    const int status = send_input(queue, file, name);
    close(file);
    return status;
}

static int send_words(mq_queue *queue, char **words, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *body = cli_must(malloc(size)), *end = body;
    for (int i = 0; i < count; i++) {
        end = stpcpy(end, words[i]);
        *end++ = ' ';
    }
    const int status = send_bytes(queue, body, size - 1, &(struct source){0});
    free(body);
    return status;
}

static int send_all(mq_queue *queue)
{
    if (arg_word_count > 1)
        return send_words(queue, arg_words + 1, arg_word_count - 1);
    if (arg_file_count == 0)
        return send_input(queue, STDIN_FILENO, NULL);
    int status = STATUS_DONE;
    for (int i = 0; i < arg_file_count && status == STATUS_DONE; i++)
        status = send_file(queue, arg_files[i]);
    return status;
}

int main(int argc, char **argv)
{
    /* Never closed: the end of the process does that with four system calls less. */
    static mq_queue *queue;
    int status;
    cli_parse(&argp, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    /* What is wrong with the command line shall be told before a queue is made for it. */
    mq_message *trial = make_message(&status);
    if (!trial)
        return status;
    mq_message_free(trial);
    status = cli_open(arg_words[0], MQ_CREATE, &queue);
    if (status != STATUS_DONE)
        return status;
    return send_all(queue);
}
