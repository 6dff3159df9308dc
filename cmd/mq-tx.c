/* mq-tx: several sends, acks and changed files as one. */
#include "base/clock.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "tx/tx.h"
#include "tx/tx_list.h"
#include "tx/tx_run.h"

#define TIMEOUT (600 * CLOCK_SECOND)
#define RUN_TIMEOUT (60 * CLOCK_SECOND)

static int64_t arg_timeout; /* 0: not given */
static char **arg_receipts;
static int arg_receipt_count;
static char **arg_command; /* NULL: none is given */

static const struct argp_option options[] = {
    {"timeout", 't', "DURATION", 0,
     "begin, run: undo the transaction unless it is committed within DURATION; 10m by default. run extends it while "
     "the "
     "command runs; 1m by default",
     1},
    {"ack", COMMAND_LONG('a'), "RECEIPT", 0, "commit, run: ack this message as part of it; may be repeated", 1},
    {0},
};

static int run_begin(char **words, int count)
{
    mq_tx *tx;
    (void)words;
    (void)count;
    const int status = tx_begin(arg_timeout ? arg_timeout : TIMEOUT, &tx);
    if (status != STATUS_DONE)
        return status;
    printf("%s\n", mq_tx_id(tx));
    mq_tx_free(tx);
    return STATUS_DONE;
}

static int run_commit(char **words, int count)
{
    mq_tx *tx;
    (void)count;
    int status = tx_open(words[0], &tx);
    if (status != STATUS_DONE)
        return status;
    status = tx_conclude(tx, arg_receipts, arg_receipt_count);
    mq_tx_free(tx);
    return status;
}

static int run_abort(char **words, int count)
{
    mq_tx *tx;
    (void)count;
    const int status = tx_open(words[0], &tx);
    if (status != STATUS_DONE)
        return status;
    const int error = mq_tx_abort(tx);
    mq_tx_free(tx);
    return error ? tx_error(error, words[0], "cannot abort") : STATUS_DONE;
}

static int run_put(char **words, int count)
{
    mq_tx *tx;
    (void)count;
    const int status = tx_open(words[0], &tx);
    if (status != STATUS_DONE)
        return status;
    const mode_t mask = umask(0);
    const int error = mq_tx_put(tx, STDIN_FILENO, words[1], 0666 & ~mask);
    mq_tx_free(tx);
    return error ? tx_error(error, words[1], "cannot put the file into the transaction") : STATUS_DONE;
}

static int run_list(char **words, int count)
{
    (void)words;
    (void)count;
    return tx_list();
}

static int run_command(char **words, int count)
{
    (void)words;
    (void)count;
    return tx_run(arg_command, arg_timeout ? arg_timeout : RUN_TIMEOUT, arg_receipts, arg_receipt_count);
}

/* ---- the command line ------------------------------------------------------------ */

static const struct command commands[] = {
    {"begin", "t", 0, 0, run_begin},
    {"commit", "a", 1, 1, run_commit},
    {"abort", "", 1, 1, run_abort},
    {"put", "", 2, 2, run_put},
    {"list", "j", 0, 0, run_list},
    {"run", "ta", 0, 0, run_command},
    {0},
};
static struct command_line line = {.options = options, .commands = commands};

/* What is behind `--` is the command of run, and of no other. */
static void check_command(const struct argp_state *state)
{
    const bool runs = line.command && line.command->run == run_command;
    if (runs && (!arg_command || !arg_command[0]))
        cli_usage(state, "run: no command is given behind --");
    if (!runs && arg_command)
        cli_usage(state, "%s takes no command", line.command->name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case 't':
        (void)cli_delay(state, "--timeout", argument);
        arg_timeout = cli_period(state, "--timeout", argument);
        break;
    case COMMAND_LONG('a'):
        if (!arg_receipts)
            arg_receipts = cli_must(calloc((size_t)state->argc, sizeof *arg_receipts));
        arg_receipts[arg_receipt_count++] = argument;
        break;
    case ARGP_KEY_SUCCESS:
        check_command(state);
        return 0;
    default:
        return command_parse(&line, key, state);
    }
    command_note(&line, key);
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "begin\ncommit TX\nabort TX\nput TX FILE\nlist\nrun -- COMMAND [ARG...]",
    .doc = "Make several sends, acks and file changes happen together or not at all.\v"
           "begin prints TX, for the others and for mq-send --tx; run sets MQ_TX for its command.",
    .children = cli_json_children,
};

int main(int argc, char **argv)
{
    arg_command = cli_cut_command(&argc, argv);
    cli_parse(&argp, argc, argv);
    return output_finish(command_run(&line));
}
