/* Figures for people. */
#include "text/human.h"

#include <inttypes.h>
#include <stdio.h>

void human_age(int64_t microseconds, char text[HUMAN_SIZE])
{
    const int64_t seconds = microseconds > 0 ? microseconds / 1000000 : 0;
    if (seconds < 120)
        snprintf(text, HUMAN_SIZE, "%" PRId64 "s", seconds);
    else if (seconds < 120 * 60)
        snprintf(text, HUMAN_SIZE, "%" PRId64 "m", seconds / 60);
    else if (seconds < 48 * 3600)
        snprintf(text, HUMAN_SIZE, "%" PRId64 "h", seconds / 3600);
    else
        snprintf(text, HUMAN_SIZE, "%" PRId64 "d", seconds / 86400);
}

void human_size(uint64_t bytes, char text[HUMAN_SIZE])
{
    static const char units[] = "KMGTPE";
    if (bytes < 1024) {
        snprintf(text, HUMAN_SIZE, "%" PRIu64, bytes);
        return;
    }
    double value = (double)bytes / 1024;
    const char *unit = units;
    /* A value that would be printed with four digits is printed in the next unit. */
    for (; value >= 999.5; unit++)
        value /= 1024;
    snprintf(text, HUMAN_SIZE, value < 9.95 ? "%.1f%c" : "%.0f%c", value, *unit);
}

void human_number(double number, char text[HUMAN_SIZE])
{
    static const char units[] = "kMGTPE";
    const char *unit = units;
    if (number < 999.5) {
        snprintf(text, HUMAN_SIZE,
                 number < 0.005   ? "0"
                 : number < 9.995 ? "%.2f"
                 : number < 99.95 ? "%.1f"
                                  : "%.0f",
                 number);
        return;
    }
    for (number /= 1000; number >= 999.5 && unit[1]; unit++)
        number /= 1000;
    snprintf(text, HUMAN_SIZE, number < 9.95 ? "%.1f%c" : "%.0f%c", number, *unit);
}
