/* mq-queue doctor: one queue. */
#ifndef DOCTOR_QUEUE_H
#define DOCTOR_QUEUE_H

/* Add the findings about a queue. */
void doctor_queue(const char *name);

#endif
