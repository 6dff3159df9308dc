/* Figures for the eye: rounded, and short enough for a table. */
#ifndef HUMANE_H
#define HUMANE_H

#include <stdint.h>

#define HUMANE_SIZE 24

/* "12s", "3m", "5h", "2d"; what is negative counts as 0. */
void humane_age(int64_t microseconds, char text[HUMANE_SIZE]);

/* "512", "3.4M", "120G". */
void humane_size(uint64_t bytes, char text[HUMANE_SIZE]);

/* "0", "0.25", "12.5", "340", "1.2k": three digits at most, in steps of a thousand. */
void humane_number(double number, char text[HUMANE_SIZE]);

#endif
