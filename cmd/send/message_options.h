/* The options of mq-send that are about each message that it sends: an argp child, and a call that makes messages. */
#ifndef MESSAGE_OPTIONS_H
#define MESSAGE_OPTIONS_H

#include <argp.h>
#include <mq.h>
#include <stdbool.h>

extern const struct argp message_options_argp;

/* The argument of --ttl; 0: it was not given. */
int64_t message_options_ttl(void);

/* Whether --id was given. Only one message can have that id. */
bool message_options_has_id(void);

/* Whether an option sets this header. */
bool message_options_has_header(const char *name);

/* A new message with what the options say. NULL: an option is wrong, which was reported; the exit status is in
   `ret_status`. */
mq_message *message_options_make(int *ret_status);

#endif
