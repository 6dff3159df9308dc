/*
 * Conditions that a queue must not meet, told as monitoring plugins tell: one line with performance data, and an exit
 * status of theirs.
 */
#ifndef ALARM_H
#define ALARM_H

#include "stat/condition.h"

/* As the Monitoring Plugins Development Guidelines have them. */
enum alarm_status { ALARM_OK, ALARM_WARNING, ALARM_CRITICAL, ALARM_UNKNOWN };

struct alarm {
    struct conditions critical, warning;
};

/* Print the line; `unknown`: not every queue could be seen. The exit status. */
int health_check_report(const struct alarm *alarm, const struct figures_list *list, bool unknown);

#endif
