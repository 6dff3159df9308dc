/* What its sender gave a message: the body, and those of its headers that are no properties. */
#ifndef CONTENT_H
#define CONTENT_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

/* Read the whole body, which is mq_message_size bytes. 0; -EBADMSG: it ends before; or the error of reading. */
int content_read(mq_message *message, char *data);

/* The same into memory that the caller frees, with room for one byte more. -ENOMEM: there is not so much. */
int content_copy(mq_message *message, char **ret_body);

/* Whether a header that a message was received with is a property, which is shown or carried as such. */
bool content_is_property(const char *name);

/* Whether a header of this name may be a sender's: it is no property, and none that mq writes for itself. */
bool content_is_header(const char *name);

#endif
