/* What `mq-queue doctor` finds, and what to do about it. */
#ifndef FINDING_H
#define FINDING_H

/* In the order of the exit statuses of monitoring plugins. */
enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_CRITICAL, FINDING_UNKNOWN };

/* Print a finding: as a line for people, in which -q leaves out what is well, or as JSON with -j. `advice` may be NULL. */
void finding_add(enum finding_level level, const char *subject, const char *advice, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The worst level so far. What could not be looked at is less than what is known to be critical. */
int finding_worst(void);

#endif
