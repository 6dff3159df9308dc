/* What the other side has said of messages that went back to their place here. */
#include "bridge/answers.h"

#include <string.h>

#include "base/grow.h"

#define PRIME UINT64_C(0x100000001b3) /* FNV-1a */

static uint64_t add(uint64_t mark, const void *data, size_t size)
{
    const unsigned char *const bytes = data;
    for (size_t i = 0; i < size; i++)
        mark = (mark ^ bytes[i]) * PRIME;
    return mark;
}

uint64_t answers_mark(const mq_message *message)
{
    const char *id = mq_message_id(message);
    const int64_t sent_at = mq_message_sent_at(message);
    const uint64_t size = mq_message_size(message);
    const uint64_t mark = add(UINT64_C(0xcbf29ce484222325), id, strlen(id));
    return add(add(mark, &sent_at, sizeof sent_at), &size, sizeof size);
}

bool answers_add(struct answers *answers, uint64_t mark, const char *words)
{
    char *const copy = words ? strdup(words) : NULL;
    if ((words && !copy) || !GROW(answers->all, answers->count + 1, answers->room)) {
        free(copy);
        return false;
    }
    answers->all[answers->count++] = (struct answer){mark, copy};
    return true;
}

bool answers_take(struct answers *answers, const mq_message *message, char **ret_words)
{
    const uint64_t mark = answers->count > 0 ? answers_mark(message) : 0;
    for (size_t i = 0; i < answers->count; i++)
        if (answers->all[i].mark == mark) {
            *ret_words = answers->all[i].words;
            answers->count--;
            memmove(answers->all + i, answers->all + i + 1, (answers->count - i) * sizeof *answers->all);
            return true;
        }
    return false;
}

void answers_move(struct answers *from, struct answers *to)
{
    for (size_t i = 0; i < from->count; i++)
        (void)answers_add(to, from->all[i].mark, from->all[i].words);
    answers_clear(from);
}

void answers_clear(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        free(answers->all[i].words);
    answers->count = 0;
}

void answers_release(struct answers *answers)
{
    answers_clear(answers);
    free(answers->all);
    *answers = (struct answers){0};
}
