/* Dates: the same as the C library's, through leap years and centuries. */
#include "base/clock.h"

#include <time.h>

#include "unit.h"

int main(void)
{
    for (int64_t day = 0; day < 60000; day++) {
        char text[CLOCK_RFC3339_SIZE], wanted[CLOCK_RFC3339_SIZE];
        const int64_t moment = day * CLOCK_DAY + day % 86400 * CLOCK_SECOND + 42;
        const time_t seconds = (time_t)(moment / CLOCK_SECOND);
        struct tm tm;
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S.000042Z", gmtime_r(&seconds, &tm));
        clock_format_rfc3339(moment, text);
        EXPECT_TEXT(text, wanted);
    }
    return unit_failures != 0;
}
