/* Where in a log. */
#include "cli/where.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cli.h"
#include "text/moment.h"

bool where_parse(const char *text, struct where *ret_where)
{
    struct where where = {0};
    int64_t age;
    const int64_t now = clock_now();
    if (strcmp(text, "beginning") == 0)
        where.kind = WHERE_BEGINNING;
    else if (strcmp(text, "end") == 0)
        where.kind = WHERE_END;
    else if (units_parse_number(text, INT64_MAX, &where.number))
        where.kind = WHERE_OFFSET;
    else if (*text == '-' && units_parse_number(text + 1, INT64_MAX, &where.number))
        where.kind = WHERE_BACK;
    else if (units_parse_duration(text, &age))
        where = (struct where){.kind = WHERE_MOMENT, .moment = now > age ? now - age : 0};
    else if ((*text == '@' && moment_parse(text, now, &where.moment)) || moment_parse_rfc3339(text, &where.moment))
        where.kind = WHERE_MOMENT;
    else
        return false;
    *ret_where = where;
    return true;
}

void where_take(const struct argp_state *state, const char *option, const char *text, struct where *ret_where)
{
    if (!where_parse(text, ret_where))
        cli_usage(state,
                  "%s: '%s' is none of beginning, end, an offset, -N, a time such as 2026-11-24T10:30:00Z or "
                  "@1795516200, and an age such as 2h",
                  option, text);
}

static int out_of_range(const char *log, const char *option, uint64_t offset, uint64_t begin, uint64_t end)
{
    if (offset < begin)
        return cli_fail(STATUS_DATA, log, "%s: the offset %" PRIu64 " was removed: the log begins at %" PRIu64, option,
                        offset, begin);
    return cli_fail(STATUS_DATA, log, "%s: the offset %" PRIu64 " is not there yet: the log ends at %" PRIu64, option,
                    offset, end);
}

int where_find(const struct where *where, mq_log *log, const char *option, uint64_t *ret_offset)
{
    uint64_t begin = 0, end = 0, offset = where->number;
    int error = mq_log_bounds(log, &begin, &end);
    if (!error && where->kind == WHERE_MOMENT)
        error = mq_log_find(log, where->moment, &offset);
    if (error)
        return cli_log_error(error, mq_log_name(log), "cannot look into the log");
    if (where->kind == WHERE_OFFSET && (offset < begin || offset > end))
        return out_of_range(mq_log_name(log), option, offset, begin, end);
    if (where->kind == WHERE_BEGINNING)
        offset = begin;
    else if (where->kind == WHERE_END)
        offset = end;
    else if (where->kind == WHERE_BACK)
        offset = where->number < end - begin ? end - where->number : begin;
    *ret_offset = offset;
    return STATUS_DONE;
}
