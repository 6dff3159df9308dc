/* mq-stat --inflight: the claims of queues, with their owners and deadlines. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/human.h"
#include "text/text.h"

#define CLAIM_HOST 8 /* bytes of a host's short name */

/* A claim as text. */
struct claim_text {
    char attempt[16];
    char owner[24];                      /* process id; "-": unknown */
    char host[TEXT_ESCAPED(CLAIM_HOST)]; /* "here", or the name of another host in short, escaped */
    char command[64];          /* the command of a process of this host, escaped; "ended": there is no such process */
    char held[HUMAN_SIZE];     /* since it was claimed */
    char left[HUMAN_SIZE + 8]; /* until its deadline */
};
void claims_describe(const struct mq_entry *entry, int64_t now, struct claim_text *ret_text);

/* Print the claims of the named queues; without names, of all queues of the spool. Returns an exit status. */
int claims_show(char *const *names, int count);

#endif
