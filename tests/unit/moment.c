/* Moments: what is taken and what is refused, to the limits, in any time zone; and what is written. */
#include "text/moment.h"

#include <stdlib.h>
#include <time.h>

#include "unit.h"

#define SECOND INT64_C(1000000)
#define LAST (INT64_C(253402300799) * SECOND) /* 9999-12-31T23:59:59Z */

static void in_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* -1: refused, and nothing is changed. */
static void expect_moment(const char *text, int64_t wanted)
{
    int64_t moment = -1;
    EXPECT(moment_parse_rfc3339(text, &moment) == (wanted >= 0));
    if (moment != wanted)
        fprintf(stderr, "%s: %" PRId64 "\n", text, moment);
    EXPECT(moment == wanted);
}

static void rfc3339(void)
{
    in_zone("UTC");
    expect_moment("1970-01-01T00:00:00Z", 0);
    expect_moment("2026-11-24T10:30:00Z", 1795516200 * SECOND);
    expect_moment("2026-11-24t10:30:00z", 1795516200 * SECOND);
    expect_moment("2026-11-24T12:30:00+02:00", 1795516200 * SECOND);
    expect_moment("2026-11-24T05:00:00-05:30", 1795516200 * SECOND);
    expect_moment("2026-11-24T10:30:00.25Z", 1795516200 * SECOND + 250000);
    expect_moment("2026-11-24T10:30:00.0000019Z", 1795516200 * SECOND + 1);
    expect_moment("2024-02-29T00:00:00Z", 1709164800 * SECOND);
    expect_moment("2000-02-29T00:00:00Z", 951782400 * SECOND);
    expect_moment("9999-12-31T23:59:59Z", LAST);
    static const char *const refused[] = {
        "",
        "2026-11-24",
        "2026-11-24T10:30:00ZZ",
        "2026-11-24T10:30:00Z ",
        " 2026-11-24T10:30:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:60:00Z",
        "2026-11-24T10:30:61Z",
        "2026-11-24T10:30:00.Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "26-11-24T10:30:00Z",
        "2026-11-24T10:30:00+2:00",
        "2026-11-24T10:30:00+24:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01", /* before the epoch */
        "9999-12-31T23:59:59-00:01", /* after 9999 */
        "10000-01-01T00:00:00Z",
        "-2026-11-24T10:30:00Z",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect_moment(refused[i], -1);
}

static void local(void)
{
    in_zone("EAST-3");
    expect_moment("2026-11-24T13:30:00", 1795516200 * SECOND);
    expect_moment("2026-11-24T10:30:00Z", 1795516200 * SECOND);
}

static void expect_next(const char *text, int64_t now, int64_t wanted)
{
    int64_t moment = -1;
    EXPECT(moment_parse(text, now, &moment) == (wanted >= 0));
    if (moment != wanted)
        fprintf(stderr, "%s: %" PRId64 "\n", text, moment);
    EXPECT(moment == wanted);
}

static void spoken(void)
{
    const int64_t now = 1795516200 * SECOND; /* 10:30 in UTC */
    in_zone("UTC");
    expect_next("@0", now, 0);
    expect_next("@1795516200", now, now);
    expect_next("@", now, -1);
    expect_next("@-1", now, -1);
    expect_next("@99999999999999999999", now, -1);
    expect_next("10:31", now, now + 60 * SECOND);
    expect_next("10:30", now, now + 86400 * SECOND); /* after now */
    expect_next("10:29", now, now + 86340 * SECOND);
    expect_next("00:00", now, now + 48600 * SECOND);
    expect_next("24:00", now, -1);
    expect_next("1030", now, -1);
    expect_next("2026-11-24T10:30:00Z", 0, now);
    in_zone("EAST-3");
    expect_next("13:31", now, now + 60 * SECOND);
}

static void expect_text(int64_t moment, const char *wanted)
{
    char text[MOMENT_SIZE];
    moment_format(moment, text);
    EXPECT_TEXT(text, wanted);
    expect_moment(text, moment);
}

static void written(void)
{
    in_zone("EAST-3");
    expect_text(0, "1970-01-01T00:00:00.000000Z");
    expect_text(1795516200 * SECOND + 1, "2026-11-24T10:30:00.000001Z");
    expect_text(LAST + SECOND - 1, "9999-12-31T23:59:59.999999Z");
}

int main(void)
{
    rfc3339();
    local();
    spoken();
    written();
    return unit_failures > 0;
}
