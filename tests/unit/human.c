/* Rounded figures: ages, sizes and rates, on either side of each unit and at their limits. */
#include "text/human.h"

#include <float.h>

#include "unit.h"

#define SECOND INT64_C(1000000)

static void expect_age(int64_t microseconds, const char *wanted)
{
    char text[HUMAN_SIZE];
    human_age(microseconds, text);
    EXPECT_TEXT(text, wanted);
}

static void ages(void)
{
    expect_age(INT64_MIN, "0s");
    expect_age(-1, "0s");
    expect_age(0, "0s");
    expect_age(SECOND - 1, "0s");
    expect_age(12 * SECOND, "12s");
    expect_age(180 * SECOND, "3m");
    expect_age(5 * 3600 * SECOND, "5h");
    expect_age(2 * 86400 * SECOND, "2d");
    expect_age(INT64_MAX, "106751991d");
}

static void expect_size(uint64_t bytes, const char *wanted)
{
    char text[HUMAN_SIZE];
    human_size(bytes, text);
    EXPECT_TEXT(text, wanted);
}

static void sizes(void)
{
    expect_size(0, "0");
    expect_size(512, "512");
    expect_size(1023, "1023");
    expect_size(1024, "1.0K");
    expect_size(3565158, "3.4M");
    expect_size(UINT64_C(120) << 30, "120G");
    expect_size((1 << 20) - 1, "1.0M"); /* not 1024K */
    expect_size(UINT64_MAX, "16E");
}

static void expect_number(double number, const char *wanted)
{
    char text[HUMAN_SIZE];
    human_number(number, text);
    EXPECT_TEXT(text, wanted);
}

static void rates(void)
{
    expect_number(0, "0");
    expect_number(0.25, "0.25");
    expect_number(12.5, "12.5");
    expect_number(340, "340");
    expect_number(999.4, "999");
    expect_number(999.6, "1.0k");
    expect_number(1234, "1.2k");
    expect_number(999600, "1.0M");
    expect_number(2e18, "2.0E");
    char text[HUMAN_SIZE];
    human_number(DBL_MAX, text); /* cut, not overrun */
    EXPECT(strlen(text) < HUMAN_SIZE);
}

int main(void)
{
    ages();
    sizes();
    rates();
    return unit_failures > 0;
}
