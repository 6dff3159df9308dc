/* Making, configuring, trimming and deleting logs. Calls return an exit status, and have reported what is wrong. */
#ifndef LOG_CHANGE_H
#define LOG_CHANGE_H

#include <stdbool.h>

/* The first word is the log, each other one KEY=VALUE. */
int log_create(char **words, int count);

/* Print the configuration, or the values of these keys; or change it. */
int log_config(char **words, int count);

int log_trim_each(char **words, int count);
int log_delete(const char *log, bool force);

#endif
