/* Findings of `mq-queue doctor`. */
#include "queue/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "text/text.h"

#define TEXT_SIZE 5000

static const char *const names[] = {"ok", "warning", "critical", "unknown"};
static const int ranks[] = {0, 1, 3, 2}; /* of the levels */
static enum finding_level worst;

void finding_add(enum finding_level level, const char *subject, const char *advice, const char *format, ...)
{
    char text[TEXT_SIZE], escaped[TEXT_ESCAPED(TEXT_SIZE)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_escape(text, strlen(text), "", escaped);
    worst = ranks[level] > ranks[worst] ? level : worst;
    if (cli_quiet && level == FINDING_OK)
        return;
    if (cli_json)
        json_print(json_pack("{s:s, s:s, s:s, s:s?}", "level", names[level], "subject", subject, "finding", escaped,
                             "advice", advice));
    else
        printf("%-8s  %s: %s%s%s\n", names[level], subject, escaped, advice ? "; " : "", advice ? advice : "");
}

int finding_worst(void)
{
    return worst;
}
