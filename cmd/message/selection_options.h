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

/* Take --count, --match, --id, --state, --older-than, --all or --dry-run. ARGP_ERR_UNKNOWN: `key` is none of them. A
   wrong value ends the program. */
error_t selection_parse_option(struct selection *selection, int key, char *argument, const struct argp_state *state);

#endif
