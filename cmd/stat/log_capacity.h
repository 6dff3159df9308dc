/*
 * What the retention of a log needs, and when its disk will be full. This is calculated from the rate of the last five
 * minutes and the average size of what the log holds. mq-stat(1) states the assumptions.
 */
#ifndef LOG_CAPACITY_H
#define LOG_CAPACITY_H

/* Move the names of logs behind the others; returns how many others there are. */
int log_capacity_split(char **names, int count);

/* For the named logs; without names, for all logs of the spool, if there are any. Returns an exit status. */
int log_capacity_show(char *const *names, int count);

#endif
