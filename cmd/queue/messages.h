/*
 * The commands of mq-queue that are about messages: what the command line says of them.
 *
 *     selection_parse_option(&messages_selection, key, argument, state);
 *     messages_take_words(&line, state);         at the end of the command line
 *
 * Each command gets its words, of which the first is a queue, and returns an exit status.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "cli/command.h"
#include "message/selection_options.h"
#include "message/template.h"

extern struct selection messages_selection;
extern bool messages_failed, messages_follow; /* of history and output */
extern unsigned messages_attempt;             /* of output; 0: the last one */
extern struct template *messages_format;      /* of peek; NULL: none */

/* Take the words behind the queues: ids, or what set changes; and check that something is selected, where that is
   required. What is wrong ends the program. */
void messages_take_words(const struct command_line *line, const struct argp_state *state);

int messages_peek(char **words, int count);
int messages_history(char **words, int count);
int messages_output(char **words, int count);
int messages_remove(char **words, int count);
int messages_set(char **words, int count);
int messages_release(char **words, int count);
int messages_move(char **words, int count);
int messages_copy(char **words, int count);
int messages_purge(char **words, int count);

#endif
