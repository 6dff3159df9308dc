/* Messages as JSON, and JSON Lines on standard output. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <jansson.h>
#include <mq.h>
#include <stdbool.h>

/*
 * A message with its body, as a new object; with its receipt where `receipt` is not NULL. The body is
 * read to its end. -ENOMEM, or what reading the body said.
 */
int json_from_message(mq_message *message, const char *queue, const char *receipt, json_t **ret_object);

/* The object as a line of text, which the caller frees; NULL: out of memory. */
char *json_line(const json_t *object);

/* For programs that hold nothing: print the object as a line with stdio, and let go of it. NULL ends the program. */
void json_print(json_t *object);

#endif
