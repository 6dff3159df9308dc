/* mq-send: send messages to a queue. */
#include <signal.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "send/input.h"
#include "send/message_options.h"
#include "send/sending.h"
#include "tx/tx.h"

enum { NO_SYNC = 256, BATCH, LINGERING, REQUEST, TX, ONCE, PROGRESS };

static const char *arg_queue;
static struct input arg_input;
static const char *arg_tx; /* NULL: none */
static struct sending sending = {
    .options = {MQ_SEND_DEFAULTS}, .make = message_options_make, .linger = 5, .reply_timeout = MQ_FOREVER};

static const struct argp_option options[] = {
    {"file", 'f', "FILE", 0, "Send FILE, - for standard input, and each further argument as a file too", 1},
    {"lines", 'l', NULL, 0, "Send each line of the input as a message", 1},
    {"null", '0', NULL, 0, "Send each NUL-terminated record of the input as a message", 1},
    {"json", 'j', NULL, 0, "Send a message for each line of the input, a JSON object", 1},
    {"progress", PROGRESS, NULL, 0,
     "With -l, -0 or -j: show on the terminal how much is sent, the rate and the time left", 1},
    {"batch", BATCH, "N", 0, "Put up to N records into one file; 256 by default", 4},
    {"linger", LINGERING, "DURATION", 0, "How long a record waits for others to share its file; 5ms by default", 4},
    {"no-sync", NO_SYNC, NULL, 0, "Do not wait for the disk", 4},
    {"once", ONCE, NULL, 0, "Send nothing whose id, or else whose content, was sent within the dedup-window", 4},
    {"request", REQUEST, "TIMEOUT", OPTION_ARG_OPTIONAL, "Wait for a reply, for ever or TIMEOUT, and print its body",
     4},
    {"tx", TX, "TX", 0, "Send as part of the transaction TX, instead of $MQ_TX; '' for none", 4},
    {"block", 'b', "DURATION", OPTION_ARG_OPTIONAL, "While the queue is full, wait for room, for ever or DURATION", 4},
    {0},
};

/* ---- the command line ------------------------------------------------------------ */

static void set_framing(const struct argp_state *state, int framing)
{
    if (sending.framing && sending.framing != framing)
        cli_usage(state, "--lines, --null and --json exclude one another");
    sending.framing = framing;
}

/* The shell expands `mq-send jobs -f *.txt`. Only the first file belongs to -f then; the others are words. */
static void take_word(struct argp_state *state, char *word)
{
    if (!arg_queue)
        arg_queue = word;
    else if (arg_input.file_count > 0)
        input_add_file(&arg_input, state, word);
    else
        input_take_body(&arg_input, state);
}

static void refuse_if(const struct argp_state *state, bool is_given, const char *why)
{
    if (is_given)
        cli_usage(state, "%s", why);
}

static void check(const struct argp_state *state)
{
    const bool in_transaction = arg_tx && *arg_tx;
    sending.tallies = sending.framing || arg_input.file_count > 1;
    refuse_if(state, arg_input.word_count > 0 && sending.framing,
              "a body among the arguments excludes --lines, --null and --json");
    refuse_if(state, arg_input.progress && !sending.framing, "--progress is for --lines, --null and --json");
    refuse_if(state, sending.tallies && message_options_has_id(), "--id is for one message");
    refuse_if(state, sending.tallies && sending.request, "--request is for one message");
    refuse_if(state, sending.request && in_transaction,
              "--request cannot be part of a transaction: nobody sees it before the commit; give --tx=");
    refuse_if(state, sending.request && message_options_has_header("Reply-To"), "--request excludes --reply-to");
    refuse_if(state, sending.request && sending.options.once,
              "--request excludes --once: a duplicate would wait for a reply that goes elsewhere");
    refuse_if(state, sending.options.once && in_transaction,
              "--once cannot be part of a transaction, which is sent once as a whole; give --tx=");
    refuse_if(state, sending.options.once && sending.options.batch,
              "--batch excludes --once: each message that is sent once has a file of its own");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 'f':
        input_add_file(&arg_input, state, argument);
        return 0;
    case 'l':
    case '0':
    case 'j':
        set_framing(state, key);
        return 0;
    case BATCH:
        sending.options.batch = cli_number(state, "--batch", argument, 1, 4096);
        return 0;
    case LINGERING:
        sending.linger = cli_milliseconds(state, "--linger", argument);
        return 0;
    case NO_SYNC:
        sending.options.no_sync = true;
        return 0;
    case 'b':
        sending.options.block = argument ? cli_duration(state, "--block", argument) : MQ_FOREVER;
        return 0;
    case ONCE:
        sending.options.once = true;
        return 0;
    case PROGRESS:
        arg_input.progress = true;
        return 0;
    case TX:
        arg_tx = argument;
        return 0;
    case REQUEST:
        sending.request = true;
        sending.reply_timeout = argument ? cli_duration(state, "--request", argument) : MQ_FOREVER;
        return 0;
    case ARGP_KEY_ARG:
        take_word(state, argument);
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

static const struct argp_child children[] = {{&message_options_argp, 0, NULL, 0}, {&cli_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "QUEUE [BODY...]\nQUEUE -f FILE...",
    .doc = "Send a message to QUEUE: the words of BODY, or without them or for - standard input.\v"
           "Options come before BODY: all that follows its first word belongs to it. "
           "The queue is made if it is missing. The id of each message is printed once it is safe.",
    .children = children,
};

int main(int argc, char **argv)
{
    int status;
    arg_tx = getenv(TX_VARIABLE);
    cli_parse_in_order(&argp, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    /* An error of the command line is reported before a queue is made. */
    mq_message *trial = message_options_make(&status);
    if (!trial)
        return status;
    mq_message_free(trial);
    status = arg_tx && *arg_tx ? tx_open(arg_tx, &sending.to.tx) : STATUS_DONE;
    if (status == STATUS_DONE)
        status = destination_open(&sending.to, arg_queue);
    if (status == STATUS_DONE && !sending.to.queue && sending.request)
        status = cli_fail(STATUS_USAGE, arg_queue, "--request sends to a queue, and this is a %s",
                          sending.to.log ? "log" : "topic");
    if (status != STATUS_DONE)
        return status;
    /* The queue is not closed: the end of the process does that, with four system calls fewer. */
    return input_send(&arg_input, &sending);
}
