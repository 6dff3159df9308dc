/* Routing keys and patterns. */
#include "route/pattern.h"

#include <stddef.h>
#include <string.h>

#include "format/message.h"

bool pattern_is_valid(const char *text)
{
    const size_t length = strnlen(text, PATTERN_SIZE);
    return length < PATTERN_SIZE && message_is_one_line(text, length);
}

/* ---- words: a pointer to where one begins, or NULL behind the last ---------------------- */

static const char *first_word(const char *text)
{
    return *text ? text : NULL;
}

static const char *next_word(const char *word)
{
    const char *dot = strchr(word, '.');
    return dot ? dot + 1 : NULL;
}

static bool is_word(const char *word, char wildcard)
{
    return word[0] == wildcard && (word[1] == '.' || word[1] == '\0');
}

static bool words_agree(const char *pattern, const char *key)
{
    if (is_word(pattern, '*'))
        return true;
    const size_t length = strcspn(pattern, ".");
    return length == strcspn(key, ".") && memcmp(pattern, key, length) == 0;
}

/* ---- matching ---------------------------------------------------------------------------- */

/* When words disagree, the last `#` takes one more word: what an earlier one could take instead makes no difference. */
bool pattern_matches(const char *pattern, const char *key)
{
    const char *wanted = first_word(pattern), *word = first_word(key);
    const char *behind_hash = NULL, *taken = NULL; /* the word that the last `#` takes next; NULL: there was none */
    while (word) {
        if (wanted && is_word(wanted, '#')) {
            wanted = behind_hash = next_word(wanted);
            taken = word;
        } else if (wanted && words_agree(wanted, word)) {
            wanted = next_word(wanted);
            word = next_word(word);
        } else if (taken) {
            taken = word = next_word(taken);
            wanted = behind_hash;
        } else {
            return false;
        }
    }
    while (wanted && is_word(wanted, '#'))
        wanted = next_word(wanted);
    return !wanted;
}
