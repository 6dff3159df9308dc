/* Ids that are made from what a message says. */
#include "format/content_id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "base/sha256.h"

#define BLOCK 65536

_Static_assert(SHA256_TEXT_SIZE == MQ_ID_SIZE, "an id takes a digest");

const char content_id_blank[MQ_ID_SIZE] = "0000000000000000000000000000000000000000000000000000000000000000";

/* ---- headers ----------------------------------------------------------------------- */

struct header {
    const char *name, *value;
};

static int compare(const void *one, const void *other)
{
    return strcasecmp(((const struct header *)one)->name, ((const struct header *)other)->name);
}

static void add_header(struct sha256 *hash, const struct header *header)
{
    for (const char *at = header->name; *at; at++) {
        const char lower = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        sha256_add(hash, &lower, 1);
    }
    sha256_add(hash, ": ", 2);
    sha256_add(hash, header->value, strlen(header->value));
    sha256_add(hash, "\n", 1);
}

static int add_headers(struct sha256 *hash, const mq_message *message)
{
    struct header header;
    size_t count = 0, taken = 0;
    const char *next;
    for (const char *at = message->headers; (next = message_next_header(message, at, &header.name, &header.value));
         at = next)
        count++;
    struct header *all = count ? calloc(count, sizeof *all) : NULL;
    if (count && !all)
        return -ENOMEM;
    for (const char *at = message->headers; (next = message_next_header(message, at, &header.name, &header.value));
         at = next)
        all[taken++] = header;
    if (count)
        qsort(all, count, sizeof *all, compare);
    for (size_t i = 0; i < count; i++)
        add_header(hash, &all[i]);
    free(all);
    return 0;
}

/* ---- the body ---------------------------------------------------------------------- */

/* How much of a block belongs to the headers, the blank line included; `newlines` end what came before it. */
static size_t headers_in(const char *block, size_t size, int *newlines)
{
    size_t at = 0;
    for (; at < size && *newlines < 2; at++)
        *newlines = block[at] == '\n' ? *newlines + 1 : 0;
    return at;
}

static int add_body_of(struct sha256 *hash, int file)
{
    char block[BLOCK];
    int newlines = 0;
    ssize_t got;
    for (uint64_t at = 0; (got = io_read_at(file, block, sizeof block, at)) > 0; at += (uint64_t)got) {
        const size_t skipped = headers_in(block, (size_t)got, &newlines);
        sha256_add(hash, block + skipped, (size_t)got - skipped);
    }
    return (int)got;
}

int content_id_make(const mq_message *message, int file, char ret_id[MQ_ID_SIZE])
{
    struct sha256 hash = sha256_begin();
    int error = add_headers(&hash, message);
    sha256_add(&hash, "\n", 1);
    if (!error && message->body_fd >= 0)
        error = add_body_of(&hash, file);
    else if (!error && message->body_size > 0)
        sha256_add(&hash, message->body, message->body_size);
    if (!error)
        sha256_end(&hash, ret_id);
    return error;
}
