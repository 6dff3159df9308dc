/*
 * Records of a stream, each ended by a separator; the last one may lack it.
 *
 *     struct records records = {.fd = 0, .separator = '\n'};
 *     while ((got = records_next(&records, RECORDS_PATIENT, &record, &size)) == 1) { … records_let_go(&records); }
 *     records_release(&records);
 *
 * What has come is returned at once, however slowly the rest follows. Records stay where they are until they are let
 * go, so that many can be used at a time without a copy.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/read_ahead.h"

#define RECORDS_MOST ((size_t)64 << 20) /* bytes of one record: memory stays bounded */
#define RECORDS_PATIENT (-1)

struct records {
    int fd;
    char separator;
    size_t together; /* how many are used at a time */
    bool ended, is_wide;
    char *memory; /* ours */
    size_t room;
    struct read_ahead *ahead; /* NULL: what comes is read when it is asked for */
    char *buffer;             /* in our memory, or in that of `ahead` */
    size_t start, end;
    size_t kept; /* where the records that are not let go begin */
    size_t seen; /* so far there is no separator */
};

/*
 * The next record, followed by its separator, or at the end by a byte that means nothing; either may be written to. 1
 * got it, 0 the end, -ETIMEDOUT nothing came within so many milliseconds, -EAGAIN records must be let go first,
 * -EMSGSIZE too long, -ENOMEM, or what read said.
 */
int records_next(struct records *records, int milliseconds, char **ret_record, size_t *ret_size);

/* The same of what was read before: 1 got it, 0 there is no whole one, -EMSGSIZE too long. */
int records_at_hand(struct records *records, char **ret_record, size_t *ret_size);

/* The records returned so far are not used any more. */
void records_let_go(struct records *records);

void records_release(struct records *records);

#endif
