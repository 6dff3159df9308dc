/* The spool: the directory of the queues. Calls that report an error return its exit status. */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>

extern const char *cli_spool; /* of -S; NULL: $MQ_SPOOL or the default */

/* The spool in use, for people; not escaped. */
#define CLI_SPOOL_SIZE 4352 /* a path, and a hint */
void cli_describe_spool(char text[CLI_SPOOL_SIZE]);

/* Whether -S or the environment names the spool. */
bool cli_spool_is_named(void);

/* Report it if the spool has no path, or if it is missing or cannot be entered. */
int cli_check_spool_path(void);
int cli_check_spool(void);

/* Report that the spool could not be made. */
int cli_cannot_make_spool(int error);

/* Whether the spool is seen to be a directory. */
bool cli_spool_is_there(void);

/* Unless -q is given, say that the spool holds no queue. */
void cli_say_none(void);

#endif
