/* mq-queue output: what a command printed. */
#ifndef RESULT_OUTPUT_H
#define RESULT_OUTPUT_H

#include <stdbool.h>

/* Write what the last command for a message printed, or that of an attempt, to standard output and standard error. With
   `follow`, go on until the command has ended. Returns an exit status. */
int result_output_print(const char *name, const char *id, unsigned attempt, bool follow);

#endif
