/* How many messages an entry of a log holds. */
#include "format/log_entry.h"

#include <stdbool.h>
#include <string.h>

#include "base/put.h"
#include "format/log_name.h"
#include "format/name.h"

#define COUNT "Mq-Count: "
#define ID "Id: "
#define COUNT_DIGITS 4 /* of NAME_COUNT_MAX */

char *log_entry_put_count(char *to)
{
    return put_text(to, COUNT "    \n");
}

void log_entry_set_count(char *begin, uint32_t count)
{
    char digits[20];
    const size_t length = (size_t)(put_decimal(digits, count) - digits);
    memcpy(begin + sizeof COUNT - 1 + COUNT_DIGITS - length, digits, length);
}

size_t log_entry_put_gap(uint64_t count, char ret_text[LOG_ENTRY_HEAD])
{
    char *end = put_decimal(put_text(ret_text, COUNT), count);
    end = put_text(end, "\n\n");
    return (size_t)(end - ret_text);
}

static bool begins(const char *text, size_t size, const char *with)
{
    const size_t length = strlen(with);
    return size >= length && memcmp(text, with, length) == 0;
}

/* The line of a count. Returns its length; 0: it is malformed. */
static size_t take_count(const char *text, size_t size, uint64_t *ret_count)
{
    uint64_t count = 0;
    size_t at = sizeof COUNT - 1;
    while (at < size && text[at] == ' ')
        at++;
    for (; at < size && text[at] >= '0' && text[at] <= '9' && count <= LOG_OFFSET_MAX / 16; at++)
        count = count * 10 + (uint64_t)(text[at] - '0');
    if (at == size || text[at] != '\n' || count == 0)
        return 0;
    *ret_count = count;
    return at + 1;
}

struct log_entry_head log_entry_parse(const char *text, size_t size)
{
    const struct log_entry_head corrupt = {LOG_ENTRY_CORRUPT, 0};
    struct log_entry_head head = {LOG_ENTRY_MESSAGES, 1};
    if (begins(text, size, ID))
        return head;
    const size_t line = begins(text, size, COUNT) ? take_count(text, size, &head.count) : 0;
    if (line == 0)
        return corrupt;
    if (size == line + 1 && text[line] == '\n')
        head.kind = LOG_ENTRY_GAP;
    else if (head.count > NAME_COUNT_MAX)
        return corrupt;
    return head;
}

size_t log_entry_skip_count(const char *text, size_t size)
{
    const char *end = begins(text, size, COUNT) ? memchr(text, '\n', size) : NULL;
    return end ? (size_t)(end + 1 - text) : 0;
}
