/*
 * Programs with commands: mq-queue COMMAND [WORD...]. Each command says which options and how many
 * words it takes; whatever else is given is misuse, never ignored.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>

struct command {
    const char *name;
    const char *takes; /* the options' characters; 'j' where it has something to print */
    int least, most;   /* words after the command; `most` -1: any number */
    int (*run)(char **words, int count);
};

/* The key of an option that has no short form: `character` names it in `takes`. */
#define COMMAND_LONG(character) (0x100 + (character))

struct command_line {
    const struct argp_option *options;
    const struct command *commands; /* the last one has no name */
    const struct command *command;  /* the one that was given */
    char **words;
    int count;
    char used[32]; /* characters of the options that were given */
};

/* To be called for each option that was given, and for the keys that are no options. */
void command_note(struct command_line *line, int key);
error_t command_parse(struct command_line *line, int key, struct argp_state *state);

int command_run(const struct command_line *line);

#endif
