/* Messages that the other side will never take. */
#include "bridge/dead_letter.h"

#include <errno.h>
#include <string.h>

#include "message/failure.h"
#include "text/text.h"

#define REASON_SIZE 512

int dead_letter(mq_queue *queue, mq_message *message, const char *by, const char *words)
{
    struct outcome outcome = {.exit_status = -1};
    char reason[TEXT_ESCAPED(REASON_SIZE)];
    const size_t size = strlen(words);
    outcome_set_failure(&outcome, "refused by %.64s", by);
    failure_keep(queue, message, &outcome, words, size);
    (void)text_escape(words, size < REASON_SIZE ? size : REASON_SIZE, "", reason);
    return mq_reject(queue, mq_message_receipt(message), reason);
}
