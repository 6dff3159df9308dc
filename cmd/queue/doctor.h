/* mq-queue doctor: look at everything that a spool depends on, and say what to do about what is wrong. */
#ifndef DOCTOR_H
#define DOCTOR_H

/* Print the findings. Returns an exit status of a check: 0 all is well, 1 a warning, 2 something critical, 3 something
   could not be looked at. */
int doctor_run(char **words, int count);

#endif
