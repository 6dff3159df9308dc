/* Messages that the other side of a bridge will never take. */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include <mq.h>

/* Make a dead letter of a claimed message: `words` say why, and are kept with it. 0 or the error of mq_reject. */
int dead_letter(mq_queue *queue, mq_message *message, const char *by, const char *words);

#endif
