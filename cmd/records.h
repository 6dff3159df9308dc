/*
 * Records of a stream, each ended by a separator; the last one may lack it.
 *
 *     struct records records = {.fd = 0, .separator = '\n'};
 *     while ((got = records_next(&records, &record, &size)) == 1) ...
 *     records_release(&records);
 *
 * What has come is returned at once, however slowly the rest follows.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#define RECORDS_MOST ((size_t)64 << 20) /* bytes of one record: memory stays bounded */

struct records {
    int fd;
    char separator;
    bool ended;
    char *buffer;
    size_t room, start, end, seen; /* `seen`: so far there is no separator */
};

/* The next record, followed by a NUL, good until the next call. 1 got it, 0 the end, -EMSGSIZE too long, -ENOMEM,
   or what read said. */
int records_next(struct records *records, char **ret_record, size_t *ret_size);
void records_release(struct records *records);

#endif
