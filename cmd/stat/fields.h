/*
 * The named figures of a queue: what --format shows, --sort sorts by, --filter and --check compare, and -j prints.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "stat/figures.h"

enum field_kind { FIELD_NAME, FIELD_COUNT, FIELD_DURATION, FIELD_SIZE, FIELD_RATE, FIELD_PERCENT };

struct field {
    const char *name, *title;
    enum field_kind kind;
    size_t counter; /* of FIELD_COUNT and FIELD_SIZE, where `compute` is NULL: its place in struct mq_stats */
    double (*compute)(const struct figures *figures, enum mq_span span);
    enum mq_span span;
};

extern const struct field fields[]; /* the last one has no name */

/* A field by its name or its short one, of `length` characters; NULL: there is none. */
const struct field *field_find(const char *name, size_t length);

/* What is wrong with a name that field_find does not know, and which ones there are. */
const char *field_no_such(void);

/* Durations in seconds. NAN where the queue has no such figure, as the age of the oldest of no messages. */
double field_value(const struct field *field, const struct figures *figures);

#define FIELD_TEXT_SIZE 160

/* Plain numbers (seconds, bytes), or with `human` rounded ones with units; "-" where there is none. */
void field_text(const struct field *field, const struct figures *figures, bool human, char text[FIELD_TEXT_SIZE]);

/* A value of the field's kind with its unit, as "30m" or "1.5%". False: malformed. */
bool field_parse_value(const struct field *field, const char *text, double *ret_value);

/* As an object; all fields, or with `only` those, up to a NULL. */
json_t *field_object(const struct figures *figures, const struct field *const *only);

#endif
