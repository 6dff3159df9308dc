/* The options that choose messages, for the programs with commands (cli/command.h). */
#ifndef SELECTION_OPTIONS_H
#define SELECTION_OPTIONS_H

#include <argp.h>

#include "cli/command.h"
#include "message/selection.h"

/* The keys of those that have no short form. */
#define SELECTION_STATE COMMAND_LONG('s')
#define SELECTION_OLDER_THAN COMMAND_LONG('o')
#define SELECTION_ALL COMMAND_LONG('a')
#define SELECTION_DRY_RUN COMMAND_LONG('d')
#define SELECTION_NEWEST COMMAND_LONG('w')

/* What these options are called in the list of those that a command takes. */
#define SELECTION_BY_ID_AND_AGE "nimow"
#define SELECTION_ANY SELECTION_BY_ID_AND_AGE "s"

/* Take --count, --match, --id, --state, --older-than, --newest, --all or --dry-run. ARGP_ERR_UNKNOWN: `key` is none of
   them. A wrong value ends the program. */
error_t selection_parse_option(struct selection *selection, int key, char *argument, const struct argp_state *state);

/* A forgotten word must not make a command act on every message: end the program if nothing says which messages are meant,
   or if --all says so and something else, too. */
void selection_check(const struct selection *selection, const char *command, const struct argp_state *state);

#endif
