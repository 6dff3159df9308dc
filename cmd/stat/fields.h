/*
 * The named figures of queues, topics and transactions: what --format shows, --sort sorts by, --filter and --check
 * compare, and -j prints.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "stat/snapshot.h"

enum field_kind { FIELD_NAME, FIELD_COUNT, FIELD_DURATION, FIELD_SIZE, FIELD_RATE, FIELD_PERCENT };

struct field {
    const char *name, *title;
    enum field_kind kind;
    enum snapshot_kind kind_of; /* what has it; all else has it missing */
    size_t counter;             /* of FIELD_COUNT and FIELD_SIZE, if `compute` is NULL: the offset in struct snapshot */
    double (*compute)(const struct snapshot *snapshot, enum mq_span span);
    enum mq_span span;
    const char *(*word)(const struct snapshot *snapshot); /* of FIELD_NAME; NULL: what it is of */
};

extern const struct field fields[]; /* the last one has no name */

/* Find a field by its name or short name, which has `length` characters; NULL: there is none. */
const struct field *field_find(const char *name, size_t length);

/* For an unknown name: the error message, with the names of all fields. */
const char *field_no_such(void);

/* The value; durations are in seconds. NAN: it is missing, such as the age of the oldest message of an empty queue,
   or a figure of topics for a queue. */
double field_value(const struct field *field, const struct snapshot *snapshot);

/* The text of a FIELD_NAME. */
const char *field_word(const struct field *field, const struct snapshot *snapshot);

#define FIELD_TEXT_SIZE 272

/* The value as a plain number (seconds, bytes), or with `human` rounded with a unit; "-": it is missing. */
void field_text(const struct field *field, const struct snapshot *snapshot, bool human, char text[FIELD_TEXT_SIZE]);

/* Parse a value of the field's kind with its unit, such as "30m" or "1.5%". False: malformed. */
bool field_parse_value(const struct field *field, const char *text, double *ret_value);

/* An object with the fields in `only`, which ends with NULL. `only` NULL: with all that it has. */
json_t *field_object(const struct snapshot *snapshot, const struct field *const *only);

#endif
