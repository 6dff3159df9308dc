/*
 * Reasons of death: why a message is a dead letter. The name of a dead letter holds its reason, escaped.
 *
 *     char escaped[NAME_REASON_SIZE];
 *     name_escape_reason(reason, escaped);                a reason that a receiver gave
 *     death_reason(MQ_DEATH_EXPIRED)                a reason of the library itself
 *
 * Nothing here can fail: a reason that is too long is cut between two characters.
 */
#ifndef MQ_DEATH_H
#define MQ_DEATH_H

#include "format/name.h"
#include "mq.h"

/* The reason of a death that the library decides, and MQ_DEATH_REJECTED: of a rejection without a reason. It reads the
   same when escaped. */
const char *death_reason(enum mq_death death);

/* What a dead letter of this reason is counted as: MQ_DEATH_REJECTED for any reason that is not the library's own. */
enum mq_death death_cause(const char *reason);

/* A reason as a field of a name, and back. */
void name_escape_reason(const char *reason, char ret_escaped[NAME_REASON_SIZE]);
void name_unescape_reason(const char *escaped, char ret_reason[NAME_REASON_SIZE]);

#endif
