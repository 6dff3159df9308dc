/* Messages as JSON, and JSON Lines on standard output. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <jansson.h>
#include <mq.h>
#include <stdint.h>

/* A message with its body as a new object, and with its receipt unless `receipt` is NULL. The body is read to its end.
   -ENOMEM, or the error of reading the body. */
int json_from_message(mq_message *message, const char *queue, const char *receipt, json_t **ret_object);

/* A moment as a string, as moment_format writes it. NULL: out of memory. */
json_t *json_moment(int64_t moment);

/* The object as a line of text, which the caller frees; NULL: out of memory. */
char *json_line(const json_t *object);

/* Print the object as a line with stdio, and free it. If it is NULL, memory is out and the program ends: only for
   programs that hold no claim. */
void json_print(json_t *object);

#endif
