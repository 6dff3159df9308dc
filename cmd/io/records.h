/*
 * Records of a stream, each ended by a separator; the last one may lack it.
 *
 *     struct records records = {.fd = 0, .separator = '\n'};
 *     while ((got = records_next(&records, RECORDS_PATIENT, &record, &size)) == 1) { … records_let_go(&records); }
 *     records_release(&records);
 *
 * A record is returned as soon as it has come, however slowly the next one follows. Records stay in memory until
 * records_let_go, so that many can be used at a time without a copy.
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
    size_t together; /* how many records are used at a time */
    bool ended, is_wide;
    char *memory; /* allocated by this module */
    size_t room;
    struct read_ahead *ahead; /* NULL: the input is not read ahead */
    char *buffer;             /* in `memory`, or in a block of `ahead` */
    size_t start, end;
    size_t kept; /* where the records that are still in use begin */
    size_t seen; /* between `start` and here there is no separator */
};

/*
 * The next record. One byte after it may be written to: its separator, or at the end of the stream an unused one. 1: a
 * record. 0: the end. -ETIMEDOUT: nothing came within this many milliseconds. -EAGAIN: records_let_go must be called
 * first. -EMSGSIZE: the record is too long. -ENOMEM, or the error of read.
 */
int records_next(struct records *records, int milliseconds, char **ret_record, size_t *ret_size);

/* The next record from what was read before. 1: a record. 0: there is no whole one. -EMSGSIZE: too long. */
int records_at_hand(struct records *records, char **ret_record, size_t *ret_size);

/* The records returned so far are no longer in use. */
void records_let_go(struct records *records);

void records_release(struct records *records);

#endif
