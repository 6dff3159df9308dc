/* What a listing shows of a message, in whatever state, corrupt ones too; and a message shown whole. */
#ifndef PREVIEW_H
#define PREVIEW_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

#include "text/text.h"

#define PREVIEW_BYTES 64

/* Of a corrupt message: of its file as it is. */
struct preview {
    uint64_t size; /* bytes of body */
    int64_t sent_at;
    char preview[TEXT_ESCAPED(PREVIEW_BYTES)]; /* how the body begins, escaped */
};

/* 1 got it, 0 the message has moved on, or a negative errno. */
int preview_of(mq_queue *queue, const struct mq_entry *entry, struct preview *ret_glance);

const char *state_name(enum mq_state state);

/* Print headers, a blank line and the body; on a terminal nothing but text gets through. 0 or a negative errno. */
int preview_print_whole(mq_message *message);

#endif
