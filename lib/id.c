/* Ids and random numbers. */
#include "id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

void id_make(int64_t moment, char ret_id[ID_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    const uint64_t milliseconds = (uint64_t)moment / 1000;
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(milliseconds >> (40 - 8 * i));
    fill_random(bytes + 6, 10);
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0f)); /* version 7 */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* variant 10 */
    char *at = ret_id;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
}

bool id_is_valid(const char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return length >= 1 && length <= ID_LENGTH_MAX && text[length] == '\0';
}
