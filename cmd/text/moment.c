/* Moments. */
#include "text/moment.h"

#include "base/units.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000
#define DAY 86400
#define LAST_SECOND INT64_C(253402300799) /* the end of the year 9999, the last one of RFC 3339 */

/* ---- parsing -------------------------------------------------------------------- */

/* Each parser moves `*at` behind the part that it has parsed. If that part is malformed, the parser returns false. */
static bool take_character(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_number(const char **at, int digits, int least, int most, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        const char digit = (*at)[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    if (number < least || number > most)
        return false;
    *ret_number = number;
    *at += digits;
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool take_date(const char **at, struct tm *tm)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(at, 4, 1970, 9999, &year) || !take_character(at, "-") || !take_number(at, 2, 1, 12, &month) ||
        !take_character(at, "-"))
        return false;
    const int last = month == 2 && is_leap(year) ? 29 : days[month - 1];
    if (!take_number(at, 2, 1, last, &day))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return true;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.DECIMALS. */
static bool take_time(const char **at, struct tm *tm, int64_t *ret_fraction)
{
    tm->tm_sec = 0;
    *ret_fraction = 0;
    if (!take_number(at, 2, 0, 23, &tm->tm_hour) || !take_character(at, ":") || !take_number(at, 2, 0, 59, &tm->tm_min))
        return false;
    if (!take_character(at, ":"))
        return true;
    if (!take_number(at, 2, 0, 60 /* a leap second */, &tm->tm_sec))
        return false;
    if (!take_character(at, "."))
        return true;
    const char *const first = *at;
    int digit;
    for (int64_t unit = SECOND / 10; take_number(at, 1, 0, 9, &digit); unit /= 10)
        *ret_fraction += unit * digit;
    return *at > first;
}

/* `Z` or `+02:00`. An empty text means local time. */
static bool take_zone(const char **at, bool *ret_local, int *ret_offset)
{
    int hours, minutes;
    *ret_offset = 0;
    *ret_local = **at == '\0';
    if (*ret_local || take_character(at, "Zz"))
        return true;
    const int sign = **at == '-' ? -1 : 1;
    if (!take_character(at, "+-") || !take_number(at, 2, 0, 23, &hours) || !take_character(at, ":") ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *ret_offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* ---- local time ------------------------------------------------------------------- */

static bool is_same_minute(const struct tm *one, const struct tm *other)
{
    return one->tm_year == other->tm_year && one->tm_yday == other->tm_yday && one->tm_hour == other->tm_hour &&
           one->tm_min == other->tm_min;
}

/* The moment of a local date and time, if the offset from UTC is the one in force `days` days later. `as_utc` is the
   moment that the date and time would be in UTC. */
static time_t minute_with_offset_of(time_t as_utc, int days)
{
    const time_t near = as_utc + days * DAY;
    struct tm there = {0};
    (void)localtime_r(&near, &there);
    return as_utc - there.tm_gmtoff;
}

/*
 * Find the first moment after `after` at which local clocks show this date and time. If clocks are put back, they show
 * it twice: with the offset before the change and with the offset after it. If clocks are put forward, they show it
 * with neither. Two changes are at least two days apart, so the offsets a day before and a day after are the only
 * candidates.
 */
static bool find_shown(const struct tm *tm, int64_t fraction, int64_t after, int64_t *ret_moment)
{
    struct tm minute = *tm;
    minute.tm_sec = 0;
    const time_t as_utc = timegm(&minute); /* timegm also normalises the date */
    bool found = false;
    for (int days = -1; days <= 1; days += 2) {
        const time_t begun = minute_with_offset_of(as_utc, days);
        const int64_t moment = (int64_t)begun * SECOND + tm->tm_sec * SECOND + fraction;
        struct tm shown;
        if (moment > after && !(found && *ret_moment <= moment) && localtime_r(&begun, &shown) &&
            is_same_minute(&shown, &minute)) {
            *ret_moment = moment;
            found = true;
        }
    }
    return found;
}

/* A moment after `now`, if there is one, else the first one. A time that clocks skip is counted with the offset before
   the change. */
static int64_t moment_of_local(const struct tm *tm, int64_t fraction, int64_t now)
{
    int64_t moment;
    struct tm copy = *tm;
    if (find_shown(tm, fraction, now, &moment) || find_shown(tm, fraction, INT64_MIN, &moment))
        return moment;
    return (int64_t)minute_with_offset_of(timegm(&copy), -1) * SECOND + fraction;
}

/* ---- whole texts ------------------------------------------------------------------ */

static bool parse_date_and_time(const char *text, int64_t now, int64_t *ret_moment)
{
    struct tm tm = {0};
    int64_t fraction;
    bool local;
    int offset;
    if (!take_date(&text, &tm) || !take_character(&text, "Tt ") || !take_time(&text, &tm, &fraction) ||
        !take_zone(&text, &local, &offset) || *text)
        return false;
    const int64_t moment = local ? moment_of_local(&tm, fraction, now)
                                 : ((int64_t)timegm(&tm) - offset) * SECOND + fraction;
    if (moment < 0 || moment / SECOND > LAST_SECOND)
        return false;
    *ret_moment = moment;
    return true;
}

bool moment_parse_rfc3339(const char *text, int64_t *ret_moment)
{
    return parse_date_and_time(text, INT64_MIN, ret_moment);
}

/* The next moment at which local clocks show this time of day. Several days are tried, since clocks may skip the time
   on one of them, or skip a whole day; the first is yesterday, since a change at midnight may repeat its end. */
static bool parse_time_of_day(const char *text, int64_t now, int64_t *ret_moment)
{
    const time_t today = (time_t)(now / SECOND);
    struct tm tm;
    int64_t fraction;
    if (!localtime_r(&today, &tm) || !take_time(&text, &tm, &fraction) || *text)
        return false;
    tm.tm_mday--;
    for (int tries = 0; tries < 5; tries++, tm.tm_mday++)
        if (find_shown(&tm, fraction, now, ret_moment))
            return true;
    return false;
}

bool moment_parse(const char *text, int64_t now, int64_t *ret_moment)
{
    if (text[0] == '@')
        return strspn(text + 1, "0123456789.") == strlen(text + 1) && units_parse_duration(text + 1, ret_moment);
    return parse_date_and_time(text, now, ret_moment) || parse_time_of_day(text, now, ret_moment);
}

/* ---- formatting ----------------------------------------------------------------- */

void moment_format(int64_t moment, char text[MOMENT_SIZE])
{
    const time_t seconds = (time_t)(moment / SECOND);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || strftime(text, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        text[0] = '\0';
    const size_t length = strlen(text);
    snprintf(text + length, MOMENT_SIZE - length, ".%06uZ", (unsigned)(moment % SECOND) % SECOND);
}
