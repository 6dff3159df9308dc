/*
 * Conditions on a queue's figures: `depth>10000`, `oldest>=30m`, `errors_5m>1%`, `queue=jobs`.
 *
 *     CONDITION = FIELD OPERATOR VALUE
 *     OPERATOR  = ">" | ">=" | "<" | "<=" | "=" | "!="
 *
 * A figure that there is not, as the age of the oldest of no messages, meets no condition.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "stat/fields.h"

enum comparison { ABOVE, AT_LEAST, BELOW, AT_MOST, EQUAL, UNEQUAL };

struct condition {
    const char *text; /* as it was given */
    const struct field *field;
    enum comparison comparison;
    const char *value; /* of a name; the text behind the operator */
    double number;     /* of all else */
};

/* Take it apart. NULL, or what is wrong, for people; `text` must live as long as the condition. */
const char *condition_parse(const char *text, struct condition *ret_condition);

bool condition_holds(const struct condition *condition, const struct figures *figures);

/* Several of them. */
struct conditions {
    struct condition *items;
    size_t count;
};

void conditions_add(struct conditions *conditions, const struct condition *condition);
bool conditions_hold(const struct conditions *conditions, const struct figures *figures); /* all of them */

#endif
