/*
 * SHA-256 (FIPS 180-4).
 *
 *     struct sha256 hash = sha256_begin();
 *     sha256_add(&hash, data, size);                  as often as there is more
 *     sha256_end(&hash, digest);                      64 hexadecimal digits and a NUL
 *
 * It is written here because glibc has no hash, the library is to need nothing but glibc, and the kernel's (AF_ALG) takes
 * six system calls and is not there in many containers. Where a digest identifies content, nobody attacks it by timing.
 */
#ifndef MQ_SHA256_H
#define MQ_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64
#define SHA256_TEXT_SIZE 65

struct sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    unsigned char block[SHA256_BLOCK];
};

struct sha256 sha256_begin(void);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, char ret_text[SHA256_TEXT_SIZE]);

#endif
