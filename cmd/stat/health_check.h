/*
 * Conditions that no queue, topic or spool is to meet, reported as monitoring plugins do: one line with performance
 * data, and one of their exit statuses.
 */
#ifndef HEALTH_CHECK_H
#define HEALTH_CHECK_H

#include "stat/condition.h"

/* The exit statuses of the Monitoring Plugins Development Guidelines. */
enum alarm_status { ALARM_OK, ALARM_WARNING, ALARM_CRITICAL, ALARM_UNKNOWN };

struct alarm {
    struct conditions critical, warning;
};

/* Print the line. `unknown`: some queue could not be read. Returns the exit status. */
int health_check_report(const struct alarm *alarm, const struct snapshot_list lists[SNAPSHOT_KINDS], bool unknown);

#endif
