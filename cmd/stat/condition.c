/* Conditions on a queue's figures. */
#include "stat/condition.h"

#include "base/grow.h"
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    const char *text;
    enum comparison comparison;
} operators[] = {
    {">=", AT_LEAST}, {"<=", AT_MOST}, {"!=", UNEQUAL}, {">", ABOVE}, {"<", BELOW}, {"=", EQUAL},
};

static bool take_operator(const char *text, enum comparison *ret_comparison, size_t *ret_length)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        const size_t length = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, length) == 0) {
            *ret_comparison = operators[i].comparison;
            *ret_length = length;
            return true;
        }
    }
    return false;
}

const char *condition_parse(const char *text, struct condition *ret_condition)
{
    struct condition condition = {.text = text};
    const size_t length = strcspn(text, "<>=!");
    size_t operator_length;
    condition.field = field_find(text, length);
    if (!condition.field)
        return field_no_such();
    if (!take_operator(text + length, &condition.comparison, &operator_length))
        return "neither <, <=, >, >=, = nor !=";
    condition.value = text + length + operator_length;
    if (strcmp(condition.field->name, "lag") == 0 && !field_parse_value(condition.field, condition.value, &condition.number))
        condition.field = field_find("lag_seconds", strlen("lag_seconds")); /* `lag>10m` is about time */
    if (condition.field->kind != FIELD_NAME && !field_parse_value(condition.field, condition.value, &condition.number))
        return "the value is not of that kind";
    if (condition.field->kind == FIELD_NAME && condition.comparison != EQUAL && condition.comparison != UNEQUAL)
        return "names are equal or they are not";
    *ret_condition = condition;
    return NULL;
}

bool condition_holds(const struct condition *condition, const struct snapshot *snapshot)
{
    if (condition->field->kind == FIELD_NAME)
        return condition->field->kind_of == snapshot->kind &&
               (strcmp(field_word(condition->field, snapshot), condition->value) == 0) ==
                   (condition->comparison == EQUAL);
    const double value = field_value(condition->field, snapshot), number = condition->number;
    switch (condition->comparison) {
    case ABOVE:
        return value > number;
    case AT_LEAST:
        return value >= number;
    case BELOW:
        return value < number;
    case AT_MOST:
        return value <= number;
    case EQUAL:
        return value >= number && value <= number;
    default:
        return value < number || value > number;
    }
}

void conditions_add(struct conditions *conditions, const struct condition *condition)
{
    if (!GROW(conditions->items, conditions->count + 1, conditions->room))
        cli_must(NULL);
    conditions->items[conditions->count++] = *condition;
}

bool conditions_hold(const struct conditions *conditions, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (!condition_holds(&conditions->items[i], snapshot))
            return false;
    return true;
}
