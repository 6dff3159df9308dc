/* The beginning of a message in any state, even a corrupt one, for a listing; and a message shown whole. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

#include "message/template.h"
#include "text/text.h"

#define PREVIEW_BYTES 64
#define PREVIEW_GROUP 24

/* If the message is corrupt, these describe its file. */
struct preview {
    uint64_t size; /* bytes of body */
    int64_t sent_at;
    char group[TEXT_ESCAPED(PREVIEW_GROUP)]; /* how its message group begins, escaped; empty: it has none */
    char body[TEXT_ESCAPED(PREVIEW_BYTES)];  /* how the body begins, escaped */
};

/* Read the beginning of the message. 1: read. 0: the message has left this state. Otherwise a negative errno. */
int preview_of(mq_queue *queue, const struct mq_entry *entry, struct preview *ret_preview);

/* Print headers, a blank line and the body; for a terminal, control characters are escaped. 0 or a negative errno. */
int preview_print_whole(mq_message *message);

/* Print a line by a template, escaped in the same way. 0 or a negative errno. */
int preview_print_by_template(const struct template *template, const struct template_message *about);

#endif
