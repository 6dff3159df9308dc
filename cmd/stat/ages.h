/* How many messages of what age: a row for each queue and state that holds some. */
#ifndef AGES_H
#define AGES_H

/* For the queues named, or all of the spool: an exit status. */
int ages_show(char *const *names, int count);

#endif
