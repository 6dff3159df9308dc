/* Who holds what until when: the claims of queues. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/human.h"
#include "text/text.h"

#define CLAIM_HOST 8 /* bytes that mark a host */

/* A claim, as it is shown. */
struct claim_text {
    char attempt[16];
    char owner[24];                      /* process id; "-" where it is not known */
    char host[TEXT_ESCAPED(CLAIM_HOST)]; /* "here", or the mark of another host, escaped */
    char command[64];                    /* of a process of this host, escaped; "ended" where there is none */
    char held[HUMANE_SIZE];              /* since it was claimed */
    char left[HUMANE_SIZE + 8];          /* until its deadline */
};
void claims_describe(const struct mq_entry *entry, int64_t now, struct claim_text *ret_text);

/* Print the claims of the queues named, or of all of the spool: an exit status. */
int claims_show(char *const *names, int count);

#endif
