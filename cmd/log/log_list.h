/* mq-log list. */
#ifndef LOG_LIST_H
#define LOG_LIST_H

/* Show these logs, or all of the spool. Returns an exit status. */
int log_list(char **names, int count);

#endif
