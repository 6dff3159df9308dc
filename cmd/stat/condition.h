/*
 * Conditions on a queue's figures: `depth>10000`, `oldest>=30m`, `errors_5m>1%`, `queue=jobs`.
 *
 *     CONDITION = FIELD OPERATOR VALUE
 *     OPERATOR  = ">" | ">=" | "<" | "<=" | "=" | "!="
 *
 * A missing value, such as the age of the oldest message of an empty queue, meets no condition.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "stat/fields.h"

enum comparison { ABOVE, AT_LEAST, BELOW, AT_MOST, EQUAL, UNEQUAL };

struct condition {
    const char *text; /* as the user wrote it */
    const struct field *field;
    enum comparison comparison;
    const char *value; /* of a FIELD_NAME: the text after the operator */
    double number;     /* of all other kinds */
};

/* Parse a condition. Returns NULL, or a text that says what is wrong. `text` must live as long as the condition. */
const char *condition_parse(const char *text, struct condition *ret_condition);

bool condition_holds(const struct condition *condition, const struct snapshot *snapshot);

struct conditions {
    struct condition *items;
    size_t count, room;
};

void conditions_add(struct conditions *conditions, const struct condition *condition);
bool conditions_hold(const struct conditions *conditions, const struct snapshot *snapshot); /* all of them */

#endif
