/*
 * What the command line of mq-send says of every message that it sends: an argp child that takes
 * the options, and a call that tells a message what they said.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>

extern const struct argp message_options_argp;

/* Whether --id was given, which only one message can have. */
/* The ttl that was given; 0: none. */
int64_t message_options_ttl(void);

bool message_options_has_id(void);

/* Whether the command line sets a header. */
bool message_options_has_header(const char *name);

/* Tell a new message all of it; reports what is wrong. An exit status. */
int message_options_apply(mq_message *message);

#endif
