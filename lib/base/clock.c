/* Clocks. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#include "base/put.h"

int64_t clock_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * CLOCK_SECOND + time->tv_nsec / 1000;
}

int64_t clock_of_file(const struct timespec *time)
{
    if (time->tv_sec < 0)
        return 0;
    return time->tv_sec < CLOCK_MAX / CLOCK_SECOND ? clock_of(time) : CLOCK_MAX;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return clock_of(&time);
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_boot(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_booted_at(void)
{
    return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
}

struct date {
    unsigned year, month, day;
};

/* The date of a day, given as days since 1970-01-01. The years here begin in March, so that a leap day is the last day
   of its year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). gmtime would read the time zone
   first. */
static struct date date_of_day(int64_t days)
{
    const int64_t since_0000 = days + 719468;                              /* from 0000-03-01 */
    const int64_t era = since_0000 / 146097, of_era = since_0000 % 146097; /* eras of 400 years */
    const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * of_year + 2) / 153; /* 0: March */
    return (struct date){
        .year = (unsigned)(year_of_era + era * 400 + (month >= 10)),
        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
        .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
    };
}

void clock_format_rfc3339(int64_t moment, char text[CLOCK_RFC3339_SIZE])
{
    const struct date date = date_of_day(moment / CLOCK_DAY);
    const unsigned seconds = (unsigned)(moment % CLOCK_DAY / CLOCK_SECOND);
    strcpy(text, "YYYY-MM-DDThh:mm:ss.uuuuuuZ");
    put_digits(text, date.year, 4);
    put_digits(text + 5, date.month, 2);
    put_digits(text + 8, date.day, 2);
    put_digits(text + 11, seconds / 3600, 2);
    put_digits(text + 14, seconds / 60 % 60, 2);
    put_digits(text + 17, seconds % 60, 2);
    put_digits(text + 20, (unsigned)(moment % CLOCK_SECOND), 6);
}

bool clock_parse_rfc3339(const char *text, int64_t *ret_moment)
{
    char again[CLOCK_RFC3339_SIZE];
    struct tm date = {0};
    unsigned micros;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ", &date.tm_year, &date.tm_mon, &date.tm_mday, &date.tm_hour,
               &date.tm_min, &date.tm_sec, &micros) != 7)
        return false;
    date.tm_year -= 1900;
    date.tm_mon--;
    const int64_t moment = timegm(&date) * CLOCK_SECOND + micros;
    if (moment < 0 || moment > CLOCK_MAX)
        return false;
    clock_format_rfc3339(moment, again);
    if (strcmp(again, text) != 0)
        return false;
    *ret_moment = moment;
    return true;
}
