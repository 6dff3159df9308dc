/* Conditions that a queue must not meet. */
#include "stat/health_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

/* The first condition on a figure; NULL: there is none. */
static const struct condition *find(const struct conditions *conditions, const struct field *field)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->items[i].field == field)
            return &conditions->items[i];
    return NULL;
}

/* ---- what is wrong -------------------------------------------------------------------- */

static void print_breach(const struct condition *condition, const struct snapshot *snapshot, bool first)
{
    char value[FIELD_TEXT_SIZE], escaped[TEXT_ESCAPED(256)];
    field_text(condition->field, snapshot, true, value);
    text_escape(condition->text, strnlen(condition->text, 255), "", escaped);
    printf("%s%s %s is %s (%s)", first ? "" : ", ", snapshot->queue, condition->field->name, value, escaped);
}

/* Whether one of the conditions on a figure is met. */
static bool is_breached(const struct conditions *conditions, const struct field *field, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->items[i].field == field && condition_holds(&conditions->items[i], snapshot))
            return true;
    return false;
}

/* Print each condition that is met, unless one of `worse` is met for the same figure. `printed` is the number of those
   printed before. Returns the new number. */
static size_t print_breaches(const struct conditions *conditions, const struct conditions *worse,
                             const struct snapshot_list *list, size_t printed)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < conditions->count; j++) {
            const struct condition *condition = &conditions->items[j];
            if (condition_holds(condition, &list->items[i]) &&
                !(worse && is_breached(worse, condition->field, &list->items[i])))
                print_breach(condition, &list->items[i], printed++ == 0);
        }
    return printed;
}

static bool is_met(const struct conditions *conditions, const struct snapshot_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < conditions->count; j++)
            if (condition_holds(&conditions->items[j], &list->items[i]))
                return true;
    return false;
}

/* ---- performance data ----------------------------------------------------------------- */

/* Print the range in which all is well: up to a number, or from a number on. */
static void print_range(const struct condition *condition)
{
    putchar(';');
    if (!condition)
        return;
    const bool upper = condition->comparison == ABOVE || condition->comparison == AT_LEAST;
    const bool lower = condition->comparison == BELOW || condition->comparison == AT_MOST;
    if (upper || lower)
        printf("%.15g%s", condition->number, lower ? ":" : "");
}

static const char *unit_of(const struct field *field)
{
    switch (field->kind) {
    case FIELD_DURATION:
        return "s";
    case FIELD_SIZE:
        return "B";
    case FIELD_PERCENT:
        return "%";
    default:
        return "";
    }
}

/* Print an item of performance data, named as the condition names the figure. `U`: its value is missing. */
static void print_item(const struct alarm *alarm, const struct condition *condition, const struct snapshot *snapshot)
{
    const struct field *field = condition->field;
    const double value = field->kind == FIELD_NAME ? NAN : field_value(field, snapshot);
    const int length = (int)strcspn(condition->text, "<>=!");
    if (field->kind == FIELD_NAME)
        return;
    printf(" '%s_%.*s'=", snapshot->queue, length, condition->text);
    if (isfinite(value))
        printf("%.15g%s", value, unit_of(field));
    else
        putchar('U');
    print_range(find(&alarm->warning, field));
    print_range(find(&alarm->critical, field));
    fputs(";0;", stdout);
}

/* Print each figure once, even if several conditions are on it. */
static void print_data_of(const struct alarm *alarm, const struct conditions *conditions,
                          const struct snapshot *snapshot)
{
    for (size_t i = 0; i < conditions->count; i++) {
        const struct condition *condition = &conditions->items[i];
        if (find(conditions, condition->field) == condition &&
            (conditions == &alarm->critical || !find(&alarm->critical, condition->field)))
            print_item(alarm, condition, snapshot);
    }
}

int health_check_report(const struct alarm *alarm, const struct snapshot_list *list, bool unknown)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    const enum alarm_status status = is_met(&alarm->critical, list)  ? ALARM_CRITICAL
                                     : unknown                       ? ALARM_UNKNOWN
                                     : is_met(&alarm->warning, list) ? ALARM_WARNING
                                                                     : ALARM_OK;
    printf("MQ %s - ", words[status]);
    size_t met = print_breaches(&alarm->critical, NULL, list, 0);
    met = print_breaches(&alarm->warning, &alarm->critical, list, met);
    if (unknown)
        printf("%snot every queue could be seen", met > 0 ? ", " : "");
    else if (met == 0)
        printf("%zu queue%s", list->count, list->count == 1 ? "" : "s");
    fputs(" |", stdout);
    for (size_t i = 0; i < list->count; i++) {
        print_data_of(alarm, &alarm->critical, &list->items[i]);
        print_data_of(alarm, &alarm->warning, &list->items[i]);
    }
    putchar('\n');
    return (int)status;
}
