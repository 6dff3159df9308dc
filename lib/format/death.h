/*
 * Reasons of death: why a message is a dead letter. The name of a dead letter holds its reason, escaped.
 *
 *     char escaped[NAME_REASON_SIZE];
 *     name_escape_reason(reason, escaped);                a reason that a receiver gave
 *     reason = mq_death_name(MQ_DEATH_EXPIRED);           a reason of the library itself (mq.h)
 *
 * Nothing here can fail: a reason that is too long is cut between two characters.
 */
#ifndef MQ_DEATH_H
#define MQ_DEATH_H

#include "format/name.h"
#include "mq.h"

/* The cause under which a dead letter with this reason is counted. MQ_DEATH_REJECTED: the reason is not one of the
   library's own. */
enum mq_death death_cause(const char *reason);

/* A reason as a field of a name, and back. */
void name_escape_reason(const char *reason, char ret_escaped[NAME_REASON_SIZE]);
void name_unescape_reason(const char *escaped, char ret_reason[NAME_REASON_SIZE]);

#endif
