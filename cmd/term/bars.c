/* Numbers drawn with characters. */
#include "term/bars.h"

#include <string.h>

#define EIGHTHS 8

static char *put(char *at, const char *character)
{
    const size_t length = strlen(character);
    memcpy(at, character, length + 1);
    return at + length;
}

void bars_bar(double value, double most, size_t columns, bool utf8, char *text)
{
    static const char *const blocks[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const size_t steps = utf8 ? EIGHTHS : 1;
    size_t length = most > 0 ? (size_t)(value / most * (double)(columns * steps) + 0.5) : 0;
    if (length == 0 && value > 0)
        length = 1;
    if (length > columns * steps)
        length = columns * steps;
    *text = '\0';
    for (size_t i = 0; i < length / steps; i++)
        text = put(text, utf8 ? "█" : "#");
    put(text, blocks[utf8 ? length % steps : 0]);
}

void bars_sparkline(const double *values, size_t count, bool utf8, char *text)
{
    static const char *const blocks[EIGHTHS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[EIGHTHS] = {"_", ".", ".", "-", "-", "=", "=", "#"};
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        const size_t height = most > 0 ? (size_t)(values[i] / most * (EIGHTHS - 1) + 0.5) : 0;
        text = put(text, utf8 ? blocks[height] : plain[height]);
    }
}
