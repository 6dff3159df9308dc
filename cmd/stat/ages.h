/* mq-stat --ages: histograms of the ages of messages, a row for each queue and state that holds some. */
#ifndef AGES_H
#define AGES_H

/* For the named queues; without names, for all queues of the spool. Returns an exit status. */
int ages_show(char *const *names, int count);

#endif
