/* Ids and random numbers. */
#include "base/id.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/put.h"
#include "base/swar.h"

#define ID_LENGTH_MAX 64

/* Mixes each bit of a number into all of them (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
   Generators"). */
static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* Make bytes that are as good as unique if the kernel has no getrandom, or a filter of system calls forbids it. They
   come from the thread's number, its processor time, the moment, and the random bytes that the kernel gave the program
   at its start: no two calls have all of these in common. */
static void make_up(unsigned char *buffer, size_t size)
{
    uint64_t word = mix((uint64_t)gettid()) ^ (uint64_t)getpid();
    const unsigned char *const seed = (const unsigned char *)getauxval(AT_RANDOM);
    for (size_t i = 0; i < 16 && seed; i++)
        word = mix(word << 8 ^ word >> 56 ^ seed[i]);
    for (size_t i = 0; i < size; i++) {
        if (i % sizeof word == 0) {
            struct timespec time, used;
            clock_gettime(CLOCK_REALTIME, &time);
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
            word = mix(mix(word ^ (uint64_t)time.tv_sec) ^ (uint64_t)time.tv_nsec);
            word = mix(mix(word ^ (uint64_t)used.tv_sec) ^ (uint64_t)used.tv_nsec);
        }
        buffer[i] = (unsigned char)(word >> i % sizeof word * 8);
    }
}

static void fill_random(void *buffer, size_t size)
{
    for (size_t have = 0; have < size;) {
        const ssize_t got = getrandom((char *)buffer + have, size - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got < 0 && errno != EINTR) {
            make_up((unsigned char *)buffer + have, size - have);
            return;
        }
    }
}

uint64_t id_random(void)
{
    uint64_t number;
    fill_random(&number, sizeof number);
    return number;
}

/* The golden ratio: multiples of it are spread evenly. */
#define STEP UINT64_C(0x9e3779b97f4a7c15)

uint64_t id_random_of(uint64_t *series, int64_t moment, uint64_t about)
{
    *series = *series ? *series + STEP : id_random();
    return mix(mix(*series ^ (uint64_t)moment) ^ about);
}

uint64_t id_random_after(uint64_t number)
{
    return mix(number + STEP);
}

#define VERSION_7 (UINT64_C(7) << 12)
#define VARIANT_10 (UINT64_C(2) << 62)

/* The moment, then the version and random bits, which `high` has at its end. */
static uint64_t high_at(int64_t moment, uint64_t high)
{
    return (uint64_t)moment / 1000 << 16 | VERSION_7 | (high & 0x0fff);
}

struct id_series id_series(int64_t moment)
{
    uint64_t random[2];
    fill_random(random, sizeof random);
    return (struct id_series){.high = high_at(moment, random[0]), .low = VARIANT_10 | random[1] >> 2};
}

/* The low 62 bits count; the two bits of the variant stay as they are. */
static uint64_t low_after(uint64_t low, uint64_t steps)
{
    return VARIANT_10 | ((low + steps) & ~(UINT64_C(3) << 62));
}

/* The last two groups of an id. */
static void put_low(char *at, uint64_t low)
{
    at = put_hex(at, low >> 48, 4);
    *at++ = '-';
    *put_hex(at, low, 12) = '\0';
}

void id_next(struct id_series *series, char ret_id[ID_UUID_SIZE])
{
    char *at = put_hex(ret_id, series->high >> 32, 8);
    *at++ = '-';
    at = put_hex(at, series->high >> 16, 4);
    *at++ = '-';
    at = put_hex(at, series->high, 4);
    *at++ = '-';
    put_low(at, series->low);
    series->low = low_after(series->low, 1);
}

#define SHAPE "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
#define LOW_AT 19 /* where the last two groups begin */

bool id_is_in_series(const char *text)
{
    for (size_t i = 0; i < sizeof SHAPE - 1; i++)
        if (SHAPE[i] == 'x' ? !memchr("0123456789abcdef", text[i], 16) : text[i] != SHAPE[i])
            return false;
    return text[sizeof SHAPE - 1] == '\0';
}

static uint64_t low_of(const char *id)
{
    uint64_t low = 0;
    for (const char *at = id + LOW_AT; *at; at++)
        if (*at != '-')
            low = low << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return low;
}

void id_step(const char *id, int64_t steps, char ret_id[ID_UUID_SIZE])
{
    memmove(ret_id, id, LOW_AT);
    put_low(ret_id + LOW_AT, low_after(low_of(id), (uint64_t)steps));
}

/* The first digit of the low half also holds the variant, so it has only the values 8 to b. */
void id_increment(char id[ID_UUID_SIZE])
{
    for (char *at = id + sizeof SHAPE - 2;; at--) {
        const bool last = at == id + LOW_AT;
        if (*at == '-')
            continue;
        if (*at != (last ? 'b' : 'f')) {
            *at = (char)(*at == '9' ? 'a' : *at + 1);
            return;
        }
        *at = last ? '8' : '0';
        if (last)
            return;
    }
}

uint64_t id_distance(const char *first, const char *id)
{
    if (!id_is_in_series(first) || !id_is_in_series(id) || memcmp(first, id, LOW_AT) != 0)
        return UINT64_MAX;
    return (low_of(id) - low_of(first)) & ~(UINT64_C(3) << 62);
}

void id_make(int64_t moment, char ret_id[ID_UUID_SIZE])
{
    struct id_series series = id_series(moment);
    id_next(&series, ret_id);
}

/* The program that makes one id and ends needs no memory for it. */
static bool keeps(struct id_source *source)
{
    if (!source->used || source->keeps_nothing || source->kept)
        return source->kept != NULL;
    const size_t size = sizeof *source->kept;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED && madvise(memory, size, MADV_WIPEONFORK) == 0)
        source->kept = memory;
    else if (memory != MAP_FAILED)
        munmap(memory, size);
    source->keeps_nothing = !source->kept;
    return source->kept != NULL;
}

void id_make_of(struct id_source *source, int64_t moment, char ret_id[ID_UUID_SIZE])
{
    const bool kept = keeps(source);
    source->used = true;
    if (!kept) {
        id_make(moment, ret_id);
        return;
    }
    if (source->kept->low == 0) /* it never is 0 after this */
        *source->kept = id_series(moment);
    source->kept->high = high_at(moment, source->kept->high);
    id_next(source->kept, ret_id);
}

void id_source_free(struct id_source *source)
{
    if (source->kept)
        munmap(source->kept, sizeof *source->kept);
    *source = (struct id_source){0};
}

static bool may_be_in_an_id(uint64_t eight)
{
    return swar_are(eight, swar_are_words(eight) | swar_between(eight, '_', '_'));
}

bool id_is_valid(const char *text)
{
    const size_t length = strlen(text);
    return length >= 1 && length <= ID_LENGTH_MAX && swar_span(text, length, may_be_in_an_id) == length;
}
