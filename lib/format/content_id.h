/*
 * Ids that are made from what a message says: equal messages have equal ids.
 *
 * The id is the SHA-256, in 64 hexadecimal digits, of the headers that the sender set, an empty line, and the body. The
 * headers are lines "name: value", with the names in lower case, in the order of the names.
 */
#ifndef MQ_CONTENT_ID_H
#define MQ_CONTENT_ID_H

#include "format/message.h"

/* As long as every such id; for the file of a message whose body is not known yet. */
extern const char content_id_blank[MQ_ID_SIZE];

/* `file` is the message's file if its body was read from a descriptor. */
int content_id_make(const mq_message *message, int file, char ret_id[MQ_ID_SIZE]);

#endif
