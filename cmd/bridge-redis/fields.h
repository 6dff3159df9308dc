/*
 * A message as the fields of an entry of a stream, and back. mq-bridge-redis(1) has the table.
 *
 *     struct fields fields = {0};
 *     error = fields_of_message(&fields, &place, message);
 *     … fields.words, fields.count …
 *     fields_release(&fields);
 */
#ifndef REDIS_FIELDS_H
#define REDIS_FIELDS_H

#include <mq.h>

#include "base/clock.h"
#include "bridge-redis/connection.h"

#define FIELDS_WORDS_SIZE 160

/* The words of an XADD, name and value by turns; they live until the next message. */
struct fields {
    struct word *words;
    size_t count, room;
    char *body;
    size_t body_room;
    char timestamp[CLOCK_RFC3339_SIZE], expires[CLOCK_RFC3339_SIZE], priority[2];
};

/* Add the words to those that are there. 0 or a negative errno. */
int fields_add(struct fields *fields, const void *bytes, size_t size);
int fields_of_message(struct fields *fields, const struct place *place, mq_message *message);
void fields_release(struct fields *fields);

/*
 * Set what the fields of an entry say. `ret_body` gets the body, which the caller frees. False: `ret_words` say which field
 * no message can have; they are empty if memory is out.
 */
bool fields_to_message(const struct place *place, redisReply *const *words, size_t count, mq_message *message,
                       char **ret_body, char ret_words[FIELDS_WORDS_SIZE]);

#endif
