/* mq-queue pause and resume. Both return an exit status. */
#ifndef PAUSE_H
#define PAUSE_H

/* `what` are bits MQ_PAUSE_…; 0: everything. */
int pause_queue(const char *name, unsigned what);
int pause_resume(const char *name, unsigned what);

#endif
