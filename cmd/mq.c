/* mq: run the program mq-NAME, say which there are, and open their manual pages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "mq/help.h"
#include "mq/programs.h"

static char **arg_words; /* the name and what follows it; NULL: there is none */
static int arg_count;

static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    switch (key) {
    case ARGP_KEY_ARG: /* the first word; what follows belongs to the program */
        arg_words = state->argv + state->next - 1;
        arg_count = state->argc - state->next + 1;
        state->next = state->argc;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "NAME [ARGUMENT...]\nhelp [NAME]",
    .doc = "Run the program mq-NAME with the ARGUMENTs.\v"
           "`mq help` lists the programs, and `mq help NAME` opens the manual page of one.",
};

static int help(void)
{
    struct programs programs;
    programs_find(&programs);
    if (arg_count > 2)
        return cli_fail(STATUS_USAGE, NULL, "help: too many arguments");
    if (arg_count == 2)
        return help_open(&programs, arg_words[1]);
    help_list(&programs, stdout);
    return output_finish(STATUS_DONE);
}

/* Without a command: say which there are. */
static int list_as_error(void)
{
    struct programs programs;
    programs_find(&programs);
    help_list(&programs, stderr);
    return STATUS_USAGE;
}

/* The program could not be started: say why. If it is not there at all, execvp still reports EACCES for a directory of
   PATH that may not be entered. */
static int report(const char *name, int error)
{
    struct programs programs;
    programs_find(&programs);
    const struct program *program = programs_get(&programs, name);
    if (!program)
        return help_no_such(&programs, name);
    return cli_fail(STATUS_CANNOT_RUN, program->path, "cannot be run: %s", strerror(error));
}

static int run(void)
{
    char *file;
    const char *name = arg_words[0];
    /* A path is not looked up in PATH. */
    if (!*name || strchr(name, '/'))
        return report(name, ENOENT);
    if (asprintf(&file, PROGRAM_PREFIX "%s", name) < 0)
        file = NULL;
    arg_words[0] = cli_must(file);
    execvp(file, arg_words);
    return report(name, errno);
}

int main(int argc, char **argv)
{
    cli_parse_in_order(&argp, argc, argv);
    if (!arg_words)
        return list_as_error();
    return strcmp(arg_words[0], "help") == 0 ? help() : run();
}
