/*
 * Counting what is in a transaction.
 *
 *     struct tally tally = {.sized = -1};
 *     error = fs_list_at(dir, ".", tally_add, &tally);
 */
#ifndef MQ_TALLY_H
#define MQ_TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally {
    const char *queue; /* NULL: of all */
    int sized; /* the transaction's directory, to look up the sizes of its messages in; -1: they do not matter */
    uint64_t messages, bytes, claims, files;
    bool is_durable;
};

/* For fs_list_at. */
int tally_add(void *context, const char *file, unsigned char type);

#endif
