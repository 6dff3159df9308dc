/*
 * What the other side has said of messages that went back to their place here: when they are claimed again, those that
 * it has are acked, and those that it refused become dead letters. Neither is carried twice.
 *
 *     answers_add(&answers, answers_mark(message), words);
 *     if (answers_take(&answers, message, &words)) …
 */
#ifndef BRIDGE_ANSWERS_H
#define BRIDGE_ANSWERS_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
    uint64_t mark;
    char *words; /* why the message was refused; NULL: it was confirmed */
};

struct answers {
    struct answer *all;
    size_t count, room;
};

/* Made from the id, the moment of sending and the size of the body: no two messages have the same in practice. */
uint64_t answers_mark(const mq_message *message);

/* `words` is copied. False: out of memory, and the message will be carried again. */
bool answers_add(struct answers *answers, uint64_t mark, const char *words);

/* Remove the answer about this message, whose words are the caller's to free. False: there is none. */
bool answers_take(struct answers *answers, const mq_message *message, char **ret_words);

/* Move all of `from` to the end of `to`. */
void answers_move(struct answers *from, struct answers *to);

void answers_clear(struct answers *answers);
void answers_release(struct answers *answers);

#endif
