/* Base64 of RFC 4648, with padding. */
#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>
#include <stddef.h>

#define BASE64_SIZE(size) (((size) + 2) / 3 * 4) /* characters that encode `size` bytes */

/* Encode into BASE64_SIZE(size) characters; no NUL follows. */
void base64_encode(const void *data, size_t size, char *ret_text);

/* Decode into at most `size / 4 * 3` bytes. False: malformed. */
bool base64_decode(const char *text, size_t size, void *ret_data, size_t *ret_size);

#endif
