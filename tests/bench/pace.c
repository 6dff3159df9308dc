/*
 * Lines at a steady pace, each written by itself.
 *
 *     pace RATE COUNT [WORDS]
 *
 * Prints COUNT lines, RATE of them a second: a number, behind WORDS if there are any. A line whose moment has passed,
 * since the reader was slow, is written at once.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"

int main(int argc, char **argv)
{
    const int rate = argc >= 3 ? atoi(argv[1]) : 0, count = argc >= 3 ? atoi(argv[2]) : 0;
    if (rate < 1 || count < 1 || argc > 4) {
        fprintf(stderr, "usage: pace RATE COUNT [WORDS]\n");
        return 64;
    }
    const double begun = microseconds();
    for (int i = 0; i < count; i++) {
        const double left = begun + i * 1e6 / rate - microseconds();
        if (left > 0)
            poll(NULL, 0, (int)(left / 1000) + 1);
        if (printf("%s%s%d\n", argc == 4 ? argv[3] : "", argc == 4 ? " " : "", i) < 0 || fflush(stdout) != 0)
            return 1;
    }
    return 0;
}
