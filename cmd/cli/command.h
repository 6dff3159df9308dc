/*
 * Programs with commands: mq-queue COMMAND [WORD...]. Each command says which options and how many words it takes.
 * Any other option or word is an error, never ignored.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>

struct command {
    const char *name;
    const char *takes; /* the characters of its options; 'j' if it prints something */
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

/* Call command_note for each option that is given, and command_parse for the keys of argp that are no options. */
void command_note(struct command_line *line, int key);
error_t command_parse(struct command_line *line, int key, struct argp_state *state);

int command_run(const struct command_line *line);

#endif
