/* Figures for people: rounded, and short enough for a table. */
#ifndef HUMAN_H
#define HUMAN_H

#include <stdint.h>

#define HUMAN_SIZE 24

/* "12s", "3m", "5h", "2d". A negative age is shown as 0. */
void human_age(int64_t microseconds, char text[HUMAN_SIZE]);

/* "512", "3.4M", "120G". */
void human_size(uint64_t bytes, char text[HUMAN_SIZE]);

/* "0", "0.25", "12.5", "340", "1.2k": at most three digits, with units of a thousand. */
void human_number(double number, char text[HUMAN_SIZE]);

#endif
