/* Ids and random numbers. */
#include "id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "eight.h"
#include "put.h"

#define ID_LENGTH_MAX 64

/* getrandom gives up to 256 bytes whole once the pool is ready; only a signal during early boot cuts it short. */
static void fill_random(void *buffer, size_t size)
{
    while (getrandom(buffer, size, 0) != (ssize_t)size)
        if (errno != EINTR)
            abort();
}

uint64_t id_random(void)
{
    uint64_t number;
    fill_random(&number, sizeof number);
    return number;
}

#define VERSION_7 (UINT64_C(7) << 12)
#define VARIANT_10 (UINT64_C(2) << 62)

struct id_series id_series(int64_t moment)
{
    uint64_t random[2];
    fill_random(random, sizeof random);
    const uint64_t milliseconds = (uint64_t)moment / 1000;
    return (struct id_series){
        .high = milliseconds << 16 | VERSION_7 | (random[0] & 0x0fff),
        .low = VARIANT_10 | random[1] >> 2,
    };
}

void id_next(struct id_series *series, char ret_id[ID_UUID_SIZE])
{
    char *at = put_hex(ret_id, series->high >> 32, 8);
    *at++ = '-';
    at = put_hex(at, series->high >> 16, 4);
    *at++ = '-';
    at = put_hex(at, series->high, 4);
    *at++ = '-';
    at = put_hex(at, series->low >> 48, 4);
    *at++ = '-';
    *put_hex(at, series->low, 12) = '\0';
    /* 62 bits: they do not run over. */
    series->low = VARIANT_10 | ((series->low + 1) & ~(UINT64_C(3) << 62));
}

void id_make(int64_t moment, char ret_id[ID_UUID_SIZE])
{
    struct id_series series = id_series(moment);
    id_next(&series, ret_id);
}

static bool may_be_in_an_id(uint64_t eight)
{
    return eight_are(eight, eight_are_words(eight) | eight_between(eight, '_', '_'));
}

bool id_is_valid(const char *text)
{
    const size_t length = strlen(text);
    return length >= 1 && length <= ID_LENGTH_MAX && eight_span(text, length, may_be_in_an_id) == length;
}
